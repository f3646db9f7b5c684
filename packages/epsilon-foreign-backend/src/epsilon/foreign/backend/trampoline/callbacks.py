"""Makes callbacks of functions: finds the kind, gives each a thunk, and uses thunks again."""

from __future__ import annotations

import ctypes
import sys
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import window
from ..errors import UnsupportedSignatureError
from ..locks import ProcessLock
from ..quarantine import DEPTH
from ..signature import Signature
from ..upcall import Upcall, completed, receiver
from .callback import CALLBACK, TrampolineCallback
from .callback_kind import KIND, METHOD_DEF, CallbackKind, spec_of
from .codegen import LifecycleTarget, write_make, write_release
from .codegen.lifecycle import CONTROL_WORDS, FREE
from .thunks import BLOCK, ThunkHeap

if TYPE_CHECKING:
    from .stubs import Stubs

_FREE_THREADED = object.__basicsize__ != 16
#: Kinds that are kept; an upcall is known by its identity.
_KINDS = 1024
_METH_O, _METH_NOARGS = 0x08, 0x04
_SLOTS: Any = window.VIEWS["Q"]

Make = Callable[[Callable[..., Any]], TrampolineCallback]


class Callbacks:
    """Callbacks over the stubs of one backend."""

    def __init__(self, stubs: Stubs, supports: Callable[[Signature], bool]) -> None:
        self._stubs = stubs
        self._supports = supports
        self._thunks = ThunkHeap(stubs.target.machine().name)
        self._lock = ProcessLock()
        self._released: deque[TrampolineCallback] = deque()
        self._control = (ctypes.c_uint64 * CONTROL_WORDS)()
        for kept in (self._released, self._control):
            # Never freed, not at shutdown either: C may call what lies there for as long as the process lives.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))
        self._kinds: dict[int, tuple[Upcall | Signature, Make]] = {}
        self._make = 0 if _FREE_THREADED else self._write_lifecycle()

    def make(self, function: Callable[..., Any], upcall: Upcall | Signature) -> TrampolineCallback:
        """A callback that calls `function`. Raises as `Backend.callback`, and ExecutableMemoryError."""
        return self.maker(upcall)(function)

    def maker(self, upcall: Upcall | Signature) -> Make:
        """See `Backend.callback_maker`."""
        found = self._kinds.get(id(upcall))
        if found is None or found[0] is not upcall:
            found = self._new_kind(upcall)
        return found[1]

    def _new_kind(self, upcall: Upcall | Signature) -> tuple[Upcall | Signature, Make]:
        whole = completed(upcall)
        if not self._supports(whole.signature):
            raise UnsupportedSignatureError(
                f"the trampoline backend cannot make a callback of {whole.signature!r}"
            )
        kind = CallbackKind(whole, self._stubs.get_upcall(spec_of(whole)), self._released)
        found = (upcall, self._maker_of(kind))
        if whole.onerror is None:  # or this would keep alive whatever the handler refers to
            if len(self._kinds) >= _KINDS:
                self._kinds.clear()
            self._kinds[id(upcall)] = found
        return found

    def _maker_of(self, kind: CallbackKind) -> Make:
        make = self._python_maker(kind) if _FREE_THREADED else self._machine_maker(kind)
        receives = kind.receives
        if receives is None:
            return make
        return lambda function: make(receiver(function, receives))

    # In machine code

    def _write_lifecycle(self) -> int:
        refill = self._refill  # which machine code refers to, so it is kept
        lifecycle = LifecycleTarget(
            CALLBACK, KIND, id(TrampolineCallback), id(refill), BLOCK, DEPTH, id(_DUNDER_NAME)
        )
        _kept.append(refill)
        _install_release(self._stubs, lifecycle)
        return self._stubs.heap.allocate(write_make(self._stubs.target, lifecycle), "make a callback")

    def _machine_maker(self, kind: CallbackKind) -> Make:
        kind._control = ctypes.addressof(self._control)
        kind._method_name = ctypes.addressof(_NAME)
        kind._entry = self._make
        kind._method_flags = _METH_O
        made: Make = _new_method(id(kind) + METHOD_DEF, kind, None, None)
        return made

    def _refill(self) -> None:
        """Provide free slots; called when there is none."""
        with self._lock:
            if not self._control[FREE // 8]:
                first = self._thunks.link_block()
                # Nothing takes from an empty list, so nobody can have changed it since.
                self._control[FREE // 8] = first

    # In Python, where there is no GIL

    def _python_maker(self, kind: CallbackKind) -> Make:
        released = self._released

        def make(function: Callable[..., Any]) -> TrampolineCallback:
            callback = TrampolineCallback()
            slot = self._reclaim() if len(released) > DEPTH else self._thunks.take().slot_address
            callback._kind = kind
            callback._shared = kind._shared
            callback._slot = slot
            callback.address = slot - BLOCK
            callback._function = function
            index = (slot - window.BASE) >> 3
            # The context first: whoever calls meanwhile must not find new code with an old context.
            _SLOTS[index + 1] = id(callback)
            _SLOTS[index] = kind._code
            return callback

        return make

    def _reclaim(self) -> int:
        """The slot of the callback that was released longest ago, unless that is still running."""
        try:
            oldest = self._released.popleft()
        except IndexError:  # another thread was faster
            return self._thunks.take().slot_address
        # A running stub holds a reference: beside it, `oldest` and getrefcount's own.
        if sys.getrefcount(oldest) > 2:
            self._released.append(oldest)
            return self._thunks.take().slot_address
        return oldest._slot


class _MethodDef(ctypes.Structure):
    """PyMethodDef (https://docs.python.org/3/c-api/structures.html#c.PyMethodDef)."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


_NAME = ctypes.create_string_buffer(b"callback")
_new_method: Any = ctypes.PYFUNCTYPE(
    ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.py_object, ctypes.c_void_p
)(("PyCMethod_New", ctypes.pythonapi))
_new_descriptor: Any = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.POINTER(_MethodDef))(
    ("PyDescr_NewMethod", ctypes.pythonapi)
)
_DUNDER_NAME = sys.intern("__name__")
_kept: list[object] = [_DUNDER_NAME]


def _install_release(stubs: Stubs, lifecycle: LifecycleTarget) -> None:
    """Replace the class's `release` and finalizer by machine code, once: it serves callbacks of any stubs."""
    python = TrampolineCallback.__dict__["release"]
    if not hasattr(python, "__code__"):
        return
    entry = stubs.heap.allocate(write_release(stubs.target, lifecycle), "release a callback")
    text = f"release($self)\n--\n\n{python.__doc__}".encode()
    definition = _MethodDef(b"release", entry, _METH_NOARGS, text)
    _kept.append(definition)
    method = _new_descriptor(TrampolineCallback, definition)
    TrampolineCallback.release = TrampolineCallback.__del__ = method  # type: ignore[method-assign]
