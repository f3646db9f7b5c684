"""Calls in another process: the round trip, the start of a process, large data, and getting over a crash."""

from __future__ import annotations

import multiprocessing
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import epsilon.foreign.api as ffi
from epsilon.foreign.api import c

from ..isolation import isolated
from ..isolation.crash import ForeignCrash
from . import Row
from .timing import in_turns

#: The most that a call, and the start of a process, may take: seconds.
ROUND_TRIP, START = 15e-6, 0.150
LARGE = 100_000_000

_SOURCE = """
long add(long a, long b) { return a + b; }
long first(const unsigned char *bytes, unsigned long size) { return size ? bytes[0] : -1; }
"""


def measure(quick: bool) -> Iterator[Row]:
    """Rows for `isolated`, beside what Python's own multiprocessing takes for the same."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        library = _compiled(folder)
        # Without a compiler, two longs of the C library itself.
        name: str
        result: Any
        name, result = ("difftime", c.double) if library is None else ("add", c.long)
        backend = stack.enter_context(isolated())
        with ffi.use_backend(backend):
            opened = ffi.Library(library)
            add = opened.bind(name, result, [c.long, c.long])
            add(1, 2)
        local = ffi.Library(library).bind(name, result, [c.long, c.long])
        yield from _calls(f"{name}(long, long)", add, local, quick, stack)
        if library is not None:
            yield from _pointers(backend, opened, quick)
        yield from _processes(library, name, result, quick)


def _calls(what: str, add: Any, local: Any, quick: bool, stack: ExitStack) -> Iterator[Row]:
    ask = stack.enter_context(_Echo())
    subjects: dict[str, Callable[[], object]] = {
        "isolated": lambda: add(1, 2),
        "pipe": lambda: ask(1, 2),
        "local": lambda: local(1, 2),
    }
    taken = median_call(subjects, 5 if quick else 41, 20 if quick else 500)
    yield Row("isolating", what, taken["isolated"], ROUND_TRIP, "multiprocessing.Pipe", taken["pipe"])
    yield Row("isolating", f"{what}, in this process", taken["local"])


def _pointers(backend: Any, opened: Any, quick: bool) -> Iterator[Row]:
    """What a call costs is not to depend on how much is behind a pointer."""
    with ffi.use_backend(backend), ffi.Arena() as arena:
        first = opened.bind("first", c.long, [ffi.Pointer[ffi.Const[c.uint8]], c.ulong])
        large, small = arena.alloc(c.uint8, LARGE), arena.alloc(c.uint8, 100)
        large[0] = small[0] = 7
        subjects: dict[str, Callable[[], object]] = {
            "large": lambda: first(large, LARGE),
            "small": lambda: first(small, 100),
        }
        taken = median_call(subjects, 5 if quick else 41, 20 if quick else 500)
    yield Row(
        "isolating",
        "a pointer to 100 MB",
        taken["large"],
        ROUND_TRIP,
        "a pointer to 100 bytes",
        taken["small"],
    )


def _processes(library: Any, name: str, result: Any, quick: bool) -> Iterator[Row]:
    def start() -> None:
        with isolated() as backend, ffi.use_backend(backend):
            ffi.Library(library).bind(name, result, [c.long, c.long])(1, 2)

    def spawn() -> None:
        with _Echo() as ask:
            ask(1, 2)

    taken = in_turns({"isolated": start, "spawn": spawn}, 3 if quick else 11)
    yield Row(
        "isolating",
        "start a process, call, end it",
        taken["isolated"],
        START,
        "multiprocessing spawn",
        taken["spawn"],
    )
    with isolated() as backend, ffi.use_backend(backend):
        process = ffi.Library(None)
        add, abort = process.bind("difftime", c.double, [c.long, c.long]), process.bind("abort", None)
        add(1, 2)

        def crash() -> None:
            try:
                abort()
            except ForeignCrash:
                add(1, 2)

        taken = in_turns({"crash": crash}, 3 if quick else 11)
    yield Row("isolating", "a crash, its exception, and the next call", taken["crash"], START)


def median_call(subjects: dict[str, Callable[[], object]], rounds: int, calls: int) -> dict[str, float]:
    """The median of single calls, in seconds, the subjects taking turns.

    Of single calls, because a mean of some would be that of the few during which another program had the processor.
    """
    taken: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, subject in subjects.items():
            times = taken[name]
            for _ in range(calls):
                begin = time.perf_counter()
                subject()
                times.append(time.perf_counter() - begin)
    return {name: statistics.median(times) for name, times in taken.items()}


def _compiled(folder: Path) -> Path | None:
    """The functions that are called; None where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    source, library = folder / "called.c", folder / "libcalled.so"
    source.write_text(_SOURCE, encoding="utf-8")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    return library


class _Echo:
    """Python's own way to call in another process: a pipe, and pickles through it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._mine, theirs = context.Pipe()
        self._process = context.Process(target=_answer, args=(theirs,), daemon=True)

    def __enter__(self) -> Callable[[int, int], int]:
        self._process.start()
        mine = self._mine

        def ask(a: int, b: int) -> int:
            mine.send((a, b))
            return int(mine.recv())

        ask(0, 0)  # it has started
        return ask

    def __exit__(self, *_: object) -> None:
        self._mine.send(None)
        self._process.join()
        self._mine.close()


def _answer(pipe: Any) -> None:
    while (numbers := pipe.recv()) is not None:
        pipe.send(numbers[0] + numbers[1])
