"""Live bindings: attributes that become functions, classes and values when they are first asked for."""

from __future__ import annotations

from .binding import bind, cdef, load
from .bindings import Bindings
from .one_shot import call

__all__ = ["Bindings", "bind", "call", "cdef", "load"]
