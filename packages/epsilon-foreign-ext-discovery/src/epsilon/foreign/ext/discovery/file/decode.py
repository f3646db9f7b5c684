"""Reading binding files: everything is checked before anything is made of it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from ..errors import BindingFileError
from ..ir import VERSION, Binding, Declaration, Position, Target
from .checks import check_binding
from .codecs import read_list, read_object, read_text, read_texts
from .encode import FORMAT, identity
from .shapes import DECLARATIONS, OPTIONS, TARGET

_HEAD = ("format", "version", "parser", "target", "headers", "options", "declarations", "positions")
_position = re.compile(r"(?s)(.*):(\d{1,9}):(\d{1,9})").fullmatch


def read_binding(path: str | os.PathLike[str], *, any_target: bool = False) -> Binding:
    """The binding in a file.

    `any_target` is for looking at files of other platforms; binding needs this one's. Raises OSError, and
    BindingFileError, which says what is wrong with the file and where.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise BindingFileError(f"{os.fspath(path)} is no binding file: it is not UTF-8 ({error})") from None
    return decode(text, name=os.fspath(path), any_target=any_target)


def decode(text: str, *, name: str = "the text", any_target: bool = False) -> Binding:
    """The binding in a binding file's text; `name` is for messages. Raises BindingFileError."""
    try:
        root = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BindingFileError(f"{name} is no binding file: it is not JSON ({error})") from None
    if type(root) is not dict or root.get("format") != FORMAT:
        raise BindingFileError(f"{name} is no binding file: it does not begin with the format {FORMAT!r}")
    version = root.get("version")
    if version != VERSION:
        raise BindingFileError(
            f"{name} is a binding file of version {version!r}, and this is a reader of version {VERSION}; "
            "make it again from the header"
        )
    try:
        binding = _binding(root)
        check_binding(binding)
    except (ValueError, RecursionError) as error:
        raise BindingFileError(f"{name} is damaged: {error}") from None
    if not any_target:
        check_target(binding.target, name)
    return binding


def check_target(target: Target, name: str) -> None:
    """Raises BindingFileError when `target` is not this interpreter's platform."""
    host = Target.host()
    if target != host:
        raise BindingFileError(
            f"{name} is for {target}, and this is {host}; make it again from the header on this platform"
        )


def _binding(root: dict[str, Any]) -> Binding:
    for key in root:
        if key not in _HEAD:
            raise ValueError(f"unknown member {key!r}")
    for key in ("target", "headers", "options", "declarations"):
        if key not in root:
            raise ValueError(f"it lacks {key!r}")
    places = _positions(root.get("positions", {}))
    declarations = []
    for index, found in enumerate(read_list(root["declarations"])):
        declaration = _declaration(found, index)
        place = places.pop(identity(declaration), None)
        if place is not None:
            # The object is this function's own until it is returned.
            object.__setattr__(declaration, "position", place)
        declarations.append(declaration)
    if places:
        raise ValueError(f"a position of {next(iter(places))!r}, which is not declared")
    return Binding(
        read_texts(root["headers"]),
        _part(root, "target", TARGET),
        _part(root, "options", OPTIONS),
        tuple(declarations),
        read_text(root.get("parser", "")),
    )


def _part(root: dict[str, Any], key: str, shape: Any) -> Any:
    if type(root[key]) is not dict:
        raise ValueError(f"{key}: expected an object")
    try:
        return read_object(root[key], shape)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None


def _declaration(found: Any, index: int) -> Declaration:
    if type(found) is not dict or not found:
        raise ValueError(f"declaration {index + 1}: expected an object")
    kind = next(iter(found))
    shape = DECLARATIONS.get(kind)
    if shape is None:
        raise ValueError(f"declaration {index + 1}: {kind!r} is no kind of declaration")
    try:
        made: Declaration = read_object(found, shape, kind)
    except ValueError as error:
        raise ValueError(f"{kind} {found[kind]!r}: {error}") from None
    return made


def _positions(found: Any) -> dict[str, Position]:
    if type(found) is not dict:
        raise ValueError("positions: expected an object")
    places = {}
    for key, text in found.items():
        match = _position(text) if type(text) is str else None
        if match is None:
            raise ValueError(f"position of {key!r}: expected file:line:column, got {text!r}")
        places[key] = Position(match[1], int(match[2]), int(match[3]))
    return places
