"""A callback behind a generated stub.

A callback is its own record: the object that the user holds is what the stub reads. When it dies it is not freed but
joins the released ones, and so stays readable for C that calls it too late. Making and dropping callbacks is a hot
path: where there is a GIL, `codegen.lifecycle` has both in machine code.
"""

from __future__ import annotations

import sys
from _thread import get_ident
from typing import TYPE_CHECKING, Any

from .. import pending
from ..heaptype import heap_type, slot_offset, word_offsets
from ..memobject import MEMORY
from ..upcall import DeadCallbackError, dead, failed, misfit, name_of
from .codegen import CallbackOffsets, MemoryOffsets, UpcallOffsets, UpcallTarget

if TYPE_CHECKING:
    from .callback_kind import CallbackKind

_WORDS = ("_shared", "_active", "_slot", "_next", "address")

if TYPE_CHECKING:

    class _Words:
        """What `heap_type` makes below, for type checkers."""

        _shared: int
        _active: int
        _slot: int
        _next: int
        address: int

else:
    _Words = heap_type(f"{__name__}._Words", words=_WORDS)


class TrampolineCallback(_Words):
    """Machine code that calls a Python function; alive until `release` or until this object dies.

    `address` is where C calls it, 0 once it is released.
    """

    __slots__ = ("__weakref__", "_function", "_held", "_keep", "_kind", "_name")

    _function: Any
    _held: Any
    """What may still be running of a released callback."""
    _keep: Any
    """By threads, what their last results point to, which lives until the next. Unset before the first."""
    _kind: CallbackKind
    _name: str
    """Of the function, once it has been let go of."""

    def release(self) -> None:
        """Let every further call be reported. Releasing twice does nothing."""
        try:
            kind = self._kind
            with kind.lock:
                function = self._function
                if function is kind.released:
                    return
                # Another thread may have read the function and not called it yet.
                self._held = function
                self._name = getattr(function, "__name__", "")
                self._function = kind.released
                self.address = 0
            kind.queue.append(self)
        except AttributeError:  # it was never finished
            return

    # Brings the object back to life, in the queue; CPython finalizes an object once (PEP 442), so when the queue lets
    # go of it, it is gone.
    __del__ = release


_words = word_offsets(object, _WORDS)
CALLBACK = CallbackOffsets(
    *[slot_offset(TrampolineCallback, f"_{n}") for n in ("function", "kind", "held", "name")], *_words
)


def _convert(result: Any, callback: TrampolineCallback) -> Any:
    """A canonical result, which is kept if it may point to Python's memory."""
    kind = callback._kind
    try:
        canonical = kind.convert(result)
    except Exception as error:
        raise misfit(error, _name(callback))  # noqa: B904 - it says so itself
    if kind.lends:
        try:
            callback._keep[get_ident()] = result, canonical
        except AttributeError:
            with kind.lock:
                kept = getattr(callback, "_keep", None)
                if kept is None:
                    kept = callback._keep = {}
                kept[get_ident()] = result, canonical
    return canonical


def _name(callback: TrampolineCallback) -> str:
    """Also of one that has been released."""
    return getattr(callback, "_name", "") or name_of(callback._kind.upcall, callback._function)


def _handle(error: BaseException | None, callback: TrampolineCallback) -> None:
    """Deal with an exception that the stub did not keep: most likely there is no foreign call to raise it."""
    upcall, function = callback._kind.upcall, callback._function
    if error is None:
        error = SystemError(f"callback {name_of(upcall, function)} failed without an exception")
    elif isinstance(error, DeadCallbackError):  # which callback it was is not known where it is raised
        upcall = upcall._replace(name=upcall.name or getattr(callback, "_name", "") or "of no known name")
        function = None
        error.args = dead(upcall.name).args
    failed(error, upcall, function, alone=sys._getframe().f_back is None)


TARGET = UpcallTarget(
    UpcallOffsets(CALLBACK.function, CALLBACK.shared, CALLBACK.active),
    MemoryOffsets(MEMORY.address, MEMORY.lower, MEMORY.upper),
    convert=id(_convert),
    handle=id(_handle),
    dead=id(DeadCallbackError),
    finalizing=pending.FINALIZING_ADDRESS,
)
