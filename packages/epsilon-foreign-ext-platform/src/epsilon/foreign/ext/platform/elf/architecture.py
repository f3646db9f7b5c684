"""For which machine an ELF file is: its class, byte order and machine number.

The generic ABI's "ELF Header" (https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html) and the list of
machines (https://groups.google.com/g/generic-abi, maintained as elf.h in the C library).
"""

from __future__ import annotations

from typing import NamedTuple

#: EM_* numbers with the names that people use.
MACHINES = {
    2: "SPARC",
    3: "x86",
    4: "68000",
    8: "MIPS",
    15: "PA-RISC",
    20: "PowerPC",
    21: "PowerPC64",
    22: "S/390",
    40: "Arm",
    42: "SuperH",
    43: "SPARC V9",
    50: "Itanium",
    62: "x86-64",
    183: "AArch64",
    243: "RISC-V",
    247: "BPF",
    258: "LoongArch",
}
#: EI_OSABI numbers of systems whose libraries are no good elsewhere; Linux has 0 and 3.
SYSTEMS = {
    1: "HP-UX",
    2: "NetBSD",
    6: "Solaris",
    7: "AIX",
    8: "IRIX",
    9: "FreeBSD",
    12: "OpenBSD",
    17: "CloudABI",
    255: "no operating system",
}
LINUX = (0, 3)
_CLASSES = {1: 32, 2: 64}
_ORDERS = {1: "little", 2: "big"}


class Architecture(NamedTuple):
    """What must agree between a process and a library; `bits` and `order` are None for unknown values."""

    bits: int | None
    order: str | None
    machine: int

    @classmethod
    def of(cls, ident: bytes, machine: int) -> Architecture:
        """From the first bytes of a file and its ``e_machine``."""
        return cls(_CLASSES.get(ident[4]), _ORDERS.get(ident[5]), machine)

    def __str__(self) -> str:
        """``64-bit AArch64``; the byte order is named where it is not the usual one."""
        name = MACHINES.get(self.machine, f"machine {self.machine}")
        words = f"{self.bits}-bit {name}" if self.bits else name
        return f"{words}, {self.order}-endian" if self.order == "big" else words
