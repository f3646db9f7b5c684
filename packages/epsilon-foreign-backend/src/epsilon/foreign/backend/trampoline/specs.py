"""What a binding is to the generator: the spec of its stub, and the words that the stub reads in the record."""

from __future__ import annotations

import ctypes
from typing import Any

from ..binding import Binding
from ..likeness import Contents, Pointee
from .codegen import INLINE, Accepted, Likeness, StubSpec
from .templates import likeness

#: Templates are kept by their classes' rows; the same one serves many functions.
_TEMPLATES = 1024
_known: dict[int, tuple[Pointee | Contents, Likeness]] = {}


def spec_of(binding: Binding, *, trusted: bool = False) -> StubSpec:
    """The spec of the stub that serves `binding`."""
    makes = _makes(binding)
    finishes = binding.finish is not None and makes is None
    return StubSpec(
        binding.signature,
        binding.marshals,
        binding.result_marshal,
        binding.guard if finishes else None,
        binding.release_gil,
        # Without a `finish` there is nobody to give errno to.
        binding.capture_errno and finishes,
        trusted,
        () if trusted else _accepts(binding),
        makes,
        makes is not None and binding.make is not None and binding.make.reuse,
    )


def _accepts(binding: Binding) -> tuple[Accepted | None, ...]:
    accepts = [p.accept for p in binding.parameters]
    if not any(accepts):
        return ()
    return tuple([None if a is None else Accepted(len(a.types), a.readonly) for a in accepts])


def _makes(binding: Binding) -> Likeness | None:
    made = binding.make
    if made is None or (isinstance(made, Contents) and binding.signature.result.size > INLINE):
        return None
    return likeness_of(made, binding.signature.result.size)


def likeness_of(made: Pointee | Contents, size: int) -> Likeness:
    """What objects like the template of `made` take over from it; `size` is that of the value from C, in bytes."""
    known = _known.get(id(made))
    if known is None or known[0] is not made:
        data = range(made.storage, made.storage + size) if isinstance(made, Contents) else None
        if len(_known) >= _TEMPLATES:
            _known.clear()
        known = _known[id(made)] = made, likeness(made.template, data)
    return known[1]


def row_of(made: Pointee | Contents) -> tuple[int, int, int, int]:
    """A row of the table of words that comes with a function or a callback; see `codegen.upcall_spec`."""
    extra = made.storage if isinstance(made, Contents) else made.size
    return id(type(made.template)), extra, id(made.template), 0


def table_of(binding: Binding) -> Any:
    """The words that the stub of `binding` finds through its record, as a ctypes array; None when it needs none."""
    types = [id(cls) for p in binding.parameters if p.accept is not None for cls in p.accept.types]
    if not types and binding.make is None:
        return None
    words = [*((0, 0, 0, 0) if binding.make is None else row_of(binding.make)), *types]
    return (ctypes.c_uint64 * len(words))(*words)
