"""The CPython side of stubs: addresses of the C-API, and what probes found about the layout of objects."""

from __future__ import annotations

from .layout import BytesLayout, IntLayout, Layout, RefcountLayout, StrLayout, TupleLayout
from .probes import Reader, probe
from .symbols import ERRNO_LOCATION, FUNCTIONS, LIBC_FUNCTIONS, OBJECTS, address, available, names, own_state

__all__ = [
    "ERRNO_LOCATION",
    "FUNCTIONS",
    "LIBC_FUNCTIONS",
    "OBJECTS",
    "BytesLayout",
    "IntLayout",
    "Layout",
    "Reader",
    "RefcountLayout",
    "StrLayout",
    "TupleLayout",
    "address",
    "available",
    "names",
    "own_state",
    "probe",
]
