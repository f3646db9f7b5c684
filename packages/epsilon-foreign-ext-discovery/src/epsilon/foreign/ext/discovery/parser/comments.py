"""Doc comments as plain text: without the stars and slashes around them."""

from __future__ import annotations

import re

#: Comments that follow each other are one to clang.
_PARTS = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_OPEN = re.compile(r"^/\*[*!]?<?")
_LINE = re.compile(r"^\s*//[/!]?<? ?", re.MULTILINE)
#: Doxygen's commands for emphasis and code become what plain text has for them.
_COMMANDS = re.compile(r"[@\\](?:brief|short)\s+")
#: Characters that no text should carry into a terminal or a source file.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
#: A rule of signs, as section headings have.
_RULE = re.compile(r"^[\s*=#~_+/-]*$")


def doc_text(comment: str) -> str:
    """The text of a comment, or of several that follow each other; empty for one that only draws a line."""
    if not comment:
        return ""
    comment = comment.replace("\r\n", "\n").replace("\r", "\n")
    text = "\n".join(_block(part) for part in _PARTS.findall(comment) or [comment])
    text = _COMMANDS.sub("", _CONTROL.sub(" ", text.expandtabs(4)))
    lines = _dedented([line.rstrip() for line in text.split("\n")])
    while lines and _RULE.match(lines[0]):
        lines.pop(0)
    while lines and _RULE.match(lines[-1]):
        lines.pop()
    return "\n".join(lines)


def _dedented(lines: list[str]) -> list[str]:
    """Without the indentation that all lines but the first have in common: the first stands behind the opening."""
    margin = min((len(line) - len(line.lstrip()) for line in lines[1:] if line), default=0)
    return [lines[0].lstrip(), *[line[margin:] for line in lines[1:]]]


def _block(comment: str) -> str:
    if comment.startswith("//"):
        return _LINE.sub("", comment)
    lines = _OPEN.sub("", comment.removesuffix("*/").rstrip("*")).split("\n")
    rest = [line for line in lines[1:] if line.strip()]
    for mark in ("**", "*"):
        if rest and all(line.lstrip().startswith(mark) for line in rest):
            lines[1:] = [line.lstrip().removeprefix(mark) for line in lines[1:]]
            break
    return "\n".join(lines)
