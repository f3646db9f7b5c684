"""Macros."""

from __future__ import annotations

from ..values import dataclass
from .position import Position
from .types import CType

Value = int | float | str | bytes


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro of an own header.

    Object-like ones have a `value` and its C `type` where clang can evaluate them to a constant; the value of a
    pointer is its address; text is str, or bytes where it is no UTF-8. `alias` is the function, variable or type
    that a macro is another name for. `parameters` is None but for function-like macros, which are only listed.
    `text` is the definition without the name, at most `TEXT` characters of it. A ``static const`` variable with a
    constant value is one as well: no library has it.
    """

    name: str
    text: str
    value: Value | None = None
    type: CType | None = None
    alias: str = ""
    parameters: tuple[str, ...] | None = None
    doc: str = ""
    python_name: str = ""
    dependency: bool = False
    position: Position | None = None


#: Characters that are kept of a macro's definition.
TEXT = 400
