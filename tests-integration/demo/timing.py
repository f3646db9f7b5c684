"""Nanoseconds per call of the same C functions, by every backend and by plain ctypes."""

from __future__ import annotations

import ctypes
import math
import timeit
from collections.abc import Callable

import epsilon.foreign.api as ffi
from epsilon.foreign.api import c

CALLS = 20_000
ROUNDS = 7
PLAIN = "plain ctypes"

#: symbol: library, our types, ctypes' types, arguments.
FUNCTIONS = {
    "abs": (None, (c.int, [c.int]), (ctypes.c_int, [ctypes.c_int]), "-7"),
    "cos": ("m", (c.double, [c.double]), (ctypes.c_double, [ctypes.c_double]), "0.5"),
    "pow": (
        "m",
        (c.double, [c.double, c.double]),
        (ctypes.c_double, [ctypes.c_double, ctypes.c_double]),
        "1.5, 2.5",
    ),
    "strlen": (None, (c.size_t, [c.string]), (ctypes.c_size_t, [ctypes.c_char_p]), "b'hello'"),
}


def bound(symbol: str, backend: str) -> Callable[..., object]:
    """The function on a backend, or by plain ctypes with argtypes and restype set."""
    library, ours, theirs, _ = FUNCTIONS[symbol]
    if backend == PLAIN:
        function = ctypes.CDLL(ffi.Library(library).path)[symbol]
        function.restype, function.argtypes = theirs
        return function
    with ffi.use_backend(backend):
        return ffi.Library(library).bind(symbol, *ours)


def measure(backends: list[str]) -> dict[str, dict[str, float]]:
    """Nanoseconds per call, the loop's own time taken off: the best of `ROUNDS`, in turns so that all get the
    machine's good moments alike."""
    names = [PLAIN, *backends]
    best = {name: dict.fromkeys(FUNCTIONS, math.inf) for name in names}
    timers = {
        (name, symbol): timeit.Timer(f"f({FUNCTIONS[symbol][3]})", globals={"f": bound(symbol, name)})
        for name in names
        for symbol in FUNCTIONS
    }
    empty = timeit.Timer("pass")
    loop = min(empty.repeat(ROUNDS, CALLS))
    for _ in range(ROUNDS):
        for (name, symbol), timer in timers.items():
            nanoseconds = max(timer.timeit(CALLS) - loop, 0) / CALLS * 1e9
            best[name][symbol] = min(best[name][symbol], nanoseconds)
    return best


def table(backends: list[str]) -> list[str]:
    """The measurement as lines of text, with how much faster than plain ctypes each backend is."""
    best = measure(backends)
    heads = [f"{symbol}({FUNCTIONS[symbol][3]})" for symbol in FUNCTIONS]
    lines = [" " * 14 + "".join(f"{head:>18}" for head in heads) + f"{'vs ctypes':>12}"]
    for name, times in best.items():
        ratios = [best[PLAIN][symbol] / max(times[symbol], 0.1) for symbol in FUNCTIONS]
        ratio = math.prod(ratios) ** (1 / len(ratios))
        lines.append(f"{name:14}" + "".join(f"{ns:18.0f}" for ns in times.values()) + f"{ratio:11.1f}x")
    return lines
