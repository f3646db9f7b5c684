"""Constructors of structs in machine code: one stub for all, and a thunk with a table for each class."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from ..abi import AbiType
from ..heaptype import heap_type
from .codegen import Initialise, Template, Words
from .codegen.initialise import ROW_SIZE, TYPES
from .templates import likeness
from .thunks import ThunkHeap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .stubs import Stubs

#: Slot number of Include/typeslots.h, part of the stable ABI.
_TP_INIT = 60
_NUMBER = {type: number for number, type in enumerate(TYPES)}


class Constructors:
    """Makes classes whose ``tp_init`` is the stub of `codegen.initialise`."""

    def __init__(self, stubs: Stubs, words: Words) -> None:
        self._stubs = stubs
        self._words = words
        self._thunks = ThunkHeap(stubs.target.machine().name)
        self._codes: dict[Template, int] = {}

    def make(
        self,
        base: type,
        members: Sequence[tuple[AbiType, int]],
        template: Any,
        size: int,
        inline: int,
        fallback: Callable[[Any, tuple[Any, ...], dict[str, Any] | None], None],
    ) -> Any:
        """See `Accessors.constructor`."""
        if self._stubs.target.layout.tuple_layout is None or not all(type in _NUMBER for type, _ in members):
            return base
        rows: list[int] = []
        for type, offset in members:
            rows += (_NUMBER[type], inline + offset)
        assert len(rows) * 8 == len(members) * ROW_SIZE
        table = (ctypes.c_uint64 * (5 + len(rows)))(
            len(members), inline, size, id(fallback), id(template), *rows
        )
        thunk = self._thunks.take()
        thunk.set(self._code(template), ctypes.addressof(table))
        made = heap_type(
            f"{base.__module__}.{base.__name__}",
            base=base,
            slots={_TP_INIT: thunk.address},
            doc=base.__doc__ or "",
        )
        # The thunk names them, and like the type it is never freed.
        _kept.append((table, fallback, template))
        return made

    def _code(self, template: Any) -> int:
        found = likeness(template)
        key = Template(found.words, found.nones)
        code = self._codes.get(key)
        if code is None:
            stub = Initialise(self._stubs.target, self._words).write(key)
            code = self._codes[key] = self._stubs.heap.allocate(stub, "construct")
        return code


_kept: list[object] = []
