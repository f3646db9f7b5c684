"""Code of a value's class runs while the value is converted, and may end the memory that it was meant for."""

from __future__ import annotations

import enum
import gc
import sys
from collections.abc import Callable
from typing import Any

import epsilon.foreign.runtime as rt
import pytest
from epsilon.foreign.backend import Marshal
from epsilon.foreign.runtime import TYPES, Arena, Array, Bits, LifetimeError, Pointer, make_aggregate

# Large enough for an allocation of its own, which the C library gives back to the system when it is freed.
MANY = 200_000
INT = TYPES["int"]

number = make_aggregate("number", {"i": INT, "d": TYPES["double"], "l": TYPES["longdouble"]})
bits = make_aggregate("bits", {"a": Bits[TYPES["uint"], 3], "b": Bits[INT, 9]})
outer = make_aggregate("outer", {"inner": number, "row": Array[INT, MANY]})


class Interfering:
    """A number whose conversion does something first."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self._act = act

    def __index__(self) -> int:
        self._act()
        return 7

    def __float__(self) -> float:
        return float(self.__index__())

    def __iter__(self) -> Any:
        self._act()
        return iter([0] * MANY)


def set_item(arena: Arena, type: str) -> None:
    arena.alloc(TYPES[type], MANY)[0] = Interfering(arena.close)


def set_array_item(arena: Arena) -> None:
    arena.array(INT, MANY)[5] = Interfering(arena.close)


def set_member(arena: Arena, name: str) -> None:
    setattr(arena.alloc(number, MANY)[5], name, Interfering(arena.close))


def set_bits(arena: Arena) -> None:
    arena.alloc(bits, MANY)[5].b = Interfering(arena.close)


def set_struct(arena: Arena) -> None:
    arena.new(outer).inner = (Interfering(arena.close), 1.0)


def fill_by_iterating(arena: Arena) -> None:
    arena.array(INT, MANY)[:] = Interfering(arena.close)


def fill_with_elements(arena: Arena, type: str) -> None:
    arena.array(TYPES[type], MANY)[:] = [Interfering(arena.close)] * MANY


def fill_member(arena: Arena) -> None:
    arena.new(outer).row = Interfering(arena.close)


def make_array(arena: Arena) -> None:
    arena.array(INT, [Interfering(arena.close)] * MANY)


def make_value(arena: Arena) -> None:
    arena.new(INT, Interfering(arena.close))


def own_conversion(arena: Arena) -> None:
    def convert(value: int) -> int:
        arena.close()
        return value

    arena.alloc(rt.ForeignType("closing", INT.abi, marshal=Marshal.OBJECT, to_foreign=convert), MANY)[0] = 5


def index_itself(arena: Arena) -> None:
    arena.alloc(INT, MANY)[Interfering(arena.close)] = 1


ATTACKS: dict[str, Callable[[Arena], None]] = {
    **{f"an item of type {t}": lambda a, t=t: set_item(a, t) for t in ("int", "char", "double", "pointer")},
    **{f"an item of type {t}": lambda a, t=t: set_item(a, t) for t in ("longdouble", "double_complex")},
    **{f"member {name}": lambda a, n=name: set_member(a, n) for name in "idl"},
    **{f"all items of type {t}": lambda a, t=t: fill_with_elements(a, t) for t in ("int", "char", "double")},
    **{
        attack.__name__.replace("_", " "): attack
        for attack in (
            set_array_item,
            set_bits,
            set_struct,
            fill_by_iterating,
            fill_member,
            make_array,
            make_value,
            own_conversion,
            index_itself,
        )
    },
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_memory_that_a_conversion_has_freed_is_not_written(attack: Callable[[Arena], None]) -> None:
    arena = Arena()
    with pytest.raises(LifetimeError):
        attack(arena)
    assert arena.closed


def test_a_list_that_grows_while_its_elements_are_converted_fills_no_more_than_the_array() -> None:
    class colour(enum.IntEnum):
        RED = 1

    values: list[Any] = [1] * 64
    values[3] = Interfering(lambda: values.extend([1] * 1000))
    target = rt.array(colour, 64)
    target[:] = values
    assert len(target) == 64
    assert target[3] == 7


def test_bytes_count_as_what_they_hold() -> None:
    class Boasting(bytes):
        def __bytes__(self) -> bytes:
            return b"x" * MANY

        def __len__(self) -> int:
            return MANY

    with Arena() as arena:
        assert rt.bytes_at(arena.bytes(Boasting(b"ab"))) == b"ab"
    target = rt.array(TYPES["uint8"], 2)
    target[:] = Boasting(b"ab")
    assert list(target) == [97, 98]


def test_a_call_does_not_pass_memory_that_another_argument_has_freed(backend: str) -> None:
    memset = rt.Library(None).bind("memset", TYPES["pointer"], [Pointer[INT], INT, TYPES["size_t"]])
    arena = Arena()
    p = arena.alloc(INT, MANY)
    with pytest.raises(LifetimeError):
        memset(p, Interfering(arena.close), 4 * MANY)


def test_a_struct_is_initialised_once() -> None:
    large = make_aggregate("large", {"row": Array[INT, 1000]})
    value = large()
    view = memoryview(value)
    with pytest.raises(TypeError, match="large"):
        value.__init__()
    assert bytes(view[:4]) == bytes(4)


def test_a_pickle_of_another_size_is_refused() -> None:
    make, (cls, data) = number(i=5).__reduce__()
    assert make(cls, data).i == 5
    for wrong in (data[:4], data + b"\0", b""):
        with pytest.raises(ValueError, match="number"):
            make(cls, wrong)


class Resurrected:
    """Looks at its data as it dies, and lives on."""

    saved: Resurrected | None = None

    def __del__(self) -> None:
        Resurrected.saved = self


@pytest.mark.parametrize("exported", [False, True])
@pytest.mark.parametrize(
    "make", [lambda: Arena().alloc(INT, MANY), lambda: rt.alloc(INT, MANY)], ids=["arena", "alloc"]
)
def test_what_outlives_its_memory_in_a_cycle_does_not_read_it(
    make: Callable[[], Any], exported: bool
) -> None:
    it: Any = Resurrected()
    it.data = make()
    it.data[0] = 7
    it.itself = it
    it.view = memoryview(it.data) if exported else None
    it.data._owner._keep = {0: it}  # what a stored pointer would do: so the owner is part of the cycle
    del it
    gc.collect()
    saved = Resurrected.saved
    assert saved is not None
    with pytest.raises(LifetimeError):
        saved.data[0]  # type: ignore[attr-defined]
    if exported:
        assert saved.view[0] == 7  # type: ignore[attr-defined]  # lent, so not freed yet
    saved.__dict__.clear()
    Resurrected.saved = None


class Exporting:
    """A buffer whose class does something before it lends its memory (PEP 688)."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self._act = act

    def __buffer__(self, flags: int) -> memoryview:
        self._act()
        return memoryview(bytearray(8))


needs_python_buffers = pytest.mark.skipif(
    sys.version_info < (3, 12), reason="before 3.12, no Python class exports a buffer (PEP 688)"
)


@needs_python_buffers
def test_a_library_that_a_buffer_has_closed_is_not_called(backend: str) -> None:
    library = rt.Library(None)
    memcmp = library.bind("memcmp", INT, [TYPES["buffer"], TYPES["buffer"], TYPES["size_t"]])
    assert memcmp(Exporting(int), bytes(8), 8) == 0
    with pytest.raises(rt.ClosedLibraryError):
        memcmp(Exporting(library.close), bytes(8), 8)


@needs_python_buffers
def test_memory_that_a_buffer_has_freed_is_not_passed(backend: str) -> None:
    memcmp = rt.Library(None).bind("memcmp", INT, [Pointer[INT], TYPES["buffer"], TYPES["size_t"]])
    arena = Arena()
    p = arena.alloc(INT, MANY)
    assert memcmp(p, Exporting(int), 8) == 0
    with pytest.raises(LifetimeError):
        memcmp(p, Exporting(arena.close), 8)
