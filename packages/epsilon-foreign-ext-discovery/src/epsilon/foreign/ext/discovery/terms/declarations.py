"""Declarations in the api's vocabulary: what is passed to it, or printed.

A `reason` says why something is not bound.
"""

from __future__ import annotations

from ..values import dataclass
from .term import VOID, Term


@dataclass(frozen=True, slots=True)
class ParameterTerm:
    """One parameter."""

    name: str
    term: Term


@dataclass(frozen=True, slots=True)
class FunctionTerm:
    """A function; `symbol` is the name that the library exports it under."""

    name: str
    symbol: str
    parameters: tuple[ParameterTerm, ...] = ()
    result: Term = VOID
    variadic: bool = False
    convention: str = "c"
    doc: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class VariableTerm:
    """A variable; `open_ended`: it is an array of unknown length, and `term` that of its elements."""

    name: str
    symbol: str
    term: Term = VOID
    doc: str = ""
    reason: str = ""
    open_ended: bool = False


@dataclass(frozen=True, slots=True)
class MemberTerm:
    """One member of a struct or union."""

    name: str
    term: Term
    doc: str = ""


@dataclass(frozen=True, slots=True)
class RecordTerm:
    """A struct or union with the options that give it C's layout; `opaque`: only its name is known, or usable."""

    name: str
    union: bool = False
    members: tuple[MemberTerm, ...] = ()
    pack: int | None = None
    packed: bool = False
    aligned: int | None = None
    opaque: bool = False
    doc: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EnumTerm:
    """An enum: its integer type, and (name, value, doc) of its constants."""

    name: str
    base: Term
    members: tuple[tuple[str, int, str], ...] = ()
    doc: str = ""
