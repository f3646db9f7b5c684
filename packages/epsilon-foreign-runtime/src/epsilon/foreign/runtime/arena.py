"""Arenas: many allocations, freed together."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from epsilon.foreign.backend import (
    DEAD,
    FUNDAMENTAL,
    LIVE,
    READONLY,
    LifetimeError,
    ProcessLock,
    select_backend,
)

from . import debug
from .blocks import allocate
from .errors import LayoutError
from .objects import Data, MemoryOwner, place
from .pointers import pointer_at, pointer_to
from .types import TYPES, ForeignType, resolve_type, whole

#: Bytes that an arena gets from the C library at a time.
BLOCK = 64 * 1024
_END = 1 << 62

#: Where an arena's blocks come from: called with a size and an alignment in bytes, returns the address of
#: zeroed memory and the function that takes the address back.
Source = Callable[[int, int], tuple[int, Callable[[int], object]]]


class Arena(MemoryOwner):
    """Memory that is freed all at once: by `close`, at the end of a ``with`` block, or with the arena object.

    Pointers, structs and arrays made in it raise LifetimeError afterwards. All memory is zeroed. Any thread
    may use an arena, unless it is `confined` to the one that makes it: then no lock is taken, and every use
    of the arena or its memory by another thread raises LifetimeError.

    The memory is the C library's, in blocks of `block` bytes, unless `source` gives it: called with a size
    and an alignment in bytes, it returns the address of zeroed memory and the function that takes the address
    back, which `close` calls once for each.
    """

    __slots__ = ("_block", "_blocks", "_guard", "_source", "allocated")

    def __init__(self, *, confined: bool = False, source: Source | None = None, block: int = BLOCK) -> None:
        if not _asked:
            _install()
        self._blocks: list[tuple[int, Any]] = []
        if block < 1:
            raise LayoutError(f"block={block!r}: an arena takes its memory in blocks of at least a byte")
        super().__init__("its arena was closed", confined=confined)
        self._source = allocate if source is None else source
        self._block = block
        self._guard: Any = contextlib.nullcontext() if confined else ProcessLock()
        #: Bytes taken from the source so far.
        self.allocated = 0

    def alloc(self, type: Any, count: int = 1, *, align: int | None = None) -> Any:
        """Memory for `count` values of a type: a bounded pointer.

        Raises LayoutError for a negative count or an `align` that is no power of two, MemoryError,
        LifetimeError.
        """
        row = resolve_type(type)
        cls = pointer_to(row)
        size = checked_size(row, count)
        if _table is not None and row is type:
            _table.learn(row, cls, row.size, row.alignment, READONLY if cls._const else 0)
        address = self._take(size, checked_alignment(row, align))
        return pointer_at(cls, address, address, address + size, self._live, self)

    def new(self, type: Any, *args: Any, **kwargs: Any) -> Any:
        """A value in this arena: as `new` makes one in memory of its own."""
        from .creation import new_in

        return new_in(self._make, type, args, kwargs)

    def array(self, type: Any, init: Any) -> Any:
        """An array in this arena, of a length or with the values of an iterable: as `array` makes one."""
        from .creation import array_in

        return array_in(self._make, type, init)

    def string(self, text: str | bytes) -> Any:
        """A C string in this arena, in UTF-8: a pointer to `char`, NUL included in its bounds."""
        from .strings import encoded

        return self.bytes(encoded(text)).cast(TYPES["char"])

    def bytes(self, data: bytes | bytearray | memoryview) -> Any:
        """A copy of bytes in this arena: a pointer to `uint8`."""
        from .creation import put_bytes

        content = memoryview(data).tobytes()  # the size of what is copied, whatever `len` of a subclass says
        return put_bytes(self.alloc(TYPES["uint8"], len(content)), content)

    @property
    def closed(self) -> bool:
        """Has the memory been freed?"""
        return self._cell == DEAD

    def close(self) -> None:
        """Free the memory. Closing twice does nothing. Raises BufferError while a buffer of it is
        exported."""
        if self._cell == DEAD:
            return
        self._check()
        with self._guard:
            self._finish()
            self._cursor = self._end = 0
        self._dispose()

    def __enter__(self) -> Self:
        self._check()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _dispose(self) -> None:
        # In a cycle other finalizers may come after this one, and close the arena or use what is in it.
        self._cursor = self._end = 0
        blocks, self._blocks = self._blocks, []
        for address, free in blocks:
            free(address)

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"{self.allocated} bytes"
        return f"<{type(self).__name__} {state}>"

    def _check(self) -> None:
        """Raise LifetimeError when the arena is closed, or confined to another thread."""
        if self._cell == LIVE:
            return
        if self._cell == DEAD:
            raise LifetimeError("the arena is closed")
        if self._thread != threading.get_ident():
            raise LifetimeError("the arena is confined to another thread than this one")

    def _make(self, cls: Any, size: int, alignment: int) -> Any:
        address = self._take(size, alignment)
        return place(cls, address, address + size, self._live, self)

    def _take(self, size: int, alignment: int) -> int:
        if self._cell != LIVE:
            self._check()
        with self._guard:
            # No end: machine code that allocates in this arena meanwhile comes here too, and waits.
            end, self._end = self._end, 0
            try:
                start = (self._cursor + alignment - 1) & -alignment
                stop = start + (size or 1)  # so that no two allocations have one address
                if stop <= end:
                    self._cursor = stop
                    return start
                address, end = self._refill(size or 1, alignment, end)
                return address
            finally:
                self._end = end

    def _refill(self, size: int, alignment: int, end: int) -> tuple[int, int]:
        """An address in fresh memory, and the end of the block to go on with."""
        # Closed by another thread since it was looked at?
        self._check()
        block = self._block
        whole = (debug.ENABLED and self._source is allocate) or size + alignment > block // 4
        length = size if whole else block
        address, free = self._source(length, max(alignment, FUNDAMENTAL))
        self._blocks.append((address, free))
        self.allocated += length
        if whole:
            return address, end
        self._cursor = address + size
        return address, address + length


#: What the allocating method in machine code knows, where there is one.
_table: Any = None
_asked = False


def _install() -> None:
    """Put machine code in the place of `Arena.alloc`, once, when the first arena is made."""
    global _table, _asked
    _asked = True
    accessors = getattr(select_backend(), "accessors", None)
    made = None
    if accessors is not None and not debug.ENABLED:
        made = accessors.allocator(Arena, Arena.alloc, "_owner", ("_keep",), Data)
    if made is not None:
        Arena.alloc, _table = made  # type: ignore[method-assign]  # the same method, in machine code


def checked_size(row: ForeignType, count: int) -> int:
    """Bytes of `count` values. Raises LayoutError, ArgumentTypeError, and DeclarationError for a type without a
    size."""
    from .sizes import complete

    size = complete(row).size
    count = whole(count, f"the number of elements of {row.name}")
    if count < 0 or count * size > _END:
        raise LayoutError(f"cannot allocate {count} elements of {row.name}, {size} bytes each")
    return size * count


def checked_alignment(row: ForeignType, align: int | None) -> int:
    """The alignment of a type, or a greater one. Raises LayoutError unless it is a power of two, and
    ArgumentTypeError."""
    if align is None:
        return row.alignment
    align = whole(align, "align=")
    if align < 1 or align & (align - 1):
        raise LayoutError(f"align={align!r} is not a power of two")
    return max(align, row.alignment)
