"""What must hold of a binding beyond the form of its parts, so that what is made of it cannot go wrong later."""

from __future__ import annotations

from functools import lru_cache

from ..ir import (
    Array,
    Binding,
    CType,
    Enum,
    EnumName,
    Field,
    Function,
    FunctionType,
    Macro,
    Opaque,
    Pointer,
    Qualified,
    Record,
    RecordName,
    Typedef,
    TypedefName,
    Variable,
)
from .codecs import LIMIT
from .encode import identity

Name = RecordName | EnumName | TypedefName


def check_binding(binding: Binding) -> None:
    """Raises ValueError for names that are missing or defined twice, types that contain themselves, and layouts
    that no compiler would give."""
    known: dict[Name, object] = {}
    seen: set[str] = set()
    for declaration in binding.declarations:
        name = identity(declaration)
        if name in seen:
            raise ValueError(f"{name!r} is declared twice")
        seen.add(name)
        if isinstance(declaration, Record):
            known[declaration.type] = declaration
            _check_record(declaration)
        elif isinstance(declaration, Enum):
            known[declaration.type] = declaration
        elif isinstance(declaration, Typedef):
            known[TypedefName(declaration.name)] = declaration
    _check_names(binding, known)
    _check_cycles(known)


def types_of(declaration: object) -> tuple[CType, ...]:
    """The types that a declaration mentions."""
    match declaration:
        case Record(fields=fields):
            return tuple([field.type for field in fields])
        case Enum(base=base):
            return (base,)
        case Function(result=result, parameters=parameters):
            return (result, *[parameter.type for parameter in parameters])
        case Typedef(type=type) | Variable(type=type) | Macro(type=type):
            return () if type is None else (type,)
    return ()


@lru_cache(maxsize=8192)
def names_in(type: CType) -> frozenset[Name]:
    """The records, enums and typedefs that a type names."""
    return frozenset(_names(type, all=True))


@lru_cache(maxsize=8192)
def contained(type: CType) -> frozenset[Name]:
    """The records and typedefs that values of a type have inside; not those they point to."""
    return frozenset(_names(type, all=False))


def _names(type: CType, *, all: bool) -> list[Name]:
    pending, found = [type], []
    while pending:
        match pending.pop():
            case RecordName() | EnumName() | TypedefName() as name:
                found.append(name)
            case Array(element) | Qualified(element):
                pending.append(element)
            case Pointer(target):
                if all:
                    pending.append(target)
            case FunctionType(result, parameters):
                if all:
                    pending += [result, *parameters]
            case _:
                pass
    return found


def _check_names(binding: Binding, known: dict[Name, object]) -> None:
    for declaration in binding.declarations:
        for type in types_of(declaration):
            for name in names_in(type):
                if name not in known:
                    raise ValueError(f"{identity(declaration)!r} names {name}, which is not declared")


def _check_cycles(known: dict[Name, object]) -> None:
    """No type may be inside itself. Depth first, without recursion: a chain of typedefs may be long."""
    done: set[Name] = set()
    for start in known:
        path: dict[Name, None] = {}
        pending: list[tuple[Name, bool]] = [(start, False)]
        while pending:
            name, leaving = pending.pop()
            if leaving:
                del path[name]
                done.add(name)
                continue
            if name in path:
                raise ValueError(f"{name} contains itself")
            if name in done:
                continue
            path[name] = None
            pending.append((name, True))
            for type in types_of(known[name]):
                pending += [(inner, False) for inner in contained(type)]


def _check_record(record: Record) -> None:
    if record.pack not in (None, 1, 2, 4, 8, 16):
        raise ValueError(f"{identity(record)!r}: no compiler packs to {record.pack} bytes")
    if not record.complete and record.fields:
        raise ValueError(f"{identity(record)!r} is incomplete and has members")
    names: set[str] = set()
    for field in record.fields:
        if field.name and field.name in names:
            raise ValueError(f"{identity(record)!r} has two members {field.name!r}")
        names.add(field.name)
        _check_field(record, field)


def _check_field(record: Record, field: Field) -> None:
    where = f"{identity(record)!r}, member {field.name!r}"
    if field.bits is not None and field.bits > 128:
        raise ValueError(f"{where}: no bit-field has {field.bits} bits")
    if not 0 <= field.bit < 8:
        raise ValueError(f"{where}: {field.bit} is no bit of a byte")
    end = field.offset + (field.bit + (field.bits or 0) + 7) // 8
    if end > record.size:
        raise ValueError(f"{where} lies outside of {record.size} bytes")
    if _count(field.type) >= LIMIT:
        raise ValueError(f"{where} is larger than memory")


def _count(type: CType) -> int:
    """Elements of an array of arrays."""
    count = 1
    while isinstance(type, (Array, Qualified)):
        if isinstance(type, Array):
            count *= type.count or 1
            type = type.element
        else:
            type = type.type
    return count * (type.size if isinstance(type, Opaque) else 1)
