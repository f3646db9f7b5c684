"""A header against a library: what is declared and not there, and what is there and not declared."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from epsilon.foreign.api import Library, LibraryError

from ..ir import Binding, Function, Variable
from .image import Image, read_image
from .locate import library_path
from .symbol import LINKER_SYMBOLS, Symbol


@dataclass(frozen=True)
class Match:
    """How a binding and a library fit.

    `found` and `missing` are the declarations of the library's own headers that can be used at all; `elsewhere` are
    those that a library it loads exports. `old` are declared names that it exports only in a version that new programs
    do not get. `confused` are declared functions that are variables there, and the other way round. `undeclared` is
    what it exports and no header declares.
    """

    image: Image
    found: tuple[Function | Variable, ...]
    missing: tuple[Function | Variable, ...]
    elsewhere: tuple[Function | Variable, ...]
    old: tuple[Function | Variable, ...]
    confused: tuple[tuple[Function | Variable, Symbol], ...]
    undeclared: tuple[Symbol, ...]

    @property
    def ok(self) -> bool:
        """Is everything that is declared there?"""
        return not (self.missing or self.old or self.confused)


def match_library(binding: Binding, library: str | os.PathLike[str]) -> Match:
    """Compare what `binding` declares with what a library exports: a path, or a name as `Library` takes it.

    Raises LibraryError, and what `read_image` raises.
    """
    image = read_image(library_path(library))
    current = {symbol.name: symbol for symbol in image.symbols if symbol.default}
    old = {symbol.name for symbol in image.symbols} - set(current)
    declared = [d for d in binding.declarations if isinstance(d, (Function, Variable))]
    own = [d for d in declared if not d.dependency and not d.uncallable]
    absent = [d for d in own if symbol_of(d) not in current]
    loaded = _loaded(image, absent)
    found = [d for d in own if symbol_of(d) in current]
    known = {symbol_of(d) for d in declared} | {d.name for d in declared} | LINKER_SYMBOLS
    pairs = [(d, current[symbol_of(d)]) for d in found]
    return Match(
        image,
        tuple(found),
        tuple(d for d in absent if symbol_of(d) not in old and symbol_of(d) not in loaded),
        tuple(d for d in absent if symbol_of(d) not in old and symbol_of(d) in loaded),
        tuple(d for d in absent if symbol_of(d) in old),
        tuple(pair for pair in pairs if _confused(*pair)),
        tuple(symbol for name, symbol in current.items() if name not in known),
    )


def symbol_of(declaration: Function | Variable) -> str:
    """The name that a library exports it under."""
    return declaration.symbol or declaration.name


def _confused(declaration: Function | Variable, symbol: Symbol) -> bool:
    wrong = ("variable", "thread-local") if isinstance(declaration, Function) else ("function",)
    return symbol.kind in wrong


def _loaded(image: Image, absent: Iterable[Function | Variable]) -> frozenset[str]:
    """Of names that a library does not export itself, those that a program gets through it all the same."""
    names = [symbol_of(d) for d in absent]
    if not names or not image.needed:
        return frozenset()
    try:
        library = Library(image.path)
    except LibraryError:  # it may be of another platform, and its file says enough
        return frozenset()
    return frozenset(name for name in names if name in library)
