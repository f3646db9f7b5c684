"""The process's stubs: generated when first needed, one for each spec, kept for ever."""

from __future__ import annotations

from ..binding import Marshal
from ..locks import ProcessLock
from .callback import TARGET
from .codegen import (
    Helpers,
    StubSpec,
    Target,
    UpcallSpec,
    write_fallback_stub,
    write_helpers,
    write_stub,
    write_upcall,
)
from .memory import CodeHeap, HeapStatistics


class Stubs:
    """Addresses of stubs by spec. Raises ExecutableMemoryError when made where no code may run."""

    def __init__(self, target: Target, heap: CodeHeap) -> None:
        self.target = target
        self.heap = heap
        self._addresses: dict[StubSpec, int] = {}
        self._upcalls: dict[UpcallSpec, int] = {}
        self._lock = ProcessLock()
        #: Hands every call to the record's fallback.
        self.fallback = heap.allocate(write_fallback_stub(target), "fallback")
        written = write_helpers(target)
        self.helpers = Helpers()
        if written is not None:
            self.helpers = Helpers(
                heap.allocate(written[0], "as_int64"), heap.allocate(written[1], "as_uint64")
            )

    def known(self, spec: StubSpec) -> int | None:
        """The stub's address if it has been generated."""
        return self._addresses.get(spec)

    def get(self, spec: StubSpec) -> int:
        """The stub's address; generated the first time. Raises ExecutableMemoryError at the heap's limit."""
        address = self._addresses.get(spec)
        if address is None:
            with self._lock:
                address = self._addresses.get(spec)
                if address is None:
                    address = self._addresses[spec] = self._generate(spec)
        return address

    def get_upcall(self, spec: UpcallSpec) -> int:
        """As `get`, for what C calls."""
        address = self._upcalls.get(spec)
        if address is None:
            with self._lock:
                address = self._upcalls.get(spec)
                if address is None:
                    code = write_upcall(spec, self.target, TARGET, self.helpers)
                    address = self._upcalls[spec] = self.heap.allocate(code, f"{spec.signature!r} [upcall]")
        return address

    def _generate(self, spec: StubSpec) -> int:
        if not spec.trusted and self._all_slow(spec):
            return self.fallback
        return self.heap.allocate(write_stub(spec, self.target, self.helpers), _name(spec))

    def _all_slow(self, spec: StubSpec) -> bool:
        """Would every call of such a stub end in the fallback?"""
        return self.target.layout.type_offset is None or spec.all_slow

    @property
    def statistics(self) -> HeapStatistics:
        """How much code there is, helpers included."""
        return self.heap.statistics


def _name(spec: StubSpec) -> str:
    """What a stub is called in listings and profiles: its prototype and what sets it apart."""
    parameters = ",".join(
        type.name if marshal is Marshal.VALUE else marshal.value
        for type, marshal in zip(spec.signature.parameters, spec.marshals, strict=True)
    )
    marks = [word for word, present in (("nogil", spec.release_gil), ("trusted", spec.trusted)) if present]
    return f"{spec.signature.result.name}({parameters}){''.join(f' [{mark}]' for mark in marks)}"
