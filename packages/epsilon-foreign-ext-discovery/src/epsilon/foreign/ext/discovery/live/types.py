"""Evaluating terms: the api's types, made once for each type of C.

Two bindings that describe a struct alike share its class, so that values made by one can be given to the other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

import epsilon.foreign.api as ffi
from epsilon.foreign.api import c

from .. import ir
from ..errors import BindingFileError
from ..naming import member_names
from ..terms import (
    Alias,
    Aligned,
    Anonymous,
    Array,
    Bits,
    C,
    Callback,
    Const,
    Lowering,
    Named,
    Pointer,
    Term,
    Void,
)
from .likeness import Likeness

#: Types are made of values here, where checkers cannot follow.
_api: Any = ffi

#: Struct rows and enum classes by what they are made from, for as long as anybody has them.
_records: WeakValueDictionary[Any, _Record] = WeakValueDictionary()
_enums: WeakValueDictionary[Any, Any] = WeakValueDictionary()
_lock = threading.RLock()


class _Record:
    """A struct's row. What makes its members holds this object, so it lives as long as the row does."""

    __slots__ = ("__weakref__", "row", "types")

    def __init__(self, types: Types, record: ir.Record) -> None:
        self.types = types
        term = types.lowering.record(record)
        options: dict[str, Any] = {"pack": term.pack, "packed": term.packed, "align": term.aligned}

        def members() -> dict[str, Any] | None:
            if term.opaque:
                return None
            made = {member.name: self.types.make(member.term) for member in term.members}
            if types.distrust:
                make = ffi.make_union if term.union else ffi.make_struct
                check_layout(record, make(term.name, made, **options))
            return made

        self.row = ffi.defer_struct(
            term.name,
            members,
            union=term.union,
            module="epsilon.foreign.ext.discovery.live",
            doc=term.doc or None,
            **options,
        )


def check_layout(record: ir.Record, cls: Any) -> None:
    """Raises BindingFileError when a class has another layout than its record says."""
    ours = [("size", ffi.sizeof(cls), record.size), ("alignment", ffi.alignof(cls), record.align)]
    for name, field in zip(member_names(record), record.fields, strict=True):
        if field.bits is None:
            ours.append((f"offset of {name}", ffi.offsetof(cls, name), field.offset))
    for what, made, said in ours:
        if made != said:
            raise BindingFileError(
                f"{record.c_name or record.name}: the {what} is {made} as it is declared, and {said} as the file says"
            )


class Types:
    """The types of one binding."""

    def __init__(self, binding: ir.Binding, *, distrust: bool = False) -> None:
        self.lowering = Lowering(binding)
        #: Compare each layout with what the binding says: a file may say anything.
        self.distrust = distrust
        self._likeness = Likeness(self.lowering)
        self._made: dict[Term, Any] = {}
        self._records: dict[str, _Record] = {}
        self._enums: dict[str, Any] = {}

    def make(self, term: Term) -> Any:
        """The api's type for a term."""
        found = self._made.get(term)
        if found is None and not isinstance(term, Void):
            found = self._made[term] = _MAKERS[type(term)](self, term)
        return found

    def parameter(self, term: Term) -> Any:
        """As `make`, for a parameter."""
        return self.make(term)

    def record(self, name: str) -> Any:
        """The row of a struct or union."""
        found = self._records.get(name)
        if found is None:
            key = self._likeness.record(name)
            with _lock:
                found = _records.get(key)
                if found is None:
                    found = _Record(self, self.lowering.records[name])
                    _records[key] = found
                self._records[name] = found
        return found.row

    def enum(self, name: str) -> Any:
        """The class of an enum."""
        found = self._enums.get(name)
        if found is None:
            key = self._likeness.enum(name)
            with _lock:
                found = _enums.get(key)
                if found is None:
                    found = _enums[key] = self._enum(self.lowering.enums[name])
                self._enums[name] = found
        return found

    def _enum(self, enum: ir.Enum) -> Any:
        from enum import IntEnum

        term = self.lowering.enum(enum)
        members = [(name, value) for name, value, _ in term.members]
        module = "epsilon.foreign.ext.discovery.live"
        cls: Any = IntEnum(term.name, members, module=module)  # type: ignore[misc]  # names from the header
        if term.doc:
            cls.__doc__ = term.doc
        return ffi.enum(base=self.make(term.base))(cls)

    def _named(self, term: Named) -> Any:
        return self.record(term.record) if term.record else self.enum(term.enum)

    def _array(self, term: Array) -> Any:
        return _api.Array[self.make(term.element), ... if term.count is None else term.count]

    def _callback(self, term: Callback) -> Any:
        return _api.Callback[[self.make(p) for p in term.parameters], self.make(term.result)]


_MAKERS: dict[Any, Callable[[Types, Any], Any]] = {
    C: lambda types, term: getattr(c, term.name),
    Named: Types._named,
    Alias: lambda types, term: types.make(term.term),
    Pointer: lambda types, term: _api.Pointer[types.make(term.target)],
    Const: lambda types, term: _api.Const[types.make(term.term)],
    Array: Types._array,
    Callback: Types._callback,
    Bits: lambda types, term: _api.Bits[types.make(term.term), term.width],
    Anonymous: lambda types, term: _api.Anonymous[types.make(term.term)],
    Aligned: lambda types, term: _api.Aligned[types.make(term.term), term.bytes],
}
