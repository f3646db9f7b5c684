"""Code being written: bytes, labels, the places that refer to labels, and a pool of 64-bit constants.

Knows nothing of any instruction set. An instruction that refers to a label is emitted with a zero distance
and registers a *fixup*; `CodeBuffer.finish` places the pool after the code, then lets every fixup write its
distance. Distances are relative to the code itself, so the result runs at any 8-aligned address.
"""

from __future__ import annotations

from collections.abc import Callable

POOL_ALIGNMENT = 8
_WORD = 1 << 64

Patch = Callable[[bytearray, int, int], None]
"""Writes into `code`, at `position`, the way to `target` (byte offsets); AssemblyError if out of range."""


class AssemblyError(ValueError):
    """What was asked for cannot be encoded (operand out of range, unknown size, label never bound...)."""


class Label:
    """A place in the code: unknown (`position` is None) until it is bound, then a byte offset."""

    __slots__ = ("position",)

    def __init__(self) -> None:
        self.position: int | None = None

    def __repr__(self) -> str:
        return "<Label, not bound>" if self.position is None else f"<Label at {self.position:#x}>"


class MachineCode(bytes):
    """Code and its pool, with the number of bytes that are instructions."""

    code_size: int


class CodeBuffer:
    """Grows code byte by byte and resolves its labels at the end.

    `code` is public: an assembler appends straight to it, since one stub takes hundreds of instructions and a
    call for each would be felt. `filler` is the byte between the code and the pool.
    """

    __slots__ = ("_filler", "_fixups", "_literals", "code", "code_size")

    def __init__(self, filler: int = 0) -> None:
        self.code = bytearray()
        self.code_size: int | None = None
        """Bytes of instructions, without padding and pool; None before `finish`."""
        self._filler = filler
        self._fixups: list[tuple[int, Label, Patch]] = []
        self._literals: dict[int, Label] = {}

    def bind(self, label: Label) -> None:
        """Makes `label` mean the next byte emitted. A label is bound once."""
        if label.position is not None:
            raise AssemblyError(f"{label!r} is already bound")
        label.position = len(self.code)

    def refer(self, position: int, label: Label, patch: Patch) -> None:
        """Has `patch` write the way to `label` at `position` when the code is finished."""
        self._fixups.append((position, label, patch))

    def literal(self, value: int) -> Label:
        """The label of a pool entry that holds `value` (-2**63 to 2**64-1); equal bits share one entry."""
        if not -(_WORD >> 1) <= value < _WORD:
            raise AssemblyError(f"{value:#x} does not fit 64 bits")
        value %= _WORD
        label = self._literals.get(value)
        if label is None:
            label = self._literals[value] = Label()
        return label

    def finish(self) -> MachineCode:
        """Places the pool, resolves every label, returns code and pool. Nothing may be emitted afterwards."""
        if self.code_size is None:
            self.code_size = len(self.code)
            self._place_literals()
            self._resolve()
        finished = MachineCode(self.code)
        finished.code_size = self.code_size
        return finished

    def _place_literals(self) -> None:
        code = self.code
        if self._literals:
            code.extend(bytes((self._filler,)) * (-len(code) % POOL_ALIGNMENT))
        for value, label in self._literals.items():
            self.bind(label)
            code += value.to_bytes(8, "little")

    def _resolve(self) -> None:
        code = self.code
        for position, label, patch in self._fixups:
            if label.position is None:
                raise AssemblyError(
                    f"the instruction at {position:#x} refers to a label that was never bound"
                )
            patch(code, position, label.position)
