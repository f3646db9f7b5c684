"""A text for every C type, read from left to right: ``*const char`` is a pointer to constant chars.

| text | type |
|---|---|
| ``int``, ``unsigned long``, ``void`` | `Scalar` |
| ``size_t`` | `TypedefName` |
| ``struct point``, ``union number``, ``enum colour`` | `RecordName`, `EnumName` |
| ``*T`` | `Pointer` |
| ``[3]T``, ``[]T`` | `Array`, of unknown length |
| ``fn(int, *char, ...) int`` | `FunctionType`, variadic; ``fn(?) int`` without prototype; ``fn.stdcall() int`` |
| ``const T``, ``volatile T``, ``restrict T``, ``atomic T`` | `Qualified`, in this order |
| ``<vector 16 16 int __vector(4)>`` | `Opaque`: kind, size, alignment, clang's spelling |

C's own declarators are written inside out, and cannot be read without knowing which names are types.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .types import (
    OPAQUE_KINDS,
    SCALARS,
    Array,
    CType,
    EnumName,
    FunctionType,
    Opaque,
    Pointer,
    Qualified,
    RecordName,
    Scalar,
    TypedefName,
)

#: Levels of nesting that `parse_type` follows; beyond it the text is hostile, not C.
DEPTH = 100

_QUALIFIERS = ("const", "volatile", "restrict", "atomic")
_TAGS = ("struct", "union", "enum")
#: A tag of no name of its own is ``outer.member``, or ``@`` and something of its contents. Letters are
#: of any script (C11 6.4.2.1).
NAME_PATTERN = r"(?:[^\W\d]|[$@])[\w$@.]*"
_TOKENS = re.compile(
    rf"\s*(?:(?P<word>fn(?:\.\w+)?(?=\()|{NAME_PATTERN})|(?P<number>\d+)|(?P<dots>\.\.\.)|(?P<sign>[*\[\]()?,])"
    r"|<(?P<opaque>\w+ \d+ \d+ [\w (),.*:\-]*)>)"
)


def notation(type: CType) -> str:
    """The text of a type; `parse_type` turns it back."""
    match type:
        case Scalar(name) | TypedefName(name):
            return name
        case RecordName(name, union):
            return f"{'union' if union else 'struct'} {name}"
        case EnumName(name):
            return f"enum {name}"
        case Pointer(target):
            return "*" + notation(target)
        case Array(element, count):
            return f"[{'' if count is None else count}]{notation(element)}"
        case FunctionType():
            return _function(type)
        case Qualified(inner):
            return " ".join([q for q in _QUALIFIERS if getattr(type, q)]) + " " + notation(inner)
        case Opaque(kind, size, align, spelling):
            return f"<{kind} {size} {align} {spelling}>"


def _function(type: FunctionType) -> str:
    parameters = [notation(p) for p in type.parameters]
    if type.variadic:
        parameters.append("...")
    if not type.prototyped:
        parameters = ["?"]
    head = "fn" if type.convention == "c" else f"fn.{type.convention}"
    return f"{head}({', '.join(parameters)}) {notation(type.result)}"


@lru_cache(maxsize=8192)
def parse_type(text: str) -> CType:
    """The type that a text stands for. Raises ValueError."""
    reader = _Reader(text)
    found = reader.type(0)
    if reader.token is not None:
        raise reader.error("the end")
    return found


class _Reader:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.kind: str | None = None
        self.token: str | None = None
        self.advance()

    def error(self, expected: str) -> ValueError:
        shown = self.text if len(self.text) <= 80 else self.text[:77] + "..."
        return ValueError(f"{shown!r} is no type: expected {expected}, got {self.token or 'its end'!r}")

    def advance(self) -> str | None:
        """Go to the next token, and return the one before it."""
        before = self.token
        rest = self.text[self.position :]
        if not rest or rest.isspace():
            self.kind = self.token = None
            return before
        match = _TOKENS.match(self.text, self.position)
        if match is None:
            self.token = rest[:20]
            raise self.error("a type")
        self.kind = match.lastgroup
        self.token = match[match.lastgroup or 0]
        self.position = match.end()
        return before

    def expect(self, sign: str) -> None:
        if self.token != sign:
            raise self.error(repr(sign))
        self.advance()

    def type(self, depth: int) -> CType:
        if depth > DEPTH:
            raise ValueError(f"a type of more than {DEPTH} levels: {self.text[:60]!r}...")
        if self.kind == "opaque":
            return self.opaque(self.advance() or "")
        if self.token == "*":
            self.advance()
            return Pointer(self.type(depth + 1))
        if self.token == "[":
            self.advance()
            count = int(self.advance() or "") if self.kind == "number" else None
            self.expect("]")
            return Array(self.type(depth + 1), count)
        if self.kind != "word":
            raise self.error("a type")
        word = self.advance() or ""
        if word.partition(".")[0] == "fn" and self.token == "(":
            return self.function(word, depth)
        if word in _QUALIFIERS:
            return self.qualified(word, depth)
        return self.named(word)

    def named(self, word: str) -> CType:
        if word in _TAGS:
            if self.kind != "word":
                raise self.error(f"the name of a {word}")
            name = self.advance() or ""
            return EnumName(name) if word == "enum" else RecordName(name, word == "union")
        words = word
        while self.kind == "word" and self.token and f"{words} {self.token}" in _SCALAR_STARTS:
            words += f" {self.advance()}"
        if words in SCALARS:
            return Scalar(words)
        if words in _SCALAR_STARTS or "." in words or "@" in words:
            raise self.error(f"more than {words!r}")
        return TypedefName(words)

    def qualified(self, word: str, depth: int) -> CType:
        found = {word}
        while self.token in _QUALIFIERS and self.token not in found:
            found.add(self.advance() or "")
        return Qualified(self.type(depth + 1), *[q in found for q in _QUALIFIERS])

    def function(self, word: str, depth: int) -> CType:
        self.advance()
        parameters: list[CType] = []
        variadic, prototyped = False, True
        while self.token != ")":
            if self.token in ("...", "?"):
                variadic, prototyped = self.token == "...", self.token != "?"
                self.advance()
                break
            parameters.append(self.type(depth + 1))
            if self.token != ",":
                break
            self.advance()
        self.expect(")")
        convention = word.partition(".")[2] or "c"
        return FunctionType(self.type(depth + 1), tuple(parameters), variadic, prototyped, convention)

    def opaque(self, text: str) -> Opaque:
        kind, size, align, spelling = text.split(" ", 3)
        if kind not in OPAQUE_KINDS:
            raise ValueError(f"{kind!r} is no kind of opaque type; there are {', '.join(OPAQUE_KINDS)}")
        return Opaque(kind, int(size), int(align), spelling)


#: What the names of scalars begin with: ``unsigned``, ``unsigned long``, ...
_SCALAR_STARTS = frozenset(
    " ".join(words[:n]) for words in (name.split() for name in SCALARS) for n in range(1, len(words) + 1)
)
