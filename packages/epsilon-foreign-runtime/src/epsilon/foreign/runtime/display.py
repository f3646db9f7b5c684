"""How data shows itself: to people (`repr`, bounded and safe with cycles) and to numpy (PEP 3118 formats)."""

from __future__ import annotations

from typing import Any

from epsilon.foreign.backend import ForeignError

from .items import items_of

#: Elements of an array, and characters of a member, that a `repr` shows.
ELEMENTS = 10
WIDTH = 200
#: Structs inside structs that a `repr` goes into.
DEPTH = 4


def shown_struct(value: Any, depth: int = 0) -> str:
    """``point(x=1, y=2)``; pointers are shown as such, so cycles end there."""
    row = value.__foreign_type__
    if depth >= DEPTH:
        return f"{row.name}(...)"
    return f"{row.name}({', '.join(f'{name}={_member(value, name, depth)}' for name in row.names)})"


def shown_array(value: Any, depth: int = 0) -> str:
    """``Array[int, 3]([1, 2, 3])``."""
    shown = value._shown()
    try:
        if value._element.name in ("char", "wchar"):
            return f"{shown}({_short(repr(value.value))})"
        first = [_shown(item, depth + 1) for _, item in zip(range(ELEMENTS), value, strict=False)]
    except (ForeignError, ValueError) as error:
        return f"<{shown} at {value._address:#x}: {type(error).__name__}>"
    more = ["..."] if len(value) > ELEMENTS else []
    return f"{shown}([{', '.join(first + more)}])"


def _member(value: Any, name: str, depth: int) -> str:
    try:
        return _shown(getattr(value, name), depth + 1)
    except (ForeignError, ValueError) as error:  # freed memory, or text that is not UTF-8: still shown
        return f"<{type(error).__name__}>"


def _shown(value: Any, depth: int) -> str:
    if hasattr(type(value), "__foreign_type__") and hasattr(type(value).__foreign_type__, "names"):
        return shown_struct(value, depth)
    if hasattr(type(value), "raw"):
        return shown_array(value, depth)
    return _short(repr(value))


def _short(text: str) -> str:
    return text if len(text) <= WIDTH else text[: WIDTH - 3] + "..."


def format_of(row: Any) -> bytes:
    """The PEP 3118 format of a struct, which numpy reads as a dtype with fields; empty for unions and
    bit-fields.

    ``^`` (native sizes, no alignment) and explicit padding say where each member lies.
    """
    parts: list[bytes] = []
    end = 0
    for name in row.names:
        field = row.fields[name]
        inner = items_of(field.row).format if not field.width and field.size else b""
        shape = []
        element = field.row
        while getattr(element, "element", None) is not None:
            shape.append(str(element.count))
            element = element.element
            inner = items_of(element).format
        if not inner or field.offset < end or field.width:
            return b""
        parts.append(b"x" * int(field.offset - end))
        parts.append((f"({','.join(shape)})" if shape else "").encode())
        parts.append((b"" if inner.startswith(b"T") else b"^") + inner + b":" + name.encode() + b":")
        end = field.offset + field.size
    if row.union or row.flexible is not None:
        return b""
    return b"T{" + b"".join(parts) + b"x" * int(row.size - end) + b"}"
