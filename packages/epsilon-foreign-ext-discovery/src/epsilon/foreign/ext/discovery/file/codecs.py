"""Reading the parts of a binding file: each function returns a value of the IR or raises ValueError."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable
from typing import Any

from ..ir import NAME_PATTERN, Enumerator, Field, Parameter, parse_type
from .shapes import ENUMERATOR, FIELD, Shape

#: Sizes, counts and offsets in bytes: what a pointer reaches.
LIMIT = 1 << 63

_name = re.compile(NAME_PATTERN).fullmatch
_word = re.compile(r"\w+").fullmatch
#: What a linker takes: any text without white space or control characters.
_symbol = re.compile(r"[!-~\u0080-\U0010ffff]+").fullmatch


def read_object(value: Any, shape: Shape, first: str | None = None) -> Any:
    """An object of `shape.cls` from a JSON object, whose member `first` has been dealt with as its name."""
    members = shape.members
    made = {} if first is None else {"name": read_name(value[first])}
    for key, found in value.items():
        member = members.get(key)
        if member is None:
            if key != first:
                raise ValueError(f"unknown member {key!r}")
            continue
        try:
            made[key] = READERS[member.codec](found)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None
    try:
        return shape.cls(**made)
    except TypeError:
        missing = [key for key, member in members.items() if member.required and key not in made]
        raise ValueError(f"lacks {', '.join(missing)}") from None


def read_text(value: Any) -> str:
    """Any text."""
    if type(value) is not str:
        raise ValueError(f"expected text, got {_shown(value)}")
    return value


def read_name(value: Any) -> str:
    """The name of a declaration."""
    if type(value) is not str or not _name(value):
        raise ValueError(f"expected a C name, got {_shown(value)}")
    return value


def _optional_name(value: Any) -> str:
    return "" if value == "" else read_name(value)


def _python_name(value: Any) -> str:
    if type(value) is not str or not value.isidentifier() or keyword.iskeyword(value):
        raise ValueError(f"expected a name that Python takes, got {_shown(value)}")
    return value


def _one_word(value: Any) -> str:
    if type(value) is not str or not _word(value):
        raise ValueError(f"expected a word, got {_shown(value)}")
    return value


def _linked(value: Any) -> str:
    if type(value) is not str or not _symbol(value):
        raise ValueError(f"expected a symbol's name, got {_shown(value)}")
    return value


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError(f"expected true or false, got {_shown(value)}")
    return value


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise ValueError(f"expected an integer, got {_shown(value)}")
    return value


def _size(value: Any) -> int:
    if type(value) is not int or not 0 <= value < LIMIT:
        raise ValueError(f"expected a size, got {_shown(value)}")
    return value


def _align(value: Any) -> int:
    if type(value) is not int or not 0 < value < LIMIT or value & (value - 1):
        raise ValueError(f"expected a power of two, got {_shown(value)}")
    return value


def read_list(value: Any) -> list[Any]:
    """Any list."""
    if type(value) is not list:
        raise ValueError(f"expected a list, got {_shown(value)}")
    return value


def read_texts(value: Any) -> tuple[str, ...]:
    """A list of texts."""
    return tuple([read_text(text) for text in read_list(value)])


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    pairs = [read_texts(pair) for pair in read_list(value)]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError("expected pairs of texts")
    return tuple([(pair[0], pair[1]) for pair in pairs])


def _type(value: Any) -> Any:
    return parse_type(read_text(value))


def _parameters(value: Any) -> tuple[Parameter, ...]:
    made = []
    for pair in read_list(value):
        if type(pair) is not list or len(pair) != 2:
            raise ValueError(f"expected a name and a type, got {_shown(pair)}")
        made.append(Parameter(_optional_name(pair[0]), parse_type(read_text(pair[1]))))
    return tuple(made)


def _fields(value: Any) -> tuple[Field, ...]:
    return tuple([read_object(_is_object(each), FIELD) for each in read_list(value)])


def _enumerators(value: Any) -> tuple[Enumerator, ...]:
    return tuple([read_object(_is_object(each), ENUMERATOR) for each in read_list(value)])


def _is_object(value: Any) -> Any:
    if type(value) is not dict:
        raise ValueError(f"expected an object, got {_shown(value)}")
    return value


def _value(value: Any) -> Any:
    if type(value) in (int, float, str):
        return value
    if type(value) is dict and len(value) == 1:
        if type(value.get("bytes")) is str:
            return bytes.fromhex(value["bytes"])
        if value.get("float") in ("inf", "-inf", "nan"):
            return float(value["float"])
    raise ValueError(f"expected a number, text, bytes or a special float, got {_shown(value)}")


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."


READERS: dict[str, Callable[[Any], Any]] = {
    "text": read_text,
    "texts": read_texts,
    "pairs": _pairs,
    "name": read_name,
    "member_name": _optional_name,
    "optional_name": _optional_name,
    "python_name": _python_name,
    "word": _one_word,
    "symbol": _linked,
    "flag": _flag,
    "integer": _integer,
    "size": _size,
    "optional_size": _size,
    "align": _align,
    "optional_align": _align,
    "type": _type,
    "optional_type": _type,
    "parameters": _parameters,
    "macro_parameters": read_texts,
    "fields": _fields,
    "enumerators": _enumerators,
    "value": _value,
}
