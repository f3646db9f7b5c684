"""The functions that headers declare, from gcc's ``-aux-info``: every prototype of a translation unit with its place
(https://gcc.gnu.org/onlinedocs/gcc/C-Dialect-Options.html).
"""

from __future__ import annotations

import re

from ..catalogue import Case
from . import compiler

_LINE = re.compile(r"/\* (?P<file>.*):\d+:\w+ \*/ (?P<text>.*);(?: /\*.*)?$")
#: What is declared is the first name before a parenthesis that opens parameters, not a declarator; or, where a typedef
#: is the type of the whole function, the last one.
_NAME = re.compile(r"(\w+) \((?!\*)|(\w+)$")


def declared(case: Case) -> dict[str, str]:
    """The prototype of each function in the case's own headers, by name, as gcc writes it."""
    with compiler.source(case) as path:
        found = path.with_suffix(".aux")
        compiler.run(case, path, "-fsyntax-only", "-aux-info", str(found))
        lines = found.read_text().splitlines()[1:]
    prototypes: dict[str, str] = {}
    for line in lines:
        match = _LINE.match(line)
        name = match and _NAME.search(match["text"])
        if not match or not name:
            raise RuntimeError(f"not understood: {line}")
        # Headers that ask which compiler reads them tell clang nothing of this type.
        if case.owns(match["file"]) and "_Float128" not in match["text"]:
            prototypes[name[1] or name[2]] = match["text"]
    return prototypes
