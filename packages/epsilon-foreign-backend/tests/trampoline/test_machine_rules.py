"""What holds of every `Machine` without running it: register roles, refusals, size of code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from epsilon.foreign.backend.trampoline.assembler import AssemblyError, aarch64, x86_64
from epsilon.foreign.backend.trampoline.machine import Cond, Machine
from epsilon.foreign.backend.trampoline.machine_aarch64 import AArch64Machine
from epsilon.foreign.backend.trampoline.machine_x86_64 import X86_64Machine

MACHINES: dict[str, Callable[[], Machine]] = {"x86_64": X86_64Machine, "aarch64": AArch64Machine}
every_machine = pytest.mark.parametrize("new_machine", MACHINES.values(), ids=MACHINES)


@every_machine
def test_the_roles_of_registers_do_not_overlap(new_machine: Callable[[], Machine]) -> None:
    machine = new_machine()
    general = [*machine.ENTRY, *machine.SCRATCH, *machine.SAVED, machine.SP, machine.FP]
    assert len(set(general)) == len(general)
    assert machine.FRESULT not in machine.FSCRATCH and machine.FRESULT2 not in machine.FSCRATCH
    assert machine.name == {v: k for k, v in MACHINES.items()}[new_machine]
    assert machine.POINTER_SIZE == 8


REFUSED: dict[str, tuple[Any, ...]] = {
    # what is wrong -> operation, operands; D, B, V stand for two integer registers and a vector register
    "a constant over 64 bits": ("mov_imm", "D", 1 << 64),
    "a constant under 64 bits": ("mov_imm", "D", -(1 << 63) - 1),
    "a literal over 64 bits": ("load_literal", "D", 1 << 64),
    "an operand over 64 bits": ("add_imm", "D", 1 << 64),
    "a mask over 64 bits": ("and_imm", "D", 1 << 64),
    "an address over 64 bits": ("call_literal", 1 << 64),
    "an offset over 32 bits": ("load", "D", "B", 1 << 31),
    "an offset under 32 bits": ("store", "B", -(1 << 31) - 1, "D"),
    "an address offset over 32 bits": ("lea", "D", "B", 1 << 31),
    "a float at an offset over 32 bits": ("fload", "V", "B", 1 << 31),
    "a load of 3 bytes": ("load", "D", "B", 0, 3),
    "a store of 16 bytes": ("store", "B", 0, "D", 16),
    "a float of 2 bytes": ("fstore", "B", 0, "V", 2),
    "an extension of 3 bytes": ("extend", "D", "B", 3, False),
    "a scale of 3": ("load_indexed", "D", "B", "B", 3),
    "an element of 3 bytes": ("store_indexed", "B", "D", 1, "D", 3),
    "a stored constant over 32 bits": ("store_imm", "B", 0, 1 << 31),
    "a stored constant over its size": ("store_imm", "B", 0, 256, 1),
    "a stored constant of 3 bytes": ("store_imm", "B", 0, 0, 3),
    "a comparison of 2 bytes": ("compare_imm", "D", 0, 2),
    "a comparison over its size": ("compare_imm", "D", 1 << 32, 4),
    "a test of 2 bytes": ("test_imm", "D", 1, 2),
    "a test over its size": ("test_imm", "D", 1 << 32, 4),
    "a shift left by 64": ("shl_imm", "D", 64),
    "a shift right by -1": ("shr_imm", "D", -1),
    "a signed shift right by 64": ("sar_imm", "D", 64),
    "an epilogue without a prologue": ("epilogue",),
    "an aligned stack that nothing restores": ("align_stack", 32),
    "a negative frame": ("prologue", -8),
    "a register saved that is not preserved": ("prologue", 0, ("D",)),
}


@every_machine
@pytest.mark.parametrize("row", REFUSED.values(), ids=REFUSED)
def test_what_a_machine_cannot_do_raises(new_machine: Callable[[], Machine], row: tuple[Any, ...]) -> None:
    machine = new_machine()
    registers = {"D": machine.SCRATCH[0], "B": machine.ENTRY[1], "V": machine.FSCRATCH[0]}

    def operand(value: Any) -> Any:
        return tuple(map(operand, value)) if isinstance(value, tuple) else registers.get(value, value)

    name, *operands = row
    with pytest.raises(AssemblyError):
        getattr(machine, name)(*map(operand, operands))


@every_machine
def test_a_frame_saves_a_register_once(new_machine: Callable[[], Machine]) -> None:
    machine = new_machine()
    with pytest.raises(AssemblyError, match="cannot make a frame"):
        machine.prologue(0, (machine.SAVED[0], machine.SAVED[0]))


@every_machine
def test_code_size_counts_instructions_but_not_the_pool(new_machine: Callable[[], Machine]) -> None:
    machine = new_machine()
    assert machine.code_size is None
    for _ in range(3):
        machine.load_literal(machine.SCRATCH[0], 0x1122334455667788)
    machine.ret()
    code = machine.finish()
    size = machine.code_size
    assert size is not None and size < len(code) and len(code) % 8 == 0
    assert code.count(0x1122334455667788.to_bytes(8, "little"), size) == 1


@every_machine
def test_moving_a_register_to_itself_writes_nothing(new_machine: Callable[[], Machine]) -> None:
    machine = new_machine()
    machine.mov(machine.RESULT, machine.RESULT)
    machine.lea(machine.RESULT, machine.RESULT, 0)
    machine.fmov(machine.FRESULT, machine.FRESULT)
    machine.extend(machine.RESULT, machine.RESULT, 8, False)
    assert machine.finish() == b""


@every_machine
def test_each_condition_has_an_encoding_of_its_own(new_machine: Callable[[], Machine]) -> None:
    codes = set()
    for cond in Cond:
        machine = new_machine()
        machine.set_condition(machine.RESULT, cond)
        codes.add(machine.finish())
    assert len(codes) == len(Cond)


def size_of(new_machine: Callable[[], Machine], name: str, *operands: Any) -> int:
    machine = new_machine()
    getattr(machine, name)(*operands)
    return len(machine.finish())


X86_SIZES: tuple[tuple[int, tuple[Any, ...]], ...] = (
    (5, ("mov_imm", x86_64.RAX, 0)),
    (5, ("mov_imm", x86_64.RAX, 0xFFFFFFFF)),
    (7, ("mov_imm", x86_64.RAX, -1)),
    (7, ("mov_imm", x86_64.RAX, (1 << 64) - 1)),
    (10, ("mov_imm", x86_64.RAX, 1 << 32)),
    (3, ("compare_imm", x86_64.RCX, 0)),
    (4, ("compare_imm", x86_64.RCX, 127)),
    (2, ("test_imm", x86_64.RAX, 3)),
    (3, ("test_imm", x86_64.RCX, 3)),
    (6, ("test_imm", x86_64.RCX, 0x80)),
    (3, ("and_imm", x86_64.RCX, 7)),
    (2, ("variadic_vectors", 8)),
)
AARCH64_SIZES: tuple[tuple[int, tuple[Any, ...]], ...] = (
    (4, ("mov_imm", aarch64.X0, 0)),
    (4, ("mov_imm", aarch64.X0, -1)),
    (4, ("mov_imm", aarch64.X0, 0xFFFF << 48)),
    (4, ("mov_imm", aarch64.X0, 0x5555555555555555)),
    (8, ("mov_imm", aarch64.X0, 0x12345678)),
    (8, ("mov_imm", aarch64.X0, ~0x12345678)),
    (16, ("mov_imm", aarch64.X0, 0x123456789ABCDEF0)),
    (4, ("compare_imm", aarch64.X0, -1)),
    (4, ("test_imm", aarch64.X0, 3)),
    (8, ("test_imm", aarch64.X0, 5)),
    (4, ("load", aarch64.X0, aarch64.SP, 0x7FF8)),
    (8, ("load", aarch64.X0, aarch64.SP, 0x8000)),
    (4, ("load_indexed", aarch64.X0, aarch64.X1, aarch64.X2, 8)),
    (8, ("load_indexed", aarch64.X0, aarch64.X1, aarch64.X2, 8, 4)),
    (0, ("variadic_vectors", 8)),
)


@pytest.mark.parametrize(("size", "row"), X86_SIZES, ids=lambda value: str(value))
def test_x86_64_takes_the_shortest_form(size: int, row: tuple[Any, ...]) -> None:
    assert size_of(X86_64Machine, *row) == size


@pytest.mark.parametrize(("size", "row"), AARCH64_SIZES, ids=lambda value: str(value))
def test_aarch64_takes_the_shortest_form(size: int, row: tuple[Any, ...]) -> None:
    assert size_of(AArch64Machine, *row) == size


def test_a_wide_operand_on_x86_64_needs_no_register_but_a_literal() -> None:
    for name in ("add_imm", "sub_imm", "and_imm", "or_imm", "compare_imm", "test_imm"):
        assert size_of(X86_64Machine, name, x86_64.RCX, 0x123456789ABC) == 8 + 8, name


@pytest.mark.parametrize(("frame_bytes", "instructions"), ((0, 2), (16, 3), (4080, 3), (65536, 3), (4104, 4)))
def test_a_frame_on_aarch64_takes_few_instructions(frame_bytes: int, instructions: int) -> None:
    assert size_of(AArch64Machine, "prologue", frame_bytes) == 4 * instructions
