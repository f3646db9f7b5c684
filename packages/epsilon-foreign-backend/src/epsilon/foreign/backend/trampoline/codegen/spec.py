"""What makes one stub differ from another: the key under which stubs are cached."""

from __future__ import annotations

from typing import NamedTuple

from ...binding import Binding, Guard, Marshal
from ...signature import Signature


class StubSpec(NamedTuple):
    """Two functions with equal specs share a stub; all else about a function is in its record.

    `guard` is None when there is no `finish` to call. A *trusted* stub is entered by the fallback with canonical
    values: it looks at no object's layout, only calls the C-API.
    """

    signature: Signature
    marshals: tuple[Marshal, ...]
    result_marshal: Marshal = Marshal.VALUE
    guard: Guard | None = None
    release_gil: bool = True
    capture_errno: bool = False
    trusted: bool = False


def spec_of(binding: Binding, *, trusted: bool = False) -> StubSpec:
    """The spec of the stub that serves `binding`."""
    finishes = binding.finish is not None
    return StubSpec(
        binding.signature,
        binding.marshals,
        binding.result_marshal,
        binding.guard if finishes else None,
        binding.release_gil,
        # Without a `finish` there is nobody to give errno to.
        binding.capture_errno and finishes,
        trusted,
    )
