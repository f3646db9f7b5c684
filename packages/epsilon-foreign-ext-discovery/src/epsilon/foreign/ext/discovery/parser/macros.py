"""Macros: their text from the header, their values from clang.

A second parse of the same headers declares a variable for each object-like macro, initialised with it, and clang says
which of them are constants. So a value is what a C program would see, whatever the macro is made of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..ir import CType, Macro, Pointer, Position, Scalar
from . import kinds
from .constants import constant_of, decoded, text_of
from .types import TypeReader, unqualified

if TYPE_CHECKING:
    from .unit import Unit

#: Characters of a definition that are kept.
TEXT = 400
VALUE, ADDRESS, STRING, GONE = "value", "address", "text", "gone"
_PREFIX = "epsilon_foreign_"
_DECLARED = re.compile(rf"{_PREFIX}({VALUE}|{ADDRESS}|{STRING}|{GONE})_(\d+)")
#: Comments go, literals stay.
_LITERAL = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'""", re.DOTALL)
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*\Z")
#: What no expression has; a brace or a semicolon would take the following declarations along.
_FOREIGN = re.compile(
    r"[{};#\\`@]|\b(?:asm|__asm__|__attribute__|__extension__|_Pragma|typedef|return|goto|static|extern)\b"
)
_CHARACTERS = (Scalar("char"), Scalar("signed char"), Scalar("unsigned char"))


class Definition(NamedTuple):
    """A macro as it is written: `parameters` is None for an object-like one."""

    name: str
    text: str
    parameters: tuple[str, ...] | None
    position: Position


def definition(name: str, source: bytes, like_function: bool, position: Position) -> Definition:
    """A macro from the text of its definition, which begins with its name."""
    text = source.decode("utf-8", "replace").replace("\\\r\n", " ").replace("\\\n", " ")
    text = text[len(name) :]
    parameters = None
    if like_function:
        listed, _, text = text.partition(")")
        parameters = tuple(part.strip() for part in listed.strip().lstrip("(").split(",") if part.strip())
    text = _LITERAL.sub(lambda m: " " if m[0].startswith("/") else m[0], text)
    text = " ".join(text.split())
    return Definition(name, text if len(text) <= TEXT else text[: TEXT - 3] + "...", parameters, position)


def is_expression(found: Definition) -> bool:
    """May it be one? Only such macros are put before clang."""
    text = _LITERAL.sub("0", found.text)
    if found.parameters is not None or not text or text == found.name or found.text.endswith("..."):
        return False
    return not _FOREIGN.search(text) and _is_balanced(text)


def _is_balanced(text: str) -> bool:
    depth = 0
    for sign in text:
        depth += (sign in "([") - (sign in ")]")
        if depth < 0:
            return False
    return not depth


#: Where the probes claim to stand, so that what depends on the place is recognised by its value.
_PLACE = "epsilon_foreign_probe"
_LINE = 1_000_000_007
#: Macros whose value is that of the place or the time get one that shows, or none.
_HEAD = [
    line
    for name, text in {
        "__DATE__": f'"{_PLACE}"',
        "__TIME__": f'"{_PLACE}"',
        "__TIMESTAMP__": f'"{_PLACE}"',
        "__COUNTER__": _PLACE,
        "__func__": _PLACE,
        "__FUNCTION__": _PLACE,
        "__PRETTY_FUNCTION__": _PLACE,
    }.items()
    for line in (f"#undef {name}", f"#define {name} {text}")
]


#: Lines of `probes` before the first that counts.
HEAD = len(_HEAD) + 2


def probes(definitions: Iterable[Definition], cplusplus: bool) -> tuple[str, list[Definition]]:
    """C text that makes clang evaluate macros, and those it is of, by the number in its names."""
    auto = "auto" if cplusplus else "__auto_type"
    lines = [*_HEAD, f'#line {_LINE} "{_PLACE}"']
    asked: list[Definition] = []
    for found in definitions:
        number = len(asked)
        asked.append(found)
        name = found.name
        lines.append(f"#ifdef {name}")
        if is_expression(found):
            lines.append(f"{auto} {_PREFIX}{VALUE}_{number} = {name};")
            if "(" in found.text or _IDENTIFIER.match(found.text):
                lines.append(f"__UINTPTR_TYPE__ {_PREFIX}{ADDRESS}_{number} = (__UINTPTR_TYPE__)({name});")
            if '"' in found.text or "(" in found.text or _IDENTIFIER.match(found.text):
                lines.append(f"char {_PREFIX}{STRING}_{number}[] = {name};")
        lines.append("#else")
        lines.append(f"extern int {_PREFIX}{GONE}_{number};")
        lines.append("#endif")
    return "\n".join(["", *lines, ""]), asked


#: Bytes of a text with a NUL inside that are asked for one by one.
LONGEST = 4096
_BYTE = re.compile(rf"{_PREFIX}byte_(\d+)_(\d+)")


def byte_probes(texts: Mapping[str, int]) -> str:
    """C text that makes clang evaluate every byte of macros that are texts, of these names and lengths."""
    lines = [
        f"int {_PREFIX}byte_{number}_{place} = (unsigned char)({name})[{place}];"
        for number, (name, size) in enumerate(texts.items())
        for place in range(size)
    ]
    return "\n".join(["", *lines, ""])


def bytes_of(unit: Unit, texts: Mapping[str, int]) -> dict[str, str | bytes]:
    """The texts in a unit that `byte_probes` were added to."""
    found = [bytearray(size) for size in texts.values()]
    for cursor in unit.children():
        match = _BYTE.fullmatch(unit.spelling(cursor)) if cursor.kind == kinds.VARIABLE else None
        value = constant_of(unit.clang, cursor) if match else None
        if match and isinstance(value, int):
            found[int(match[1])][int(match[2])] = value
    return {name: decoded(bytes(data)) for name, data in zip(texts, found, strict=True)}


class Evaluated(NamedTuple):
    """What clang made of a macro."""

    value: int | float | str | bytes
    type: CType


class Evaluation:
    """The values in a unit that `probes` were added to; `first` is the line after their ``#line``."""

    def __init__(self, unit: Unit, types: TypeReader, first: int) -> None:
        self._first = first
        self.unit = unit
        self.clang = unit.clang
        self.types = types
        #: Lines that clang complained about: what it made of them, recovering, is no macro's value.
        self._wrong = unit.error_lines()
        self.gone: set[int] = set()
        #: Texts with a NUL inside, where libclang's end, and their lengths.
        self.cut: dict[int, int] = {}
        self._variables: dict[tuple[str, int], Any] = {}
        for cursor in unit.children():
            if cursor.kind == kinds.VARIABLE:
                match = _DECLARED.fullmatch(unit.spelling(cursor))
                if match and match[1] == GONE:
                    self.gone.add(int(match[2]))
                elif match and unit.place(unit.clang.clang_getCursorLocation(cursor))[1] not in self._wrong:
                    self._variables[match[1], int(match[2])] = cursor

    def get(self, number: int) -> Evaluated | None:
        """The value of a macro, by its number; None when it has no constant one, or one that its place decides."""
        cursor = self._variables.get((VALUE, number))
        if cursor is None:
            return None
        canonical = self.clang.clang_getCanonicalType(self.clang.clang_getCursorType(cursor))
        type = unqualified(self.types.read(canonical))
        if isinstance(type, Pointer):
            return self._pointer(number, type)
        found = constant_of(self.clang, cursor)
        if found is None or isinstance(found, bytes) or found == self._line(cursor):
            return None
        return Evaluated(found, type)

    def _line(self, cursor: Any) -> int:
        """What ``__LINE__`` is there."""
        line = self.unit.place(self.clang.clang_getCursorLocation(cursor))[1]
        return _LINE + line - self._first

    def _pointer(self, number: int, type: Pointer) -> Evaluated | None:
        if unqualified(type.target) in _CHARACTERS:
            text = self._string(number)
            if text is not None:
                return None if _PLACE in str(text) else Evaluated(text, type)
        address = self._variables.get((ADDRESS, number))
        found = None if address is None else constant_of(self.clang, address)
        return Evaluated(found, type) if isinstance(found, int) else None

    def _string(self, number: int) -> str | bytes | None:
        """The text of a macro that an array of char can be initialised with."""
        cursor = self._variables.get((STRING, number))
        found = None if cursor is None else constant_of(self.clang, cursor)
        if not isinstance(found, bytes):
            return None
        size = self.clang.clang_getNumElements(self.clang.clang_getCursorType(cursor)) - 1
        if len(found) < size <= LONGEST:
            self.cut[number] = size
        return text_of(self.clang, cursor, found)


def described(found: Definition, evaluated: Evaluated | None, known: Mapping[str, str]) -> Macro:
    """The macro for the IR. `known` maps the C names that a macro may be another name for to their kinds."""
    alias = ""
    if (
        evaluated is None
        and _IDENTIFIER.match(found.text)
        and found.text != found.name
        and found.text in known
    ):
        alias = found.text
    return Macro(
        found.name,
        found.text,
        None if evaluated is None else evaluated.value,
        None if evaluated is None else evaluated.type,
        alias,
        found.parameters,
        position=found.position,
    )
