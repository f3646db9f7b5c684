"""``show``: what a header declares, and how its structs lie in memory."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from ..ir import Binding, Declaration, Enum, Function, Macro, Record, Typedef, Unsupported, Variable
from .c_text import c_function, c_text
from .inputs import binding_of
from .layouts import drawn, rows
from .output import put_json, table
from .style import Style, printable

_KINDS: tuple[tuple[str, type[Any]], ...] = (
    ("functions", Function),
    ("structs and unions", Record),
    ("enums", Enum),
    ("typedefs", Typedef),
    ("variables", Variable),
    ("macros", Macro),
    ("unsupported", Unsupported),
)


def run(options: argparse.Namespace) -> int:
    """Show, and return the exit code."""
    options.any_target = True
    binding = binding_of(options)
    chosen = [d for d in binding.declarations if _is_chosen(d, options)]
    if options.names and not chosen:
        print(f"nothing is named {', '.join(options.names)}", file=sys.stderr)
        return 1
    if options.json:
        put_json(_as_json(binding, chosen))
        return 0
    style = Style(sys.stdout)
    lines = _summary(binding, style) if not options.names and not options.layouts else []
    for declaration in chosen:
        lines += _shown(declaration, binding, style, full=bool(options.names) or options.layouts)
    print("\n".join(lines))
    return 0


def _is_chosen(declaration: Declaration, options: argparse.Namespace) -> bool:
    if options.names:
        names = {declaration.name, declaration.python_name}
        if isinstance(declaration, Enum):
            names |= {each.name for each in declaration.enumerators}
        return any(fnmatchcase(name, pattern) for name in names if name for pattern in options.names)
    if options.layouts:
        return (
            isinstance(declaration, Record)
            and declaration.complete
            and (options.all or not declaration.dependency)
        )
    return options.all or not declaration.dependency


def _summary(binding: Binding, style: Style) -> list[str]:
    counts = [("", "own", "of other headers")]
    for title, kind in _KINDS:
        found = list(binding.of(kind))
        own = sum(not declaration.dependency for declaration in found)
        if found:
            counts.append((title, str(own), str(len(found) - own)))
    refused = sum(bool(f.uncallable) for f in binding.functions if not f.dependency)
    lines = [
        style(printable(", ".join(binding.headers)), "bold"),
        f"for {binding.target}",
        *table(counts, right=(1, 2)),
    ]
    return [*lines, *([f"{refused} of the functions cannot be called"] if refused else []), ""]


def _shown(declaration: Declaration, binding: Binding, style: Style, *, full: bool) -> Iterator[str]:
    match declaration:
        case Function():
            yield printable(c_function(declaration)) + ";"
            if declaration.uncallable:
                yield "    " + style(f"cannot be called: {printable(declaration.uncallable)}", "yellow")
            if declaration.deprecated:
                yield "    " + style(f"deprecated: {printable(declaration.deprecated)}", "yellow")
        case Record() if declaration.complete:
            for number, line in enumerate(drawn(declaration, binding)):
                text = printable(line)
                yield (
                    style(text, "bold")
                    if number == 0
                    else style(text, "dim")
                    if "(padding)" in line
                    else text
                )
            if declaration.unsupported:
                yield "  " + style(f"only pointers to it: {printable(declaration.unsupported)}", "yellow")
        case Record():
            yield printable(f"{declaration.c_name or declaration.name}: opaque")
        case Enum():
            yield printable(f"{declaration.c_name or 'enum'}: {c_text(declaration.base)}")
            if full:
                yield from (f"    {printable(each.name)} = {each.value}" for each in declaration.enumerators)
        case Typedef():
            yield "typedef " + printable(c_text(declaration.type, declaration.name)) + ";"
        case Variable():
            yield "extern " + printable(c_text(declaration.type, declaration.name)) + ";"
        case Macro():
            yield from _macro(declaration)
        case Unsupported():
            yield style(printable(f"{declaration.kind} {declaration.name}: {declaration.reason}"), "yellow")
    if full and not isinstance(declaration, Unsupported):
        yield from _about(declaration, style)


def _macro(macro: Macro) -> Iterator[str]:
    parameters = "" if macro.parameters is None else f"({', '.join(macro.parameters)})"
    value = "" if macro.value is None else f"  = {macro.value!r}"
    yield printable(f"#define {macro.name}{parameters} {macro.text}".rstrip() + value)


def _about(declaration: Function | Record | Enum | Typedef | Variable | Macro, style: Style) -> Iterator[str]:
    for line in declaration.doc.splitlines():
        yield style(f"    {printable(line)}".rstrip(), "cyan")
    if declaration.position is not None:
        yield style(f"    {printable(str(declaration.position))}", "dim")
    yield ""


def _as_json(binding: Binding, chosen: list[Declaration]) -> dict[str, Any]:
    return {
        "headers": list(binding.headers),
        "target": str(binding.target),
        "counts": {title: sum(1 for _ in binding.of(kind)) for title, kind in _KINDS},
        "declarations": [_one(declaration, binding) for declaration in chosen],
    }


def _one(declaration: Declaration, binding: Binding) -> dict[str, Any]:
    found: dict[str, Any] = {
        "kind": type(declaration).__name__.lower(),
        "name": declaration.name,
        "python_name": declaration.python_name or declaration.name,
        "dependency": declaration.dependency,
        "position": None if declaration.position is None else str(declaration.position),
    }
    match declaration:
        case Function():
            found |= {"c": c_function(declaration), "symbol": declaration.symbol or declaration.name}
            found |= {"uncallable": declaration.uncallable or None}
        case Record():
            found |= {"union": declaration.union, "complete": declaration.complete}
            found |= {"size": declaration.size, "align": declaration.align} if declaration.complete else {}
            found |= {"layout": [_row(row) for row in rows(declaration, binding) if row.text != "}"]}
        case Enum():
            found |= {"values": {each.name: each.value for each in declaration.enumerators}}
        case Typedef() | Variable():
            found |= {"c": c_text(declaration.type, declaration.name)}
        case Macro():
            value = declaration.value
            found |= {"text": declaration.text, "value": repr(value) if isinstance(value, bytes) else value}
        case Unsupported():
            found |= {"reason": declaration.reason}
    return found


def _row(row: Any) -> dict[str, Any]:
    return {
        "bit": row.begin,
        "bits": row.end - row.begin,
        "c": row.text,
        "depth": row.depth,
        "padding": row.padding,
    }
