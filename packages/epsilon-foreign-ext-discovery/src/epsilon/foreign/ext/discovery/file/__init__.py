"""The binding file: a `Binding` as JSON that is small, documented, and made to be compared line by line."""

from __future__ import annotations

from .decode import decode, read_binding
from .encode import encode, write_binding

__all__ = ["decode", "encode", "read_binding", "write_binding"]
