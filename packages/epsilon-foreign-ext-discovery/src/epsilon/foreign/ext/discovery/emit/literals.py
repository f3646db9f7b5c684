"""Values, names and prose of a header as Python source, in the form that ruff gives them.

What is written here can only ever be one literal, one name, or one comment, whatever the header says
(https://docs.python.org/3/reference/lexical_analysis.html).
"""

from __future__ import annotations

import keyword
import math
import re

from ..errors import DiscoveryError

#: Characters in a line, ruff's default.
WIDTH = 88

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SPECIAL = re.compile(r"__\w*__\Z")


def checked(name: str) -> str:
    """`name`, which must be a plain ASCII identifier that means nothing to Python. Raises DiscoveryError."""
    if not _NAME.match(name) or keyword.iskeyword(name) or _SPECIAL.match(name):
        raise DiscoveryError(f"{name!r} cannot be a name in Python; rename it")
    return name


def string(text: str) -> str:
    """A string literal."""
    return _quoted("".join(map(_character, text)), text)


def data(value: bytes) -> str:
    """A bytes literal."""
    shown = "".join(
        _ESCAPES.get(chr(byte)) or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}") for byte in value
    )
    return "b" + _quoted(shown, value.decode("latin-1"))


_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _character(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    number = ord(character)
    return (
        f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65536 else f"\\U{number:08x}"
    )


def _quoted(shown: str, text: str) -> str:
    # ruff prefers double quotes unless the other kind spares escapes.
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + shown.replace(quote, "\\" + quote) + quote


def number(value: float | int) -> str:
    """A number; infinities as numbers too large, for which there is no other literal."""
    if isinstance(value, int):
        return str(int(value))
    if math.isnan(value):
        return "1e999 - 1e999"
    return f"{'-' if value < 0 else ''}1e999" if math.isinf(value) else repr(value)


def constant(value: int | float | str | bytes) -> str:
    """Any constant."""
    if isinstance(value, str):
        return string(value)
    return data(value) if isinstance(value, bytes) else number(value)


def prose(text: str) -> list[str]:
    """The lines of a comment: without control characters, trailing blanks, or blank lines at its ends."""
    shown = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4)
    lines = [
        "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
        for line in shown.split("\n")
    ]
    lines = [line.rstrip() for line in lines]
    while lines and not lines[0]:
        del lines[0]
    while lines and not lines[-1]:
        del lines[-1]
    if lines:
        # Of several lines the first says nothing of how far the text is indented.
        lines[0] = lines[0].lstrip()
        margin = min((len(line) - len(line.lstrip()) for line in lines[1:] if line), default=0)
        lines[1:] = [line[margin:] for line in lines[1:]]
    return lines


def docstring(text: str, indent: str) -> list[str]:
    """A docstring's lines, or none for an empty text."""
    lines = prose(text)
    if not lines:
        return []
    lines = [
        re.sub(r'"{3,}', lambda found: "'" * len(found[0]), line.replace("\\", "\\\\")) for line in lines
    ]
    if lines[0].startswith('"'):
        lines[0] = " " + lines[0]
    whole = f'{indent}"""{lines[0]}"""'
    if len(lines) == 1 and len(whole) <= WIDTH and not lines[0].endswith('"'):
        return [whole]
    if len(lines) == 1:
        # One long line: ruff leaves the closing quotes where they are when they fit behind it, or not at all.
        ending = ' """' if lines[0].endswith('"') else '"""'
        return [f'{indent}"""{lines[0]}{ending}']
    return [
        f'{indent}"""{lines[0]}',
        *(f"{indent}{line}" if line else "" for line in lines[1:]),
        f'{indent}"""',
    ]


def comment(text: str, indent: str = "") -> list[str]:
    """A text as comments."""
    return [f"{indent}# {line}".rstrip() for line in prose(text)]
