"""Jumps, calls and stack frames of `Machine`, run on the processor at hand."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from epsilon.foreign.backend.trampoline.assembler import IntRegister
from epsilon.foreign.backend.trampoline.machine import Cond, Machine
from machine_support import (
    A0,
    A2,
    NEAR_AND_FAR,
    POOL,
    PROCESSOR,
    M,
    function,
    new_machine,
    placed,
    run,
    steps,
)

Emit = Callable[[Machine], object]
COUNTER = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
combine = COUNTER(lambda x, y: 10 * x + y)
"""A C function that any register used across a call must survive."""
COMBINE = ctypes.cast(combine, ctypes.c_void_p).value or 0


@contextmanager
def written(emit: Emit, at: int = 0) -> Iterator[int]:
    """The address of a function that `emit` writes whole, frame and return included."""
    machine = new_machine()
    emit(machine)
    with placed(machine.finish(), at) as address:
        yield address


# Jumps


@pytest.mark.parametrize(("operation", "taken"), (("branch_zero", True), ("branch_nonzero", False)))
@pytest.mark.parametrize("value", (0, 1, 1 << 63, 1 << 32))
def test_branches_ask_whether_a_register_is_zero(operation: str, taken: bool, value: int) -> None:
    def emit(register: IntRegister, machine: Machine) -> None:
        end = machine.label()
        machine.mov_imm(register, value)
        machine.store_imm(M.SP, 0, 6)
        getattr(machine, operation)(register, end)
        machine.store_imm(M.SP, 0, 5)
        machine.bind(end)
        machine.load(M.RESULT, M.SP, 0)

    for register in POOL:
        assert run(partial(emit, register)) == (6 if (value == 0) == taken else 5)


@pytest.mark.parametrize("distance", (0, 100, 40000))
def test_loops_and_jumps_reach_near_and_far(distance: int) -> None:
    def emit(machine: Machine) -> None:
        """RESULT = A0 + (A0 - 1) + ... + 1"""
        again, body, end = machine.label(), machine.label(), machine.label()
        total, count = M.SCRATCH[-1], M.SAVED[0]
        machine.mov(count, A0)
        machine.mov_imm(total, 0)
        machine.bind(again)
        machine.compare_imm(count, 0)
        machine.branch(Cond.NE, body)
        machine.jump(end)
        for _ in range(distance // 4):
            machine.trap()
        machine.bind(body)
        machine.add(total, count)
        machine.sub_imm(count, 1)
        machine.jump(again)
        machine.bind(end)
        machine.mov(M.RESULT, total)

    assert (run(emit, 0), run(emit, 10)) == (0, 55)


def test_code_runs_at_any_address() -> None:
    def emit(machine: Machine) -> None:
        end = machine.label()
        machine.compare_literal(A0, 0x123456789ABC)
        machine.load_literal(M.RESULT, 0x123456789ABC)
        machine.branch(Cond.EQ, end)
        machine.mov_imm(M.RESULT, -1)
        machine.bind(end)
        machine.ret()

    for at in (0, 8, 4096, 70000):
        with written(emit, at) as address:
            assert function(address, 0x123456789ABC) == 0x123456789ABC
            assert function(address, 0) == -1


TAIL_JUMPS: dict[str, tuple[tuple[object, ...], ...]] = {
    "literal": (("epilogue",), ("jump_literal", COMBINE)),
    "register": (("mov_imm", M.SCRATCH[-1], COMBINE), ("epilogue",), ("jump_register", M.SCRATCH[-1])),
    **{
        f"memory at {offset}": (
            ("lea", M.SCRATCH[-1], A2, -offset),
            ("epilogue",),
            ("jump_memory", M.SCRATCH[-1], offset),
        )
        for offset in NEAR_AND_FAR
    },
}


@pytest.mark.parametrize("jump", TAIL_JUMPS.values(), ids=TAIL_JUMPS)
def test_a_jump_after_the_epilogue_calls_in_place(jump: tuple[tuple[object, ...], ...]) -> None:
    pointer = ctypes.c_int64(COMBINE)
    with written(steps(("prologue", 100, M.SAVED[:3]), *jump)) as address:
        assert function(address, 4, 2, ctypes.addressof(pointer)) == 42


# Calls

CALLS: dict[str, tuple[tuple[object, ...], ...]] = {
    "literal": (("call_literal", COMBINE),),
    **{
        f"{r!r}": (("mov_imm", r, COMBINE), ("call_register", r))
        for r in (M.SCRATCH[-1], M.SAVED[0], M.SAVED[-1])
    },
    **{
        f"memory at {offset}": (("lea", M.SCRATCH[-1], A2, -offset), ("call_memory", M.SCRATCH[-1], offset))
        for offset in NEAR_AND_FAR
    },
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_call_passes_arguments_and_returns(call: tuple[tuple[object, ...], ...]) -> None:
    pointer = ctypes.c_int64(COMBINE)
    assert run(steps(*call, ("add_imm", M.RESULT, 1)), 4, 2, ctypes.addressof(pointer)) == 43


def test_call_label_calls_a_function_in_the_same_code() -> None:
    def emit(machine: Machine) -> None:
        inner, end = machine.label(), machine.label()
        machine.mov(M.SAVED[0], A0)
        machine.call_label(inner)
        machine.sub(M.RESULT, M.SAVED[0])
        machine.jump(end)
        machine.bind(inner)
        machine.lea(M.RESULT, A0, 7)
        machine.ret()
        machine.bind(end)

    assert run(emit, 1000) == 7


def test_a_function_may_call_itself() -> None:
    def emit(machine: Machine) -> None:
        """The factorial of A0."""
        start, end = machine.label(), machine.label()
        machine.bind(start)
        machine.prologue(24, M.SAVED[:1])
        machine.mov(M.SAVED[0], A0)
        machine.mov_imm(M.RESULT, 1)
        machine.branch_zero(M.SAVED[0], end)
        machine.lea(A0, M.SAVED[0], -1)
        machine.call_label(start)
        machine.mul(M.RESULT, M.SAVED[0])
        machine.bind(end)
        machine.epilogue()
        machine.ret()

    with written(emit) as address:
        assert function(address, 15) == 1307674368000


# Frames

FRAMES = (0, 1, 8, 16, 24, 100, 504, 512, 4095, 4096, 4104, 32768, 65536)


def saved_sets() -> Iterator[tuple[IntRegister, ...]]:
    for count in range(len(M.SAVED) + 1):
        yield M.SAVED[:count]
    yield M.SAVED[::-1]


@pytest.mark.parametrize("frame_bytes", FRAMES)
def test_a_frame_is_aligned_linked_and_undone(frame_bytes: int) -> None:
    """The outer function fills the saved registers; the inner one overwrites all that it may."""

    def emit(saved: tuple[IntRegister, ...], machine: Machine) -> None:
        machine.prologue(frame_bytes, saved)
        machine.store(A0, 0, M.FP)  # where the frame record is
        machine.mov(M.SCRATCH[-1], M.SP)
        machine.store(A0, 8, M.SCRATCH[-1])
        for register in saved:
            machine.mov_imm(register, -1)
        for offset in {*range(min(frame_bytes, 64)), *range(max(0, frame_bytes - 64), frame_bytes)}:
            machine.store_imm(M.SP, offset, -1, size=1)
        machine.epilogue()
        machine.ret()

    def calling(inner: int, machine: Machine) -> None:
        machine.mov_imm(M.SCRATCH[-1], inner)
        for position, register in enumerate(M.SAVED):
            machine.mov_imm(register, 100 + position)
        machine.store(A0, 16, M.FP)
        machine.mov(M.SCRATCH[0], M.SP)
        machine.store(A0, 24, M.SCRATCH[0])
        machine.store(M.SP, 0, A0)
        machine.call_register(M.SCRATCH[-1])
        machine.load(A0, M.SP, 0)
        machine.store(A0, 32, M.FP)
        machine.mov(M.SCRATCH[0], M.SP)
        machine.store(A0, 40, M.SCRATCH[0])
        for position, register in enumerate(M.SAVED):
            machine.store(A0, 48 + 8 * position, register)

    for saved in saved_sets():
        record = (ctypes.c_int64 * (6 + len(M.SAVED)))()
        with written(partial(emit, saved)) as inner:
            run(partial(calling, inner), ctypes.addressof(record))
        frame, inner_sp, outer_fp, outer_sp, fp_after, sp_after, *kept = record
        assert inner_sp % 16 == 0 and outer_sp % 16 == 0
        assert outer_sp - inner_sp >= frame_bytes
        assert (fp_after, sp_after) == (outer_fp, outer_sp)
        assert kept == list(range(100, 100 + len(M.SAVED)))
        assert inner_sp + frame_bytes <= frame < outer_sp


@pytest.mark.parametrize("alignment", (32, 64, 128, 4096))
def test_an_aligned_stack_is_undone(alignment: int) -> None:
    def emit(frame_bytes: int, saved: tuple[IntRegister, ...], machine: Machine) -> None:
        machine.prologue(frame_bytes, saved)
        machine.align_stack(alignment)
        machine.store(A0, 0, M.FP)
        machine.mov(M.SCRATCH[-1], M.SP)
        machine.store(A0, 8, M.SCRATCH[-1])
        for register in saved:
            machine.mov_imm(register, -1)
        for offset in range(0, frame_bytes - 7, 8):
            machine.store_imm(M.SP, offset, -1)
        machine.epilogue()
        machine.ret()

    def calling(inner: int, lower: int, machine: Machine) -> None:
        machine.sub_imm(M.SP, 16 * lower)  # so that it is only by chance that the stack is aligned already
        machine.store(M.SP, 0, A0)
        for position, register in enumerate(M.SAVED):
            machine.mov_imm(register, 100 + position)
        machine.mov_imm(M.SCRATCH[-1], inner)
        machine.call_register(M.SCRATCH[-1])
        machine.load(A0, M.SP, 0)
        machine.add_imm(M.SP, 16 * lower)
        for position, register in enumerate(M.SAVED):
            machine.store(A0, 16 + 8 * position, register)

    for saved in saved_sets():
        for lower, frame_bytes in enumerate((8, 16, 24, 72, 136), 1):
            record = (ctypes.c_int64 * (2 + len(M.SAVED)))()
            with written(partial(emit, frame_bytes, saved)) as inner:
                run(partial(calling, inner, lower), ctypes.addressof(record))
            frame, pointer, *kept = record
            assert pointer % alignment == 0
            assert pointer + frame_bytes <= frame
            assert kept == list(range(100, 100 + len(M.SAVED)))


def test_frame_pointers_form_a_chain() -> None:
    """The word at FP is the caller's FP; the one above it is the return address."""
    inner = steps(
        ("prologue", 32, M.SAVED[:1]),
        ("load", M.SCRATCH[-1], M.FP, 0),
        ("store", A0, 0, M.SCRATCH[-1]),
        ("load", M.SCRATCH[-1], M.FP, 8),
        ("store", A0, 8, M.SCRATCH[-1]),
        ("epilogue",),
        ("ret",),
    )
    seen = (ctypes.c_int64 * 3)()

    def outer(machine: Machine) -> None:
        machine.prologue(16)
        machine.store(A0, 16, M.FP)
        machine.call_literal(inner_address)
        machine.epilogue()
        machine.ret()

    with written(inner) as inner_address, written(outer) as outer_address:
        function(outer_address, ctypes.addressof(seen))
    callers_frame, return_address, expected_frame = seen
    assert callers_frame == expected_frame
    assert outer_address < return_address < outer_address + 64


@pytest.mark.parametrize("frame_bytes", (0, 24, 4096))
def test_incoming_is_where_the_callers_stack_arguments_are(frame_bytes: int) -> None:
    in_registers = {"x86_64": 6, "aarch64": 8}[PROCESSOR]
    for saved in saved_sets():
        machine = new_machine()
        machine.prologue(frame_bytes, saved)
        machine.load(M.RESULT, M.FP, machine.incoming)
        machine.load(M.SCRATCH[-1], M.FP, machine.incoming + 8)
        machine.shl_imm(M.SCRATCH[-1], 8)
        machine.or_(M.RESULT, M.SCRATCH[-1])
        machine.epilogue()
        machine.ret()
        with placed(machine.finish()) as address:
            first, second = in_registers + 1, in_registers + 2
            assert function(address, *range(1, 13)) == first | second << 8


def test_every_exit_has_its_own_epilogue() -> None:
    def emit(machine: Machine) -> None:
        negative, large = machine.label(), machine.label()
        machine.prologue(40, M.SAVED[:3])
        machine.mov(M.SAVED[2], A0)
        machine.compare_imm(A0, 0)
        machine.branch(Cond.LT, negative)
        machine.compare_imm(A0, 1 << 40)
        machine.branch(Cond.GT, large)
        machine.lea(M.RESULT, M.SAVED[2], 1)
        machine.epilogue()
        machine.ret()
        machine.bind(negative)
        machine.mov_imm(M.RESULT, -1)
        machine.epilogue()
        machine.ret()
        machine.bind(large)
        machine.mov_imm(M.RESULT, 0)
        machine.epilogue()
        machine.ret()

    with written(emit) as address:
        assert [function(address, value) for value in (5, -5, 1 << 41, 0)] == [6, -1, 0, 1]


# Traps


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, to die in a child")
def test_trap_stops_the_process() -> None:
    with written(lambda machine: machine.trap()) as address:
        child = os.fork()
        if not child:
            faulthandler.disable()
            function(address)
            os._exit(0)
        _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == {"x86_64": signal.SIGILL, "aarch64": signal.SIGTRAP}[PROCESSOR]
