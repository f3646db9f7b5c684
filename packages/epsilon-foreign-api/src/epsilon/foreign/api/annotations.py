"""What qualifies a C type in an annotation: constness, direction, ownership, bits."""

from __future__ import annotations

from epsilon.foreign.runtime import Anonymous, Bits, Const, InOut, Out, Owned

__all__ = ["Anonymous", "Bits", "Const", "InOut", "Out", "Owned"]
