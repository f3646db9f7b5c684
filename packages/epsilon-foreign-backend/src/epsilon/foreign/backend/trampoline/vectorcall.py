"""The other face of a record: an object that is its own record and is called by the vectorcall protocol.

https://docs.python.org/3/c-api/call.html#the-vectorcall-protocol. The record's entry word is the vectorcall
slot, so stubs and offsets are the same as for built-in functions; only `nargsf` may carry
PY_VECTORCALL_ARGUMENTS_OFFSET.
"""

from __future__ import annotations

import ctypes
from typing import Any

from .cpython.types import HAVE_VECTORCALL, Member, make_type
from .record import RECORD, ForeignFunction

#: Set in `nargsf` when ``args[-1]`` may be overwritten (PY_VECTORCALL_ARGUMENTS_OFFSET).
ARGUMENTS_OFFSET = 1 << 63

_TP_CALL = 50


def _make_class() -> type[ForeignFunction]:
    # Made from a specification and not by a class statement: before 3.12 Python classes do not inherit the
    # flag.
    call = ctypes.cast(ctypes.pythonapi.PyVectorcall_Call, ctypes.c_void_p).value or 0
    made: type[ForeignFunction] = make_type(
        f"{__name__}.VectorcallFunction",
        0,
        [Member("__vectorcalloffset__", RECORD.entry, word=False)],
        flags=HAVE_VECTORCALL,
        base=ForeignFunction,
        slots={_TP_CALL: call},
    )
    return made


VectorcallFunction = _make_class()


def make_vectorcall_function(stub_address: int, *args: Any, **kwargs: Any) -> Any:
    """A callable record: the arguments after `stub_address` are those of `ForeignFunction`."""
    record = VectorcallFunction(*args, **kwargs)
    record.stub = record._entry = stub_address
    return record
