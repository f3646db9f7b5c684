"""Between the IR and the api: what each C type is in Python, as a term that is evaluated, or printed.

Live bindings evaluate terms, the source generator prints them, so that both mean the same.
"""

from __future__ import annotations

from .declarations import EnumTerm, FunctionTerm, MemberTerm, ParameterTerm, RecordTerm, VariableTerm
from .lower import Lowering
from .term import (
    Alias,
    Aligned,
    Anonymous,
    Array,
    Bits,
    C,
    Callback,
    Const,
    Named,
    Pointer,
    Refused,
    Term,
    Void,
)

__all__ = [
    "Alias",
    "Aligned",
    "Anonymous",
    "Array",
    "Bits",
    "C",
    "Callback",
    "Const",
    "EnumTerm",
    "FunctionTerm",
    "Lowering",
    "MemberTerm",
    "Named",
    "ParameterTerm",
    "Pointer",
    "RecordTerm",
    "Refused",
    "Term",
    "VariableTerm",
    "Void",
]
