"""Variadic calls with promoted arguments, in registers and on the stack."""

from __future__ import annotations

import ctypes
import random

import pytest
from backend_support.native import Native
from epsilon.foreign.backend import (
    COMPLEX_DOUBLE,
    DOUBLE,
    FLOAT,
    INT8,
    INT16,
    INT32,
    INT64,
    LONGDOUBLE,
    POINTER,
    UINT64,
    AbiType,
    ArgumentRangeError,
    Binding,
    Marshal,
    Parameter,
    Signature,
    loader,
    promoted,
)

LETTERS: dict[str, AbiType] = {"i": INT32, "l": INT64, "u": UINT64, "d": DOUBLE, "s": POINTER, "p": POINTER}


@pytest.mark.parametrize("count", [0, 1, 2, 5, 6, 20])
def test_integers_are_summed(native: Native, count: int) -> None:
    native.needs("variadic")
    total = native("sum_ints", INT64, [INT32] * (count + 1), variadic_from=1)
    values = [(-1) ** i * 10**8 * i for i in range(count)]
    assert total(count, *values) == sum(values)


def test_a_variadic_integer_is_checked_too(native: Native) -> None:
    native.needs("variadic")
    total = native("sum_ints", INT64, [INT32, INT32], variadic_from=1)
    with pytest.raises(ArgumentRangeError, match=r"sum_ints\(\) argument 2: 2147483648 does not fit int32"):
        total(1, 2**31)


@pytest.mark.parametrize("seed", range(20))
def test_any_mixture_arrives(native: Native, seed: int) -> None:
    native.needs("variadic")
    dice = random.Random(seed)
    letters = "".join(dice.choice("ilud" + "sp" + "dd" * (seed % 2)) for _ in range(seed))
    values: list[object] = []
    want = ""
    for letter in letters:
        value: object
        if letter == "d":
            value = dice.randint(-999, 999) / 8
            want += f"d{value:g} "
        elif letter == "s":
            value = dice.choice(["", "text", "\xe9"])
            want += f"s{value} "
        elif letter == "p":
            value = dice.randint(1, 2**47)
            want += f"p{value:x} "
        else:
            low, high = LETTERS[letter].bounds
            value = dice.randint(low, high)
            want += f"{letter}{value} "
        values.append(value)
    details = [Parameter("", Marshal.STRING if letter == "s" else Marshal.VALUE) for letter in letters]
    describe = native(
        "describe",
        INT32,
        [POINTER, UINT64, POINTER, *(LETTERS[letter] for letter in letters)],
        Parameter("out", Marshal.WRITABLE),
        Parameter("size"),
        Parameter("format", Marshal.STRING),
        *details,
        variadic_from=3,
        release_gil=bool(seed % 2),
    )
    out = bytearray(4096)
    assert describe(out, len(out), letters, *values) == len(want.encode())
    assert out.rstrip(b"\0").decode() == want


def test_a_long_double_among_them(native: Native) -> None:
    native.needs("variadic")
    describe = native(
        "describe",
        INT32,
        [POINTER, UINT64, POINTER, INT32, LONGDOUBLE, DOUBLE],
        Parameter("out", Marshal.WRITABLE),
        Parameter("size"),
        Parameter("format", Marshal.STRING),
        variadic_from=3,
    )
    out = bytearray(100)
    describe(out, 100, "iLd", 1, 2.5, 3.5)
    assert out.rstrip(b"\0") == b"i1 L2.5 d3.5 "


def test_snprintf_of_the_c_library(native: Native) -> None:
    native.needs("variadic")
    address = loader.dlsym(loader.dlopen(None), "snprintf")
    signature = Signature(INT32, [POINTER, UINT64, POINTER, DOUBLE, POINTER, INT32], variadic_from=3)
    text = Parameter("", Marshal.STRING)
    function = native.backend.bind(
        address, Binding(signature, "snprintf", (Parameter(), Parameter(), text, Parameter(), text))
    )
    out = ctypes.create_string_buffer(64)
    assert function(ctypes.addressof(out), 64, "%.3f|%s|%d", 3.14159, "x\xe9", -7) == 12
    assert out.value.decode() == "3.142|x\xe9|-7"


@pytest.mark.parametrize("type", [FLOAT, INT8, INT16])
def test_an_unpromoted_variadic_argument_is_refused(type: AbiType) -> None:
    with pytest.raises(ValueError, match="unpromoted"):
        Signature(INT32, [POINTER, type], variadic_from=1)
    assert Signature(INT32, [POINTER, promoted(type)], variadic_from=1).variadic_from == 1
    assert Signature(INT32, [type, COMPLEX_DOUBLE], variadic_from=1).variadic_from == 1


@pytest.mark.parametrize("position", [-1, 3])
def test_the_variadic_part_begins_within_the_parameters(position: int) -> None:
    with pytest.raises(ValueError, match="variadic_from"):
        Signature(INT32, [POINTER, INT32], variadic_from=position)


def test_every_parameter_may_be_variadic(native: Native) -> None:
    """``void f(...)`` of C23."""
    native.needs("variadic")
    assert native("echo_int32", INT32, [INT32], variadic_from=0)(-5) == -5
