"""Exceptions raised in callbacks, on their way to the foreign call that must raise them.

One thread has at most one: while it is kept, further callbacks of the same foreign call return at once, and
the call raises it when it returns. So nested calls unwind one level at a time.

`count` is what a foreign call looks at when it returns: a machine word, for stubs to read, that is zero
unless some thread has an exception kept.
"""

from __future__ import annotations

import atexit
import ctypes
import os
from _thread import get_ident

from .locks import ProcessLock

#: By thread identity. Code in Python looks at this dictionary, which is cheaper to ask than `count`.
kept: dict[int, BaseException] = {}
_lock = ProcessLock()

#: One word: how many threads have an exception kept.
count = (ctypes.c_uint64 * 1)()
COUNT_ADDRESS = ctypes.addressof(count)

#: One word: the identity of the thread that is shutting the interpreter down, once that has begun.
finalizing = (ctypes.c_uint64 * 1)()
FINALIZING_ADDRESS = ctypes.addressof(finalizing)


def keep(error: BaseException) -> None:
    """Keep an exception for this thread's foreign call."""
    with _lock:
        kept[get_ident()] = error
        count[0] = len(kept)


def here() -> bool:
    """Has this thread an exception kept?"""
    return get_ident() in kept


def take() -> BaseException | None:
    """This thread's exception, which is kept no longer."""
    with _lock:
        error = kept.pop(get_ident(), None)
        count[0] = len(kept)
    return error


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
