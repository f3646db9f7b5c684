"""Modules full of declarations that cost nothing until they are used, such as the generated ones.

The declarations are written as usual, the decorators only note them, and the last line of the module hands their
names over to ``__getattr__`` (https://peps.python.org/pep-0562/): a function is looked up and bound, a struct laid
out, when somebody asks the module for it. Annotations stay text until then (``from __future__ import annotations``),
so declarations may refer to each other in any order, and in circles.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from epsilon.foreign.runtime import (
    DEFAULT_CONVENTION,
    Check,
    DeclarationError,
    DeferredStruct,
    Library,
    StructType,
    UnsupportedDeclarationError,
    Variable,
    declare,
    from_foreign,
    shared_library,
)

from .declare import declaration_of

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
Path = str | bytes | os.PathLike[str] | os.PathLike[bytes] | None

if TYPE_CHECKING:
    from typing import dataclass_transform

    class TypedVariable(Variable, Generic[T]):
        """A `Variable` as type checkers see it: `value` has the type that it was declared with."""

        @property
        def value(self) -> T: ...
        @value.setter
        def value(self, value: T) -> None: ...
else:
    TypedVariable = Variable

    def dataclass_transform(**_: Any) -> Callable[[T], T]:
        """For type checkers only."""
        return lambda function: function


class LazyLibrary:
    """A library that is opened, and declarations that are made, when they are first used. In a module of its own::

        lib = LazyLibrary("m")

        @lib.function
        def cos(x: c.double) -> c.double: ...

        __getattr__, __dir__ = lib.module_hooks()  # the module's last line

    `name` is what `Library` takes; it can be assigned to until the library is opened. The library is the one that
    the whole process shares under that name. `release_gil` is for the functions that do not say themselves.
    """

    def __init__(self, name: Path = None, *, release_gil: bool = True) -> None:
        self._name = name
        self._release_gil = release_gil
        self._globals: dict[str, Any] = sys._getframe(1).f_globals
        self._library: Library | None = None
        self._pending: dict[str, Callable[[], Any]] = {}
        self._originals: dict[int, str] = {}
        self._kept: list[Any] = []
        self._symbols: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._evaluated: dict[str, Any] = {}
        self._scope = _Scope(self)

    @property
    def name(self) -> Path:
        """What the library is opened by. Assigning raises RuntimeError once it is open."""
        return self._name

    @name.setter
    def name(self, name: Path) -> None:
        if self._library is not None:
            raise RuntimeError(f"the library {self._name!r} is open already")
        self._name = name

    @property
    def library(self) -> Library:
        """The library, opened now if it was not. Raises LibraryError."""
        if self._library is None or self._library.closed:
            self._library = shared_library(self._name)  # type: ignore[arg-type]  # bytes are a path, too
        return self._library

    @overload
    def function(self, declared: Callable[P, R], /) -> Callable[P, R]: ...

    @overload
    def function(
        self,
        /,
        *,
        name: str | None = None,
        check: Check | None = None,
        release_gil: bool | None = None,
        convention: str = DEFAULT_CONVENTION,
    ) -> Callable[[Callable[P, R]], Callable[P, R]]: ...

    def function(
        self,
        declared: Any = None,
        /,
        *,
        name: str | None = None,
        check: Check | None = None,
        release_gil: bool | None = None,
        convention: str = DEFAULT_CONVENTION,
    ) -> Any:
        """Declare a function, as `Library.function` does, which is looked up when it is first asked for.

        That raises what `Library.function` raises.
        """
        if declared is None:
            options = {"check": check, "release_gil": release_gil, "convention": convention}
            return lambda function: self._note(function, lambda: self._bind(function, name, **options), name)
        return self._note(declared, lambda: self._bind(declared, None))

    @overload
    @dataclass_transform(eq_default=True)
    def struct(self, cls: type[T], /) -> type[T]: ...

    @overload
    @dataclass_transform(eq_default=True)
    def struct(
        self, /, *, name: str = ..., pack: int | None = ..., align: int | None = ..., packed: bool = ...
    ) -> Callable[[type[T]], type[T]]: ...

    @dataclass_transform(eq_default=True)
    def struct(self, cls: Any = None, /, **options: Any) -> Any:
        """Declare a struct, as `struct` does, which is laid out when it is first needed.

        `name` is C's name for it where that is not the class's. mypy sees constructors only where the decorator is a
        function: ``if TYPE_CHECKING: from epsilon.foreign.api import struct``, ``else: struct = lib.struct``.
        """
        return self._note_type(cls, False, options)

    @overload
    @dataclass_transform(eq_default=True, kw_only_default=True)
    def union(self, cls: type[T], /) -> type[T]: ...

    @overload
    @dataclass_transform(eq_default=True, kw_only_default=True)
    def union(
        self, /, *, name: str = ..., pack: int | None = ..., align: int | None = ..., packed: bool = ...
    ) -> Callable[[type[T]], type[T]]: ...

    @dataclass_transform(eq_default=True, kw_only_default=True)
    def union(self, cls: Any = None, /, **options: Any) -> Any:
        """Declare a union, as `struct` does a struct."""
        return self._note_type(cls, True, options)

    @overload
    def variable(self, declared: Callable[[], T], /) -> TypedVariable[T]: ...

    @overload
    def variable(self, /, *, name: str) -> Callable[[Callable[[], T]], TypedVariable[T]]: ...

    def variable(self, declared: Any = None, /, *, name: str | None = None) -> Any:
        """Declare a variable: decorate a function without parameters that is annotated with its type.

        The module has a `Variable` under the function's name. Asking for it raises what `Library.variable` raises.
        """
        if declared is None:
            return lambda function: self._note(function, lambda: self._variable(function, name), name)
        return self._note(declared, lambda: self._variable(declared, None))

    def constant(self, address: int) -> Callable[[Callable[[], T]], T]:
        """Declare a pointer that C writes as a number, ``((void *)-1)``: decorate a function without parameters that is
        annotated with its type. The module has the pointer under the function's name; nothing needs the library.
        """

        def note(function: Callable[[], T]) -> T:
            value: T = self._note(function, lambda: from_foreign(address or None, self._result(function)))
            del self._symbols[function.__name__]  # nothing in the library is needed
            return value

        return note

    def unsupported(self, name: str, reason: str) -> None:
        """Let the module raise UnsupportedDeclarationError with a reason when it is asked for `name`."""
        self._refused[name] = reason

    def module_hooks(self) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
        """The module's ``__getattr__`` and ``__dir__``; from now on it makes what was noted when asked for it.

        A text that is annotated as a TypeAlias becomes the type that it spells. Another name for something noted
        (``other = cos``) becomes one for what is made of it.
        """
        names = self._globals
        # Imported by another name it has underscores in front, where the module's own names want that.
        for name, annotation in names.get("__annotations__", {}).items():
            if annotation.rpartition(".")[2].lstrip("_") == "TypeAlias" and type(names.get(name)) is str:
                text = names.pop(name)
                self._pending[name] = partial(self._evaluate, text, name)
        originals = self._originals
        for name in [name for name, value in names.items() if id(value) in originals]:
            first = originals[id(names.pop(name))]
            if name != first:
                self._pending[name] = partial(self._value, first)
        self._originals, self._kept = {}, []
        return self._getattr, self._dir

    def _note(self, function: Any, make: Callable[[], Any], symbol: str | None = None) -> Any:
        if not isinstance(function, FunctionType):
            raise DeclarationError(f"expected an annotated function, got {type(function).__name__}")
        self._symbols[function.__name__] = symbol or function.__name__
        return self._noted(function, function.__name__, make)

    def _noted(self, declared: Any, name: str, make: Callable[[], Any]) -> Any:
        self._pending[name] = make
        self._originals[id(declared)] = name
        self._kept.append(declared)  # so that no other object gets its id
        return declared

    def _note_type(self, cls: Any, union: bool, options: dict[str, Any]) -> Any:
        if cls is None:
            return lambda decorated: self._note_type(decorated, union, options)
        if not isinstance(cls, type):
            raise DeclarationError(f"expected a class with annotations, got {type(cls).__name__}")
        return self._noted(cls, cls.__name__, lambda: self._row(cls, union, **options))

    def _bind(self, function: FunctionType, symbol: str | None, **options: Any) -> Any:
        self._evaluate_annotations(function, function.__name__)
        defaults = {"check": None, "release_gil": None, "convention": DEFAULT_CONVENTION}
        options = defaults | options
        if options["release_gil"] is None:
            options["release_gil"] = self._release_gil
        declaration = declaration_of(function, sys._getframe(), **options)
        return self.library.bind_declaration(symbol or declaration.name, declaration)

    def _variable(self, function: FunctionType, symbol: str | None) -> Variable:
        return self.library.variable(symbol or function.__name__, self._result(function))

    def _result(self, function: Any) -> Any:
        """The type that a function without parameters is annotated with."""
        self._evaluate_annotations(function, function.__name__)
        if "return" not in function.__annotations__:
            raise DeclarationError(
                f"{function.__name__}: a variable needs a type: def {function.__name__}() -> ..."
            )
        return function.__annotations__["return"]

    def _row(self, cls: type, union: bool, name: str | None = None, **options: Any) -> StructType:
        def make(row: DeferredStruct) -> None:
            self._evaluate_annotations(cls, cls.__name__)
            declare(cls, union=union, row=row, **options)

        return DeferredStruct(name or cls.__name__, make, union=union)

    def _evaluate_annotations(self, declared: Any, name: str) -> None:
        found: dict[str, Any] = declared.__annotations__ if _has_annotations(declared) else {}
        for key, text in found.items():
            if isinstance(text, str):
                found[key] = self._evaluate(text, f"{name}: {key}")
        if isinstance(declared, type) and found:
            declared.__annotations__ = {_unmangled(key, declared): value for key, value in found.items()}

    def _evaluate(self, text: str, what: str) -> Any:
        if text not in self._evaluated:
            try:
                self._evaluated[text] = eval(text, self._globals, self._scope)
            except DeclarationError as error:
                raise DeclarationError(f"{what}: {error}") from None
            except Exception as error:
                raise DeclarationError(f"{what}: cannot evaluate {text!r}: {error}") from error
        return self._evaluated[text]

    def _value(self, name: str) -> Any:
        """What a noted name stands for in annotations: rows of structs, whether laid out or not."""
        if name not in self._scope:
            # Threads may meet here: the first value stays.
            self._scope.setdefault(name, self._pending[name]())
        return self._scope[name]

    def _getattr(self, name: str) -> Any:
        if name in self._pending:
            value = self._value(name)
            if isinstance(value, StructType):
                value = value.cls
            self._globals[name] = value
            return value
        if name == "__all__":
            return self._public()
        module = self._globals.get("__name__")
        if name in self._refused:
            raise UnsupportedDeclarationError(f"{module}.{name}: {self._refused[name]}")
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    def _dir(self) -> list[str]:
        return sorted({*self._globals, *self._pending})

    def _public(self) -> list[str]:
        """For ``from module import *``: without what the library at hand does not have. Raises LibraryError."""
        own = self._globals.items()
        plain = [
            n
            for n, v in own
            if not (isinstance(v, (ModuleType, MethodType, LazyLibrary)) or n in _NOT_EXPORTED)
        ]
        missing = [name for name, symbol in self._symbols.items() if symbol not in self.library]
        return sorted(n for n in {*plain, *self._pending}.difference(missing) if not n.startswith("_"))

    def __repr__(self) -> str:
        state = "not opened" if self._library is None else "open"
        return f"<lazy library {self._name!r}, {state}>"


_NOT_EXPORTED = ("annotations", "TYPE_CHECKING")


class _Scope(dict[str, Any]):
    """The names that annotations may use, beside those of the module."""

    def __init__(self, owner: LazyLibrary) -> None:
        super().__init__(Literal=_LITERAL)
        self._owner = owner

    def __missing__(self, name: str) -> Any:
        if name in self._owner._pending:
            return self._owner._value(name)
        raise KeyError(name)


class _Literal:
    """``Literal[3]`` is how checkers want to see the 3 of ``Array[c.int, 3]``; `typing` need not be loaded."""

    def __getitem__(self, value: Any) -> Any:
        return value


_LITERAL = _Literal()


def _has_annotations(declared: Any) -> bool:
    """Has it annotations of its own? Before Python 3.14 a class without any shows those of a base."""
    return (
        not isinstance(declared, type) or sys.version_info >= (3, 14) or "__annotations__" in vars(declared)
    )


def _unmangled(key: str, cls: type) -> str:
    """A member's name as C has it: Python writes ``__x`` in a class's body as ``_class__x``."""
    prefix = f"_{cls.__name__.lstrip('_')}__"
    return key.removeprefix(prefix[:-2]) if key.startswith(prefix) and not key.endswith("__") else key
