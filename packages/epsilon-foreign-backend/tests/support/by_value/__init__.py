"""Random aggregates in random places of random signatures, and the C library that says what arrived there."""

from .described import Described
from .library import ByValueLibrary, checksum, compiled
from .prototypes import Prototype, prototypes
from .source import SLOT

__all__ = ["SLOT", "ByValueLibrary", "Described", "Prototype", "checksum", "compiled", "prototypes"]
