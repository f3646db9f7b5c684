"""The perf map: one line for each stub in a file of the process, written only on request."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from epsilon.foreign.backend.trampoline import perfmap
from epsilon.foreign.backend.trampoline.memory import Block, CodeHeap
from epsilon.foreign.backend.trampoline.perfmap import PerfMap
from hand_stubs import constant


def entries(path: Path) -> list[tuple[int, int, str]]:
    rows = [line.split(" ", 2) for line in path.read_text().splitlines()]
    return [(int(start, 16), int(size, 16), name) for start, size, name in rows]


def test_every_stub_old_and_new_has_a_line(tmp_path: Path) -> None:
    heap = CodeHeap()
    old = heap.allocate(constant(1), "old stub")
    path = Path(PerfMap(heap, str(tmp_path)).enable())
    new = heap.allocate(constant(2), "new\nstub")
    size = len(constant(1))
    assert path.name == f"perf-{os.getpid()}.map"
    assert entries(path) == [(old, size, "epsilon.foreign:old stub"), (new, size, "epsilon.foreign:new stub")]
    assert path.stat().st_mode & 0o777 == 0o600


def test_numbers_are_hexadecimal_without_a_prefix() -> None:
    assert perfmap.line(Block(0xABC0, 255, "f(x)")) == "abc0 ff epsilon.foreign:f(x)\n"


def test_enabling_twice_and_again_after_disabling_repeats_no_line(tmp_path: Path) -> None:
    heap = CodeHeap()
    heap.allocate(constant(1), "a")
    perf = PerfMap(heap, str(tmp_path))
    perf.enable()
    perf.enable()
    perf.disable()
    heap.allocate(constant(1), "b")
    assert [name for _, _, name in entries(Path(perf.path))] == ["epsilon.foreign:a"]
    perf.enable()
    assert [name for _, _, name in entries(Path(perf.path))] == ["epsilon.foreign:a", "epsilon.foreign:b"]


def test_a_child_writes_a_map_of_its_own_with_what_it_inherited(tmp_path: Path) -> None:
    heap = CodeHeap()
    heap.allocate(constant(1), "inherited")
    perf = PerfMap(heap, str(tmp_path))
    perf.enable()
    child = os.fork()
    if child == 0:
        try:
            heap.allocate(constant(2), "own")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    written = entries(tmp_path / f"perf-{child}.map")
    assert [name for _, _, name in written] == ["epsilon.foreign:inherited", "epsilon.foreign:own"]
    assert len(entries(Path(perf.path))) == 1


def test_a_link_in_the_shared_folder_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    perf = PerfMap(CodeHeap(), str(tmp_path))
    os.symlink(victim, perf.path)
    with pytest.raises(OSError, match="symbolic link"):
        perf.enable()
    assert victim.read_text() == "precious"


def test_a_map_that_cannot_be_written_does_not_fail_the_stub(tmp_path: Path) -> None:
    heap = CodeHeap()
    folder = tmp_path / "folder"
    folder.mkdir()
    perf = PerfMap(heap, str(folder))
    path = Path(perf.enable())
    path.unlink()
    folder.rmdir()
    assert heap.allocate(constant(1), "unmapped")
    assert heap.allocate(constant(1), "unmapped too")


@pytest.mark.parametrize(
    ("value", "wanted"), [("1", True), ("yes", True), ("0", False), ("", False), (None, False)]
)
def test_the_environment_asks_for_it(
    monkeypatch: pytest.MonkeyPatch, value: str | None, wanted: bool
) -> None:
    monkeypatch.delenv(perfmap.ENVIRONMENT, raising=False)
    if value is not None:
        monkeypatch.setenv(perfmap.ENVIRONMENT, value)
    assert perfmap.wanted() is wanted


def test_a_heap_has_one_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perfmap, "_FOLDER", str(tmp_path))
    heap = CodeHeap()
    heap.allocate(constant(1), "once")
    assert perfmap.enable_perf_map(heap) == perfmap.enable_perf_map(heap)
    assert len(entries(tmp_path / f"perf-{os.getpid()}.map")) == 1
