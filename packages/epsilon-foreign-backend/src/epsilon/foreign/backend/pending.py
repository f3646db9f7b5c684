"""Exceptions raised in callbacks, on their way to the foreign call that must raise them.

One thread has at most one: while it is kept, further callbacks of the same foreign call return at once, and
the call raises it when it returns. So nested calls unwind one level at a time.

A thread's exception lies in a `Box` in its thread state's dictionary
(https://docs.python.org/3/c-api/init.html#c.PyThreadState_GetDict): found without comparing anything, which
could fail at the end of the stack, and gone with the thread. `kept` has an item for every exception, and
`count`, a machine word for stubs to read, is its length. Stubs change both as the functions here do, without
their lock; so the count is stored again until it agrees.
"""

from __future__ import annotations

import atexit
import ctypes
import os
from _thread import get_ident
from typing import Any

from .locks import ProcessLock

#: Not empty while any thread has an exception kept: what Python code looks at, for that is cheaper than `count`.
kept: list[None] = []
_lock = ProcessLock()

#: One word: how many threads have an exception kept.
count = (ctypes.c_uint64 * 1)()
COUNT_ADDRESS = ctypes.addressof(count)

#: One word: the identity of the thread that is shutting the interpreter down, once that has begun.
finalizing = (ctypes.c_uint64 * 1)()
FINALIZING_ADDRESS = ctypes.addressof(finalizing)

#: Where a thread's dictionary has its box.
KEY = "epsilon.foreign.backend.pending"

_get_dict: Any = ctypes.PYFUNCTYPE(ctypes.c_void_p)(("PyThreadState_GetDict", ctypes.pythonapi))


def _thread_dictionary() -> dict[str, Any]:
    # The reference that it returns is not the caller's; a result of type `py_object` would be taken for one.
    dictionary: dict[str, Any] = ctypes.cast(_get_dict(), ctypes.py_object).value
    return dictionary


class Box:
    """Holds one thread's exception; `error` is unset while it has none."""

    __slots__ = ("error",)

    error: BaseException

    def __del__(self) -> None:
        """The thread has ended, and no foreign call came that could have raised it."""
        error = getattr(self, "error", None)
        if error is not None:
            from .upcall import report

            _forget(self)
            report(error, "Exception ignored in a callback of a thread that has ended", None)


def keep(error: BaseException) -> None:
    """Keep an exception for this thread's foreign call."""
    own = _thread_dictionary()
    box = own.get(KEY)
    if box is None:
        box = own[KEY] = Box()
    before = getattr(box, "error", None)
    if before is None:
        with _lock:
            kept.append(None)
            box.error = error
            _count()
    else:
        if error.__context__ is None and error is not before:
            error.__context__ = before
        box.error = error


def here() -> bool:
    """Has this thread an exception kept?"""
    return hasattr(_thread_dictionary().get(KEY), "error")


def take() -> BaseException | None:
    """This thread's exception, which is kept no longer."""
    box: Any = _thread_dictionary().get(KEY)
    error: BaseException | None = getattr(box, "error", None)
    if error is not None:
        _forget(box)
    return error


def _forget(box: Box) -> None:
    with _lock:
        del box.error
        del kept[:1]
        _count()


def _count() -> None:
    while True:
        count[0] = size = len(kept)
        if len(kept) == size:
            return


def collect() -> None:
    """Raise what a callback of the foreign call that has just returned left."""
    error = take()
    if error is not None:
        try:
            raise error
        finally:
            del error  # or the traceback would hold this frame, and the frame the exception


def _forget_others() -> None:
    """In a forked child: the other threads are gone, and so are the calls that would have raised theirs."""
    own = take()
    kept.clear()
    count[0] = 0
    if own is not None:
        keep(own)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_others)


def _begin_finalizing() -> None:
    finalizing[0] = get_ident()


atexit.register(_begin_finalizing)
