"""The macros that headers define, from ``gcc -E -dD``, and which of them are integer constants to gcc."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..catalogue import Case
from . import compiler

_PLACE = re.compile(r'# \d+ "(?P<file>(?:[^"\\]|\\.)*)"')
_DEFINE = re.compile(r"#define (?P<name>\w+)(?P<parameters>\([^)]*\))?(?: (?P<text>.*))?$")
#: An error in a macro's definition is followed by a note of where it is used.
_COMPLAINT = re.compile(r"^checks:(\d+):\d+: ", re.MULTILINE)


@dataclass(frozen=True)
class Macro:
    """One that is still defined at the end of the headers."""

    name: str
    text: str
    function_like: bool
    own: bool


def defined(case: Case) -> dict[str, Macro]:
    """The macros that stand for something, by name."""
    with compiler.source(case) as path:
        output = compiler.run(case, path, "-E", "-dD").stdout
    file, macros = "", {}
    for line in output.splitlines():
        if place := _PLACE.match(line):
            file = place["file"]
        elif line.startswith("#undef "):
            macros.pop(line.split()[1], None)
        elif (match := _DEFINE.match(line)) and file:
            # Some constants of enums are also macros for themselves.
            if match["text"] == match["name"] or not (match["text"] or match["parameters"]):
                macros.pop(match["name"], None)
                continue
            macros[match["name"]] = Macro(
                match["name"], match["text"] or "", match["parameters"] is not None, case.owns(file)
            )
    return macros


def integers(case: Case, names: list[str]) -> set[str]:
    """Those of the object-like macros `names` that are integer constant expressions after the headers."""
    # In a function each, since gcc complains of an unknown name once a function.
    checks = "".join(
        f"void check_{index}(void) {{ enum {{ value = !({name}) }}; }}\n" for index, name in enumerate(names)
    )
    with compiler.source(case, f'#line 1 "checks"\n{checks}') as path:
        done = compiler.run(case, path, "-fsyntax-only", "-fmax-errors=0", "-pedantic-errors", check=False)
    refused = {int(number) - 1 for number in _COMPLAINT.findall(done.stderr)}
    return {name for index, name in enumerate(names) if index not in refused}
