"""From a signature to the machine code of its stub, over any `Machine`.

A stub is entered like a METH_FASTCALL | METH_KEYWORDS function (https://docs.python.org/3/c-api/structures.html#c.METH_FASTCALL):
``stub(record, args, nargs, kwnames)``. It converts the arguments it knows inline, calls the target that the record
names, and converts the result. At the first argument it does not know it hands everything, unchanged, to the record's
fallback: a Python callable in which all the rest of the semantics lives.
"""

from __future__ import annotations

from .access import Access, Words
from .blocks import INLINE
from .helpers import Helpers, write_helpers
from .initialise import Initialise, Template
from .lifecycle import CallbackOffsets, KindOffsets, LifecycleTarget, write_make, write_release
from .spec import Accepted, StubSpec
from .stub import write_fallback_stub, write_stub
from .target import PendingTarget, RecordOffsets, Target
from .upcall import write_upcall
from .upcall_spec import Likeness, MemoryOffsets, UpcallOffsets, UpcallSpec, UpcallTarget

__all__ = [
    "INLINE",
    "Accepted",
    "Access",
    "CallbackOffsets",
    "Helpers",
    "Initialise",
    "KindOffsets",
    "LifecycleTarget",
    "Likeness",
    "MemoryOffsets",
    "PendingTarget",
    "RecordOffsets",
    "StubSpec",
    "Target",
    "Template",
    "UpcallOffsets",
    "UpcallSpec",
    "UpcallTarget",
    "Words",
    "write_fallback_stub",
    "write_helpers",
    "write_make",
    "write_release",
    "write_stub",
    "write_upcall",
]
