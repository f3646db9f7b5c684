"""Sizes of C types on a binding's platform."""

from __future__ import annotations

from .ir import (
    Array,
    Binding,
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

_SIZES = {"char": 1, "bool": 1, "short": 2, "int": 4, "long long": 8, "float": 4, "double": 8}


def size_of(type: CType, binding: Binding) -> int:
    """Bytes of a type; 0 where nobody knows."""
    match type:
        case Scalar("void"):
            return 0
        case Scalar(name):
            return _scalar(name, binding)
        case Pointer() | FunctionType():
            return binding.target.pointer
        case Qualified(inner):
            return size_of(inner, binding)
        case Array(element, count):
            return size_of(element, binding) * (count or 0)
        case Opaque(_, size):
            return size
        case TypedefName(name) if name in binding.typedefs:
            return size_of(binding.typedefs[name].type, binding)
        case EnumName(name) if name in binding.enums:
            return size_of(binding.enums[name].base, binding)
        case RecordName(name) if name in binding.records:
            return binding.records[name].size
    return 0


def _scalar(name: str, binding: Binding) -> int:
    base = name.removesuffix(" complex")
    twice = 2 if base != name else 1
    base = base.replace("unsigned ", "").replace("signed ", "")
    if base == "long":
        return binding.target.long
    if base == "long double":
        wide = {"i686": 12}.get(binding.target.arch, 16)
        return twice * (8 if binding.target.environment == "msvc" else wide)
    return twice * _SIZES[base]
