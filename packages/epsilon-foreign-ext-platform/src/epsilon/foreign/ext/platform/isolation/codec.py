"""Canonical values as bytes, and back: both processes know the types, so nothing but values travels.

A value has a field of fixed size; a C string has its length there, and its bytes behind all fields. See `Marshal` for
what is canonical.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from typing import Any

from epsilon.foreign.backend import AbiType, Kind, Marshal

from .channel import ProtocolError

_FIELDS = {
    Kind.VOID: "",
    Kind.BOOL: "?",
    Kind.SIGNED: "q",
    Kind.UNSIGNED: "Q",
    Kind.POINTER: "Q",
    Kind.FLOAT: "d",
    Kind.COMPLEX: "dd",
}
TEXT = (Marshal.STRING, Marshal.BYTES)
#: The length of a NULL string.
_NULL = -1


class Codec:
    """How the values of some types travel. `fields` is the format of their fixed part in the words of `struct`;
    `plain`: that is all there is, one field a value."""

    def __init__(self, types: Sequence[AbiType], marshals: Sequence[Marshal]) -> None:
        texts = tuple(marshal in TEXT for marshal in marshals)
        self._kinds = tuple(zip(types, texts, strict=True))
        self.fields = "".join(_field(type, text) for type, text in self._kinds)
        self.plain = not any(texts) and not any(type.kind is Kind.COMPLEX for type in types)
        self._struct = struct.Struct("=" + self.fields)
        self._texts = texts

    def encode(self, values: Sequence[Any]) -> bytes:
        """The bytes of some canonical values."""
        if self.plain:
            return self._struct.pack(*values)
        fixed: list[Any] = []
        tail = []
        for (type, text), value in zip(self._kinds, values, strict=True):
            if text:
                fixed.append(_NULL if value is None else len(value))
                tail.append(value or b"")
            elif type.kind is Kind.COMPLEX:
                fixed += (value.real, value.imag)
            else:
                fixed.append(value)
        return b"".join((self._struct.pack(*fixed), *tail))

    def decode(self, content: bytes | memoryview, offset: int = 0) -> tuple[Any, ...]:
        """The values of such bytes, from `offset` on. Raises ProtocolError for what cannot be such."""
        try:
            fixed = self._struct.unpack_from(content, offset)
        except struct.error as error:
            raise ProtocolError(str(error)) from None
        if self.plain:
            return fixed
        found = iter(fixed)
        place = offset + self._struct.size
        values: list[Any] = []
        for type, text in self._kinds:
            if text:
                size = next(found)
                if size > len(content) - place:
                    raise ProtocolError(f"a text of {size} bytes")
                values.append(None if size < 0 else bytes(content[place : place + size]))
                place += max(size, 0)
            elif type.kind is Kind.COMPLEX:
                values.append(complex(next(found), next(found)))
            elif type.kind is not Kind.VOID:
                values.append(next(found))
        return tuple(values)


def _field(type: AbiType, text: bool) -> str:
    if text:
        return "q"
    return f"{type.size}s" if type.kind is Kind.AGGREGATE else _FIELDS[type.kind]


@functools.lru_cache(maxsize=1024)
def codec(types: tuple[AbiType, ...], marshals: tuple[Marshal, ...]) -> Codec:
    """The codec for some types: the same one for the same types."""
    return Codec(types, marshals)
