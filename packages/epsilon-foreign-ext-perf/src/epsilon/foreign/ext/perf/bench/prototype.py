"""A C function's prototype in words that every peer has a translation for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

#: Our word for a type, and C's. The last three differ in what Python gives: text, a pointer, bytes-like
#: memory.
C_SPELLING: dict[str, str] = {
    "void": "void",
    "int": "int",
    "long": "long",
    "double": "double",
    "float": "float",
    "size_t": "size_t",
    "int8": "int8_t",
    "int16": "int16_t",
    "int32": "int32_t",
    "int64": "int64_t",
    "uint8": "uint8_t",
    "uint16": "uint16_t",
    "uint32": "uint32_t",
    "uint64": "uint64_t",
    "string": "const char *",
    "pointer": "void *",
    "buffer": "const unsigned char *",
}


class Prototype(NamedTuple):
    """Name, result and parameters; the types are keys of `C_SPELLING`."""

    name: str
    result: str
    parameters: tuple[str, ...] = ()

    @property
    def declaration(self) -> str:
        """The prototype in C, without a semicolon."""
        parameters = ", ".join(C_SPELLING[parameter] for parameter in self.parameters) or "void"
        return f"{C_SPELLING[self.result]} {self.name}({parameters})"


def declarations(prototypes: Iterable[Prototype]) -> str:
    """All of them in C, one a line."""
    return "".join(f"{prototype.declaration};\n" for prototype in prototypes)
