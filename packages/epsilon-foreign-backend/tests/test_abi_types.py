"""ABI types and signatures: immutable, equal by value, refusing what cannot be."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest
from epsilon.foreign import backend as abi
from epsilon.foreign.backend import (
    C_TYPES,
    COMPLEX_FLOAT,
    DOUBLE,
    FLOAT,
    INT8,
    INT32,
    INT64,
    LONGDOUBLE,
    POINTER,
    UINT8,
    VOID,
    Field,
    Kind,
    Signature,
    aggregate,
)

PAIR = aggregate(8, 4, (Field(0, INT32), Field(4, INT32)), "pair")


def test_sizes_are_those_of_the_compiler() -> None:
    for name, ctype in {"int": ctypes.c_int, "long": ctypes.c_long, "size_t": ctypes.c_size_t}.items():
        assert C_TYPES[name].size == ctypes.sizeof(ctype)
        assert C_TYPES[name].is_integer
    assert POINTER.size == ctypes.sizeof(ctypes.c_void_p)
    assert not POINTER.is_integer


@pytest.mark.parametrize("bits", [8, 16, 32, 64])
def test_bounds(bits: int) -> None:
    assert getattr(abi, f"INT{bits}").bounds == (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    assert getattr(abi, f"UINT{bits}").bounds == (0, 2**bits - 1)


def test_types_are_equal_by_value_and_hashable() -> None:
    again = aggregate(8, 4, (Field(0, INT32), Field(4, INT32)), "another name")
    assert again == PAIR
    assert len({again, PAIR, INT32}) == 2
    assert aggregate(8, 4, (Field(0, INT32, 2),)) != PAIR
    assert INT8 != UINT8
    assert INT32 != "int32"


@pytest.mark.parametrize("thing", [INT32, PAIR, Signature(INT32)], ids=str)
def test_nothing_can_be_changed(thing: Any) -> None:
    for name in ("size", "result", "anything"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(thing, name, 1)
        with pytest.raises(AttributeError, match="immutable"):
            delattr(thing, name)


@pytest.mark.parametrize(
    ("size", "alignment", "fields"),
    [
        (4, 3, ()),
        (4, 0, ()),
        (4, -4, ()),
        (4, 4, (Field(1, INT32),)),
        (4, 4, (Field(-1, INT8),)),
        (4, 4, (Field(0, INT8, 5),)),
        (4, 4, (Field(0, INT8, -1),)),
        (4, 4, (Field(0, VOID),)),
    ],
)
def test_an_aggregate_must_hold_its_fields(size: int, alignment: int, fields: tuple[Field, ...]) -> None:
    with pytest.raises(ValueError, match="pair"):
        aggregate(size, alignment, fields, "pair")


def test_an_empty_aggregate_is_never_passed_wrongly() -> None:
    """C has none, GNU C gives it no size, C++ one byte: no backend claims to know."""
    empty = aggregate(0, 1, ())
    for name in abi.available_backends():
        assert not abi.get_backend(name).supports(Signature(INT32, [empty, INT32]))


def test_equal_signatures_are_one_key() -> None:
    one = Signature(INT32, [DOUBLE, PAIR], variadic_from=1)
    two = Signature(INT32, (t for t in (DOUBLE, PAIR)), variadic_from=1)
    assert one == two
    assert hash(one) == hash(two)
    others = [
        Signature(INT32, [DOUBLE, PAIR]),
        Signature(INT64, [DOUBLE, PAIR], variadic_from=1),
        Signature(INT32, [DOUBLE, PAIR], variadic_from=2),
        Signature(INT32, [DOUBLE, PAIR], variadic_from=1, convention="ms"),
        Signature(INT32, [DOUBLE], variadic_from=1),
    ]
    assert one not in others
    assert len({one, *others}) == 6
    assert one != "signature"


def test_a_parameter_is_never_void() -> None:
    with pytest.raises(ValueError, match="parameter 2 is void"):
        Signature(INT32, [INT32, VOID])


def test_signatures_tell_who_can_do_them() -> None:
    assert Signature(DOUBLE, [INT8, FLOAT, POINTER]).is_simple
    assert not Signature(DOUBLE, [INT8, FLOAT, POINTER]).needs_libffi
    assert not Signature(PAIR).is_simple
    assert Signature(COMPLEX_FLOAT).needs_libffi
    assert Signature(VOID, [LONGDOUBLE]).needs_libffi == (LONGDOUBLE.size > DOUBLE.size)


def test_signatures_read_like_prototypes() -> None:
    assert (
        repr(Signature(INT32, [POINTER, DOUBLE], variadic_from=1))
        == "<signature int32(pointer, ..., double)>"
    )
    assert repr(Signature(convention="ms")) == "<signature void() [ms]>"
    assert repr(INT32) == "<abi int32>"
    assert repr(Field(4, INT32, 2)) == "Field(4, int32[2])"
    assert PAIR.kind is Kind.AGGREGATE
