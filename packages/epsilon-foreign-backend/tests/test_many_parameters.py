"""Random signatures of 0 to 20 scalars, in registers and on the stack, against what compiled C received."""

from __future__ import annotations

import ctypes
import random
import struct

import pytest
from backend_support.native import Native
from backend_support.random_aggregates import LONG_DOUBLE_VALUE, SCALARS
from backend_support.random_signatures import SLOT, Prototype, prototypes
from epsilon.foreign.backend import LONGDOUBLE, POINTER, VOID, AbiType, Binding, Kind, Signature

CHUNKS = 8


def value(type: AbiType, dice: random.Random) -> object:
    if type.kind is Kind.BOOL:
        return dice.random() < 0.5
    if type.is_integer or type.kind is Kind.POINTER:
        low, high = type.bounds
        drawn = dice.choice([low, high, dice.randint(low, high)])
        return drawn or None if type.kind is Kind.POINTER else drawn
    if type.kind is Kind.COMPLEX:
        return complex(dice.randint(-999, 999) / 4, dice.randint(-999, 999) / 4)
    return dice.choice([0.0, -0.0, dice.randint(-(2**20), 2**20) / 8])


def stored(type: AbiType, value: object) -> bytes:
    """The bytes of a value in C memory."""
    if type == LONGDOUBLE:
        return bytes(ctypes.c_longdouble(value))[:LONG_DOUBLE_VALUE]  # type: ignore[arg-type]
    if type.kind is Kind.COMPLEX:
        assert isinstance(value, complex)
        return struct.pack("<ff" if type.size == 8 else "<dd", value.real, value.imag)
    if type.kind is Kind.FLOAT:
        return struct.pack("<f" if type.size == 4 else "<d", value)
    assert value is None or isinstance(value, int)
    return (value or 0).to_bytes(type.size, "little", signed=type.kind is Kind.SIGNED)


def wrongs(native: Native, prototype: Prototype, release_gil: bool) -> list[str]:
    """Call once with random values; every argument and the result that is not what it should be."""
    types = [SCALARS[name] for name in prototype.parameters]
    result = VOID if prototype.returned is None else types[prototype.returned]
    function = native.backend.bind(
        native.address(prototype.name),
        Binding(Signature(result, [POINTER, *types]), prototype.name, release_gil=release_gil),
    )
    dice = random.Random(prototype.name)
    values = [value(type, dice) for type in types]
    out = ctypes.create_string_buffer(SLOT * len(types) + 1)
    got = function(ctypes.addressof(out), *values)
    found = []
    for i, (type, given) in enumerate(zip(types, values, strict=True)):
        want = stored(type, given)
        if out.raw[SLOT * i : SLOT * i + len(want)] != want:
            found.append(
                f"{prototype}: argument {i} ({type.name}) {given!r} arrived as {out.raw[SLOT * i :][:16]!r}"
            )
    want_result = None if prototype.returned is None else values[prototype.returned]
    if repr(got) != repr(want_result):
        found.append(f"{prototype}: returned {got!r}, not {want_result!r}")
    return found


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_argument_arrives_and_the_result_comes_back(native: Native, chunk: int) -> None:
    found = []
    tried = 0
    for prototype in prototypes()[chunk::CHUNKS]:
        names = prototype.parameters
        result = VOID if prototype.returned is None else SCALARS[names[prototype.returned]]
        if native.backend.supports(Signature(result, [POINTER, *(SCALARS[n] for n in names)])):
            tried += 1
            found += wrongs(native, prototype, tried % 2 == 0)
    assert not found, "\n".join(found)
    # Six of seven have plain scalars only, which every backend must do.
    assert tried >= len(prototypes()[chunk::CHUNKS]) * 3 // 4
