"""Search paths: split as the loader splits them, with ``$ORIGIN``, ``$LIB`` and ``$PLATFORM`` replaced (ld.so(8))."""

from __future__ import annotations

import os
from typing import NamedTuple


class Tokens(NamedTuple):
    """What the loader puts in the place of its tokens; `origin` is the folder of the object whose path it is."""

    origin: str
    lib: str
    platform: str

    def expand(self, text: str) -> str:
        """``$ORIGIN/../lib`` and ``${ORIGIN}/../lib`` with this object's folder."""
        if "$" not in text:
            return text
        for name, value in (("ORIGIN", self.origin), ("LIB", self.lib), ("PLATFORM", self.platform)):
            text = _replaced(text.replace(f"${{{name}}}", value), f"${name}", value)
        return text


def _replaced(text: str, token: str, value: str) -> str:
    """`token` replaced where no letter, digit or underscore follows: ``$LIBRARY`` is not ``$LIB``."""
    parts = text.split(token)
    made = parts[0]
    for part in parts[1:]:
        name_goes_on = part[:1].isalnum() or part[:1] == "_"
        made += (token if name_goes_on else value) + part
    return made


def split_path(text: str, separators: str = ":") -> list[str]:
    """The directories of a search path; an empty one is the working directory, as the loader has it."""
    if not text:
        return []
    for separator in separators[1:]:
        text = text.replace(separator, separators[0])
    return [part or os.curdir for part in text.split(separators[0])]
