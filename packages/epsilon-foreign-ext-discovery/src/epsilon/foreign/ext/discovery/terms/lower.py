"""What a C type is in Python.

| C | Python |
|---|---|
| ``const char *`` | ``c.string`` |
| ``char *`` | ``Pointer[c.char]``: C may write there, or hand over what has to be freed |
| ``void *``, ``const void *`` | ``Pointer[None]``, ``Pointer[Const[None]]`` |
| ``T *``, ``const T *`` | ``Pointer[T]``, ``Pointer[Const[T]]`` |
| a function pointer | ``Callback[[...], R]``; ``c.pointer`` where Python cannot be called so |
| ``enum colour`` | the class; for an enum without a name its integer type |
| ``size_t``, ``uint8_t`` ... | ``c.size_t``, ``c.uint8`` ... |
| a vector, ``__int128`` ... | as a member its bytes; a function that takes or returns one cannot be called |
"""

from __future__ import annotations

from typing import Any

from .. import ir
from ..naming import enumerator_names, member_names, parameter_names
from .declarations import EnumTerm, FunctionTerm, MemberTerm, ParameterTerm, RecordTerm, VariableTerm
from .scalars import SCALARS, STANDARD
from .term import (
    Alias,
    Aligned,
    Anonymous,
    Array,
    Bits,
    C,
    Callback,
    Const,
    Named,
    Pointer,
    Refused,
    Term,
    Void,
)

_VA_LISTS = frozenset({"va_list", "__builtin_va_list", "__gnuc_va_list", "__va_list"})
#: Conventions that are the platform's own, by processor and system.
_NATIVE = {("x86_64", "windows"): "ms_abi", ("x86_64", "linux"): "sysv_abi", ("x86_64", "darwin"): "sysv_abi"}

#: Attributes of compilers, and what backends call the convention.
_CONVENTIONS = {"ms_abi": "ms", "sysv_abi": "sysv"}

#: Function pointers that take function pointers, and so on, double with each typedef: beyond this they are addresses.
HEAVIEST = 500


class Lowering:
    """The terms of one binding's types and declarations."""

    def __init__(self, binding: ir.Binding) -> None:
        self.records = binding.records
        self.enums = binding.enums
        self.typedefs = binding.typedefs
        self.native = _NATIVE.get((binding.target.arch, binding.target.system), "c")
        self._known: dict[ir.CType, Term] = {}
        self._weights: dict[int, tuple[Term, int]] = {}

    # Types

    def type(self, type: ir.CType) -> Term:
        """The term of a type. Raises Refused for one without."""
        found = self._known.get(type)
        if found is None:
            found = self._known[type] = self._type(type)
        return found

    def _type(self, type: ir.CType) -> Term:
        match type:
            case ir.Scalar(name):
                return Void() if name == "void" else C(SCALARS[name])
            case ir.TypedefName(name):
                return self._typedef(name)
            case ir.Qualified(inner):
                return self.type(inner)
            case ir.Pointer(target):
                return self._pointer(target)
            case ir.Array(element, count):
                return Array(self._element(element), count)
            case ir.RecordName(name):
                return Named(self._python_name(self.records[name]), record=name)
            case ir.EnumName(name):
                return self._enum(name)
            case ir.Opaque():
                raise Refused(f"{type.spelling}: {ir.OPAQUE_KINDS[type.kind]}")
            case ir.FunctionType():
                raise Refused("a function is no value; a pointer to it is")

    def _typedef(self, name: str) -> Term:
        typedef = self.typedefs[name]
        row = STANDARD.get(name)
        if row is not None and isinstance(self.resolved(typedef.type), ir.Scalar):
            return C(row)
        term = self.type(typedef.type)
        if isinstance(term, (Void, Named)):
            return term
        return Alias(self._python_name(typedef), term)

    def typedef(self, typedef: ir.Typedef) -> Term:
        """What a typedef's name means by itself: that of a function's type, the pointers to such. Raises Refused."""
        resolved = self.resolved(typedef.type)
        if isinstance(resolved, ir.FunctionType):
            return self._callback(resolved)
        return self.type(ir.TypedefName(typedef.name))

    def _enum(self, name: str) -> Term:
        enum = self.enums[name]
        if enum.is_plain or not enum.complete:
            return self.type(enum.base)
        return Named(self._python_name(enum), enum=name)

    def _element(self, element: ir.CType) -> Term:
        resolved = self.resolved(element)
        if isinstance(resolved, ir.Opaque):
            return Array(C("uint8"), resolved.size)
        return self.type(element)

    def _pointer(self, target: ir.CType) -> Term:
        resolved, const = self.resolved(target), self._is_const(target)
        if isinstance(resolved, ir.FunctionType):
            return self._callback(resolved)
        if const and resolved == ir.Scalar("char"):
            return C("string")
        return Pointer(Const(self._target(target, resolved)) if const else self._target(target, resolved))

    def _target(self, target: ir.CType, resolved: ir.CType) -> Term:
        if resolved == ir.VOID or isinstance(resolved, ir.Opaque) or _is_va_list(target):
            return Void()
        if isinstance(resolved, ir.Array) and resolved.count is None:
            return self._element(resolved.element)
        return self.type(target)

    def _callback(self, type: ir.FunctionType) -> Term:
        """The type of pointers to such functions: plain addresses where Python cannot stand behind them."""
        if type.variadic or not type.prototyped or type.convention not in ("c", self.native):
            return C("pointer")
        try:
            made = Callback(tuple([self.value(p) for p in type.parameters]), self.result(type.result))
        except Refused:
            return C("pointer")
        weight = 1 + sum(self._weight(term) for term in (*made.parameters, made.result))
        if weight > HEAVIEST:
            return C("pointer")
        self._weights[id(made)] = (made, weight)
        return made

    def _weight(self, term: Any) -> int:
        """How many types of functions a term spells out."""
        while term is not None and not isinstance(term, Callback):
            term = next((getattr(term, n) for n in ("term", "target", "element") if hasattr(term, n)), None)
        return self._weights.get(id(term), (None, 1))[1] if term is not None else 0

    def value(self, type: ir.CType) -> Term:
        """The term of a parameter. Raises Refused for what does not cross by value."""
        if _is_va_list(type):
            raise Refused("a va_list can only be made by C")
        resolved = self.resolved(type)
        if isinstance(resolved, ir.Array):
            return self._pointer(resolved.element)
        if isinstance(resolved, ir.FunctionType):
            return self._callback(resolved)
        self._check_complete(resolved)
        return self.type(type)

    def result(self, type: ir.CType) -> Term:
        """The term of a result. Raises Refused."""
        self._check_complete(self.resolved(type))
        return self.type(type)

    def _check_complete(self, type: ir.CType) -> None:
        if not isinstance(type, ir.RecordName):
            return
        record = self.records[type.name]
        if record.unsupported:
            raise Refused(f"{ir.notation(type)}: {record.unsupported}")
        if not record.complete:
            raise Refused(f"{ir.notation(type)} is incomplete: only pointers to it can be passed")

    def resolved(self, type: ir.CType) -> ir.CType:
        """What a type is behind typedefs and qualifiers."""
        while isinstance(type, (ir.TypedefName, ir.Qualified)):
            type = self.typedefs[type.name].type if isinstance(type, ir.TypedefName) else type.type
        return type

    def _is_const(self, type: ir.CType) -> bool:
        while isinstance(type, (ir.TypedefName, ir.Qualified, ir.Array)):
            if isinstance(type, ir.Qualified) and type.const:
                return True
            if isinstance(type, ir.Array):
                type = type.element
            else:
                type = self.typedefs[type.name].type if isinstance(type, ir.TypedefName) else type.type
        return False

    def _python_name(self, declaration: Any) -> str:
        name: str = declaration.python_name or declaration.name
        return name

    # Declarations

    def function(self, function: ir.Function) -> FunctionTerm:
        """How a function is bound."""
        name = self._python_name(function)
        symbol = function.symbol or function.name
        if function.uncallable:
            return FunctionTerm(name, symbol, doc=_documented(function), reason=function.uncallable)
        what = "the result"
        try:
            result = self.result(function.result)
            parameters = []
            for position, parameter in enumerate(function.parameters, 1):
                what = f"parameter {parameter.name or position}"
                parameters.append(self.value(parameter.type))
        except Refused as refused:
            return FunctionTerm(name, symbol, doc=_documented(function), reason=f"{what}: {refused}")
        attribute = _CONVENTIONS.get(function.convention, function.convention)
        convention = "c" if function.convention == self.native else attribute
        named = zip(parameter_names(function), parameters, strict=True)
        return FunctionTerm(
            name,
            symbol,
            tuple([ParameterTerm(*each) for each in named]),
            result,
            function.variadic,
            convention,
            _documented(function),
        )

    def variable(self, variable: ir.Variable) -> VariableTerm:
        """How a variable is bound."""
        name, symbol = self._python_name(variable), variable.symbol or variable.name
        reason = variable.uncallable
        if not reason:
            try:
                return self._variable(variable, name, symbol)
            except Refused as refused:
                reason = str(refused)
        return VariableTerm(name, symbol, doc=variable.doc, reason=reason)

    def _variable(self, variable: ir.Variable, name: str, symbol: str) -> VariableTerm:
        resolved = self.resolved(variable.type)
        self._check_complete(resolved)
        if isinstance(resolved, ir.Array) and resolved.count is None:
            term = self._element(resolved.element)
        else:
            term = self.type(variable.type)
        if self._is_const(variable.type):
            term = Const(term)
        open_ended = isinstance(resolved, ir.Array) and resolved.count is None
        return VariableTerm(name, symbol, term, variable.doc, open_ended=open_ended)

    def record(self, record: ir.Record) -> RecordTerm:
        """How a struct or union is declared."""
        name = self._python_name(record)
        reason = record.unsupported
        if record.complete and not reason:
            try:
                members = tuple(
                    [
                        MemberTerm(each, self._member(field, last=field is record.fields[-1]), field.doc)
                        for each, field in zip(member_names(record), record.fields, strict=True)
                    ]
                )
            except Refused as refused:
                reason = str(refused)
            else:
                return RecordTerm(
                    name,
                    record.union,
                    members,
                    record.pack,
                    record.packed,
                    record.aligned,
                    doc=record.doc,
                )
        return RecordTerm(name, record.union, opaque=True, doc=record.doc, reason=reason)

    def _member(self, field: ir.Field, *, last: bool) -> Term:
        resolved = self.resolved(field.type)
        self._check_complete(resolved)
        if isinstance(resolved, ir.Opaque):
            term: Term = Array(C("uint8"), resolved.size)
        elif isinstance(resolved, ir.Array) and resolved.count is None and not last:
            term = Array(self._element(resolved.element), 0)
        else:
            term = self.type(field.type)
        if field.bits is not None:
            term = Bits(term, field.bits)
        elif not field.name:
            term = Anonymous(term)
        elif self._is_const(field.type):
            term = Const(term)
        return term if field.aligned is None else Aligned(term, field.aligned)

    def enum(self, enum: ir.Enum) -> EnumTerm:
        """How an enum is declared."""
        names = enumerator_names(enum)
        members = zip(names, enum.enumerators, strict=True)
        return EnumTerm(
            self._python_name(enum),
            self.type(enum.base),
            tuple([(name, each.value, each.doc) for name, each in members]),
            enum.doc,
        )


def _is_va_list(type: ir.CType) -> bool:
    """Is it C's list of variable arguments, by whatever name?"""
    while isinstance(type, (ir.Pointer, ir.Qualified)):
        type = type.target if isinstance(type, ir.Pointer) else type.type
    return (isinstance(type, ir.TypedefName) and type.name in _VA_LISTS) or (
        isinstance(type, ir.RecordName) and type.name in ("__va_list_tag", "__va_list")
    )


def _documented(function: ir.Function) -> str:
    """A function's comment, and whether the header wants it used."""
    if not function.deprecated:
        return function.doc
    note = "Deprecated." if function.deprecated == "deprecated" else f"Deprecated: {function.deprecated}"
    return f"{function.doc}\n\n{note}".strip()
