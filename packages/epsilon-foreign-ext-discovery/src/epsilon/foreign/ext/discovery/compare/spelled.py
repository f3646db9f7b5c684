"""Types spelled so that two that are the same to a caller look the same: without typedefs, names, or `restrict`."""

from __future__ import annotations

from ..ir import (
    Array,
    Binding,
    CType,
    Function,
    FunctionType,
    Pointer,
    Qualified,
    TypedefName,
    notation,
)

#: Typedefs inside each other that are followed.
_DEPTH = 50


class Spelled:
    """Spells the types of one binding."""

    def __init__(self, binding: Binding) -> None:
        self._typedefs = binding.typedefs

    def type(self, type: CType) -> str:
        """A type's `notation`."""
        return notation(self._plain(type, 0))

    def function(self, function: Function) -> str:
        """A function's type."""
        return self.type(function.type)

    def _plain(self, type: CType, depth: int) -> CType:
        if depth > _DEPTH:
            return type
        match type:
            case TypedefName(name):
                found = self._typedefs.get(name)
                return type if found is None else self._plain(found.type, depth + 1)
            case Pointer(target):
                return Pointer(self._plain(target, depth + 1))
            case Array(element, count):
                return Array(self._plain(element, depth + 1), count)
            case Qualified(inner, const, volatile, _, atomic):
                plain = self._plain(inner, depth + 1)
                return (
                    Qualified(plain, const, volatile, False, atomic) if const or volatile or atomic else plain
                )
            case FunctionType(result, parameters, variadic, prototyped, convention):
                passed = tuple(self._value(parameter, depth + 1) for parameter in parameters)
                return FunctionType(self._value(result, depth + 1), passed, variadic, prototyped, convention)
        return type

    def _value(self, type: CType, depth: int) -> CType:
        """A parameter or a result: whether the copy is const is nobody's business."""
        plain = self._plain(type, depth)
        return plain.type if isinstance(plain, Qualified) and not plain.atomic else plain
