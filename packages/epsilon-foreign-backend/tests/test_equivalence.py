"""The same arguments give the same results and the same exceptions, words included, on every backend.

The ctypes backend is the reference; what it does itself is fixed by the other tests.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from backend_support.native import Library
from backend_support.odd_objects import objects
from epsilon.foreign import backend as abi
from epsilon.foreign.backend import (
    DOUBLE,
    INT32,
    INT64,
    POINTER,
    UINT64,
    AbiType,
    Binding,
    Guard,
    Marshal,
    Parameter,
    Signature,
    available_backends,
    get_backend,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAMED = os.environ.get(abi.ENVIRONMENT)
PEERS = available_backends() if NAMED in (None, "", "ctypes") else ["ctypes", NAMED]
pytestmark = pytest.mark.skipif(
    len(PEERS) < 2, reason="only the ctypes backend is available: nothing to compare"
)
# User-mode emulation is some fifty times slower than the processor itself.
EXAMPLES = 30 if "QEMU_LD_PREFIX" in os.environ else 400

#: Functions of one parameter whose result shows what arrived: symbol, ABI type, marshal, result.
ONE: dict[str, tuple[str, AbiType, Marshal, AbiType]] = {
    **{
        name: (f"echo_{name}", type, Marshal.VALUE, type)
        for name, type in {
            "bool": abi.BOOL,
            "int8": abi.INT8,
            "int16": abi.INT16,
            "int32": abi.INT32,
            "int64": abi.INT64,
            "uint8": abi.UINT8,
            "uint16": abi.UINT16,
            "uint32": abi.UINT32,
            "uint64": abi.UINT64,
            "float": abi.FLOAT,
            "double": abi.DOUBLE,
            "longdouble": abi.LONGDOUBLE,
            "complex_float": abi.COMPLEX_FLOAT,
            "complex_double": abi.COMPLEX_DOUBLE,
            "pointer": abi.POINTER,
        }.items()
    },
    "string": ("length", POINTER, Marshal.STRING, INT64),
    "bytes": ("is_null", POINTER, Marshal.BYTES, INT32),
    "buffer": ("is_null", POINTER, Marshal.BUFFER, INT32),
    "writable": ("is_null", POINTER, Marshal.WRITABLE, INT32),
}
kinds = pytest.mark.parametrize("kind", ONE)


def outcome(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """What a call did, in words that can be compared: NaN and zeros by their text, exceptions by all they
    say.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = function(*args, **kwargs)
            told: tuple[Any, ...] = ("returned", type(result).__name__, repr(result))
        except Exception as error:
            told = ("raised", type(error), str(error), tuple(getattr(error, "__notes__", ())))
    return (*told, tuple((w.category, str(w.message)) for w in caught))


def bound(library: Library, symbol: str, binding: Binding) -> dict[str, Callable[..., Any]]:
    """The function on every peer that can do it."""
    peers = [get_backend(name) for name in PEERS]
    return {p.name: p.bind(library.address(symbol), binding) for p in peers if p.supports(binding.signature)}


def one(library: Library, kind: str, **more: Any) -> dict[str, Callable[..., Any]]:
    symbol, type, marshal, result = ONE[kind]
    functions = bound(
        library, symbol, Binding(Signature(result, [type]), symbol, (Parameter("x", marshal),), **more)
    )
    if len(functions) < 2:
        pytest.skip(f"of {', '.join(PEERS)} only {', '.join(functions)} can do {kind}")
    return functions


def agree(functions: dict[str, Callable[..., Any]], make: Callable[[], Any], **kwargs: Any) -> None:
    """Call all with fresh arguments and compare with the first."""
    told = {name: outcome(function, make(), kwargs) for name, function in functions.items()}
    first, *others = told.items()
    for name, said in others:
        assert said == first[1], f"{name}: {said!r}\n{first[0]}: {first[1]!r}"


@kinds
@pytest.mark.parametrize("release_gil", [True, False], ids=["releasing", "holding"])
def test_odd_objects_are_treated_alike(library: Library, kind: str, release_gil: bool) -> None:
    functions = one(library, kind, release_gil=release_gil)
    for make in objects().values():
        agree(functions, lambda make=make: (make(),))  # type: ignore[misc]


texts = st.text(st.characters(exclude_categories=[])) | st.text("a\0\udc80\xe9\U0001f40d", max_size=5)
integers = (
    st.integers()
    | st.integers(-(2**66), 2**66)
    | st.sampled_from(
        [
            s * 2**b + d
            for b in (7, 8, 15, 16, 29, 30, 31, 32, 59, 60, 61, 62, 63, 64)
            for s in (-1, 1)
            for d in (-1, 0, 1)
        ]
    )
)
anything = st.one_of(
    st.none(),
    st.booleans(),
    integers,
    st.floats(),
    st.complex_numbers(),
    texts,
    st.binary(),
    st.binary().map(bytearray),
    st.binary().map(memoryview),
    st.binary().map(lambda data: memoryview(bytearray(data))[::-1]),
    st.sampled_from(sorted(objects())).map(lambda name: objects()[name]()),
)
often = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    database=None,
    derandomize=True,
)


@given(anything, st.sampled_from(sorted(ONE)))
@settings(parent=often, max_examples=3 * EXAMPLES)
def test_any_object_is_treated_alike(library: Library, value: Any, kind: str) -> None:
    symbol, type, marshal, result = ONE[kind]
    functions = bound(library, symbol, Binding(Signature(result, [type]), symbol, (Parameter("x", marshal),)))
    agree(functions, lambda: (value,))


MIXED = Binding(
    Signature(DOUBLE, [INT64, DOUBLE, INT64, DOUBLE]),
    "mixed",
    (Parameter("a"), Parameter("b", default=1.5), Parameter("c", default=2), Parameter("d", default="no")),
)


@given(
    st.lists(anything, max_size=6),
    st.dictionaries(st.sampled_from(["a", "b", "c", "d", "e", "", "\xe9"]), anything, max_size=4),
)
@settings(parent=often)
def test_any_arrangement_is_treated_alike(library: Library, args: list[Any], kwargs: dict[str, Any]) -> None:
    agree(bound(library, "half", MIXED), lambda: tuple(args), **kwargs)


@given(st.lists(integers | st.booleans() | st.floats(), min_size=2, max_size=2), st.sampled_from(list(Guard)))
@settings(parent=often)
def test_guards_are_asked_alike(library: Library, args: list[Any], guard: Guard) -> None:
    binding = Binding(Signature(INT64, [INT64, INT64]), "add", finish=lambda r: ("due", r), guard=guard)
    agree(bound(library, "add", binding), lambda: tuple(args))
    binding = Binding(
        Signature(INT32, [INT32, INT32]),
        "fail_with",
        finish=lambda r, e: ("due", r, e),
        guard=guard,
        capture_errno=True,
    )
    agree(bound(library, "fail_with", binding), lambda: tuple(args))


@given(texts | st.binary() | st.none(), texts | st.binary() | st.none())
@settings(parent=often)
def test_two_strings_are_treated_alike(library: Library, a: Any, b: Any) -> None:
    text = Parameter("", Marshal.STRING)
    binding = Binding(Signature(INT64, [POINTER, POINTER]), "two_lengths", (text, text))
    agree(bound(library, "two_lengths", binding), lambda: (a, b))


@given(st.binary(max_size=300), integers)
@settings(parent=often)
def test_a_buffer_and_its_size_are_treated_alike(library: Library, data: bytes, size: int) -> None:
    binding = Binding(
        Signature(UINT64, [POINTER, UINT64]),
        "checksum",
        (Parameter("data", Marshal.BUFFER), Parameter("size")),
    )
    if not 0 <= size <= len(data):
        size = len(data) if 0 <= size < 2**64 else size
    agree(bound(library, "checksum", binding), lambda: (bytearray(data), size))


def test_results_of_every_kind_are_alike(library: Library) -> None:
    for marshal in (Marshal.VALUE, Marshal.STRING, Marshal.BYTES):
        binding = Binding(Signature(POINTER, [INT32]), "text", result_marshal=marshal)
        for which in range(5):
            agree(bound(library, "text", binding), lambda which=which: (which,))  # type: ignore[misc]
