"""Writing binding files: stable order, one declaration a line or a few, positions apart from what they are of."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..ir import VERSION, Binding, Declaration, notation
from .shapes import DECLARATIONS, ENUMERATOR, FIELD, KINDS, OPTIONS, TARGET, Shape

FORMAT = "epsilon-foreign-binding"
#: A longer declaration gets a line for each of its parts.
WIDTH = 110


def encode(binding: Binding) -> str:
    """The text of the binding file for `binding`."""
    head = {
        "format": FORMAT,
        "version": VERSION,
        "parser": binding.parser,
        "target": _object(binding.target, TARGET),
        "headers": list(binding.headers),
        "options": _object(binding.options, OPTIONS),
    }
    lines = [f"{_json(key)}: {_json(value)}" for key, value in head.items()]
    lines.append('"declarations": ' + _block("[", [_declaration(d) for d in binding.declarations], "]"))
    positions = [
        f"{_json(identity(d))}: {_json(str(d.position))}" for d in binding.declarations if d.position
    ]
    # Apart, because a line added to a header moves everything below it.
    lines.append('"positions": ' + _block("{", positions, "}"))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write_binding(binding: Binding, path: str | os.PathLike[str]) -> None:
    """Write a binding file, whole or not at all. Raises OSError."""
    write_whole(path, encode(binding))


def write_whole(path: str | os.PathLike[str], text: str) -> None:
    """Put `text` into a file of which nobody ever sees a part. Raises OSError."""
    target = Path(path)
    # What `tempfile` would do; importing it costs more than reading a binding.
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{os.urandom(6).hex()}.tmp")
    data = text.encode("utf-8")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with open(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, _mode(target))
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def _mode(target: Path) -> int:
    """The permissions of the file that is replaced, or those of a new one."""
    try:
        return target.stat().st_mode & 0o777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def identity(declaration: Declaration) -> str:
    """What tells a declaration from all others of a file: its kind and its name."""
    return f"{KINDS[type(declaration)]} {declaration.name}"


def _declaration(declaration: Declaration) -> str:
    kind = KINDS[type(declaration)]
    made = {kind: declaration.name, **_object(declaration, DECLARATIONS[kind])}
    whole = _json(made)
    if len(whole) <= WIDTH:
        return whole
    return "{" + ",\n  ".join(_parts(made)) + "}"


def _parts(made: dict[str, Any]) -> Iterator[str]:
    """The members of a long declaration, lists with an element a line."""
    for key, value in made.items():
        shown = _json(value)
        if isinstance(value, list) and value and len(shown) > WIDTH - len(key) - 6:
            shown = "[\n    " + ",\n    ".join(_json(each) for each in value) + "]"
        yield f"{_json(key)}: {shown}"


def _block(start: str, items: list[str], end: str) -> str:
    return start + "\n" + ",\n".join(items) + "\n" + end if items else start + end


def _object(value: Any, shape: Shape) -> dict[str, Any]:
    made = {}
    for name, member in shape.members.items():
        found = getattr(value, name)
        if member.required or found != member.default:
            made[name] = _WRITERS.get(member.codec, _same)(found)
    return made


def _same(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _value(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    return value


_WRITERS: dict[str, Callable[[Any], Any]] = {
    "type": notation,
    "optional_type": lambda type: type and notation(type),
    "parameters": lambda found: [[p.name, notation(p.type)] for p in found],
    "fields": lambda found: [_object(f, FIELD) for f in found],
    "enumerators": lambda found: [_object(e, ENUMERATOR) for e in found],
    "pairs": lambda found: [list(pair) for pair in found],
    "value": _value,
}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
