"""How a header was parsed, and what of it was taken."""

from __future__ import annotations

from ..values import dataclass


@dataclass(frozen=True, slots=True)
class ParseOptions:
    """Everything but the headers' text that decides what a parse finds.

    `language` is ``"c"`` or ``"c++"``, `standard` what ``-std=`` takes. `headers` are patterns of the headers
    whose declarations are taken (``openssl/*.h``); empty means those of the library, see `own_headers`. `allow`
    and `block` are patterns of names (`fnmatch`'s: ``sqlite3_*``). `strip_prefix` are prefixes that Python names
    do without; `rename` are pairs of a C name and its Python name.
    """

    include_dirs: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()
    pkg_config: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    language: str = "c"
    standard: str = ""
    headers: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    block: tuple[str, ...] = ()
    strip_prefix: tuple[str, ...] = ()
    rename: tuple[tuple[str, str], ...] = ()
