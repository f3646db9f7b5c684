"""The function record, and the built-in function object that people call.

A bound function is a built-in function (`PyCMethod_New`,
https://docs.python.org/3/c-api/structures.html#c.PyCMethod_New) over a PyMethodDef with METH_FASTCALL |
METH_KEYWORDS whose `ml_meth` is the signature's stub. The interpreter's specialised call instruction calls
that pointer directly, with the record as `self`:

    PyObject *stub(record, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)

The record holds everything about one function: machine words that the stub reads (the PyMethodDef is among
them), and references to objects. Words come from a heap type made at run time; references are ordinary
``__slots__`` of a Python subclass, so CPython itself traverses, clears and frees them. The built-in function
owns the record, and CPython's deallocator allows for a PyMethodDef that lives in `self`
(Objects/methodobject.c, meth_dealloc).
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, NamedTuple

from ..binding import Binding
from ..function import unpicklable
from ..heaptype import heap_type, slot_offset, word_offsets
from ..inspection import python_signature, render
from ..locks import ProcessLock
from ..signature import Signature
from .text_signature import documentation

if TYPE_CHECKING:
    import inspect

__all__ = [
    "RECORD",
    "ForeignFunction",
    "RecordLayout",
    "callable_of",
    "link",
    "make_function",
    "record_of",
    "redirect",
]

#: The words of a record in order: the target's address, a PyMethodDef, and the address of the table of words that
#: the function's stub reads about the classes of objects it takes and makes.
_WORDS = (
    "_target",
    "_method_name",
    "_entry",
    "_method_flags",
    "_method_doc",
    "_table",
)
_OFFSETS = dict(zip(_WORDS, word_offsets(object, _WORDS), strict=True))
_METHOD_DEF = _OFFSETS["_method_name"]
_METH_FASTCALL_KEYWORDS = 0x80 | 0x02

if TYPE_CHECKING:

    class _Words:
        """What `heap_type` makes below, for type checkers."""

        _target: int
        _method_name: int
        _entry: int
        _method_flags: int
        _method_doc: int
        _table: int

else:
    _Words = heap_type(f"{__name__}._Words", words=_WORDS)


class ForeignFunction(_Words):
    """The record of one bound function: ``f.__self__`` of the built-in function `f`.

    The class is named for what shows in ``repr(f)`` and ``f.__qualname__``.
    """

    __slots__ = (
        "__weakref__",
        "_other_spare",
        "_spare",
        "_texts",
        "backend",
        "binding",
        "closed",
        "fallback",
        "finish",
        "stub",
        "table",
    )

    backend: str
    binding: Binding
    closed: bool
    """True while the library is closed: calls reach the closed stub."""
    fallback: Any
    """Called as ``fallback(*args, **kwargs)`` for whatever the stub does not do itself."""
    finish: Any
    """`Binding.finish`, or None."""
    stub: int
    """The address of the code that serves while the library is open."""
    table: Any
    """The memory at `_table`; unset when there is none. The binding keeps what its words refer to."""
    _texts: bytes

    def __init__(
        self,
        binding: Binding,
        address: int,
        fallback: Any,
        *,
        finish: Any = None,
        backend: str = "trampoline",
        table: Any = None,
    ) -> None:
        self._target = address
        if table is not None:
            self.table = table
            self._table = ctypes.addressof(table)
        self.binding = binding
        self.fallback = fallback
        self.finish = finish
        self.backend = backend
        self.closed = False

    @property
    def address(self) -> int:
        """Where the C function lies; 0 while its library is closed."""
        return 0 if self.closed else self._target

    @property
    def signature(self) -> Signature:
        """The ABI signature."""
        return self.binding.signature

    @property
    def name(self) -> str:
        """See `FunctionData`."""
        return self.binding.name

    @property
    def doc(self) -> str | None:
        """See `FunctionData`."""
        return self.binding.doc

    def __foreign_function__(self) -> ForeignFunction:
        return self

    @property
    def __name__(self) -> str:
        return self.binding.name

    @property
    def __signature__(self) -> inspect.Signature:
        return python_signature(self.binding)

    def __repr__(self) -> str:
        where = "closed" if self.closed else f"at {self._target:#x}"
        return f"<foreign function {render(self.binding)} {where} [{self.backend}]>"

    def __reduce__(self) -> Any:
        # A built-in function pickles as getattr(self, name), so this refuses for it as well.
        raise TypeError(unpicklable(self.binding.name))


class RecordLayout(NamedTuple):
    """Offsets in bytes from `self`: of 64-bit words, and of references, which are NULL when unset."""

    target: int
    entry: int
    """`ml_meth`: what the interpreter calls."""
    fallback: int
    finish: int
    table: int
    spares: tuple[int, int]
    """References that only stubs set and read."""
    closed: int
    """A reference to True while the library is closed."""


def _layout() -> RecordLayout:
    return RecordLayout(
        target=_OFFSETS["_target"],
        entry=_OFFSETS["_entry"],
        fallback=slot_offset(ForeignFunction, "fallback"),
        finish=slot_offset(ForeignFunction, "finish"),
        table=_OFFSETS["_table"],
        spares=(slot_offset(ForeignFunction, "_spare"), slot_offset(ForeignFunction, "_other_spare")),
        closed=slot_offset(ForeignFunction, "closed"),
    )


RECORD = _layout()

#: Held while the entry of any record changes: a function that is linked on one thread while another closes
#: its library must not end up open.
_entries = ProcessLock()

# Prototypes of our own: argument types set on `ctypes.pythonapi` would be seen by everybody.
_new_method: Any = ctypes.PYFUNCTYPE(
    ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.py_object, ctypes.c_void_p
)(("PyCMethod_New", ctypes.pythonapi))
_bytes_address: Any = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object)(
    ("PyBytes_AsString", ctypes.pythonapi)
)


def make_function(
    record: ForeignFunction,
    stub_address: int,
    name: str,
    doc: str | None,
    text_signature: str | None,
    module: str | None,
) -> Any:
    """The built-in function that calls `stub_address` with `record` as `self`; one for each record.

    `text_signature` is as `text_signature.text_signature` makes it. Raises ValueError for a name with a NUL
    inside.
    """
    if "\0" in name:
        raise ValueError(f"a function cannot be called {name!r}")
    encoded = name.encode("utf-8", "replace")
    text = documentation(name, text_signature, doc)
    record._texts = encoded if text is None else encoded + b"\0" + text.encode("utf-8", "replace")
    start = _bytes_address(record._texts)
    record.stub = record._entry = stub_address
    record._method_name = start
    record._method_flags = _METH_FASTCALL_KEYWORDS
    record._method_doc = 0 if text is None else start + len(encoded) + 1
    return _new_method(id(record) + _METHOD_DEF, record, module, None)


def callable_of(record: ForeignFunction) -> Any:
    """Another built-in function over a record that `make_function` has filled in."""
    return _new_method(id(record) + _METHOD_DEF, record, None, None)


def record_of(function: Any) -> ForeignFunction:
    """The record of a function that `make_function` made. Raises TypeError for anything else."""
    record = getattr(function, "__self__", function)
    if not isinstance(record, ForeignFunction):
        raise TypeError(f"{function!r} is no foreign function of this backend")
    return record


def redirect(function: Any, address: int | None, closed_stub: int) -> None:
    """Let `function` call `address` from its next call on; None: `closed_stub` serves instead of its stub.

    One word is stored, which the interpreter reads at every call anyway. The old target stays in the record
    while closed: a thread that is inside the stub right now must not find a null pointer.
    """
    record = record_of(function)
    with _entries:
        if address is None:
            record._entry = closed_stub
            record.closed = True
            return
        record._target = address
        record._entry = record.stub
        record.closed = False


def link(record: ForeignFunction, stub_address: int) -> None:
    """Let `stub_address` serve the function from its next call on, or once it is open again."""
    with _entries:
        record.stub = stub_address
        if not record.closed:
            record._entry = stub_address
