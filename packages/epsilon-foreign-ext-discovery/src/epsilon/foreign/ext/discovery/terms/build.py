"""From terms to the api's types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from epsilon.foreign import api
from epsilon.foreign.api import c

from .term import Alias, Aligned, Anonymous, Array, Bits, C, Callback, Const, Named, Pointer, Term, Void


def build(term: Term, lookup: Callable[[Named], Any]) -> Any:
    """The type that a term stands for; `lookup` gives what a `Named` stands for.

    Raises what `lookup` and the api's types raise.
    """
    match term:
        case Void():
            return None
        case C(name):
            return getattr(c, name)
        case Named():
            return lookup(term)
        case Alias(_, inner):
            return build(inner, lookup)
        case Pointer(target):
            return _of(api.Pointer, build(target, lookup))
        case Const(inner):
            return _of(api.Const, build(inner, lookup))
        case Array(element, count):
            return _of(api.Array, (build(element, lookup), ... if count is None else count))
        case Callback(parameters, result):
            return _of(api.Callback, ([build(p, lookup) for p in parameters], build(result, lookup)))
        case Bits(inner, width):
            return _of(api.Bits, (build(inner, lookup), width))
        case Anonymous(inner):
            return _of(api.Anonymous, build(inner, lookup))
        case Aligned(inner, align):
            return _of(api.Aligned, (build(inner, lookup), align))


def _of(generic: Any, parameters: Any) -> Any:
    """``generic[parameters]``, which type checkers would take for a type."""
    return generic[parameters]
