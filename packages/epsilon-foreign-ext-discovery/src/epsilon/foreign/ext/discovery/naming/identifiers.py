"""Making a Python identifier of a C one."""

from __future__ import annotations

import keyword
import re

#: Letters that Python would fold together (NFKC) are no names either.
_OTHER = re.compile(r"\W", re.ASCII)


def identifier(name: str) -> str:
    """A name that Python takes: keywords get a ``_`` behind them, other characters become one.

    Names that Python looks for by itself (``__getattr__``) lose their leading underscores.
    """
    made = _OTHER.sub("_", name)
    if made.startswith("__") and made.endswith("__") and len(made) > 4:
        made = made.lstrip("_")
    if not made or not (made[0].isalpha() or made[0] == "_"):
        made = f"_{made}"
    return f"{made}_" if keyword.iskeyword(made) else made


def stripped(name: str, prefixes: tuple[str, ...]) -> str:
    """`name` without the longest of `prefixes` that it begins with, unless nothing that is a name would be left."""
    for prefix in sorted(prefixes, key=len, reverse=True):
        rest = name[len(prefix) :]
        if name.startswith(prefix) and rest and (rest[0].isalpha() or rest[0] == "_"):
            return rest
    return name
