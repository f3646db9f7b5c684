"""A shared library's file: its format by its first bytes, and what it exports."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..errors import DiscoveryError
from .symbol import Symbol

#: First bytes of Mach-O files: thin ones of either byte order and width, and fat ones.
_MACHO = (
    *(b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe"),
    *(b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"),
)


class ImageError(DiscoveryError, ValueError):
    """A file that is no shared library, or cannot be read as one."""


@dataclass(frozen=True)
class Image:
    """What was read of a library: `format` is ``"ELF"``, ``"Mach-O"`` or ``"PE"``, `needed` the libraries it names."""

    path: str
    format: str
    symbols: tuple[Symbol, ...]
    needed: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The names that a program can link to."""
        return frozenset(symbol.name for symbol in self.symbols if symbol.default)


def read_image(path: str | os.PathLike[str]) -> Image:
    """Read the dynamic symbols of a shared library, which is not loaded.

    Mach-O and PE need the extra ``binaries``. Raises ImageError for anything but a shared library, OSError when it
    cannot be read, ImportError when the reader of its format is not installed.
    """
    with open(path, "rb") as file:
        magic = file.read(4)
    shown = os.fspath(path)
    if magic == b"\x7fELF":
        from .elf import read
    elif magic in _MACHO:
        from .macho import read
    elif magic[:2] == b"MZ":
        from .pe import read
    else:
        raise ImageError(f"{shown} is no shared library: {_kind(magic)}")
    try:
        symbols, needed = read(Path(path))
    except (ImportError, OSError):
        raise
    except Exception as error:  # readers of damaged files raise whatever they stumble over
        raise ImageError(f"{shown} is damaged: {error or type(error).__name__}") from error
    format = {"elf": "ELF", "macho": "Mach-O", "pe": "PE"}[read.__module__.rpartition(".")[2]]
    return Image(shown, format, tuple(sorted(symbols, key=str)), tuple(needed))


def _kind(magic: bytes) -> str:
    if not magic:
        return "it is empty"
    if magic.startswith(b"!<ar"):
        return "it is a static library; name the shared one"
    if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in magic):
        return "it is text"
    return f"it begins with {magic.hex(' ')}"


def reader_missing(format: str, package: str, error: ImportError) -> ImportError:
    """The error for a file whose reader is not installed."""
    return ImportError(
        f"reading {format} libraries needs {package}: "
        f"pip install epsilon-foreign-ext-discovery[binaries] ({error})"
    )
