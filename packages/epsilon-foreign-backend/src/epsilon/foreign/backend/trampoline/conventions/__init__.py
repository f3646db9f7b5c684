"""Calling conventions, one table a file."""

from __future__ import annotations

from .convention import (
    SLOT,
    STACK_ALIGNMENT,
    Assignment,
    Convention,
    Location,
    Part,
    Piece,
    Results,
    Travel,
    assign,
    can_travel,
    travels_in_vector,
)

__all__ = [
    "SLOT",
    "STACK_ALIGNMENT",
    "Assignment",
    "Convention",
    "Location",
    "Part",
    "Piece",
    "Results",
    "Travel",
    "assign",
    "can_travel",
    "travels_in_vector",
]
