"""What was parsed before is not parsed again, as long as nothing it was made of has changed."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from epsilon.foreign.ext import discovery
from epsilon.foreign.ext.discovery.cache import cache_folder, clear_cache
from epsilon.foreign.ext.discovery.parser import parsing


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The texts that clang has been given, with an empty cache."""
    monkeypatch.setenv("EPSILON_FOREIGN_CACHE", str(tmp_path / "cache"))
    seen: list[str] = []
    run = parsing._Parse.run

    def watched(self: Any) -> Any:
        seen.append(self.source.text)
        return run(self)

    monkeypatch.setattr(parsing._Parse, "run", watched)
    return seen


def test_the_second_time_nothing_is_parsed(header: Callable[..., Path], parses: list[str]) -> None:
    path = header("int f(void);")
    first = discovery.parse(path)
    assert discovery.parse(path) == first and len(parses) == 1
    assert discovery.parse(path, cache=False) == first and len(parses) == 2


def test_a_change_in_the_header_or_in_what_it_includes_counts(
    header: Callable[..., Path], parses: list[str]
) -> None:
    header("typedef int number;", "part.h")
    path = header('#include "part.h"\nnumber f(void);')
    discovery.parse(path)
    header("typedef long number;", "part.h")
    again = discovery.parse(path)
    assert str(again.typedefs["number"].type) == "Scalar(name='long')" and len(parses) == 2
    header('#include "part.h"\nnumber g(void);')
    assert discovery.parse(path).functions[0].name == "g" and len(parses) == 3


def test_other_options_are_another_entry(header: Callable[..., Path], parses: list[str]) -> None:
    path = header("int f(int x[N]);")
    for define in ("N=1", "N=2", "N=1"):
        discovery.parse(path, defines=define)
    discovery.parse(path, defines="N=1", block="x")
    assert len(parses) == 3


def test_a_new_header_in_front_counts(header: Callable[..., Path], parses: list[str], tmp_path: Path) -> None:
    header("typedef int number;", "second/part.h")
    (tmp_path / "first").mkdir()
    path = header("#include <part.h>\nnumber f(void);")
    options: Any = {"include_dirs": [tmp_path / "first", tmp_path / "second"]}
    discovery.parse(path, **options)
    header("typedef long number;", "first/part.h")
    assert "long" in str(discovery.parse(path, **options).typedefs["number"].type)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"4", b"5"),
        lambda data: b"\0" * len(data),
        lambda data: b"{}\n" + data,
    ],
)
def test_a_damaged_entry_is_ignored_and_made_again(
    header: Callable[..., Path], parses: list[str], damage: Callable[[bytes], bytes]
) -> None:
    path = header("struct s { int a[4]; };")
    first = discovery.parse(path)
    (entry,) = cache_folder().glob("*.binding")
    entry.write_bytes(damage(entry.read_bytes()))
    assert discovery.parse(path) == first and len(parses) == 2
    assert discovery.parse(path) == first and len(parses) == 2


def test_a_folder_that_cannot_be_written_to_is_no_error(
    header: Callable[..., Path], parses: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("EPSILON_FOREIGN_CACHE", str(tmp_path / "file"))
    assert discovery.parse(header("int f(void);")).functions


def test_the_cache_can_be_cleared(header: Callable[..., Path], parses: list[str]) -> None:
    discovery.parse(header("int f(void);"))
    assert clear_cache() == 1 and clear_cache() == 0


def test_many_processes_share_it(header: Callable[..., Path], parses: list[str]) -> None:
    path = header("int f(void);")
    # A process that dies is an error here, where a `Pool` would wait for ever.
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = list(pool.map(discovery.parse, [path] * 4))
    assert [binding.functions[0].name for binding in found] == ["f"] * 4
    assert len(list(cache_folder().iterdir())) == 1  # nothing half-written is left


def test_a_user_without_a_home_has_no_cache(
    header: Callable[..., Path], parses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EPSILON_FOREIGN_CACHE")
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert discovery.parse(header("int f(void);")).functions and len(parses) == 1
