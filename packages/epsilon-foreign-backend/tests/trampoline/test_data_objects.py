"""`Memory` objects that stubs take and make by themselves: exactly those that the binding allows."""

from __future__ import annotations

import ctypes
import gc
import struct
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from backend_support.native import Library
from epsilon.foreign.backend import (
    CONFINED,
    DEAD,
    DOUBLE,
    INT32,
    INT64,
    LIVE,
    POINTER,
    READONLY,
    VOID,
    Accept,
    Binding,
    Contents,
    Field,
    Marshal,
    Memory,
    Parameter,
    Pointee,
    Signature,
    Upcall,
    UpcallParameter,
    aggregate,
    get_backend,
    with_storage,
)
from epsilon.foreign.backend.trampoline.backend import TrampolineBackend

PAIR = aggregate(8, 4, (Field(0, INT32, 2),), "pair")
_STORED, STORAGE = with_storage(Memory, 8)
ALIVE = ctypes.c_uint64(LIVE)
STATES = {LIVE: ALIVE, DEAD: ctypes.c_uint64(DEAD), CONFINED: ctypes.c_uint64(CONFINED)}


class Pair(_STORED):  # type: ignore[misc, valid-type]  # a type made at run time
    """Two ints inside the object."""

    __slots__ = ("__weakref__", "owner")


class Other(Pair):
    """Not exactly a Pair."""

    __slots__ = ()


class Pointer(Memory):
    """The address of something."""

    __slots__ = ("__weakref__", "owner")


class Third(Memory):
    __slots__ = ()


class Fourth(Memory):
    __slots__ = ()


def pair(a: int, b: int, cls: Any = Pair, *, state: int = LIVE, flags: int = 0, size: int = 8) -> Any:
    made = cls()
    made.owner = None
    made._address = made._lower = id(made) + STORAGE
    made._upper = made._address + size
    made._live = ctypes.addressof(STATES[state])
    made._flags = flags
    ctypes.memmove(made._address, struct.pack("=2i", a, b), 8)
    return made


def pointer(to: Any, cls: Any = Pointer, **words: int) -> Any:
    made = cls()
    if hasattr(cls, "owner"):
        made.owner = to
    made._address = 0 if to is None else to._address
    made._live = ctypes.addressof(ALIVE)
    for name, value in words.items():
        setattr(made, f"_{name}", value)
    return made


class Slow(Exception):
    """The stub left a value to the converter."""


def slow(value: Any) -> Any:
    raise Slow(value)


@pytest.fixture(scope="module")
def trampoline() -> TrampolineBackend:
    found = get_backend("trampoline")
    assert isinstance(found, TrampolineBackend)
    return found


Bind = Callable[..., Any]


@pytest.fixture(params=[False, True], ids=["held", "released"])
def bind(request: pytest.FixtureRequest, trampoline: TrampolineBackend, library: Library) -> Bind:
    def bound(symbol: str, result: Any, types: Any, *parameters: Parameter, **more: Any) -> Any:
        binding = Binding(Signature(result, types), symbol, parameters, release_gil=request.param, **more)
        return trampoline.bind(library.address(symbol), binding)

    return bound


BY_VALUE = Parameter("value", Marshal.OBJECT, slow, accept=Accept((Pair,)))


def unpacked(data: bytes) -> tuple[int, ...]:
    return struct.unpack("=2i", data)


# Arguments


def test_an_object_of_the_very_class_lends_its_bytes(bind: Bind) -> None:
    function = bind("swap_pair", PAIR, [PAIR], BY_VALUE)
    assert unpacked(function(pair(1, -2))) == (-2, 1)
    assert unpacked(function(pair(3, 4, size=16))) == (4, 3)  # the bytes that it begins with


@pytest.mark.parametrize(
    "value",
    [
        pair(1, 2, Other),
        pair(1, 2, state=DEAD),
        pair(1, 2, state=CONFINED),
        pair(1, 2, size=7),
        pair(1, 2, size=0),
        Pair(),
        bytes(8),
        None,
        5,
    ],
    ids=["subclass", "dead", "confined", "short", "empty", "never initialised", "bytes", "None", "int"],
)
def test_every_other_value_is_the_converters(bind: Bind, value: Any) -> None:
    with pytest.raises(Slow):
        bind("swap_pair", PAIR, [PAIR], BY_VALUE)(value)


def test_keywords_and_other_counts_are_the_fallbacks(bind: Bind) -> None:
    function = bind("swap_pair", PAIR, [PAIR], BY_VALUE)
    with pytest.raises(Slow):
        function(value=pair(1, 2))
    with pytest.raises(TypeError):
        function()


def test_bytes_are_taken_beside_objects_where_the_marshal_says_so(bind: Bind) -> None:
    parameter = Parameter(accept=Accept((Pair,)))
    function = bind("swap_pair", PAIR, [PAIR], parameter)
    for value in (pair(5, 6), struct.pack("=2i", 5, 6), bytearray(struct.pack("=2i", 5, 6))):
        assert unpacked(function(value)) == (6, 5)
    with pytest.raises(ValueError):
        function(bytes(9))


@pytest.mark.parametrize("classes", [(Pointer,), (Third, Pointer), (Third, Fourth, Pointer, Pair)])
def test_an_object_of_an_accepted_class_lends_its_address(bind: Bind, classes: tuple[type, ...]) -> None:
    parameter = Parameter("p", Marshal.OBJECT, slow, accept=Accept(classes))
    function = bind("same_pair", POINTER, [POINTER], parameter)
    target = pair(1, 2)
    assert function(pointer(target)) == target._address
    assert function(pointer(None)) is None
    assert function(None) is None
    for cls in {Pair, Third, Fourth}:
        value = target if cls is Pair else pointer(target, cls)
        if cls in classes:
            assert function(value) == target._address
        else:
            with pytest.raises(Slow):
                function(value)


@pytest.mark.parametrize("readonly", [False, True])
def test_a_readonly_object_is_lent_only_where_that_is_allowed(bind: Bind, readonly: bool) -> None:
    parameter = Parameter("p", Marshal.OBJECT, slow, accept=Accept((Pointer, Pair), readonly))
    function = bind("same_pair", POINTER, [POINTER], parameter)
    target = pair(1, 2, flags=READONLY)
    for value in (target, pointer(target, flags=READONLY)):
        if readonly:
            assert function(value) == target._address
        else:
            with pytest.raises(Slow):
                function(value)


@pytest.mark.parametrize("value", [pair(1, 2, Other), pair(1, 2, state=DEAD), Pointer(), 0, 4096, b"text"])
def test_other_values_for_a_pointer_are_the_converters(bind: Bind, value: Any) -> None:
    parameter = Parameter("p", Marshal.OBJECT, slow, accept=Accept((Pointer, Pair)))
    with pytest.raises(Slow):
        bind("same_pair", POINTER, [POINTER], parameter)(value)


def test_what_the_converter_makes_is_passed(bind: Bind) -> None:
    data = pair(7, 8)
    parameters = (
        Parameter("one", Marshal.OBJECT, lambda value: data._address, accept=Accept((Pointer,))),
        Parameter(
            "two", Marshal.OBJECT, lambda value: bytearray(struct.pack("=2i", 1, 2)), accept=Accept((Pair,))
        ),
    )
    function = bind("sum_pairs", INT64, [POINTER, PAIR, DOUBLE, POINTER, INT32], *parameters)
    assert function("any", "thing", 0.0, None, 0) == 15 + 3 + 500


def test_a_converter_that_makes_another_size_is_found_out(bind: Bind) -> None:
    parameter = Parameter("value", Marshal.OBJECT, lambda value: bytes(7), accept=Accept((Pair,)))
    with pytest.raises(ValueError, match="pair is 8 bytes, its converter made 7"):
        bind("swap_pair", PAIR, [PAIR], parameter)(None)


def test_objects_and_numbers_mix(bind: Bind) -> None:
    pointers = Accept((Pair, Pointer), True)
    lent = Parameter("", Marshal.OBJECT, lambda value: value and value._address, accept=pointers)
    value = Parameter(
        "", Marshal.OBJECT, lambda value: ctypes.string_at(value._address, 8), accept=Accept((Pair,))
    )
    function = bind(
        "sum_pairs", INT64, [POINTER, PAIR, DOUBLE, POINTER, INT32], lent, value, Parameter(), lent
    )
    one, two = pair(1, 2), pair(30, 40)
    assert function(one, two, 500.0, pointer(two), 6000) == 3 + 70 + 500 + 30 + 6000
    assert function(None, two, 500.0, None, 6000) == 1000 + 70 + 500 + 500 + 6000
    with pytest.raises(OverflowError, match="argument 5"):  # found after the objects were taken
        function(one, two, 500.0, None, 1 << 40)


@pytest.mark.parametrize(
    ("types", "parameter"),
    [
        ([INT32], Parameter(accept=Accept((Pair,)))),
        ([POINTER], Parameter(accept=Accept((Pair,)))),
        ([POINTER], Parameter(marshal=Marshal.STRING, accept=Accept((Pair,)))),
        ([POINTER], Parameter(marshal=Marshal.OBJECT, accept=Accept(()))),
        ([POINTER], Parameter(marshal=Marshal.OBJECT, accept=Accept((Pair, Other, Pointer, Third, Fourth)))),
        ([POINTER], Parameter(marshal=Marshal.OBJECT, accept=Accept((bytes,)))),
    ],
)
def test_what_cannot_be_accepted_is_refused_when_bound(bind: Bind, types: Any, parameter: Parameter) -> None:
    with pytest.raises(ValueError, match="accepts"):
        bind("same_pair", POINTER, types, parameter)


# Results


def template(cls: Any) -> Any:
    made = cls()
    made.owner = None
    made._live = ctypes.addressof(ALIVE)
    return made


def contents(reuse: bool) -> Contents:
    return Contents(template(Pair), STORAGE, reuse)


def never(*_: object) -> None:
    raise AssertionError("finish was called")


def seen(made: Any) -> tuple[int, ...]:
    """The values of a pair object, which must be whole."""
    assert type(made) is Pair
    assert made._lower == made._address == id(made) + STORAGE
    assert made._upper == made._address + 8
    assert (made._live, made._flags, made.owner) == (ctypes.addressof(ALIVE), 0, None)
    return unpacked(ctypes.string_at(made._address, 8))


@pytest.mark.parametrize("reuse", [False, True])
def test_an_aggregate_becomes_an_object_that_holds_it(bind: Bind, reuse: bool) -> None:
    function = bind("swap_pair", PAIR, [PAIR], BY_VALUE, make=contents(reuse), finish=never)
    assert seen(function(pair(1, 2))) == (2, 1)
    kept = [function(pair(i, -i)) for i in range(50)]
    assert len({id(made) for made in kept}) == 50
    assert [seen(made) for made in kept] == [(-i, i) for i in range(50)]
    value = pair(1, 0)
    for step in range(1, 50):
        value = function(value)
        assert seen(value) == ((0, 1) if step % 2 else (1, 0))


def test_the_slow_way_makes_the_same_object(bind: Bind) -> None:
    convert = Parameter(
        "value", Marshal.OBJECT, lambda value: struct.pack("=2i", *value), accept=Accept((Pair,))
    )
    function = bind("swap_pair", PAIR, [PAIR], convert, make=contents(True), finish=never)
    for i in range(20):
        assert seen(function((i, 2))) == (2, i)


def test_an_object_is_used_again_only_when_nobody_refers_to_it(bind: Bind) -> None:
    function = bind("swap_pair", PAIR, [PAIR], BY_VALUE, make=contents(True))
    first = function(pair(1, 2))
    reference = weakref.ref(first)
    others = [function(pair(3, 4)) for _ in range(5)]
    assert seen(first) == (2, 1)
    assert first not in others
    del first
    for _ in range(5):  # it has left the spares meanwhile
        function(pair(5, 6))
    gc.collect()
    assert reference() is None


def test_an_object_with_a_weak_reference_is_not_used_again(bind: Bind) -> None:
    function = bind("swap_pair", PAIR, [PAIR], BY_VALUE, make=contents(True))
    made = function(pair(1, 2))
    reference = weakref.ref(made)
    del made
    again = [function(pair(3, 4)) for _ in range(3)]
    assert all(reference() is not made for made in again)


def test_an_object_that_was_changed_is_not_used_again(bind: Bind) -> None:
    function = bind("swap_pair", PAIR, [PAIR], BY_VALUE, make=contents(True))
    for change in ({"_live": 0}, {"_flags": READONLY}, {"owner": "somebody"}):
        for _ in range(3):
            made = function(pair(1, 2))
            for name, value in change.items():
                setattr(made, name, value)
            del made
            assert seen(function(pair(1, 2))) == (2, 1)
    made = function(pair(1, 2))
    made._address = made._upper = 12345
    del made
    assert [seen(function(pair(1, 2))) for _ in range(3)] == [(2, 1)] * 3
    made = function(pair(1, 2))
    made.__class__ = Other
    del made
    assert [seen(function(pair(1, 2))) for _ in range(3)] == [(2, 1)] * 3


def test_spare_objects_go_with_their_function(bind: Bind) -> None:
    function = bind("swap_pair", PAIR, [PAIR], BY_VALUE, make=contents(True))
    references = [weakref.ref(function(pair(1, 2))) for _ in range(4)]
    del function
    gc.collect()
    assert [reference() for reference in references] == [None] * 4


@pytest.mark.parametrize("reuse", [False, True])
def test_making_objects_leaves_no_references(bind: Bind, reuse: bool) -> None:
    made = contents(reuse)
    function = bind("swap_pair", PAIR, [PAIR], BY_VALUE, make=made)
    argument = pair(1, 2)

    def settled() -> int:
        gc.collect()
        return len([x for x in gc.get_objects() if type(x) is Pair])

    function(argument), function(argument)
    before = settled()
    for _ in range(2000):
        [function(argument) for _ in range(5)]
    assert settled() <= before + 2


@pytest.mark.parametrize("reuse", [False, True])
@pytest.mark.parametrize("size", [0, 8, 4096])
def test_a_pointer_becomes_an_object_with_bounds_where_they_are_known(
    bind: Bind, size: int, reuse: bool
) -> None:
    lent = Parameter("p", Marshal.OBJECT, slow, accept=Accept((Pair,)))
    function = bind(
        "same_pair", POINTER, [POINTER], lent, make=Pointee(template(Pointer), size, reuse), finish=never
    )
    target = pair(1, 2)
    for _ in range(5):
        made = function(target)
        assert type(made) is Pointer
        assert made._address == target._address
        assert (made._lower, made._upper) == ((target._address, target._address + size) if size else (0, 0))
        assert (made._live, made._flags, made.owner) == (ctypes.addressof(ALIVE), 0, None)
        null = function(None)
        assert (type(null), null._address, null._lower, null._upper) == (Pointer, 0, 0, 0)


@pytest.mark.parametrize(
    ("symbol", "result", "more"),
    [
        ("same_pair", POINTER, {"make": contents(False)}),
        ("swap_pair", PAIR, {"make": Pointee(template(Pointer), 8)}),
        ("swap_pair", INT32, {"make": contents(False)}),
        ("swap_pair", PAIR, {"make": contents(False), "capture_errno": True, "finish": never}),
    ],
)
def test_what_cannot_be_made_is_refused_when_bound(bind: Bind, symbol: str, result: Any, more: Any) -> None:
    with pytest.raises(ValueError, match="made into"):
        bind(symbol, result, [PAIR], **more)


# Callbacks


def test_callbacks_get_objects_and_give_bytes(bind: Bind, trampoline: TrampolineBackend) -> None:
    arguments: list[Any] = []

    def function(value: Any, address: Any) -> Any:
        arguments.append((value, address))
        return value

    upcall = Upcall(
        Signature(PAIR, [PAIR, POINTER]),
        parameters=(
            UpcallParameter(receive=never, make=contents(True)),
            UpcallParameter(receive=never, make=Pointee(template(Pointer), 8)),
        ),
        convert=lambda value: memoryview(ctypes.string_at(value._address, 8)),
    )
    handle = trampoline.callback(function, upcall)
    target = pair(11, 12)
    call = bind("call_with_pair", PAIR, [POINTER, POINTER])
    for _ in range(3):
        assert unpacked(call(handle.address, target._address)) == (11, 12)
    for value, address in arguments:
        assert seen(value) == (11, 12)
        assert (address._address, address._upper - address._lower) == (target._address, 8)
    assert len({id(value) for value, _ in arguments}) == 3


def test_a_callbacks_result_of_another_size_is_an_error(bind: Bind, trampoline: TrampolineBackend) -> None:
    upcall = Upcall(Signature(PAIR, [PAIR, POINTER]), convert=lambda value: bytes(8 if value is None else 3))
    handle = trampoline.callback(lambda value, address: value, upcall)
    target = pair(1, 2)
    with pytest.raises(ValueError, match="pair is 8 bytes, its converter made 3"):
        bind("call_with_pair", PAIR, [POINTER, POINTER])(handle.address, target._address)


@pytest.mark.parametrize("error", [None, (-1, -2)])
def test_a_callback_that_fails_gives_its_error_value(
    bind: Bind, trampoline: TrampolineBackend, error: tuple[int, int] | None
) -> None:
    def function(value: bytes, address: int) -> bytes:
        raise KeyError(value)

    canonical = None if error is None else struct.pack("=2i", *error)
    handle = trampoline.callback(function, Upcall(Signature(PAIR, [PAIR, POINTER]), error=canonical))
    target, out = pair(1, 2), pair(3, 4)
    with pytest.raises(KeyError):
        bind("store_called_pair", VOID, [POINTER] * 3)(handle.address, target._address, out._address)
    assert unpacked(ctypes.string_at(out._address, 8)) == (error or (0, 0))
