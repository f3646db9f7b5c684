"""The attribute of a flexible array member: an array of as many elements as the object has memory for."""

from __future__ import annotations

from typing import Any

from .arrays import array_class, fill
from .errors import ConstError
from .fields import Field
from .objects import check_live, view


def flexible_field(name: str, row: Any, offset: int) -> Field:
    """The attribute `name` of the flexible array of type `row` at `offset` bytes; see
    `fields.make_descriptor`."""
    element = row.element
    size = element.size

    def get(self: Any) -> Any:
        check_live(self)
        count = max(0, self._upper - self._address - offset) // size if size else 0
        return view(array_class(element), self._address + offset, count * size, element.alignment, self)

    def put(self: Any, value: Any) -> None:
        fill(get(self), value, name)

    def set(self: Any, value: Any) -> None:
        if self._flags & 1:
            raise ConstError(f"{name} cannot be written: the memory is const")
        put(self, value)

    field = Field(get, set)
    field.name, field.row, field.kind, field.offset, field.size = name, row, "value", offset, 0
    field.shift, field.width, field.code, field.readonly, field.put = 0, 0, None, False, put
    return field
