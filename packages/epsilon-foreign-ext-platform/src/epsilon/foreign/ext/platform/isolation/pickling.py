"""`pickle`, from the parent to the child only: the half in C, since the other takes longer to import than the rest."""

from __future__ import annotations

from typing import Any

try:
    import _pickle as _implementation
except ImportError:  # another Python
    import pickle as _implementation  # type: ignore[no-redef]


def dumps(value: Any) -> bytes:
    """The bytes of a value."""
    return _implementation.dumps(value)


def loads(content: bytes) -> Any:
    """The value of such bytes, which must come from the parent."""
    return _implementation.loads(content)
