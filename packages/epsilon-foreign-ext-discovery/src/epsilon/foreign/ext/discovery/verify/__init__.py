"""Proof that a binding's layouts and constants are the C compiler's: a generated C program tells them."""

from __future__ import annotations

from .compiler import CompilerError, find_compiler
from .question import Question, questions
from .verification import Mismatch, Unchecked, Verification, verify_layouts

__all__ = [
    "CompilerError",
    "Mismatch",
    "Question",
    "Unchecked",
    "Verification",
    "find_compiler",
    "questions",
    "verify_layouts",
]
