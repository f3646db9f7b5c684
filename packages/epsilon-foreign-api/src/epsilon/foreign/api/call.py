"""Calling a function with no declaration at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from epsilon.foreign.runtime import (
    TYPES,
    ArgumentRangeError,
    ArgumentTypeError,
    Declaration,
    Library,
    bind_declaration,
    declared,
    resolve_type,
    select_backend,
    shared_library,
)

#: Bound functions that `shared_call` keeps.
CACHE = 1024

Designator = str | int | tuple[str, str | os.PathLike[str] | Library | None]

_HIGHEST: int = TYPES["pointer"].abi.bounds[1]

_bound: dict[Any, tuple[Callable[..., Any], Library | None]] = {}


def shared_call(function: Designator, result: Any, parameters: Sequence[Any], *args: Any) -> Any:
    """Call a C function: ``shared_call(("cos", "m"), c.double, [c.double], 0.0)``.

    `function` is the name of a symbol of the process, a name and a library (its name, or a `Library`), or an
    address. What is bound is kept, so a second call costs a look-up. Raises what `Library.bind` and the call
    raise.
    """
    try:
        key = (function, result, tuple(parameters), select_backend())
        found = _bound.get(key)
    except TypeError:  # an unhashable designator or type: bind it, and let that say what is wrong
        key, found = None, None
    if found is None or (found[1] is not None and found[1].closed):
        _bound.pop(key, None)
        found = _bind(function, result, parameters)
        if len(_bound) >= CACHE:
            _bound.clear()
        if key is not None:
            _bound[key] = found
    return found[0](*args)


def _bind(
    function: Designator, result: Any, parameters: Sequence[Any]
) -> tuple[Callable[..., Any], Library | None]:
    if isinstance(function, int) and not isinstance(function, bool):
        if not 0 < function <= _HIGHEST:
            raise ArgumentRangeError(f"{function:#x} cannot be the address of a function")
        rows = [resolve_type(p) for p in parameters]
        declaration = Declaration(f"function_{function:#x}", resolve_type(result), declared(rows, None))
        return bind_declaration(function, declaration)[0], None
    if isinstance(function, str):
        name, where = function, None
    elif isinstance(function, tuple) and len(function) == 2:
        name, where = function
    else:
        raise ArgumentTypeError(
            f"expected a symbol's name, (name, library) or an address (int), got {type(function).__name__}"
        )
    library = where if isinstance(where, Library) else shared_library(where)
    return library.bind(name, result, parameters), library
