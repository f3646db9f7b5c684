"""Libraries whose functions are declared in annotated Python."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, overload

from epsilon.foreign import runtime
from epsilon.foreign.runtime import DEFAULT_CONVENTION, Check, shared_library

from .declare import caller_scope, declaration_of

P = ParamSpec("P")
R = TypeVar("R")


class Library(runtime.Library):
    """An open library; see `runtime.Library` for opening, closing, `bind`, `symbol` and `variable`."""

    @overload
    def function(self, declared: Callable[P, R], /) -> Callable[P, R]: ...

    @overload
    def function(
        self,
        *,
        name: str | None = None,
        check: Check | None = None,
        release_gil: bool = True,
        convention: str = DEFAULT_CONVENTION,
    ) -> Callable[[Callable[P, R]], Callable[P, R]]: ...

    def function(
        self,
        declared: Callable[..., Any] | None = None,
        /,
        *,
        name: str | None = None,
        check: Check | None = None,
        release_gil: bool = True,
        convention: str = DEFAULT_CONVENTION,
    ) -> Any:
        """Declare a function of this library: decorate an annotated function, whose body is never run.

        The C name is the function's own unless `name` gives it. Type checkers see the decorated function's own
        parameters and result. Raises SymbolNotFoundError, DeclarationError, UnsupportedSignatureError.
        """
        scope = caller_scope(1)

        def bind(function: Callable[..., Any]) -> Callable[..., Any]:
            declaration = declaration_of(
                function, check=check, release_gil=release_gil, convention=convention, scope=scope
            )
            return self.bind_declaration(name or declaration.name, declaration)

        return bind if declared is None else bind(declared)


def shared(
    library: str | os.PathLike[str] | None = None,
    *,
    name: str | None = None,
    check: Check | None = None,
    release_gil: bool = True,
    convention: str = DEFAULT_CONVENTION,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a function of the process's shared `Library` of that name, opened on first use: ``@shared("m")``.

    None is the process itself. Otherwise as `Library.function`; also raises LibraryError.
    """
    scope = caller_scope(1)

    def bind(function: Callable[P, R]) -> Callable[P, R]:
        declaration = declaration_of(
            function, check=check, release_gil=release_gil, convention=convention, scope=scope
        )
        bound: Callable[P, R] = shared_library(library).bind_declaration(name or declaration.name, declaration)
        return bound

    return bind
