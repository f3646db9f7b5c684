"""Where a probe fails, its inline path is off and the answers are the same; the other paths stay on."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import pytest
from backend_support.native import Library
from epsilon.foreign.backend import (
    BOOL,
    DOUBLE,
    FLOAT,
    INT32,
    INT64,
    POINTER,
    UINT8,
    UINT64,
    VOID,
    AbiType,
    ArgumentError,
    BackendUnavailableError,
    Binding,
    Marshal,
    Parameter,
    Signature,
    get_backend,
)
from epsilon.foreign.backend.trampoline.backend import TrampolineBackend
from epsilon.foreign.backend.trampoline.cpython import probe
from epsilon.foreign.backend.trampoline.host import host_target
from epsilon.foreign.backend.trampoline.memory import CodeHeap
from epsilon.foreign.backend.trampoline.stubs import Stubs
from watching import Watched

PATHS = ("type_offset", "float_offset", "int_layout", "str_layout", "bytes_layout")


def lying(address_of: object, at: int) -> Callable[[int, int], bytes]:
    """A reader that inverts the byte `at` of one object and of whatever is of its type."""

    def read(address: int, size: int) -> bytes:
        memory = bytearray(ctypes.string_at(address, size))
        if ctypes.cast(address, ctypes.py_object).value.__class__ is type(address_of) and at < size:
            memory[at] ^= 0xFF
        return bytes(memory)

    return read


#: Path -> a reader that makes its probe fail: what a version of Python with another layout would show.
HEAD = object.__basicsize__
READERS = {
    "type_offset": lying([], HEAD - 8),
    "float_offset": lying(1.5, HEAD + 3),
    "int_layout": lying(5, HEAD + 8),
    "str_layout": lying("text", HEAD),
    "bytes_layout": lying(b"data", HEAD),
}


def backend_without(path: str) -> TrampolineBackend:
    layout = probe(READERS[path])
    assert path in layout.switched_off
    return TrampolineBackend(Stubs(host_target(layout), CodeHeap()))


@pytest.fixture(scope="module", params=PATHS)
def crippled(request: pytest.FixtureRequest) -> TrampolineBackend:
    return backend_without(request.param)


@pytest.fixture(scope="module")
def whole() -> TrampolineBackend:
    backend = get_backend("trampoline")
    assert isinstance(backend, TrampolineBackend)
    return backend


Bind = Callable[[TrampolineBackend], Watched]


def binds(library: Library, symbol: str, result: AbiType, *parameters: AbiType | Marshal, gil: bool) -> Bind:
    types = [p if isinstance(p, AbiType) else POINTER for p in parameters]
    details = tuple(Parameter(marshal=p) if isinstance(p, Marshal) else Parameter() for p in parameters)
    binding = Binding(Signature(result, types), symbol, details, release_gil=not gil)
    return lambda backend: Watched(backend, library.address(symbol), binding)


#: Function, result, parameters, and rows of arguments: some inline, some slow, some refused.
CALLS: list[tuple[str, AbiType, tuple[AbiType | Marshal, ...], list[tuple[Any, ...]]]] = [
    ("add", INT64, (INT64, INT64), [(1, 2), (-5, 2**40), (2**62, -(2**62)), (True, 0), (2**64, 1), ("1", 2)]),
    ("echo_uint8", UINT8, (UINT8,), [(0,), (255,), (256,), (-1,), (1.0,)]),
    ("echo_double", DOUBLE, (DOUBLE,), [(1.5,), (3,), (2**70,), (True,), ("x",)]),
    ("echo_float", FLOAT, (FLOAT,), [(0.1,), (3,), (None,)]),
    ("echo_bool", BOOL, (BOOL,), [(True,), (False,), (1,), (2,)]),
    ("echo_pointer", POINTER, (POINTER,), [(None,), (0,), (2**63,), (-1,), (2.0,)]),
    ("length", INT64, (Marshal.STRING,), [("a",), ("\u20ac",), ("nul\0",), (b"by",), (None,), (3,)]),
    ("checksum", UINT64, (Marshal.BYTES, UINT64), [(b"data", 4), (None, 0), ("text", 4)]),
    ("checksum", UINT64, (Marshal.BUFFER, UINT64), [(b"d", 1), (bytearray(b"da"), 2), (None, 0), ("t", 1)]),
    ("fill", VOID, (Marshal.WRITABLE, UINT64, INT32), [(bytearray(4), 4, 7), (b"ro", 1, 1), (None, 0, 0)]),
]


@pytest.mark.parametrize("gil", [True, False], ids=["gil held", "gil released"])
@pytest.mark.parametrize(
    "call", CALLS, ids=lambda c: f"{c[0]}({','.join(getattr(p, 'name', '') for p in c[2])})"
)
def test_every_call_has_the_same_outcome(
    call: Any, gil: bool, crippled: TrampolineBackend, whole: TrampolineBackend, library: Library
) -> None:
    symbol, result, parameters, arguments = call
    bind = binds(library, symbol, result, *parameters, gil=gil)
    want, have = bind(whole), bind(crippled)
    for row in arguments:
        assert outcome(have, row) == outcome(want, row)


def outcome(function: Watched, arguments: tuple[Any, ...]) -> Any:
    try:
        result = function(*arguments)
    except ArgumentError as error:
        return type(error), str(error)
    # What C wrote counts too.
    return type(result), result, [bytes(a) for a in arguments if isinstance(a, bytearray)]


#: Path -> a call that is inline with it and slow without.
NEEDS = {
    "float_offset": ("echo_double", DOUBLE, (DOUBLE,), (1.5,)),
    "int_layout": ("echo_int64", INT64, (INT64,), (5,)),
    "bytes_layout": ("checksum", UINT64, (Marshal.BYTES, UINT64), (b"a", 1)),
}


@pytest.mark.parametrize("path", PATHS)
def test_only_the_path_in_question_is_off(path: str, library: Library) -> None:
    backend = backend_without(path)
    for needed, (symbol, result, parameters, arguments) in NEEDS.items():
        watched = binds(library, symbol, result, *parameters, gil=True)(backend)
        if path in (needed, "type_offset") or (symbol == "checksum" and path == "int_layout"):
            watched.slow(*arguments)
        else:
            watched.inline(*arguments)
    if path == "str_layout":  # the C-API serves in its place, in the stub
        binds(library, "length", INT64, Marshal.STRING, gil=True)(backend).inline("text")


def test_an_interpreter_whose_constants_cannot_be_counted_gets_no_backend() -> None:
    with pytest.raises(BackendUnavailableError, match="references to None"):
        host_target(probe()._replace(immortal=False, refcount=None))
