"""Building: the cache, the compilers, and each peer on the same functions."""

from __future__ import annotations

from pathlib import Path

import pytest
from epsilon.foreign.ext.perf.bench import PEERS, Cache, Contestant, Peer, UnavailableError, Workshop
from epsilon.foreign.ext.perf.bench.building import compiler
from epsilon.foreign.ext.perf.bench.building.cache import default_root
from epsilon.foreign.ext.perf.bench.operation import verify
from epsilon.foreign.ext.perf.bench.suites.calls import SUITE as CALLS
from epsilon.foreign.ext.perf.bench.suites.microbenchmark import sources as microbenchmark
from epsilon.foreign.ext.perf.bench.suites.scale import sources as scale


def test_the_same_ingredients_are_built_once(tmp_path: Path) -> None:
    cache, made = Cache(tmp_path), []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "product").write_text("done")

    first = cache.build("thing", ["source", "flags"], make)
    assert cache.build("thing", ["source", "flags"], make) == first
    assert (first.folder / "product").read_text() == "done"
    assert len(made) == 1
    assert cache.build("thing", ["source", "other flags"], make).folder != first.folder


def test_ingredients_cannot_run_together() -> None:
    from epsilon.foreign.ext.perf.bench.building.cache import _digest

    assert _digest(["ab", "c"]) != _digest(["a", "bc"])


def test_a_failed_build_leaves_nothing_behind(tmp_path: Path) -> None:
    cache = Cache(tmp_path)

    def fail(folder: Path) -> None:
        (folder / "half").write_text("")
        raise UnavailableError("no")

    with pytest.raises(UnavailableError):
        cache.build("thing", ["source"], fail)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_cache_follows_the_base_directory_specification(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_root() == tmp_path / "epsilon-foreign" / "bench"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_root().is_absolute()


def test_a_machine_without_a_compiler_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(UnavailableError, match="no C compiler found"):
        Workshop(Cache(tmp_path)).library("thing", "int x;")


def test_what_the_compiler_complains_about_is_passed_on(workshop: Workshop) -> None:
    with pytest.raises(UnavailableError, match=r"failed: .*error"):
        workshop.library("broken", "this is not C")


BUILDABLE = [peer for key, peer in PEERS.items() if key in CALLS.setups and peer.kind == "peer"]


@pytest.mark.parametrize(
    "contestant", [Contestant(peer, gil) for peer in BUILDABLE for gil in peer.gils], ids=str
)
def test_a_peer_is_built_and_gives_the_right_answers(workshop: Workshop, contestant: Contestant) -> None:
    try:
        subjects = CALLS.setups[contestant.peer.key](workshop, contestant)
    except UnavailableError as error:
        pytest.skip(str(error))
    assert list(subjects) == [operation.name for operation in CALLS.operations]
    for operation in CALLS.operations:
        verify(operation, subjects[operation.name])


def _handwritten(workshop: Workshop, gil: str) -> dict[str, object]:
    peer: Peer = PEERS["c"]
    contestant = next(Contestant(peer, each) for each in peer.gils if each.value == gil)
    try:
        subjects = CALLS.setups["c"](workshop, contestant)
    except UnavailableError as error:
        pytest.skip(str(error))
    return {name: subject.names["f"] for name, subject in subjects.items()}


@pytest.mark.parametrize("gil", ["held", "released"])
@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("add", (1,), TypeError),
        ("add", (1, "2"), TypeError),
        ("add", (1, 2**64), OverflowError),
        ("length", ("a\0b",), ValueError),
        ("length", (b"bytes",), TypeError),
        ("identity", ("1",), TypeError),
        ("crc", ("text", 4), TypeError),
        ("crc", (b"text", -1), OverflowError),
    ],
)
def test_the_hand_written_peer_checks_what_we_check(
    workshop: Workshop, gil: str, name: str, arguments: tuple[object, ...], error: type[Exception]
) -> None:
    function = _handwritten(workshop, gil)[name]
    assert callable(function)
    with pytest.raises(error):
        function(*arguments)


def test_the_hand_written_peer_takes_any_buffer_and_none_for_null(workshop: Workshop) -> None:
    functions = _handwritten(workshop, "held")
    crc, identity = functions["crc"], functions["identity"]
    assert callable(crc) and callable(identity)
    assert crc(bytearray(b"abcd"), 4) == crc(memoryview(b"abcd"), 4) == crc(b"abcd", 4)
    assert identity(None) is None
    assert identity(0) is None


def test_python_s_headers_are_asked_for_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    paths = {"include": str(tmp_path), "platinclude": str(tmp_path)}
    monkeypatch.setattr(compiler.sysconfig, "get_paths", lambda: paths)
    with pytest.raises(UnavailableError, match=r"headers are not installed"):
        compiler.includes()


def test_there_are_as_many_generated_functions_as_named() -> None:
    assert len({each.parameters for each in microbenchmark.PROTOTYPES}) == microbenchmark.COUNT == 720
    assert microbenchmark.target().count("return a + b") == 720
    assert len({each.name for each in scale.PROTOTYPES}) == 2000
    assert len({(each.result, each.parameters) for each in scale.PROTOTYPES}) == 200
    assert "string" not in {word for each in microbenchmark.PROTOTYPES for word in each.parameters}
