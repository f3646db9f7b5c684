"""Three hundred random structs and unions by value, byte for byte against what compiled C saw and returned.

A backend may refuse an aggregate (`supports` is False); it must never pass one wrongly.
"""

from __future__ import annotations

import ctypes
import os
import random
import struct
from collections.abc import Callable, Iterator

import pytest
from backend_support.native import Native
from backend_support.random_aggregates import Shape, abi_type, c_declaration, masked, shapes, value
from epsilon.foreign.backend import (
    DOUBLE,
    FLOAT,
    INT8,
    INT32,
    INT64,
    POINTER,
    VOID,
    AbiType,
    Signature,
    UnsupportedSignatureError,
)

CHUNKS = 12
#: Under user-mode emulation everything takes fifty times as long: there only every fifth shape has its turn.
STRIDE = CHUNKS * (5 if "QEMU_LD_PREFIX" in os.environ else 1)
Check = Callable[[Native, Shape, AbiType, random.Random], bool]


def bind(
    native: Native, symbol: str, result: AbiType, parameters: list[AbiType], variadic_from: int | None = None
) -> Callable[..., object]:
    return native.backend.bind(
        native.address(symbol), Signature(result, parameters, variadic_from=variadic_from)
    )


def returned(native: Native, shape: Shape, type: AbiType, dice: random.Random) -> bool:
    function = bind(native, f"return_{shape.name}", type, [POINTER])
    data = value(type, dice)
    cell = native.backend.alloc(type.size, type.alignment)
    try:
        ctypes.memmove(cell, data, type.size)
        got = function(cell)
    finally:
        native.backend.free(cell)
    assert isinstance(got, bytes)
    return len(got) == type.size and masked(type, got) == masked(type, data)


def taken(native: Native, shape: Shape, type: AbiType, dice: random.Random) -> bool:
    function = bind(native, f"take_{shape.name}", VOID, [POINTER, type])
    data = value(type, dice)
    out = ctypes.create_string_buffer(type.size + 16)
    function(ctypes.addressof(out), bytearray(data))
    return masked(type, out.raw[: type.size]) == masked(type, data) and not any(out.raw[type.size :])


def among(native: Native, shape: Shape, type: AbiType, dice: random.Random) -> bool:
    function = bind(native, f"among_{shape.name}", type, [INT32, DOUBLE, type, FLOAT, type, INT64, POINTER])
    x, y = value(type, dice), value(type, dice)
    out = ctypes.create_string_buffer(32 + type.size)
    got = function(-3, 1.25, x, 2.5, y, 1 << 40, ctypes.addressof(out))
    assert isinstance(got, bytes)
    return (
        struct.unpack("4d", out.raw[:32]) == (-3, 1.25, 2.5, 1 << 40)
        and masked(type, out.raw[32:]) == masked(type, x)
        and masked(type, got) == masked(type, y)
    )


def late(native: Native, shape: Shape, type: AbiType, dice: random.Random) -> bool:
    """With one or two registers of each kind left, an aggregate travels whole or not at all in registers."""
    parameters = [POINTER, *(INT64,) * 4, *(DOUBLE,) * 6, type, type, INT8, DOUBLE]
    function = bind(native, f"late_{shape.name}", INT64, parameters)
    x, y = value(type, dice), value(type, dice)
    out = ctypes.create_string_buffer(32 + 2 * type.size)
    got = function(ctypes.addressof(out), 1, 2, 3, 4, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, x, y, -9, 7.5)
    return (
        got == -9
        and struct.unpack("4d", out.raw[:32]) == (10, 18, -9, 7.5)
        and masked(type, out.raw[32 : 32 + type.size]) == masked(type, x)
        and masked(type, out.raw[32 + type.size :]) == masked(type, y)
    )


def variadic(native: Native, shape: Shape, type: AbiType, dice: random.Random) -> bool:
    parameters = [POINTER, INT32, type, type, type, INT32]
    function = bind(native, f"variadic_{shape.name}", INT32, parameters, variadic_from=2)
    values = [value(type, dice) for _ in range(3)]
    out = ctypes.create_string_buffer(3 * type.size + 1)
    got = function(ctypes.addressof(out), 3, *values, 77)
    size = type.size
    return got == 77 and all(
        masked(type, out.raw[i * size : (i + 1) * size]) == masked(type, v) for i, v in enumerate(values)
    )


def upcalled(native: Native, shape: Shape, type: AbiType, dice: random.Random) -> bool:
    seen = []
    x, y = value(type, dice), value(type, dice)

    def function(a: int, given: bytes, b: float) -> bytes:
        seen.append((a, masked(type, given), b))
        return y

    try:
        handle = native.backend.callback(function, Signature(type, [INT32, type, DOUBLE]))
    except UnsupportedSignatureError:
        # ctypes has no callbacks that return a struct.
        return native.backend.name != "libffi"
    try:
        got = bind(native, f"upcall_{shape.name}", type, [POINTER, type])(handle.address, x)
    finally:
        handle.release()
    assert isinstance(got, bytes)
    return seen == [(-7, masked(type, x), 0.5)] and masked(type, got) == masked(type, y)


CHECKS: dict[str, Check] = {f.__name__: f for f in (returned, taken, among, late, variadic, upcalled)}


def supported(native: Native, chunk: int) -> Iterator[tuple[Shape, AbiType]]:
    for shape in shapes()[chunk::STRIDE]:
        type = abi_type(shape, native.address)
        if native.backend.supports(Signature(type, [type])):
            yield shape, type


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_what_a_backend_supports_it_passes_as_c_does(native: Native, chunk: int, check: str) -> None:
    native.needs("aggregates")
    wrong = [
        f"{shape.flavour}: {c_declaration(shape)} {type.fields}"
        for shape, type in supported(native, chunk)
        if not CHECKS[check](native, shape, type, random.Random(shape.name))
    ]
    assert not wrong, "\n".join(wrong)


def test_most_shapes_are_supported(native: Native) -> None:
    native.needs("aggregates")
    count = sum(1 for chunk in range(CHUNKS) for _ in supported(native, chunk))
    assert count >= len(shapes()) * CHUNKS // STRIDE // 2


def test_a_backend_without_aggregates_refuses_every_shape(native: Native) -> None:
    if "aggregates" in native.backend.capabilities:
        pytest.skip(f"the {native.backend.name} backend has aggregates")
    assert not [shape for chunk in range(CHUNKS) for shape, _ in supported(native, chunk)]
