"""One step from a frame to its caller's: the programs of call frame information, run (DWARF 5, 6.4.2 and 6.4.3)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from .unwinding import Cursor, Function, Read, UnwindError

_MASK = (1 << 64) - 1


class Rule(NamedTuple):
    """Where the caller's value of a register is: at an offset from the frame's address, or in another register."""

    kind: str
    value: int


_SAME = Rule("same", 0)
Rules = dict[int, Rule]


class _Row:
    """A row of the table that a program describes: the frame's address and where registers have been saved."""

    def __init__(self) -> None:
        self.register = self.offset = 0
        self.expression: bytes | None = None
        self.rules: Rules = {}

    def copy(self) -> _Row:
        made = _Row()
        made.register, made.offset, made.expression = self.register, self.offset, self.expression
        made.rules = dict(self.rules)
        return made


def caller(
    function: Function, registers: dict[int, int], address: int, stack: int, read: Read
) -> dict[int, int]:
    """The registers of a frame's caller, by DWARF number. `address` is where the frame is in the function; `stack` is
    the number of the stack pointer. Raises UnwindError."""
    row = _row(function, address)
    if row.expression is not None:
        frame = _evaluate(row.expression, registers, read, [])
    else:
        frame = registers.get(row.register, 0) + row.offset & _MASK
    found = dict(registers)
    for number, rule in row.rules.items():
        if rule.kind == "saved":
            found[number] = _word(read, frame + rule.value)
        elif rule.kind == "value":
            found[number] = frame + rule.value & _MASK
        elif rule.kind == "register":
            found[number] = registers.get(rule.value, 0)
        elif rule.kind == "undefined":
            found.pop(number, None)
    if stack not in row.rules:
        found[stack] = frame
    return found


def _row(function: Function, address: int) -> _Row:
    """The row that holds at an address: the initial one, changed by the program up to there."""
    initial = _Row()
    _run(function, function.common.program, initial, None, address)
    row = initial.copy()
    _run(function, function.program, row, initial, address)
    return row


def _run(function: Function, program: bytes, row: _Row, initial: _Row | None, until: int) -> None:
    common = function.common
    cursor = Cursor(program, 0)
    here = function.start
    kept: list[_Row] = []
    while cursor.place < len(program):
        code = cursor.take("B")
        high, low = code & 0xC0, code & 0x3F
        if high == 0x40:
            here += low * common.code
        elif high == 0x80:
            row.rules[low] = Rule("saved", cursor.leb() * common.data)
        elif high == 0xC0:
            _restore(row, initial, low)
        elif code in _ADVANCES:
            here += cursor.take(_ADVANCES[code]) * common.code
        elif code == 0x01:
            here = cursor.pointer(common.encoding)
        elif code == 0x06:
            _restore(row, initial, cursor.leb())
        elif code == 0x0A:
            kept.append(row.copy())
        elif code == 0x0B:
            before = kept.pop() if kept else _Row()
            row.rules, row.expression = before.rules, before.expression
            row.register, row.offset = before.register, before.offset
        elif code in _CHANGES:
            _CHANGES[code](row, cursor, common.data)
        else:
            raise UnwindError(f"an unknown instruction {code:#x}")
        if initial is not None and here > until:
            return


def _restore(row: _Row, initial: _Row | None, number: int) -> None:
    rule = initial.rules.get(number) if initial is not None else None
    if rule is None:
        row.rules.pop(number, None)
    else:
        row.rules[number] = rule


def _define(row: _Row, register: int | None = None, offset: int | None = None) -> None:
    row.register = row.register if register is None else register
    row.offset = row.offset if offset is None else offset
    row.expression = None


def _put(row: _Row, number: int, kind: str, value: int = 0) -> None:
    row.rules[number] = Rule(kind, value)


def _express(row: _Row, cursor: Cursor) -> None:
    size = cursor.leb()
    row.expression = cursor.content[cursor.place : cursor.place + size]
    cursor.place += size


def _skip(row: _Row, cursor: Cursor) -> None:
    """A register whose place only an expression tells: nobody needs it to go on."""
    row.rules.pop(cursor.leb(), None)
    cursor.place += cursor.leb()


_ADVANCES = {0x02: "B", 0x03: "H", 0x04: "I"}
#: Instruction -> what it changes: the row, given the operands and the factor of offsets.
_CHANGES: dict[int, Callable[[_Row, Cursor, int], object]] = {
    0x00: lambda row, at, data: None,
    0x05: lambda row, at, data: _put(row, at.leb(), "saved", at.leb() * data),
    0x07: lambda row, at, data: _put(row, at.leb(), "undefined"),
    0x08: lambda row, at, data: row.rules.pop(at.leb(), None),
    0x09: lambda row, at, data: _put(row, at.leb(), "register", at.leb()),
    0x0C: lambda row, at, data: _define(row, at.leb(), at.leb()),
    0x0D: lambda row, at, data: _define(row, at.leb()),
    0x0E: lambda row, at, data: _define(row, offset=at.leb()),
    0x0F: lambda row, at, data: _express(row, at),
    0x10: lambda row, at, data: _skip(row, at),
    0x11: lambda row, at, data: _put(row, at.leb(), "saved", at.leb(signed=True) * data),
    0x12: lambda row, at, data: _define(row, at.leb(), at.leb(signed=True) * data),
    0x13: lambda row, at, data: _define(row, offset=at.leb(signed=True) * data),
    0x14: lambda row, at, data: _put(row, at.leb(), "value", at.leb() * data),
    0x15: lambda row, at, data: _put(row, at.leb(), "value", at.leb(signed=True) * data),
    0x16: lambda row, at, data: _skip(row, at),
    0x2D: lambda row, at, data: None,  # AArch64: return addresses are signed from here on, or not any more
    0x2E: lambda row, at, data: at.leb(),
}


def _word(read: Read, address: int) -> int:
    content = read(address & _MASK, 8)
    if len(content) < 8:
        raise UnwindError("the stack is not readable")
    return int(struct.unpack("=Q", content)[0])


def _evaluate(program: bytes, registers: dict[int, int], read: Read, stack: list[int]) -> int:
    """A DWARF expression (2.5), as far as procedure linkage tables need them."""
    cursor = Cursor(program, 0)
    while cursor.place < len(program):
        code = cursor.take("B")
        if 0x30 <= code <= 0x4F:
            stack.append(code - 0x30)
        elif 0x70 <= code <= 0x8F:
            stack.append(registers.get(code - 0x70, 0) + cursor.leb(signed=True) & _MASK)
        elif code == 0x06:
            stack.append(_word(read, stack.pop()))
        elif code == 0x08:
            stack.append(cursor.take("B"))
        elif code == 0x23:
            stack.append(stack.pop() + cursor.leb() & _MASK)
        elif code in _OPERATIONS and len(stack) > 1:
            second, first = stack.pop(), stack.pop()
            stack.append(_OPERATIONS[code](first, second) & _MASK)
        else:
            raise UnwindError(f"an unknown operation {code:#x}")
    if not stack:
        raise UnwindError("an expression without a value")
    return stack[-1]


_OPERATIONS: dict[int, Callable[[int, int], int]] = {
    0x1A: lambda a, b: a & b,
    0x1C: lambda a, b: a - b,
    0x22: lambda a, b: a + b,
    0x24: lambda a, b: a << min(b, 64),
    0x2A: lambda a, b: int(a >= b),
}
