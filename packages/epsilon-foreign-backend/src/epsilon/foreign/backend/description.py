"""What is known of a bound function, whichever backend bound it.

A function bound by the trampoline backend is a built-in function object, which is called fastest but cannot
carry attributes; its data are behind it, in ``function.__self__``. Other backends' functions are their own
data. `describe` hides the difference.
"""

from __future__ import annotations

from types import BuiltinFunctionType
from typing import Any, Protocol

from .binding import Binding
from .signature import Signature


class FunctionData(Protocol):
    """What `describe` returns: a live view, so `address` follows `Backend.redirect`."""

    @property
    def name(self) -> str:
        """The function's name, as in messages."""
        ...

    @property
    def address(self) -> int:
        """Where the C function is; 0 while its library is closed."""
        ...

    @property
    def signature(self) -> Signature:
        """The ABI signature."""
        ...

    @property
    def backend(self) -> str:
        """The name of the backend that serves it."""
        ...

    @property
    def binding(self) -> Binding:
        """Everything that it was bound with."""
        ...

    @property
    def doc(self) -> str | None:
        """Its documentation."""
        ...


def describe(function: object) -> FunctionData:
    """The data of a foreign function: name, address, signature, backend, binding, doc.

    Any class may take part by a method ``__foreign_function__(self) -> FunctionData``. Raises TypeError for
    anything that is not a foreign function.
    """
    owner: Any = function.__self__ if isinstance(function, BuiltinFunctionType) else function
    find = getattr(type(owner), "__foreign_function__", None)
    if find is None:
        raise TypeError(f"{function!r} is not a foreign function")
    data: FunctionData = find(owner)
    return data
