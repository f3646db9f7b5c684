"""What the data operations of `Machine` do, by running them on the processor at hand.

Constants, memory, floating point and arithmetic; flags are in `test_machine_flags.py`, jumps, calls and
frames in `test_machine_control.py`.
"""

from __future__ import annotations

import ctypes
import math
import struct
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from machine_support import A0, A1, NEAR_AND_FAR, POOL, VALUES, VECTORS, M, run, steps, wrapped

SIZES_AND_SIGNS = list(product((1, 2, 4, 8), (False, True)))

# Moves, constants, addresses


@pytest.mark.parametrize("operation", ("mov_imm", "load_literal"))
def test_any_64_bit_constant_reaches_any_register(operation: str) -> None:
    powers = {sign << bit for bit in range(64) for sign in (1, -1)}
    others = {
        0xFFFF0000FFFF0000,
        0x5555555555555555,
        0xFFFFFFFFFFFF1234,
        0x00FF00FF00FF00FF,
        0xFFFFFFFF,
        1 << 63,
    }
    for position, value in enumerate(sorted({*VALUES, *powers, *others, (1 << 64) - 1})):
        register = POOL[position % len(POOL)]
        assert run(steps((operation, register, value), ("mov", M.RESULT, register))) == wrapped(value)


def test_mov_copies_between_any_two_registers() -> None:
    for d, s in product(POOL, POOL):
        assert run(steps(("mov_imm", d, 1), ("mov_imm", s, -7), ("mov", d, s), ("mov", M.RESULT, d))) == -7


def test_the_stack_pointer_moves() -> None:
    down_and_up = (
        (("lea", M.SP, M.SP, -32), -32),
        (("add_imm", M.SP, 16), -16),
        (("sub_imm", M.SP, 0x12340), -0x12350),
        (("lea", M.SP, M.SP, 0x12340), -16),
        (("lea", M.SP, M.SP, -0x101010), -0x101020),
        (("add_imm", M.SP, 0x101010), -16),
        (("sub", M.SP, A1), -16 - 0x4000),
        (("add", M.SP, A1), -16),
        (("mov", M.SP, M.SCRATCH[0]), 0),
    )
    seen = (ctypes.c_int64 * (1 + len(down_and_up)))()
    c = M.SCRATCH[-1]
    rows: list[tuple[Any, ...]] = [("mov", M.SCRATCH[0], M.SP), ("store", A0, 0, M.SCRATCH[0])]
    for position, (row, _) in enumerate(down_and_up, 1):
        rows += [row, ("mov", c, M.SP), ("store", A0, 8 * position, c)]
    run(steps(*rows), ctypes.addressof(seen), 0x4000)
    assert [place - seen[0] for place in seen[1:]] == [moved for _, moved in down_and_up]


@pytest.mark.parametrize("offset", (*NEAR_AND_FAR, 0xFFF, 0x1000, 0x1001, 0xFFF000, 0x7FFFFFFF, -0x80000000))
def test_lea_adds_an_offset(offset: int) -> None:
    for d in (A0, A1, M.SCRATCH[-1]):
        assert run(steps(("lea", d, A0, offset), ("mov", M.RESULT, d)), 1 << 40) == (1 << 40) + offset


@pytest.mark.parametrize(("size", "signed"), SIZES_AND_SIGNS)
def test_extend_keeps_the_low_bytes(size: int, signed: bool) -> None:
    for d, s in product(POOL, POOL[::3]):
        for value in (0x7F7E7D7C7B7A7978, -0x7F7E7D7C7B7A7908):
            code = steps(("mov_imm", s, value), ("extend", d, s, size, signed), ("mov", M.RESULT, d))
            assert run(code) == wrapped(wrapped(value, size, signed))


# Memory

MIDDLE = 0x20000
"""Where the tests' pointers point, inside a buffer twice that long."""


def memory() -> tuple[Any, int]:
    contents = bytes(range(256)) * (2 * MIDDLE // 256)
    buffer = (ctypes.c_ubyte * len(contents)).from_buffer_copy(contents)
    return buffer, ctypes.addressof(buffer) + MIDDLE


@pytest.mark.parametrize(("size", "signed"), SIZES_AND_SIGNS)
def test_load_reads_and_extends(size: int, signed: bool) -> None:
    buffer, pointer = memory()
    for offset, base in product((*NEAR_AND_FAR, 0x88), (A0, M.SAVED[1], M.SCRATCH[-1])):
        expected = int.from_bytes(buffer[MIDDLE + offset : MIDDLE + offset + size], "little", signed=signed)
        for d in (base, M.SCRATCH[0]):
            code = steps(("mov", base, A0), ("load", d, base, offset, size, signed), ("mov", M.RESULT, d))
            assert run(code, pointer) == wrapped(expected)


STORED = 0x5BA4C33CF00F1E81
"""No two bytes of it are the same."""


@pytest.mark.parametrize("size", (1, 2, 4, 8))
@pytest.mark.parametrize("offset", NEAR_AND_FAR)
def test_store_writes_its_bytes_and_no_others(size: int, offset: int) -> None:
    for base, s in ((A0, A1), (M.SCRATCH[-1], A0), (M.SAVED[1], M.SAVED[0]), (M.SAVED[2], M.SCRATCH[-1])):
        buffer, pointer = memory()
        run(steps(("mov", base, A0), ("mov_imm", s, STORED), ("store", base, offset, s, size)), pointer)
        assert bytes(buffer) == stored(offset, STORED, size)


def stored(offset: int, value: int, size: int) -> bytes:
    """What the memory of the tests holds after one store."""
    contents = bytearray(memory()[0])
    start = MIDDLE + offset
    contents[start : start + size] = (value % (1 << 64)).to_bytes(8, "little")[:size]
    return bytes(contents)


@pytest.mark.parametrize(
    ("size", "value"), ((1, -0x7F), (1, 0xF0), (2, 0x8181), (4, -0x5E5E5E5F), (4, 0xF1F1F1F1))
)
@pytest.mark.parametrize("offset", NEAR_AND_FAR)
def test_store_imm_writes_a_constant(size: int, value: int, offset: int) -> None:
    buffer, pointer = memory()
    run(steps(("store_imm", A0, offset, value, size)), pointer)
    assert bytes(buffer) == stored(offset, value, size)


@pytest.mark.parametrize("value", (0, 1, -1, 0x7FFFFFFF, -0x80000000))
def test_store_imm_of_eight_bytes_extends_the_sign(value: int) -> None:
    place = ctypes.c_int64(STORED)
    run(steps(("store_imm", A0, 0, value)), ctypes.addressof(place))
    assert place.value == value


@pytest.mark.parametrize("scale", (1, 2, 4, 8))
@pytest.mark.parametrize(("size", "signed"), SIZES_AND_SIGNS)
def test_indexed_loads_and_stores_find_their_element(scale: int, size: int, signed: bool) -> None:
    for index, (base, register) in product((0, 3, -2, 200), ((A0, A1), (M.SAVED[1], M.SAVED[2]))):
        buffer, pointer = memory()
        start = MIDDLE + index * scale
        expected = int.from_bytes(buffer[start : start + size], "little", signed=signed)
        operands = ("mov", base, A0), ("mov", register, A1)
        for d in (base, register, M.SCRATCH[-1]):
            load = ("load_indexed", d, base, register, scale, size, signed)
            assert run(steps(*operands, load, ("mov", M.RESULT, d)), pointer, index) == wrapped(expected)
        value = ("mov_imm", M.SCRATCH[-1], STORED)
        run(
            steps(*operands, value, ("store_indexed", base, register, scale, M.SCRATCH[-1], size)),
            pointer,
            index,
        )
        assert bytes(buffer[start : start + size]) == STORED.to_bytes(8, "little")[:size]


def test_an_indexed_store_and_load_work_on_the_stack() -> None:
    for scale, size in product((1, 8), (4, 8)):
        store = ("store_indexed", M.SP, A0, scale, A1, size)
        assert run(steps(store, ("load_indexed", M.RESULT, M.SP, A0, scale, size, True)), 3, -99) == -99


def test_one_register_may_be_base_and_index() -> None:
    buffer, pointer = memory()
    ctypes.c_int64.from_address(pointer).value = 77
    half = ("shr_imm", A0, 1)  # the pointer is even
    assert run(steps(half, ("load_indexed", A0, A0, A0, 1), ("mov", M.RESULT, A0)), pointer) == 77
    assert len(buffer) == 2 * MIDDLE


@pytest.mark.parametrize("offset", NEAR_AND_FAR)
def test_increment_memory_adds_one_to_64_bits(offset: int) -> None:
    buffer, pointer = memory()
    place = ctypes.c_int64.from_address(pointer + offset)
    for before, after in ((0xFFFFFFFF, 0x100000000), (-1, 0), ((1 << 63) - 1, -(1 << 63))):
        place.value = before
        run(steps(("increment_memory", A0, offset)), pointer)
        assert place.value == after
    assert len(buffer) == 2 * MIDDLE


# Floating point


@pytest.mark.parametrize("offset", NEAR_AND_FAR)
def test_fload_and_fstore_move_doubles_and_floats(offset: int) -> None:
    for v, (size, code, value) in product(VECTORS, ((8, "<d", 1 / 3), (4, "<f", 0.15625))):
        buffer, pointer = memory()
        run(steps(("fmov", v, M.FRESULT), ("fstore", A0, offset, v, size)), pointer, 1 / 3)
        start = MIDDLE + offset
        assert bytes(buffer[start : start + size]) == struct.pack("<d", 1 / 3)[:size]
        assert bytes(buffer[start + size : start + size + 8]) == bytes(
            memory()[0][start + size : start + size + 8]
        )
        buffer[start : start + size] = struct.pack(code, value)
        result = {8: ctypes.c_double, 4: ctypes.c_float}[size]
        load = ("fload", v, A0, offset, size)
        assert run(steps(load, ("fmov", M.FRESULT, v)), pointer, result=result) == value


DOUBLES = (0.0, -0.0, 1.5, -1 / 3, 1e300, 5e-324, math.inf, -math.inf)


@pytest.mark.parametrize("value", DOUBLES)
def test_raw_bits_move_between_vector_and_integer_registers(value: float) -> None:
    bits = struct.unpack("<q", struct.pack("<d", value))[0]
    for v, w, r in product(VECTORS, VECTORS, POOL[::4]):
        there = ("fmov", v, M.FRESULT), ("fmov", w, v), ("int_from_fmov", r, w)
        assert run(steps(*there, ("mov", M.RESULT, r)), value) == bits
        back = ("mov_imm", r, bits), ("fmov_from_int", v, r), ("fmov", M.FRESULT, v)
        assert struct.pack("<d", run(steps(*back), result=ctypes.c_double)) == struct.pack("<d", value)


@pytest.mark.parametrize("value", (0.0, -0.0, 1.5, -1 / 3, 1e39, 1e-46, math.inf))
def test_doubles_narrow_to_floats_and_widen_again(value: float) -> None:
    narrow = ctypes.c_float(value).value
    for v, w in product(VECTORS, VECTORS):
        code = steps(("fmov", v, M.FRESULT), ("f64_to_f32", w, v), ("fmov", M.FRESULT, w))
        assert run(code, value, result=ctypes.c_float) == narrow
        widened = steps(
            ("fmov", v, M.FRESULT), ("f64_to_f32", v, v), ("f32_to_f64", w, v), ("fmov", M.FRESULT, w)
        )
        assert struct.pack("<d", run(widened, value, result=ctypes.c_double)) == struct.pack("<d", narrow)


def test_integers_convert_to_doubles() -> None:
    for value, v, r in product((*VALUES, (1 << 53) + 1), VECTORS, (POOL[0], POOL[-1])):
        code = steps(("mov_imm", r, value), ("i64_to_f64", v, r), ("fmov", M.FRESULT, v))
        assert run(code, result=ctypes.c_double) == float(value)


# Integer arithmetic

BINARY: dict[str, Callable[[int, int], int]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "and_": lambda x, y: x & y,
    "or_": lambda x, y: x | y,
    "xor": lambda x, y: x ^ y,
}


@pytest.mark.parametrize("operation", BINARY)
def test_two_operand_arithmetic_works_on_any_registers(operation: str) -> None:
    x, y = 0x123456789ABCDEF1, -0x0F1E2D3C4B5A6979
    for d, s in product(POOL, POOL):
        code = steps(("mov_imm", d, x), ("mov_imm", s, y), (operation, d, s), ("mov", M.RESULT, d))
        assert run(code) == wrapped(BINARY[operation](y if d is s else x, y))


@pytest.mark.parametrize("operation", ("add", "sub", "and_", "or_"))
def test_arithmetic_with_any_constant(operation: str) -> None:
    constants = {
        *VALUES,
        0xFFF,
        0x1000,
        -0xFFF,
        -0x1000,
        0x1001,
        0xFFFFFFFF,
        1 << 63,
        (1 << 64) - 1,
        0xFF00FF00,
    }
    name = f"{operation.rstrip('_')}_imm"
    for position, (x, y) in enumerate(product((0, -1, 0x123456789ABCDEF1), sorted(constants))):
        d = POOL[position % len(POOL)]
        code = steps(("mov_imm", d, x), (name, d, y), ("mov", M.RESULT, d))
        assert run(code) == wrapped(BINARY[operation](x, y)), f"{name}({d}, {y:#x}) on {x:#x}"


def test_neg_works_on_any_register() -> None:
    for value, d in product(VALUES, POOL):
        assert run(steps(("mov_imm", d, value), ("neg", d), ("mov", M.RESULT, d))) == wrapped(-value)


@pytest.mark.parametrize("count", (0, 1, 2, 31, 32, 33, 63))
def test_shifts_by_a_constant(count: int) -> None:
    for value, d in product((1, -1, 0x123456789ABCDEF1, -0x123456789ABCDEF1), POOL[::3]):
        for name, expected in (
            ("shl_imm", value << count),
            ("shr_imm", value % (1 << 64) >> count),
            ("sar_imm", value >> count),
        ):
            assert run(steps(("mov_imm", d, value), (name, d, count), ("mov", M.RESULT, d))) == wrapped(
                expected
            )
