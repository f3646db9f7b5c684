"""Machine code in the slots of Python classes: descriptors for members, and item access for arrays and pointers."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from ..abi import AbiType, Kind
from ..heaptype import heap_type
from ..locks import ProcessLock
from ..memobject import LIVE, MEMORY, READONLY
from .allocators import Allocator, make_allocator
from .codegen import Access, Words
from .constructors import Constructors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .stubs import Stubs

#: Slot numbers of Include/typeslots.h, part of the stable ABI.
_MP_ASS_SUBSCRIPT, _MP_SUBSCRIPT = 3, 5

_NUMBERS = (Kind.SIGNED, Kind.UNSIGNED, Kind.BOOL, Kind.FLOAT)


class _GetSetDef(ctypes.Structure):
    """PyGetSetDef (https://docs.python.org/3/c-api/structures.html#c.PyGetSetDef)."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("get", ctypes.c_void_p),
        ("set", ctypes.c_void_p),
        ("doc", ctypes.c_char_p),
        ("closure", ctypes.c_void_p),
    )


_new_descriptor: Any = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.POINTER(_GetSetDef))(
    ("PyDescr_NewGetSet", ctypes.pythonapi)
)


class TrampolineAccessors:
    """See `Accessors`."""

    def __init__(self, stubs: Stubs) -> None:
        self._stubs = stubs
        words = Words(MEMORY.address, MEMORY.lower, MEMORY.upper, MEMORY.live, MEMORY.flags, LIVE, READONLY)
        self._code = Access(stubs.target, words)
        self._constructors = Constructors(stubs, words)
        self._words = words
        self._members: dict[AbiType | None, int] = {}
        self._readers: dict[AbiType, int] = {}
        self._bases: dict[tuple[type, AbiType], type] = {}
        self._lock = ProcessLock()

    def reads(self, type: AbiType) -> bool:
        """Can numbers of this type be accessed? Depends on what the probes found."""
        layout = self._stubs.target.layout
        if type.kind not in _NUMBERS or type.size > 8 or layout.type_offset is None:
            return False
        return (layout.float_offset if type.kind is Kind.FLOAT else layout.int_layout) is not None

    def member(
        self,
        cls: type,
        name: str,
        type: AbiType,
        offset: int,
        get: Callable[[Any], Any],
        set: Callable[[Any, Any], None],
        *,
        doc: str | None = None,
        readonly: bool = False,
    ) -> Any | None:
        """A descriptor for a number at `offset` bytes in instances of `cls`, a subclass of `Memory`; None when `type`
        is not for machine code. `get` and `set` do the same in full. The caller keeps what `keep_alive` of the
        descriptor says: nothing, the descriptor's memory lives as long as the process.
        """
        if not self.reads(type):
            return None
        closure = (ctypes.c_uint64 * 3)(offset, id(get), id(set))
        definition = _GetSetDef(
            name.encode(),
            self._getter(type),
            self._setter(None if readonly else type),
            None if doc is None else doc.encode(),
            ctypes.addressof(closure),
        )
        # CPython keeps a pointer to the definition, and the stubs one to the closure, in every descriptor.
        keep = cls.__dict__.get("_machine_code", ())
        cls._machine_code = (*keep, definition, closure, get, set)  # type: ignore[attr-defined]  # an attribute of ours
        return _new_descriptor(cls, definition)

    def constructor(
        self,
        base: type,
        members: Sequence[tuple[AbiType, int]],
        template: Any,
        size: int,
        inline: int,
        fallback: Callable[[Any, tuple[Any, ...], dict[str, Any] | None], None],
    ) -> Any:
        """See `Accessors.constructor`."""
        if not all(self.reads(type) for type, _ in members):
            return base
        return self._constructors.make(base, members, template, size, inline, fallback)

    def allocator(
        self, cls: type, fallback: Callable[..., Any], owner: str, nones: tuple[str, ...], sample: type
    ) -> tuple[Any, Allocator] | None:
        """See `Accessors.allocator`."""
        return make_allocator(self._stubs, self._words, cls, fallback, owner, nones, sample)

    def items(self, base: type, type: AbiType) -> Any:
        """A subclass of `base`, itself a subclass of `Memory`, whose ``self[i]`` is machine code for numbers of
        `type`; `base` itself when there is none. ``base.__getitem__`` and ``__setitem__`` do the same in full.
        """
        if not self.reads(type):
            return base
        found = self._bases.get((base, type))
        if found is None:
            with self._lock:
                found = self._bases.get((base, type)) or self._new_items(base, type)
                self._bases[base, type] = found
        return found

    def _new_items(self, base: Any, type: AbiType) -> Any:
        heap = self._stubs.heap
        get, set = base.__getitem__, base.__setitem__
        made = heap_type(
            f"{base.__module__}.{base.__name__}",
            base=base,
            slots={
                _MP_SUBSCRIPT: heap.allocate(self._code.get_item(type, id(get)), f"{type.name}[]"),
                _MP_ASS_SUBSCRIPT: heap.allocate(self._code.set_item(type, id(set)), f"{type.name}[] ="),
            },
            doc=base.__doc__ or "",
        )
        made._machine_code = (get, set)  # alive as long as the stubs that name them
        return made

    def _getter(self, type: AbiType) -> int:
        found = self._readers.get(type)
        if found is None:
            found = self._readers[type] = self._stubs.heap.allocate(
                self._code.getter(type), f"get {type.name}"
            )
        return found

    def _setter(self, type: AbiType | None) -> int:
        found = self._members.get(type)
        if found is None:
            code = self._code.setter(type)
            found = self._stubs.heap.allocate(code, f"set {'nothing' if type is None else type.name}")
            self._members[type] = found
        return found
