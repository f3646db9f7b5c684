"""What qualifies a C type in an annotation: constness, direction, ownership, bits, alignment."""

from __future__ import annotations

from epsilon.foreign.runtime import Aligned, Anonymous, Bits, Const, InOut, Out, Owned

__all__ = ["Aligned", "Anonymous", "Bits", "Const", "InOut", "Out", "Owned"]
