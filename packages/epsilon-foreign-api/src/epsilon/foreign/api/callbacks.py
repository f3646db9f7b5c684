"""``@callback``: a Python function as a function pointer that C may keep."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from epsilon.foreign.runtime import (
    CallbackType,
    DeclarationError,
    ForeignCallback,
    callback_type,
    resolve_type,
)

from .declare import declaration_of

__all__ = ["Callback", "callback"]

P = ParamSpec("P")
R = TypeVar("R")

if TYPE_CHECKING:
    #: The type of a function pointer: ``Callback[[c.int, c.int], c.int]``.
    from collections.abc import Callable as Callback

    class TypedCallback(ForeignCallback, Generic[P, R]):
        """A `ForeignCallback` as type checkers see it: callable like the function it was made of."""

        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...

else:
    from epsilon.foreign.runtime import Callback as Callback


Onerror = Callable[[BaseException], object]


@overload
def callback(
    function: Callable[P, R],
    type: Any = None,
    *,
    error: Any = None,
    onerror: Onerror | None = None,
    convention: str | None = None,
) -> TypedCallback[P, R]: ...


@overload
def callback(
    *,
    type: Any = None,
    error: Any = None,
    onerror: Onerror | None = None,
    convention: str | None = None,
) -> Callable[[Callable[P, R]], TypedCallback[P, R]]: ...


def callback(
    function: Callable[..., Any] | None = None,
    type: Any = None,
    *,
    error: Any = None,
    onerror: Onerror | None = None,
    convention: str | None = None,
) -> Any:
    """A callback that lives until its object dies, or to the end of its ``with`` block.

    ``@callback`` over an annotated function, or ``callback(function, Callback[[...], result])``. `error` is what C gets
    when the function raises, zero if not given; the exception itself is raised by the foreign call that C was in. On a
    thread that no Python code waits on, it goes to `onerror`, or to `sys.unraisablehook`. `convention` is how C calls
    it where that is not the usual way (``"ms"`` ...).

    Raises DeclarationError for missing annotations or a type that is no `Callback`, ArgumentError when `error` does
    not fit the result, UnsupportedSignatureError.
    """
    plain = error is None and onerror is None and convention is None
    if plain and type.__class__ is CallbackType and function is not None:
        return type.keep(function)  # a program may do this often
    return _made(function, type, convention, sys._getframe(1), error=error, onerror=onerror)


def _made(
    function: Callable[..., Any] | None, type: Any, convention: str | None, frame: FrameType, **options: Any
) -> Any:
    def make(function: Callable[..., Any]) -> ForeignCallback:
        row = _declared(function, frame) if type is None else resolve_type(type)
        return ForeignCallback(function, _in_convention(row, convention), **options)

    return make if function is None else make(function)


def _declared(function: Callable[..., Any], frame: FrameType) -> CallbackType:
    """What a function's annotations say."""
    declared = declaration_of(function, frame, check=None, release_gil=True, convention="c")
    if declared.variadic:
        raise DeclarationError(f"{declared.name}(): C cannot call a variadic callback")
    return callback_type(tuple([p.type for p in declared.parameters]), declared.result)


def _in_convention(row: Any, convention: str | None) -> CallbackType:
    if not isinstance(row, CallbackType):
        raise DeclarationError(
            f"{row.name} is not the type of a function pointer; use Callback[[...], result]"
        )
    return row if convention is None else row.with_convention(convention)
