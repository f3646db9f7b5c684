"""From terms to the api's types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from epsilon.foreign.api import Aligned, Anonymous, Array, Bits, Callback, Const, Pointer, c

from .term import (
    AlignedOf,
    AnonymousOf,
    ArrayOf,
    BitsOf,
    CallbackOf,
    ConstOf,
    Named,
    Nothing,
    PointerTo,
    Reference,
    Term,
)


def build(term: Term, lookup: Callable[[str], Any]) -> Any:
    """The type that a term stands for; `lookup` gives what a `Reference`'s Python name stands for.

    Raises what `lookup` and the api's types raise.
    """
    match term:
        case Nothing():
            return None
        case Named(name):
            return getattr(c, name)
        case Reference(name):
            return lookup(name)
        case PointerTo(Nothing()):
            return Pointer
        case PointerTo(target):
            return Pointer[build(target, lookup)]
        case ConstOf(inner):
            return Const[build(inner, lookup)]
        case ArrayOf(element, count):
            return Array[build(element, lookup), ... if count is None else count]  # type: ignore[valid-type]
        case CallbackOf(parameters, result):
            rows = [build(parameter, lookup) for parameter in parameters]
            return Callback[rows, build(result, lookup)]  # type: ignore[valid-type]
        case BitsOf(inner, width):
            return Bits[build(inner, lookup), width]
        case AnonymousOf(inner):
            return Anonymous[build(inner, lookup)]
        case AlignedOf(inner, align):
            return Aligned[build(inner, lookup), align]
