"""What discovery raises; each error is a `ForeignError` and also the builtin that belongs to it."""

from __future__ import annotations

from epsilon.foreign.api import ForeignError

from .values import dataclass

#: Characters of a source line that a message shows: headers may have been made by a program, on one line.
WIDTH = 160


class DiscoveryError(ForeignError):
    """A header, a library or a binding file that bindings cannot be made of."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One complaint of clang's; lines and columns count from 1, 0 where there is no place.

    `severity` is ``"warning"``, ``"error"`` or ``"fatal error"``; `source` the line that it is about.
    """

    severity: str
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    source: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}: " if self.file else ""
        shown = f"{where}{self.severity}: {self.message}"
        if self.source:
            place = max(self.column - 1, 0)
            first = max(0, place - WIDTH // 2) if len(self.source) > WIDTH else 0
            source = self.source[first : first + WIDTH]
            # Tabs before the place stay tabs, so that the mark stands below it.
            before = "".join("\t" if c == "\t" else " " for c in source[: place - first])
            shown += f"\n    {source}\n    {before}^"
        return shown


class HeaderError(DiscoveryError, ValueError):
    """A header that does not parse; `diagnostics` has every error that clang found, the message the first few."""

    def __init__(self, message: str, diagnostics: tuple[Diagnostic, ...] = ()) -> None:
        super().__init__(message)
        self.diagnostics = diagnostics

    def __str__(self) -> str:  # OSError, a base of a subclass, would say it otherwise
        return str(self.args[0])


class HeaderNotFoundError(HeaderError, FileNotFoundError):
    """A header, or one that it includes, is in none of the directories; the message lists them."""


class PackageNotFoundError(DiscoveryError, LookupError):
    """pkg-config knows no package of that name."""


class ParserUnavailableError(DiscoveryError, ImportError):
    """No libclang could be loaded; the message says what was tried and how to get one."""


class BindingFileError(DiscoveryError, ValueError):
    """A binding file that is no binding file, is damaged, or is of another version or platform."""
