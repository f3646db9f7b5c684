"""One exported name."""

from __future__ import annotations

from dataclasses import dataclass

#: What linkers put into every library; nobody declares it.
LINKER_SYMBOLS = frozenset(
    {"_init", "_fini", "__bss_start", "_edata", "_end", "__end", "__end__", "_bss_end__"}
)


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name that a library exports.

    `kind` is ``"function"``, ``"variable"``, ``"thread-local"``, or ``"symbol"`` where the file does not say. `size`
    is in bytes, 0 where unknown. `version` is a symbol version of ELF (``GLIBC_2.34``); `default` is false for an old
    one, which only programs that were linked against it get. `forwarded` names where a Windows library says the
    symbol really is.
    """

    name: str
    kind: str = "symbol"
    size: int = 0
    version: str = ""
    default: bool = True
    weak: bool = False
    forwarded: str = ""

    def __str__(self) -> str:
        return f"{self.name}{'@@' if self.default else '@'}{self.version}" if self.version else self.name
