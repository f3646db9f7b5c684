"""The memory that both processes share, handed out in pieces."""

from __future__ import annotations

from epsilon.foreign.backend import ProcessLock, window

from .region import PAGE, Region


class Heap:
    """Hands out pieces of a region from `start` on: freed ones again first, then what was never used.

    Small pieces come in classes of sizes, so that any freed one of a class fits; larger ones in whole pages, which go
    back to the system when they are freed.
    """

    #: Up to this size, in bytes, a freed piece is kept as it is.
    SMALL = 256 * 1024

    def __init__(self, region: Region, start: int) -> None:
        self._region = region
        self._first = self._top = start
        self._lock = ProcessLock()
        self._busy = False
        self._sizes: dict[int, tuple[int, int]] = {}
        self._free: dict[tuple[int, int], list[int]] = {}
        self._holes: list[tuple[int, int]] = []
        self._returned: list[int] = []

    def __len__(self) -> int:
        """How many pieces are in use."""
        return len(self._sizes) - len(self._returned)

    @property
    def used(self) -> list[tuple[int, int]]:
        """Every piece in use: address and size in bytes."""
        return [(address, size) for address, (size, _) in self._sizes.items()]

    def alloc(self, size: int, alignment: int) -> int:
        """`size` bytes of zeros at a multiple of `alignment`. Raises MemoryError, ValueError."""
        if size < 0:
            raise ValueError(f"cannot allocate {size} bytes")
        if alignment < 1 or alignment & (alignment - 1):
            raise ValueError(f"alignment {alignment} is not a power of two")
        kind = (_rounded(size, self.SMALL), max(alignment, 16))
        with self._lock:
            self._drain()
            known = self._free.get(kind)
            if known:
                address = known.pop()
                window.write_bytes(address, bytes(kind[0]))
            else:
                address = self._hole(*kind) if kind[0] > self.SMALL else 0
                address = address or self._fresh(*kind)
            self._sizes[address] = kind
        return address

    def free(self, address: int) -> bool:
        """Take a piece back; False for one that is not from here."""
        if address not in self._sizes:
            return False
        # A finalizer may come here in the middle of `alloc` or of this, on the same thread.
        self._returned.append(address)
        if self._lock.acquire(blocking=False):
            try:
                self._drain()
            finally:
                self._lock.release()
        return True

    def _drain(self) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            while self._returned:
                address = self._returned.pop()
                kind = self._sizes.pop(address, None)
                if kind is None:
                    continue
                if kind[0] > self.SMALL:
                    self._region.discard(address, kind[0])
                    self._merge(address, kind[0])
                else:
                    self._free.setdefault(kind, []).append(address)
        finally:
            self._busy = False

    def _fresh(self, size: int, alignment: int) -> int:
        alignment = max(alignment, PAGE) if size > self.SMALL else alignment
        address = -(-self._top // alignment) * alignment
        if address + size > self._region.end:
            raise MemoryError(
                f"cannot allocate {size} bytes: the shared memory of {self._region.size} is used up"
            )
        self._top = address + size
        return address

    def _hole(self, size: int, alignment: int) -> int:
        for position, (start, length) in enumerate(self._holes):
            address = -(-start // alignment) * alignment
            rest = start + length - address - size
            if rest >= 0:
                before = [(start, address - start)] if address > start else []
                after = [(address + size, rest)] if rest else []
                self._holes[position : position + 1] = before + after
                return address
        return 0

    def _merge(self, address: int, size: int) -> None:
        """Note a hole, as one with its neighbours."""
        holes = sorted([*self._holes, (address, size)])
        merged = [holes[0]]
        for start, length in holes[1:]:
            last, extent = merged[-1]
            if last + extent == start:
                merged[-1] = (last, extent + length)
            else:
                merged.append((start, length))
        if merged[-1][0] + merged[-1][1] == self._top:
            self._top = merged.pop()[0]
        self._holes = merged


def _rounded(size: int, small: int) -> int:
    """The size of the pieces that serve `size` bytes: multiples of 16, then an eighth apart, then pages."""
    size = max(size, 1)
    if size <= 1024:
        return (size + 15) & -16
    step = PAGE if size > small else 1 << (size.bit_length() - 4)
    return -(-size // step) * step
