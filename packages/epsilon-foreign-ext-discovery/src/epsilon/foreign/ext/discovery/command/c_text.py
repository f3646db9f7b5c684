"""Types and functions as C writes them: from the inside out (C11 6.7.6)."""

from __future__ import annotations

from ..ir import (
    Array,
    CType,
    EnumName,
    Function,
    FunctionType,
    Opaque,
    Pointer,
    Qualified,
    RecordName,
    Scalar,
    TypedefName,
)


def c_text(type: CType, name: str = "") -> str:
    """A declaration of `name` with a type, or the type alone."""
    match type:
        case Scalar(word) | TypedefName(word):
            return _with(word, name)
        case RecordName(tag, union):
            return _with(f"{'union' if union else 'struct'} {tag}", name)
        case EnumName(tag):
            return _with(f"enum {tag}", name)
        case Opaque(_, _, _, spelling):
            return _with(spelling, name)
        case Pointer(target):
            inner = target.type if isinstance(target, Qualified) else target
            star = f"(*{name})" if isinstance(inner, (Array, FunctionType)) else f"*{name}"
            return c_text(target, star)
        case Array(element, count):
            return c_text(element, f"{name}[{'' if count is None else count}]")
        case Qualified(Pointer(target), const, volatile, restrict, atomic):
            words = _words(const, volatile, restrict, atomic)
            return c_text(target, f"* {words} {name}".rstrip())
        case Qualified(inner, const, volatile, restrict, atomic):
            return f"{_words(const, volatile, restrict, atomic)} {c_text(inner, name)}"
        case FunctionType(result, parameters, variadic, prototyped):
            shown = [c_text(parameter) for parameter in parameters] + (["..."] if variadic else [])
            return c_text(result, f"{name}({', '.join(shown) or ('void' if prototyped else '')})")


def c_function(function: Function) -> str:
    """A function's prototype."""
    shown = [c_text(p.type, p.name) for p in function.parameters] + (["..."] if function.variadic else [])
    return c_text(function.result, f"{function.name}({', '.join(shown) or 'void'})")


def _with(type: str, name: str) -> str:
    return f"{type} {name}" if name else type


def _words(const: bool, volatile: bool, restrict: bool, atomic: bool) -> str:
    found = (("const", const), ("volatile", volatile), ("restrict", restrict), ("_Atomic", atomic))
    return " ".join(word for word, on in found if on)
