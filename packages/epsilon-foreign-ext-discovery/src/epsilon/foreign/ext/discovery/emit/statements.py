"""The statements that declarations become."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..terms import Array, C, EnumTerm, FunctionTerm, MemberTerm, RecordTerm, Term, VariableTerm
from .helpers import Helpers
from .layout import STEP, Brackets, Expression, assignment, broken, call, flat
from .literals import WIDTH, checked, comment, constant, docstring, string
from .spelling import Spelling


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines that belong together; a `tall` one stands alone, two blank lines from the next."""

    lines: list[str]
    tall: bool = False


def joined(blocks: Iterable[Block]) -> Iterator[str]:
    """The lines of all blocks, with the blank lines between them, and two at the end."""
    tall = False
    for number, block in enumerate(blocks):
        if number and (tall or block.tall):
            yield from ("", "")
        elif not number:
            yield from ("", "") if block.tall else ("",)
        yield from block.lines
        tall = block.tall
    yield from ("", "") if tall else ("",)


def function(term: FunctionTerm, spelling: Spelling) -> Block:
    """A function."""
    name = checked(term.name)
    if term.reason:
        return unsupported(spelling.helpers, name, term.reason)
    options = []
    if term.symbol != name:
        options.append(f"name={string(term.symbol)}")
    if term.convention != "c":
        options.append(f"convention={string(term.convention)}")
    text = docstring(term.doc, STEP)
    lines = _decorator(f"{spelling.helpers['lib']}.function", options)
    parameters = _parameters(term, spelling)
    lines += _signature(parameters, spelling.value(term.result), name, documented=bool(text))
    return Block(_with_body(lines, text), tall=True)


def _decorator(function: str, options: Sequence[str]) -> list[str]:
    name = f"@{function}"
    if not options:
        return [name]
    together = [f"{name}(", f"{STEP}{', '.join(options)}", ")"]
    return call(name, options) if len(options) > 1 or len(f"{name}({options[0]})") <= WIDTH else together


def _parameters(term: FunctionTerm, spelling: Spelling) -> list[tuple[str, Expression]]:
    parameters = [(checked(p.name), spelling.parameter(p.term)) for p in term.parameters]
    if term.variadic:
        taken = {parameter for parameter, _ in parameters}
        rest = "args"
        while rest in taken:
            rest += "_"
        parameters.append((f"*{rest}", spelling.helpers["object"]))
    return parameters


def _signature(
    parameters: Sequence[tuple[str, Expression]], result: Expression, name: str, *, documented: bool
) -> list[str]:
    line = f"def {name}({', '.join(f'{p}: {flat(t)}' for p, t in parameters)}) -> {flat(result)}:"
    if len(line) + (0 if documented else len(" ...")) <= WIDTH:
        return [line]
    # A body without a docstring stands behind the colon.
    ending = ":" if documented else ": ..."
    if not parameters:
        return _long_result(name, result, ending)
    lines = [f"def {name}("]
    for parameter, annotation in parameters:
        lines += broken(annotation, f"{STEP}{parameter}: ", ",", STEP)
    lines += broken(result, ") -> ", ending, "")
    return _without_body(lines)


def _long_result(name: str, result: Expression, ending: str) -> list[str]:
    """A function without parameters that does not fit on a line."""
    if isinstance(result, Brackets) and len(f"def {name}() -> {result.head}[") <= WIDTH:
        return _without_body(broken(result, f"def {name}() -> ", ending, ""))
    return [f"def {name}() -> (", *broken(result, STEP, "", STEP), "):"]


def _without_body(lines: list[str]) -> list[str]:
    return [*lines[:-1], lines[-1].removesuffix(" ...")]


def _with_body(lines: list[str], doc: list[str]) -> list[str]:
    if doc:
        return [*lines, *doc, f"{STEP}..."]
    return [*lines[:-1], f"{lines[-1]} ..."]


def record(term: RecordTerm, spelling: Spelling) -> Block:
    """A struct or union."""
    name = checked(term.name)
    options = [f"pack={int(term.pack)}"] if term.pack is not None else []
    options += ["packed=True"] if term.packed else []
    options += [f"align={int(term.aligned)}"] if term.aligned is not None else []
    head = [*_decorator(spelling.helpers["union" if term.union else "struct"], options), f"class {name}:"]
    doc = docstring(term.doc, STEP)
    note = comment(f"Opaque here: {term.reason}", STEP) if term.reason else []
    if term.opaque:
        return Block(_with_body(head, doc) if not note else [*head, *doc, *note, f"{STEP}..."], tall=True)
    hidden = {member.name for member in term.members}
    lines = [*head, *doc, *([""] if doc else [])]
    # A class without any would be opaque, which GNU C's empty structs are not.
    for member in term.members or (MemberTerm("nothing", Array(C("char"), 0)),):
        annotation = spelling.member(member.term, hidden)
        lines += broken(annotation, f"{STEP}{checked(member.name)}: ", "", STEP)
        lines += docstring(member.doc, STEP)
    return Block(lines, tall=True)


def enumeration(term: EnumTerm, spelling: Spelling, in_bits: bool) -> Block:
    """An enum's class."""
    helpers = spelling.helpers
    lines = []
    # The api takes int, or unsigned int where a number needs it; in bit-fields the sign shows.
    if (
        not isinstance(term.base, C)
        or term.base.name not in ("int", "uint")
        or (in_bits and term.base.name == "uint")
    ):
        lines.append(f"@{helpers['ffi']}.enum(base={flat(spelling.plain(term.base))})")
    lines.append(f"class {checked(term.name)}({helpers['enum']}.IntEnum):")
    doc = docstring(term.doc, STEP)
    lines += [*doc, ""] if doc else []
    for name, value, text in term.members:
        lines.append(f"{STEP}{checked(name)} = {int(value)}")
        lines += docstring(text, STEP)
    return Block(lines, tall=True)


def constants(helpers: Helpers, found: Sequence[tuple[str, int, str, str | None]]) -> Block:
    """The constants of an enum by their own names: (name, value, comment, what it is in its class)."""
    lines: list[str] = []
    for name, value, doc, member in found:
        lines += assignment(f"{checked(name)}: {helpers['Final']}", member or str(int(value)))
        lines += docstring(doc, "") if member is None else []
    return Block(lines)


def macro(helpers: Helpers, name: str, value: int | float | str | bytes, doc: str) -> Block:
    """A macro that is a constant."""
    return Block([*assignment(f"{checked(name)}: {helpers['Final']}", constant(value)), *docstring(doc, "")])


def address(spelling: Spelling, name: str, value: int, term: Term, doc: str) -> Block:
    """A macro that is a pointer."""
    text = docstring(doc, STEP)
    lines = _decorator(f"{spelling.helpers['lib']}.constant", [str(int(value))])
    lines += _signature([], spelling.value(term), checked(name), documented=bool(text))
    return Block(_with_body(lines, text), tall=True)


def another_name(name: str, target: str) -> Block:
    """A macro that is another name for something."""
    return Block(assignment(checked(name), checked(target)))


def alias(helpers: Helpers, name: str, text: str, doc: str = "") -> Block:
    """A type alias; as a text it costs nothing until it is used, and may name what comes later."""
    return Block([*assignment(f"{name}: {helpers['TypeAlias']}", string(text)), *docstring(doc, "")])


def type_alias(spelling: Spelling, name: str, term: Term, doc: str) -> Block:
    """A typedef."""
    return alias(spelling.helpers, checked(name), flat(spelling.plain(term)), doc)


def variable(term: VariableTerm, spelling: Spelling) -> Block:
    """A variable."""
    name = checked(term.name)
    if term.reason:
        return unsupported(spelling.helpers, name, term.reason)
    options = [f"name={string(term.symbol)}"] if term.symbol != name else []
    doc = term.doc
    if term.open_ended:
        doc = f"{doc}\n\nThe header leaves the length open.".strip()
    text = docstring(doc, STEP)
    lines = _decorator(f"{spelling.helpers['lib']}.variable", options)
    lines += _signature([], spelling.value(term.term), name, documented=bool(text))
    return Block(_with_body(lines, text), tall=True)


def unsupported(helpers: Helpers, name: str, reason: str) -> Block:
    """Something that raises, with the reason, when it is asked for."""
    return Block(call(f"{helpers['lib']}.unsupported", [string(checked(name)), string(reason[:300])]))
