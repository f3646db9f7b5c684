"""What is asked of the compiler: expressions of C, each with the answer that the binding expects."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..ir import (
    Array,
    Binding,
    CType,
    Enum,
    Field,
    Macro,
    Pointer,
    Qualified,
    Record,
    RecordName,
    Scalar,
    TypedefName,
)

_MASK = (1 << 64) - 1
#: What C knows as a name; a binding file may hold any text, and none of it may become code.
_NAME = re.compile(r"(?:struct |union |enum )?[A-Za-z_$][A-Za-z0-9_$]*\Z")

#: Compilers know these without a declaration, and only by way of this name.
_VARIABLE_ARGUMENTS = {
    "__va_list_tag": "(*(__builtin_va_list *)0)[0]",
    "__va_list": "(*(__builtin_va_list *)0)",
}


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask.

    `kind` says which macro of the program asks it (``NUMBER``, ``REAL``, ``TEXT``, ``BITS``), `about` what is asked
    about (``record``, ``field``, ``enumerator``, ``macro``), `subject` the name of the declaration it belongs to.
    """

    kind: str
    about: str
    subject: str
    what: str
    expression: str
    expected: str


def questions(binding: Binding) -> Iterator[Question]:
    """Everything that a compiler can be asked about a binding, that of dependencies included."""
    places = _places(binding)
    for record in binding.records.values():
        if record.complete:
            yield from _record(record, places.get((record.name, record.union)), binding)
    for enum in binding.enums.values():
        yield from _enum(enum)
    for macro in binding.of(Macro):
        yield from _macro(macro)


def _number(value: int) -> str:
    return str(value & _MASK)


def _record(record: Record, place: str | None, binding: Binding) -> Iterator[Question]:
    shown = record.c_name or record.name
    if place is None:  # neither C nor we can name it; the record around it is asked about
        return
    type = f"__typeof__({place})"
    yield Question("NUMBER", "record", record.name, f"sizeof {shown}", f"sizeof({place})", str(record.size))
    yield Question(
        "NUMBER", "record", record.name, f"alignof {shown}", f"__alignof__({type})", str(record.align)
    )
    for path, bit, field in _fields(record, binding, 0):
        what = f"{shown}.{path}"
        if field.bits is None:
            expression = f"__builtin_offsetof({type}, {path})"
            yield Question("NUMBER", "field", record.name, f"offset of {what}", expression, str(bit // 8))
        elif not _is_const(field.type, binding):
            yield Question(
                "BITS", "field", record.name, f"bits of {what}", f"{type}, {path}", f"{bit}+{field.bits}"
            )


def _fields(record: Record, binding: Binding, offset: int) -> Iterator[tuple[str, int, Field]]:
    """The members that can be named, those of anonymous members too, each with the bit where it begins."""
    for field in record.fields:
        bit = offset + 8 * field.offset + field.bit
        if _NAME.match(field.name):
            yield field.name, bit, field
        elif not field.name and field.bits is None:
            inner = record_of(field.type, binding)
            if inner is not None:
                yield from _fields(inner, binding, bit)


def _is_const(type: CType, binding: Binding) -> bool:
    match type:
        case Qualified(inner, const):
            return const or _is_const(inner, binding)
        case TypedefName(name):
            found = binding.typedefs.get(name)
            return found is not None and _is_const(found.type, binding)
    return False


def record_of(type: CType, binding: Binding) -> Record | None:
    """The struct or union that a type is, through typedefs and qualifiers."""
    match type:
        case RecordName(name):
            return binding.records.get(name)
        case Qualified(inner):
            return record_of(inner, binding)
        case TypedefName(name):
            found = binding.typedefs.get(name)
            return None if found is None else record_of(found.type, binding)
    return None


def _places(binding: Binding) -> dict[tuple[str, bool], str]:
    """For each record an expression of its type: by its name, else as what a typedef or a member leads to."""
    places = {
        (r.name, r.union): f"(*({r.c_name} *)0)"
        for r in binding.records.values()
        if r.complete and _NAME.match(r.c_name or "")
    }
    for name, place in _VARIABLE_ARGUMENTS.items():
        if name in binding.records:
            places[name, False] = place
    for typedef in filter(lambda t: _NAME.match(t.name), binding.typedefs.values()):
        for key, place in _reached(typedef.type, f"(*({typedef.name} *)0)"):
            places.setdefault(key, place)
    waiting = list(places)
    while waiting:
        key = waiting.pop()
        record = binding.records.get(key[0])
        for field in record.fields if record is not None else ():
            if field.bits is not None or not _NAME.match(field.name):
                continue
            for inner, place in _reached(field.type, f"{places[key]}.{field.name}"):
                if inner not in places:
                    places[inner] = place
                    waiting.append(inner)
    return places


def _reached(type: CType, place: str) -> Iterator[tuple[tuple[str, bool], str]]:
    """The record that an expression of a type leads to, through pointers and arrays."""
    match type:
        case RecordName(name, union):
            yield (name, union), place
        case Qualified(inner):
            yield from _reached(inner, place)
        case Pointer(target):
            yield from _reached(target, f"(*{place})")
        case Array(element, _):
            yield from _reached(element, f"{place}[0]")


def _enum(enum: Enum) -> Iterator[Question]:
    for each in filter(lambda e: _NAME.match(e.name), enum.enumerators):
        expression = f"(unsigned long long)({each.name})"
        yield Question("NUMBER", "enumerator", enum.name, each.name, expression, _number(each.value))


def _macro(macro: Macro) -> Iterator[Question]:
    value, name = macro.value, macro.name
    if value is None or macro.alias or macro.parameters is not None or not _NAME.match(name):
        return
    if isinstance(value, bool | int):
        pointer = isinstance(macro.type, Pointer)
        expression = f"(unsigned long long){'(__UINTPTR_TYPE__)' if pointer else ''}({name})"
        yield Question("NUMBER", "macro", name, name, expression, _number(int(value)))
    elif isinstance(value, float):
        expected = "nan" if math.isnan(value) else "inf" if value == math.inf else value.hex()
        yield Question("REAL", "macro", name, name, f"(double)({name})", expected)
    elif _is_narrow(macro.type):
        data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
        yield Question("TEXT", "macro", name, name, name, data.hex())


def _is_narrow(type: CType | None) -> bool:
    """Is it text of chars? Wide text is not compared."""
    match type:
        case Pointer(inner) | Array(inner, _) | Qualified(inner):
            return _is_narrow(inner)
        case Scalar(name):
            return name == "char"
    return type is None
