"""What a built-in function says about its parameters: the text that `inspect.signature` reads.

CPython takes it from the start of a method's documentation (Objects/typeobject.c, find_signature: the
function's name, a parenthesised list, and a line ``--``) and exposes it as ``__text_signature__``.
"""

from __future__ import annotations

import functools
import keyword
import math
from typing import Any

from ..binding import Binding, Parameter
from ..inspection import parameter_names


def text_signature(binding: Binding) -> str:
    """``(x, y=1)``: names and defaults of a validated binding.

    A parameter without a usable name, and every one before it, is positional only. A default that cannot be
    written as a literal shows as ``...``.
    """
    try:
        return _text(binding.parameters)
    except TypeError:  # a default that cannot be hashed
        return _text.__wrapped__(binding.parameters)


@functools.lru_cache(maxsize=1024)
def _text(parameters: tuple[Parameter, ...]) -> str:
    names = [p.name for p in parameters]
    if "" in names:
        names = parameter_names(parameters)
    parts = []
    positional = 0
    for position, (name, parameter) in enumerate(zip(names, parameters, strict=True), 1):
        usable = name.isidentifier() and not keyword.iskeyword(name)
        if not parameter.name or not usable:
            positional = position
        shown = name if usable else f"arg{position}"
        parts.append(shown if parameter.default is Ellipsis else f"{shown}={_literal(parameter.default)}")
    if positional:
        parts.insert(positional, "/")
    return f"({', '.join(parts)})"


def _literal(value: Any) -> str:
    if value is None or type(value) in (bool, int, str, bytes):
        return repr(value)
    if type(value) is float and math.isfinite(value):
        return repr(value)
    return "..."


def documentation(name: str, signature: str | None, doc: str | None) -> str | None:
    """The text for a PyMethodDef's `ml_doc`, or None for none at all."""
    if signature is None:
        return doc
    return f"{name.rpartition('.')[2]}{signature}\n--\n\n{doc or ''}"
