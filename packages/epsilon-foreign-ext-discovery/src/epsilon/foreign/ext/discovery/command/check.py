"""``check``: a library against its header."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ..ir import Binding, Function
from ..symbols import Match, match_library
from ..verify import CompilerError, Verification, verify_layouts
from .inputs import binding_of, folders
from .output import put_json
from .progress import doing
from .style import Style, printable

#: Names that a list shows before it only counts; ``--all`` shows every one.
SHOWN = 20


def run(options: argparse.Namespace) -> int:
    """Check, and return the exit code: 1 when something does not fit."""
    binding = binding_of(options)
    match = None
    if options.library is not None:
        with doing(f"reading {options.library}"):
            match = match_library(binding, options.library)
    verification, reason = _verified(binding, options)
    if options.json:
        put_json({"library": _match_json(match), "layouts": _verification_json(verification, reason)})
    else:
        style = Style(sys.stdout)
        limit = None if options.all else SHOWN
        lines = [
            *(_match_lines(match, style, limit) if match is not None else []),
            *_layout_lines(verification, reason, style, limit),
        ]
        print("\n".join(lines))
    fits = (match is None or match.ok) and (verification is None or verification.ok)
    return 0 if fits else 1


def _verified(binding: Binding, options: argparse.Namespace) -> tuple[Verification | None, str]:
    if options.no_compiler:
        return None, "--no-compiler was given"
    try:
        with doing("asking the compiler"):
            return verify_layouts(binding, include_dirs=folders(options)), ""
    except CompilerError as error:
        return None, str(error)


def _match_lines(match: Match, style: Style, limit: int | None) -> list[str]:
    image = match.image
    lines = [style(printable(f"{image.path} ({image.format})"), "bold")]
    lines.append(f"  {len(match.found)} exported as declared")
    missing = [printable(_described(d)) for d in match.missing]
    lines += _list(f"{len(missing)} missing: they raise when they are used", missing, style, "red", limit)
    old = [printable(_described(d)) for d in match.old]
    lines += _list(f"{len(old)} only there for old programs", old, style, "red", limit)
    confused = [printable(f"{_described(d)} is a {symbol.kind}") for d, symbol in match.confused]
    lines += _list(f"{len(confused)} something else in the library", confused, style, "red", limit)
    elsewhere = [printable(_described(d)) for d in match.elsewhere]
    lines += _list(f"{len(elsewhere)} found in libraries that it loads", elsewhere, style, "dim", limit)
    undeclared = [printable(str(symbol)) for symbol in match.undeclared]
    lines += _list(f"{len(undeclared)} exported and not declared", undeclared, style, "yellow", limit)
    return lines


def _described(declaration: Any) -> str:
    kind = "function" if isinstance(declaration, Function) else "variable"
    where = f" ({declaration.position})" if declaration.position else ""
    symbol = (
        f" as {declaration.symbol}" if declaration.symbol and declaration.symbol != declaration.name else ""
    )
    return f"{kind} {declaration.name}{symbol}{where}"


def _list(title: str, items: list[str], style: Style, colour: str, limit: int | None) -> list[str]:
    if not items:
        return []
    shown = items[:limit]
    rest = len(items) - len(shown)
    return [
        "  " + style(title, colour),
        *(f"    {item}" for item in shown),
        *([f"    ... and {rest} more (--all)"] if rest else []),
    ]


def _layout_lines(found: Verification | None, reason: str, style: Style, limit: int | None) -> list[str]:
    if found is None:
        return [style("layouts were not verified", "yellow") + f": {printable(reason)}"]
    lines = [style(f"layouts, by {found.compiler}", "bold")]
    lines.append(
        f"  {found.records_verified} of {found.records} structs and unions, {found.fields} members, "
        f"{found.enumerators} constants of enums and {found.macros} macros are the compiler's"
    )
    wrong = [printable(str(mismatch)) for mismatch in found.mismatches]
    lines += _list(f"{len(wrong)} differ", wrong, style, "red", limit)
    open_ = [printable(f"{each.what}: {each.reason}") for each in found.unchecked]
    return lines + _list(f"{len(open_)} could not be verified", open_, style, "yellow", limit)


def _match_json(match: Match | None) -> dict[str, Any] | None:
    if match is None:
        return None
    return {
        "path": match.image.path,
        "format": match.image.format,
        "ok": match.ok,
        "found": [d.name for d in match.found],
        "missing": [d.name for d in match.missing],
        "elsewhere": [d.name for d in match.elsewhere],
        "old": [d.name for d in match.old],
        "confused": [d.name for d, _ in match.confused],
        "undeclared": [str(symbol) for symbol in match.undeclared],
    }


def _verification_json(found: Verification | None, reason: str) -> dict[str, Any]:
    if found is None:
        return {"verified": False, "reason": reason}
    return {
        "verified": True,
        "ok": found.ok,
        "compiler": found.compiler,
        "records": found.records,
        "records_verified": found.records_verified,
        "fields": found.fields,
        "enumerators": found.enumerators,
        "macros": found.macros,
        "mismatches": [{"what": m.what, "ours": m.ours, "theirs": m.theirs} for m in found.mismatches],
        "unchecked": [{"what": u.what, "reason": u.reason} for u in found.unchecked],
    }
