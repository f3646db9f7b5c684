"""Libraries whose functions are declared in annotated Python."""

from __future__ import annotations

import os
from collections.abc import Callable
from sys import _getframe
from types import FrameType, FunctionType
from typing import Any, ParamSpec, TypeVar, overload

from epsilon.foreign import runtime
from epsilon.foreign.runtime import DEFAULT_CONVENTION, Check, shared_library

from .declare import declaration_of

P = ParamSpec("P")
R = TypeVar("R")


class Library(runtime.Library):
    """An open library; see `runtime.Library` for opening, closing, `bind`, `symbol` and `variable`."""

    @overload
    def function(self, declared: Callable[P, R], /) -> Callable[P, R]: ...

    @overload
    def function(
        self,
        /,
        *,
        name: str | None = None,
        check: Check | None = None,
        release_gil: bool = True,
        convention: str = DEFAULT_CONVENTION,
    ) -> Callable[[Callable[P, R]], Callable[P, R]]: ...

    def function(
        self,
        declared: Any = None,
        /,
        *,
        name: str | None = None,
        check: Check | None = None,
        release_gil: bool = True,
        convention: str = DEFAULT_CONVENTION,
    ) -> Any:
        """Declare a function of this library: decorate an annotated function, whose body is never run.

        The C name is the function's own unless `name` gives it. Type checkers see the decorated function's
        own parameters and result. Raises SymbolNotFoundError, DeclarationError, UnsupportedSignatureError.
        """

        def bind(function: Callable[..., Any], frame: FrameType) -> Callable[..., Any]:
            declaration = declaration_of(
                function, frame, check=check, release_gil=release_gil, convention=convention
            )
            return self.bind_declaration(name or declaration.name, declaration)

        if declared is None:
            return lambda function: bind(function, _getframe(1))
        return bind(declared, _getframe(1))


@overload
def shared(function: Callable[P, R], /) -> Callable[P, R]: ...


@overload
def shared(
    library: str | bytes | os.PathLike[str] | os.PathLike[bytes] | None = None,
    *,
    name: str | None = None,
    check: Check | None = None,
    release_gil: bool = True,
    convention: str = DEFAULT_CONVENTION,
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


def shared(
    library: Any = None,
    *,
    name: str | None = None,
    check: Check | None = None,
    release_gil: bool = True,
    convention: str = DEFAULT_CONVENTION,
) -> Any:
    """Declare a function of a library that the process opens on first use and shares: ``@shared("m")``.

    None, or plain ``@shared``, is the process itself. Otherwise as `Library.function`; also raises
    LibraryError.
    """

    def bind(function: Callable[..., Any], where: Any, frame: FrameType) -> Callable[..., Any]:
        declaration = declaration_of(
            function, frame, check=check, release_gil=release_gil, convention=convention
        )
        return shared_library(where).bind_declaration(name or declaration.name, declaration)

    if isinstance(library, FunctionType):
        return bind(library, None, _getframe(1))
    return lambda function: bind(function, library, _getframe(1))
