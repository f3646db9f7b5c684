"""The binding IR: what a header declares, as immutable values; `load` and `save` give it a file."""

from __future__ import annotations

from .binding import VERSION, Binding, Declaration
from .enumeration import Enum, Enumerator
from .function import Function, Parameter
from .macro import Macro, Value
from .notation import NAME_PATTERN, notation, parse_type
from .options import ParseOptions
from .position import Position
from .record import Field, Record
from .target import Target
from .typedef import Typedef
from .types import (
    OPAQUE_KINDS,
    SCALARS,
    VOID,
    Array,
    CType,
    EnumName,
    FunctionType,
    Opaque,
    Pointer,
    Qualified,
    RecordName,
    Scalar,
    TypedefName,
)
from .unsupported import Unsupported
from .variable import Variable

__all__ = [
    "NAME_PATTERN",
    "OPAQUE_KINDS",
    "SCALARS",
    "VERSION",
    "VOID",
    "Array",
    "Binding",
    "CType",
    "Declaration",
    "Enum",
    "EnumName",
    "Enumerator",
    "Field",
    "Function",
    "FunctionType",
    "Macro",
    "Opaque",
    "Parameter",
    "ParseOptions",
    "Pointer",
    "Position",
    "Qualified",
    "Record",
    "RecordName",
    "Scalar",
    "Target",
    "Typedef",
    "TypedefName",
    "Unsupported",
    "Value",
    "Variable",
    "notation",
    "parse_type",
]
