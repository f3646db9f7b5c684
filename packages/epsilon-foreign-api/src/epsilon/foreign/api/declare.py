"""Declarations in annotated Python: from a function's parameters, defaults, docstring to a `Declaration`."""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType, FunctionType
from typing import Any

from epsilon.foreign.runtime import Check, Declaration, DeclarationError, Declared, resolve_type

#: `co_flags` of a function with ``*args``, and with ``**kwargs`` (inspect.CO_VARARGS, CO_VARKEYWORDS);
#: `inspect` itself would be a third of what importing this package costs.
CO_VARARGS = 0x04
CO_VARKEYWORDS = 0x08

_HINTS: dict[type, str] = {
    str: "; the C name goes into name=",
    type: "; a class is no function",
    staticmethod: "; put @staticmethod above the declaration, not below it",
    classmethod: "; C knows no classes",
}


def declaration_of(
    function: Callable[..., Any],
    frame: FrameType,
    *,
    check: Check | None,
    release_gil: bool,
    convention: str,
) -> Declaration:
    """The foreign function that an annotated Python function declares; its body is never run.

    ``*args`` makes it variadic. `frame` is where it was declared, for annotations that are text. Raises
    DeclarationError for a parameter without a C type, a missing result (say ``-> None`` for void),
    keyword-only parameters and ``**kwargs``.
    """
    if not isinstance(function, FunctionType):
        hint = _HINTS.get(type(function), "")
        raise DeclarationError(f"expected an annotated function, got {type(function).__name__}{hint}")
    name, code = function.__name__, function.__code__
    if name == "<lambda>":
        raise DeclarationError("a lambda has no annotations; use def, or Library.bind with types")
    if code.co_kwonlyargcount or code.co_flags & CO_VARKEYWORDS:
        raise DeclarationError(f"{name}(): C has no keyword-only parameters and no **kwargs")
    annotations = _annotations(function, frame)
    if "return" not in annotations:
        raise DeclarationError(f"{name}(): no result type; say '-> None' for void")
    names = code.co_varnames[: code.co_argcount]
    given = function.__defaults__ or ()
    defaults = (Ellipsis,) * (len(names) - len(given)) + given
    return Declaration(
        name,
        _resolved(annotations["return"], name, "the result"),
        tuple(
            Declared(_parameter(annotations, name, parameter), parameter, default)
            for parameter, default in zip(names, defaults, strict=True)
        ),
        variadic=bool(code.co_flags & CO_VARARGS),
        check=check,
        release_gil=release_gil,
        convention=convention,
        doc=function.__doc__,
        module=function.__module__,
    )


def _parameter(annotations: dict[str, Any], function: str, parameter: str) -> Any:
    if parameter not in annotations:
        hint = "; C has no methods, declare the function outside of the class" if parameter in _METHOD else ""
        raise DeclarationError(f"{function}(): parameter {parameter!r} has no C type{hint}")
    return _resolved(annotations[parameter], function, f"parameter {parameter!r}")


_METHOD = ("self", "cls")


def _resolved(annotation: Any, function: str, what: str) -> Any:
    try:
        return resolve_type(annotation)
    except DeclarationError as error:
        raise DeclarationError(f"{function}(): {what}: {error}") from None


def _annotations(function: FunctionType, frame: FrameType) -> dict[str, Any]:
    """The annotations as objects. Text, as PEP 563 leaves it, is evaluated where the function was written."""
    annotations: dict[str, Any] = dict(function.__annotations__)
    scope: dict[str, Any] | None = None
    for name, annotation in annotations.items():
        if isinstance(annotation, str):
            if scope is None:  # a copy of all local names, so only made when text asks for it
                scope = dict(frame.f_locals)
            try:
                annotations[name] = eval(annotation, function.__globals__, scope)
            except Exception as error:
                raise DeclarationError(
                    f"{function.__name__}(): cannot evaluate annotation {annotation!r} of {name!r}: {error}"
                ) from error
    return annotations
