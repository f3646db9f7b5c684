"""Where our classification says that an aggregate is at a call: pieces to look for in what C shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from epsilon.foreign.backend import AbiType
from epsilon.foreign.backend.trampoline import classify_aapcs64, classify_sysv
from epsilon.foreign.backend.trampoline.classify_sysv import INTEGER, MEMORY, SSE, X87

from .asking_registers import GENERAL, STACK, VECTOR

LONG = 8
QUAD = 16


class Piece(NamedTuple):
    """`size` bytes of the aggregate from `offset` on are at `where` in what is shown, or in memory (None)."""

    offset: int
    size: int
    where: int | None


def up(value: int, step: int) -> int:
    """`value` rounded up."""
    return -(-value // step) * step


class SystemV:
    """psABI 3.2.3."""

    @staticmethod
    def early(type: AbiType) -> Iterator[Piece]:
        """As the second argument after an int."""
        return SystemV._registers(type, GENERAL + LONG)

    @staticmethod
    def late(type: AbiType) -> Iterator[Piece]:
        """When all registers are taken, behind a long on the stack."""
        yield Piece(0, type.size, STACK + up(LONG, max(LONG, type.alignment)))

    @staticmethod
    def result(type: AbiType) -> Iterator[Piece]:
        """As a result: INTEGER in RAX and RDX, shown where the first arguments were; X87 in ST(0)."""
        classes = classify_sysv.classify(type)
        if classes is MEMORY:
            yield Piece(0, type.size, None)
        elif X87 in classes:
            yield Piece(0, type.size, STACK)
        else:
            yield from SystemV._registers(type, GENERAL)

    @staticmethod
    def is_x87(type: AbiType) -> bool:
        """Is its result in ST(0)?"""
        return X87 in (classify_sysv.classify(type) or ())

    @staticmethod
    def _registers(type: AbiType, general: int) -> Iterator[Piece]:
        classes = classify_sysv.classify(type)
        vector = VECTOR
        if classes is MEMORY or X87 in classes:
            yield Piece(0, type.size, STACK)
            return
        for index, found in enumerate(classes):
            size = min(LONG, type.size - LONG * index)
            if found is INTEGER:
                yield Piece(LONG * index, size, general)
                general += LONG
            elif found is SSE:
                yield Piece(LONG * index, size, vector)
                vector += QUAD


class Aapcs64:
    """AAPCS64 6.8.2 and 6.9."""

    @staticmethod
    def early(type: AbiType) -> Iterator[Piece]:
        """As the second argument after an int."""
        return Aapcs64._registers(type, GENERAL + LONG)

    @staticmethod
    def late(type: AbiType) -> Iterator[Piece]:
        """When all registers are taken, behind a long on the stack. A reference is there as an address."""
        if classify_aapcs64.classify(type) is not classify_aapcs64.REFERENCE:
            yield Piece(0, type.size, STACK + up(LONG, classify_aapcs64.stack_alignment(type)))

    @staticmethod
    def result(type: AbiType) -> Iterator[Piece]:
        """As a result, from X0 or V0 on, or where X8 says."""
        return Aapcs64._registers(type, GENERAL)

    @staticmethod
    def is_x87(type: AbiType) -> bool:
        """There is none."""
        return False

    @staticmethod
    def _registers(type: AbiType, general: int) -> Iterator[Piece]:
        found = classify_aapcs64.classify(type)
        if found is classify_aapcs64.REFERENCE:
            yield Piece(0, type.size, None)
        elif isinstance(found, classify_aapcs64.Homogeneous):
            for index in range(found.count):
                yield Piece(index * found.base.size, found.base.size, VECTOR + QUAD * index)
        else:
            yield Piece(0, type.size, up(general, QUAD) if found.even else general)


CONVENTIONS = {"sysv": SystemV, "aapcs64": Aapcs64}
