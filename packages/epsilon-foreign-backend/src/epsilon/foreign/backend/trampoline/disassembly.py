"""Showing machine code to people: instructions with the names of what they call and the constants they read.

Uses capstone (https://www.capstone-engine.org) where it is installed, and a hex dump where it is not.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_NOTE = "; install capstone to see instructions: pip install capstone"
_WORD = 8
#: x86-64's way of writing an address relative to the next instruction.
_RIP = re.compile(r"\[rip (?P<sign>[+-]) (?P<distance>0x[0-9a-f]+|\d+)\]")
_NUMBER = re.compile(r"#?(0x[0-9a-f]+)")


def disassemble_code(
    code: bytes,
    address: int,
    symbols: Mapping[int, str] | None = None,
    *,
    code_size: int | None = None,
    machine: str | None = None,
) -> str:
    """A listing of `code` as it lies at `address`, one instruction a line.

    `symbols` maps addresses to names, as `cpython.names()` does. `code_size` is the number of bytes of
    instructions; what follows is listed as a pool of 64-bit constants. `machine` is as `platform.machine()`
    gives it. Without capstone, or for another processor, the listing is a hex dump.
    """
    symbols = symbols or {}
    size = len(code) if code_size is None else code_size
    engine = _engine(machine or platform.machine())
    if engine is None:
        return "\n".join([_NOTE, *_hex_dump(code[:size], address), *_pool(code, size, address, symbols)])
    # Only what a pool is known to hold is a constant: a jump, too, may go to a multiple of eight.
    start = 0 if code_size is None else size
    lines = list(_instructions(engine, code[:size], address, _Pool(code, address, start, symbols)))
    return "\n".join([*lines, *_pool(code, size, address, symbols)])


def _engine(machine: str) -> Any:
    try:
        import capstone
    except ImportError:
        return None
    modes = {
        "x86_64": (capstone.CS_ARCH_X86, capstone.CS_MODE_64),
        "amd64": (capstone.CS_ARCH_X86, capstone.CS_MODE_64),
        "aarch64": (capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM),
        "arm64": (capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM),
    }
    mode = modes.get(machine.lower())
    if mode is None:
        return None
    engine = capstone.Cs(*mode)
    # Bytes that are no instruction are listed as data instead of ending the listing.
    engine.skipdata = True
    return engine


class _Pool(NamedTuple):
    """Where operands may point to: constants of the code from byte `start` on, and whatever has a name."""

    code: bytes
    address: int
    start: int
    symbols: Mapping[int, str]

    def constant(self, target: int) -> str:
        """A note on the constant at address `target`, or nothing."""
        offset = target - self.address
        if offset % _WORD or not self.start <= offset <= len(self.code) - _WORD:
            return ""
        value = int.from_bytes(self.code[offset : offset + _WORD], "little")
        return f"  ; {_named(value, self.symbols)}"


def _instructions(engine: Any, code: bytes, address: int, pool: _Pool) -> Iterator[str]:
    for start, length, mnemonic, operands in engine.disasm_lite(code, address):
        raw = code[start - address : start - address + length].hex()
        note = _note(operands, start + length, pool)
        yield f"{start:#x}  {raw:<20}  {mnemonic:<8} {operands}{note}".rstrip()


def _note(operands: str, following: int, pool: _Pool) -> str:
    """What an operand refers to: the constant that lies there, or the name of that address."""
    relative = _RIP.search(operands)
    if relative is not None:
        distance = int(relative["distance"], 0)
        return pool.constant(following + (distance if relative["sign"] == "+" else -distance))
    for number in _NUMBER.findall(operands):
        value = int(number, 16)
        if value in pool.symbols:
            return f"  ; {pool.symbols[value]}"
        if operands.endswith(number) and (constant := pool.constant(value)):
            return constant
    return ""


def _named(value: int, symbols: Mapping[int, str]) -> str:
    return f"{value:#x} <{symbols[value]}>" if value in symbols else f"{value:#x}"


def _pool(code: bytes, size: int, address: int, symbols: Mapping[int, str]) -> Iterator[str]:
    start = size + -(address + size) % _WORD
    for offset in range(start, len(code) - _WORD + 1, _WORD):
        value = int.from_bytes(code[offset : offset + _WORD], "little")
        yield f"{address + offset:#x}  .quad {_named(value, symbols)}"


def _hex_dump(code: bytes, address: int) -> Iterator[str]:
    for offset in range(0, len(code), 16):
        yield f"{address + offset:#x}  {code[offset : offset + 16].hex(' ')}"
