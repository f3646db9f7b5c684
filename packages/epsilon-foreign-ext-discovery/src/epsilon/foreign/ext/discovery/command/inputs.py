"""What the tools work on: headers, or a binding file."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import Any

from ..file import read_binding
from ..ir import Binding
from .progress import doing

#: Options of the command line that are options of `parse`.
_OPTIONS = (
    *("include_dirs", "defines", "pkg_config", "args", "language", "standard", "headers", "allow", "block"),
    *("strip_prefix", "libclang", "cache"),
)


def binding_of(options: argparse.Namespace) -> Binding:
    """The binding of the headers, or of the one binding file, that the command line names. Raises what those raise."""
    inputs: list[str] = options.input
    if len(inputs) == 1 and inputs[0].endswith(".json") and os.path.exists(inputs[0]):
        with doing(f"reading {inputs[0]}"):
            return read_binding(inputs[0], any_target=getattr(options, "any_target", False))
    from ..parser import parse

    with doing(f"parsing {', '.join(inputs)}"):
        return parse([_header(each) for each in inputs], **parse_options(options))


def _header(name: str) -> str:
    """A file of the current folder is meant as one, though its name could be that of a header elsewhere."""
    return os.path.abspath(name) if os.path.exists(name) else name


def parse_options(options: argparse.Namespace) -> dict[str, Any]:
    """The options for `parse`."""
    found = {name: getattr(options, name) for name in _OPTIONS}
    return found | {"rename": renames(options.rename)}


def renames(pairs: list[str]) -> Mapping[str, str]:
    """``OLD=NEW`` as given on the command line. Raises ValueError."""
    found = {}
    for pair in pairs:
        old, sign, new = pair.partition("=")
        if not (old and sign and new):
            raise ValueError(f"--rename takes C_NAME=PYTHON_NAME, not {pair!r}")
        found[old] = new
    return found


def folders(options: argparse.Namespace) -> list[str]:
    """Folders of the headers that were named as files, for a compiler that is to include them by name."""
    return [os.path.dirname(os.path.abspath(each)) for each in options.input if os.path.exists(each)]
