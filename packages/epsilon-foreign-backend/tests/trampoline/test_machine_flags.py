"""Which conditions hold after which operation of `Machine`, as its documentation promises.

`conditions` asks for every condition after one operation, with `set_condition` and `store`, which leave the
flags alone; branches and selections are then held against it.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from epsilon.foreign.backend.trampoline.machine import Cond, Machine
from machine_support import (
    A0,
    A1,
    A2,
    NEAR_AND_FAR,
    POOL,
    VALUES,
    VECTORS,
    M,
    function,
    new_machine,
    placed,
    run,
    steps,
    wrapped,
)

Row = tuple[Any, ...]

# What each condition means for a comparison of x with y, `s` signed and `u` unsigned.
EQUALITY: dict[Cond, Callable[[int, int], bool]] = {
    Cond.EQ: lambda x, y: x == y,
    Cond.NE: lambda x, y: x != y,
}
SIGNED: dict[Cond, Callable[[int, int], bool]] = {
    Cond.LT: lambda x, y: x < y,
    Cond.LE: lambda x, y: x <= y,
    Cond.GT: lambda x, y: x > y,
    Cond.GE: lambda x, y: x >= y,
}
UNSIGNED: dict[Cond, Callable[[int, int], bool]] = {
    Cond.B: lambda x, y: x < y,
    Cond.BE: lambda x, y: x <= y,
    Cond.A: lambda x, y: x > y,
    Cond.AE: lambda x, y: x >= y,
}
SIGN = {Cond.NEG, Cond.NONNEG}
OVERFLOWS = {Cond.OVERFLOW, Cond.NO_OVERFLOW}


def result_conditions(exact: int, size: int = 8) -> set[Cond]:
    """What holds of a result by itself: zero, sign, and whether it had to be wrapped."""
    result = wrapped(exact, size)
    return {
        Cond.NE if result else Cond.EQ,
        Cond.NEG if result < 0 else Cond.NONNEG,
        Cond.NO_OVERFLOW if result == exact else Cond.OVERFLOW,
    }


def comparison_conditions(x: int, y: int, size: int = 8) -> set[Cond]:
    """Everything that holds after comparing x with y."""
    x, y = wrapped(x, size), wrapped(y, size)
    holding = {cond for cond, holds in SIGNED.items() if holds(x, y)}
    mask = (1 << 8 * size) - 1
    holding |= {cond for cond, holds in UNSIGNED.items() if holds(x & mask, y & mask)}
    return holding | result_conditions(x - y, size)


def conditions(*rows: Row, arguments: tuple[float, ...] = ()) -> set[Cond]:
    """The conditions that hold after `rows`, for which A0 is taken and `arguments` are in A1 on."""
    seen = (ctypes.c_ubyte * len(Cond))()
    c = M.SCRATCH[-1]
    ask = [row for cond in Cond for row in (("set_condition", c, cond), ("store", A0, int(cond), c, 1))]
    run(steps(*rows, *ask), ctypes.addressof(seen), *arguments)
    assert set(seen) <= {0, 1}
    return {cond for cond in Cond if seen[cond]}


@pytest.mark.parametrize("x", VALUES)
def test_compare_sets_every_condition(x: int) -> None:
    for y in VALUES:
        expected = comparison_conditions(x, y)
        assert conditions(("compare", A1, A2), arguments=(x, y)) == expected
        assert conditions(("compare_imm", A1, y), arguments=(x,)) == expected
        assert conditions(("compare_literal", A1, y), arguments=(x,)) == expected


def test_compare_works_on_any_registers() -> None:
    for (a, b), (x, y) in product(product(POOL, POOL), ((5, 3), (-5, 3))):
        if A0 not in (a, b):
            rows = ("mov_imm", a, x), ("mov_imm", b, y), ("compare", a, b)
            assert conditions(*rows) == comparison_conditions(y if a is b else x, y)


@pytest.mark.parametrize("y", (0xFFF, 0x1000, -0xFFF, -0x1000, 0x1001, 0xFFFFFFFF, 1 << 63, (1 << 64) - 1))
def test_compare_imm_takes_any_constant(y: int) -> None:
    for x in (y, y - 1, y + 1, 0):
        expected = comparison_conditions(x, y)
        assert conditions(("compare_imm", A1, y), arguments=(wrapped(x),)) == expected


@pytest.mark.parametrize(
    "y", (0, 1, -1, 0x7F, 0x80, 0xFFF, 0x12345, 0x7FFFFFFF, -0x80000000, 0x80000000, 0xFFFFFFFF)
)
def test_compare_imm_of_four_bytes_ignores_the_upper_half(y: int) -> None:
    for x in (y, y + 1, y - 1, 0, 0x7FFFFFFF):
        above = wrapped((x & 0xFFFFFFFF) | 0x5EADBEEF << 32)
        assert conditions(("compare_imm", A1, y, 4), arguments=(above,)) == comparison_conditions(x, y, 4)


@pytest.mark.parametrize("offset", NEAR_AND_FAR)
def test_compare_memory_reads_its_second_operand(offset: int) -> None:
    buffer = (ctypes.c_ubyte * 0x40000)()
    pointer = ctypes.addressof(buffer) + 0x20000
    for x, y in ((1, 2), (-1, 2), (2, 2), (1 << 62, -(1 << 63))):
        ctypes.c_int64.from_address(pointer + offset).value = y
        shown = conditions(("compare_memory", A1, A2, offset), arguments=(x, pointer))
        assert shown == comparison_conditions(x, y)


TESTED = set(EQUALITY) | SIGN | set(SIGNED)


def common_bits(result: int, size: int = 8) -> set[Cond]:
    return comparison_conditions(result, 0, size) & TESTED


@pytest.mark.parametrize("x", VALUES)
def test_test_shows_the_common_bits(x: int) -> None:
    for y in VALUES:
        expected = common_bits(x & y)
        assert conditions(("test", A1, A2), arguments=(x, y)) & TESTED == expected
        assert conditions(("test_imm", A1, y), arguments=(x,)) & TESTED == expected


MASKS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, -1, -0x80, -0x80000000, 0x55AA, 0xFF00FF)


@pytest.mark.parametrize("mask", (*MASKS, 1 << 63, 1 << 32, 0xFF00FF00FF00FF00, -0x80000001))
def test_test_imm_takes_any_mask(mask: int) -> None:
    for x, a in product(
        (0, -1, 1 << 63, 0x80, 0x80000000, 1 << 32, 0x55AA55AA55AA55AA), (A1, POOL[-1], M.SCRATCH[0])
    ):
        rows = ("mov_imm", a, x), ("test_imm", a, mask)
        assert conditions(*rows) & TESTED == common_bits(x & mask)


@pytest.mark.parametrize("mask", MASKS)
def test_test_imm_of_four_bytes_ignores_the_upper_half(mask: int) -> None:
    for x, a in product((0, -1, 0x80, 0x80000000, 0x55AA55AA, -1 << 32), (A1, *POOL[-3:])):
        rows = ("mov_imm", a, x), ("test_imm", a, mask, 4)
        assert conditions(*rows) & TESTED == common_bits(x & mask, 4)


@pytest.mark.parametrize("x", VALUES)
def test_additions_show_zero_sign_and_overflow(x: int) -> None:
    promised = set(EQUALITY) | SIGN | OVERFLOWS
    for y in VALUES:
        expected = result_conditions(x + y)
        assert conditions(("add", A1, A2), arguments=(x, y)) & promised == expected
        assert conditions(("add_imm", A1, y), arguments=(x,)) & promised == expected
    assert conditions(("neg", A1), arguments=(x,)) & promised == result_conditions(-x)


@pytest.mark.parametrize("x", VALUES)
def test_subtractions_show_what_comparisons_do(x: int) -> None:
    for y in VALUES:
        expected = comparison_conditions(x, y)
        assert conditions(("sub", A1, A2), arguments=(x, y)) == expected
        assert conditions(("sub_imm", A1, y), arguments=(x,)) == expected


@pytest.mark.parametrize("mask", (0, 1, 0x80000000, 0xFFFFFFFF, -2, 1 << 63, 0x12345))
def test_and_shows_zero(mask: int) -> None:
    for x in (0, 1, -1, 1 << 32, 0x80000000):
        expected = result_conditions(wrapped(x & mask)) & set(EQUALITY)
        assert conditions(("and_imm", A1, mask), arguments=(x,)) & set(EQUALITY) == expected
        assert conditions(("and_", A1, A2), arguments=(x, wrapped(mask))) & set(EQUALITY) == expected


@pytest.mark.parametrize(("x", "y"), list(product((0.0, -0.0, 1.0, -1.5, math.inf, math.nan), repeat=2)))
def test_fcompare_means_what_c_means(x: float, y: float) -> None:
    promised = set(EQUALITY) | set(UNSIGNED)
    unordered = math.isnan(x) or math.isnan(y)
    expected = {
        Cond.EQ if x == y else Cond.NE,
        Cond.A if x > y else Cond.BE,
        Cond.AE if x >= y else Cond.B,
    }
    assert not unordered or expected == {Cond.NE, Cond.BE, Cond.B}
    for a, b in ((VECTORS[0], VECTORS[1]), (VECTORS[2], VECTORS[3])):
        moves = ("fmov", b, M.FRESULT2), ("fmov", a, M.FRESULT)
        assert conditions(*moves, ("fcompare", a, b), arguments=(x, y)) & promised == expected


QUIET: tuple[Row, ...] = (
    ("mov", A1, A2),
    ("mov_imm", A1, 0),
    ("mov_imm", A1, 0x123456789ABCDEF0),
    ("load_literal", A1, 5),
    ("extend", A1, A2, 1, True),
    ("load", A1, M.SP, 0),
    ("lea", A1, M.SP, 0x12345),
    ("load", A1, A1, -0x12345),
    ("store", M.SP, 0, A1),
    ("store_imm", M.SP, 0, 0x12345),
    ("mov_imm", A2, 1),
    ("load_indexed", A1, M.SP, A2, 4, 2),
    ("store_indexed", M.SP, A2, 4, A1, 2),
    ("fload", VECTORS[0], M.SP, 0),
    ("fstore", M.SP, 0, VECTORS[0]),
    ("fmov", VECTORS[0], VECTORS[1]),
    ("f64_to_f32", VECTORS[0], VECTORS[1]),
    ("f32_to_f64", VECTORS[0], VECTORS[1]),
    ("i64_to_f64", VECTORS[0], A1),
    ("fmov_from_int", VECTORS[0], A1),
    ("int_from_fmov", A1, VECTORS[0]),
    ("select", A1, Cond.EQ, A2),
    ("variadic_vectors", 3),
)


@pytest.mark.parametrize(("x", "y"), ((1, 1), (-(1 << 63), 1), (0, 1), (5, -5)))
def test_moves_leave_the_flags_alone(x: int, y: int) -> None:
    assert conditions(("compare", A1, A2), *QUIET, arguments=(x, y)) == comparison_conditions(x, y)


def test_an_epilogue_leaves_the_flags_alone() -> None:
    machine = new_machine()
    machine.prologue(64, M.SAVED)
    machine.compare(A0, A1)
    machine.epilogue()
    machine.set_condition(M.RESULT, Cond.LT)
    machine.ret()
    with placed(machine.finish()) as address:
        assert (function(address, 3, 4), function(address, 4, 3)) == (1, 0)


@pytest.mark.parametrize("cond", Cond, ids=lambda cond: cond.name)
def test_branch_and_select_agree_with_set_condition(cond: Cond) -> None:
    def branching(machine: Machine) -> None:
        taken, end = machine.label(), machine.label()
        machine.compare(A0, A1)
        machine.branch(cond, taken)
        machine.mov_imm(M.RESULT, 0)
        machine.jump(end)
        machine.bind(taken)
        machine.mov_imm(M.RESULT, 1)
        machine.bind(end)

    for x, y in ((1, 1), (1, 2), (2, 1), (-1, 1), (1, -1), (-(1 << 63), 1), ((1 << 63) - 1, -1)):
        expected = int(cond in comparison_conditions(x, y))
        assert run(branching, x, y) == expected
        for d, s in ((A2, M.SCRATCH[-1]), (POOL[-1], POOL[-2]), (A2, A2)):
            rows = ("mov_imm", d, 0), ("mov_imm", s, 1), ("compare", A0, A1), ("select", d, cond, s)
            assert run(steps(*rows, ("mov", M.RESULT, d)), x, y) == (1 if d is s else expected)
