"""`call`: one C function, once, from its header."""

from __future__ import annotations

import os
from typing import Any

from .binding import Place, bind
from .bindings import Bindings

#: Bindings that were made for `call`, by header, library and options.
_kept: dict[Any, Bindings] = {}
KEPT = 64


def call(
    function: str,
    header: str | os.PathLike[str],
    *args: Any,
    library: Place = None,
    **options: Any,
) -> Any:
    """Call a function that a header declares: ``call("strlen", "string.h", "Hello")``.

    The header is parsed for the first call; later ones cost a look-up. `library` and `options` are those of `bind`.
    Raises AttributeError when the header declares no such function, and what `bind` and the call raise.
    """
    found = _bindings(header, library, options)
    if function not in found and "headers" not in options:
        # Declared by a header that this one includes.
        found = _bindings(header, library, {**options, "headers": "*"})
    return getattr(found, function)(*args)


def _bindings(header: Any, library: Place, options: dict[str, Any]) -> Bindings:
    key = (header, library, *sorted(options.items()))
    try:
        found = _kept.get(key)
    except TypeError:  # options that cannot be hashed
        return bind(header, library, **options)
    if found is None:
        if len(_kept) >= KEPT:
            _kept.clear()
        found = _kept[key] = bind(header, library, **options)
    return found
