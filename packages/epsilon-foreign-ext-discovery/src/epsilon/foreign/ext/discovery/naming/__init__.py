"""Names in Python for what C names: prefixes, keywords, and clashes between C's name spaces."""

from __future__ import annotations

from .assign import assign_names
from .members import enumerator_names, member_names, parameter_names
from .table import Constant, Named, public_names

__all__ = [
    "Constant",
    "Named",
    "assign_names",
    "enumerator_names",
    "member_names",
    "parameter_names",
    "public_names",
]
