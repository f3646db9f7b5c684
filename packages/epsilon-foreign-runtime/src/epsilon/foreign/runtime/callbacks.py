"""Callbacks: Python functions that C calls, and C functions that C hands to Python.

``Callback[[c.int, c.int], c.int]`` is the type of a function pointer. A Python function given where one is
expected lives for that call; a `ForeignCallback` lives as long as its object; a function pointer from C is a
callable.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from epsilon.foreign.backend import (
    DEFAULT_CONVENTION,
    POINTER,
    Address,
    ArgumentRangeError,
    ArgumentTypeError,
    Backend,
    CallbackHandle,
    DeadCallbackError,
    Kind,
    Marshal,
    Pointee,
    Signature,
    UnsupportedSignatureError,
    Upcall,
    UpcallParameter,
    available_backends,
    expected,
    get_backend,
    preferred_backend,
    select_backend,
    type_name,
)

from .errors import DeclarationError
from .function import Declaration, Declared, bind_declaration
from .items import Items, load_address, store_address
from .objects import ALWAYS, PRESUMED
from .pointers import PointerType, pointer_at
from .types import ForeignType, add_resolver, lend, resolve_type

#: Function pointers from C that one type remembers as bound functions.
REMEMBERED = 256
Make = Callable[[Callable[..., Any]], CallbackHandle]
#: Marshals that a backend makes natural values of by itself.
_NATURAL = (Marshal.VALUE, Marshal.STRING, Marshal.BYTES)
_BUFFERS = (Marshal.BUFFER, Marshal.WRITABLE)


class Callback:
    """``Callback[[parameters], result]``: the type of a pointer to a C function."""

    def __new__(cls, *_: Any) -> Self:
        raise TypeError("Callback is a type: Callback[[c.int], c.int]; `callback` makes an object")

    def __class_getitem__(cls, parameters: Any) -> CallbackType:
        """Raises DeclarationError for what C passes to no function, or gets from none."""
        if (
            not isinstance(parameters, tuple)
            or len(parameters) != 2
            or not isinstance(parameters[0], list | tuple)
        ):
            raise DeclarationError("Callback takes a list of types and a result: Callback[[c.int], c.int]")
        rows = tuple([resolve_type(p) for p in parameters[0]])
        return callback_type(rows, resolve_type(parameters[1]))


class CallbackType(ForeignType):
    """The row of ``Callback[[parameters], result]``; equal types are one object.

    `convention` is how its functions are called; see `with_convention`.
    """

    __slots__ = ("_bound", "_makers", "convention", "parameters", "result")

    def __init__(
        self,
        parameters: tuple[ForeignType, ...],
        result: ForeignType,
        convention: str = DEFAULT_CONVENTION,
    ) -> None:
        name = f"Callback[[{', '.join([p.name for p in parameters])}], {result.name}]"
        if convention != DEFAULT_CONVENTION:
            name += f" [{convention}]"
        _check(name, parameters, result)
        super().__init__(
            name, POINTER, marshal=Marshal.OBJECT, to_foreign=self._lend, from_foreign=self.from_address
        )
        self.parameters = parameters
        self.result = result
        self.convention = convention
        #: By what `use_backend` says; for None it is decided when the first callback is made.
        self._makers: dict[Backend | None, Make] = {}
        self._bound: dict[int, Callable[..., Any]] = {}

    def upcall(self, error: Any = None, onerror: Callable[[BaseException], object] | None = None) -> Upcall:
        """What the backend is told of callbacks of this type, with an error value of the result's type.

        Raises DeclarationError, and an `ArgumentError` when `error` does not fit.
        """
        # Again: what was being declared as this type was may have turned out to be incomplete.
        _check(self.name, self.parameters, self.result)
        signature = Signature(self.result.abi, [p.abi for p in self.parameters], convention=self.convention)
        canonical = None if error is None else self.result.to_foreign(error)
        return Upcall(
            signature,
            parameters=tuple([_parameter(p) for p in self.parameters]),
            convert=_result_converter(self.result),
            result_marshal=Marshal.VALUE if self.result.marshal is Marshal.VALUE else Marshal.OBJECT,
            error=canonical,
            onerror=onerror,
        )

    def with_convention(self, convention: str) -> CallbackType:
        """The type of pointers to functions of another calling convention (``"ms"`` ...) with the same parameters.

        Whether a backend can call and make them shows when one is used.
        """
        return callback_type(self.parameters, self.result, convention)

    def make(self, function: Callable[..., Any]) -> CallbackHandle:
        """A callback on the preferred backend, or else on the first that can make it.

        Raises UnsupportedSignatureError, ArgumentTypeError when `function` cannot be called.
        """
        if not callable(function):
            raise expected(f"a function for {self.name}", function)
        make = self._makers.get(preferred_backend())
        if make is None:
            make = self._makers[preferred_backend()] = _maker(self.upcall())
        return make(function)

    def keep(self, function: Callable[..., Any]) -> ForeignCallback:
        """``ForeignCallback(function, self)``, sooner. Raises as `make`."""
        make = self._makers.get(preferred_backend())
        if make is None or not callable(function):
            return ForeignCallback(function, self)
        made: ForeignCallback = _Kept()
        made.function = function
        made.type = self
        made._handle = make(function)
        return made

    def make_with(
        self, function: Callable[..., Any], error: Any, onerror: Callable[[BaseException], object] | None
    ) -> CallbackHandle:
        """As `make`, with an error value and a handler of its own. Raises an `ArgumentError` too, as `upcall`."""
        if not callable(function):
            raise expected(f"a function for {self.name}", function)
        return _maker(self.upcall(error, onerror))(function)

    def _lend(self, value: Any) -> int:
        """The address of a callback, of a function pointer from C, or of a new callback that lives for the
        call; or one that C gives a meaning of its own, such as ``SIG_IGN``.
        """
        if value is None:
            return 0
        if type(value) is int:
            if not 0 <= value < 1 << 8 * self.size:
                raise ArgumentRangeError(f"{value} is no address")
            return value
        if isinstance(value, ForeignCallback):
            if value.type is not self:
                raise ArgumentTypeError(f"expected {self.name}, got a callback of type {value.type.name}")
            return Address(value.address, value)
        pointer = _pointers.get(id(value))
        if pointer is not None and pointer[1] is self and pointer[2] is value:
            return pointer[0]
        handle = self.make(value)
        return Address(handle.address, handle)

    def from_address(self, address: int | None) -> Callable[..., Any] | None:
        """A function pointer from C as a callable; None for NULL. The same address gives the same callable."""
        if not address:
            return None
        found = self._bound.get(address)
        if found is None:
            declaration = Declaration(
                f"function_{address:#x}",
                self.result,
                tuple([Declared(p) for p in self.parameters]),
                convention=self.convention,
            )
            found, _ = bind_declaration(address, declaration)
            if len(self._bound) >= REMEMBERED:
                _forget(self._bound.pop(next(iter(self._bound))))
            self._bound[address] = found
            _pointers[id(found)] = (address, self, found)
        return found

    def make_items(self) -> Items:
        """See `items_of`: a stored callback lives as long as the struct it is stored in."""

        def load(address: int, holder: Any) -> Any:
            return self.from_address(load_address(address, holder))

        def store(address: int, value: Any, holder: Any) -> None:
            store_address(address, self._lend(value), holder)

        return Items(self, self.size, self.alignment - 1, load, store, None, b"P")


#: Callables made of function pointers, by identity: what can be passed back to C as the pointer it was.
_pointers: dict[int, tuple[int, CallbackType, Callable[..., Any]]] = {}
_types: dict[tuple[tuple[ForeignType, ...], ForeignType, str], CallbackType] = {}


def _forget(function: Callable[..., Any]) -> None:
    _pointers.pop(id(function), None)


def callback_type(
    parameters: tuple[ForeignType, ...], result: ForeignType, convention: str = DEFAULT_CONVENTION
) -> CallbackType:
    """The one row for these rows and this calling convention. Raises DeclarationError."""
    found = _types.get((parameters, result, convention))
    if found is None:
        parameters = tuple([p.decayed for p in parameters])
        found = _types.get((parameters, result, convention))
    if found is None:
        made = CallbackType(parameters, result, convention)
        found = _types.setdefault((parameters, result, convention), made)
    return found


def _check(name: str, parameters: tuple[ForeignType, ...], result: ForeignType) -> None:
    """Raises DeclarationError for what cannot cross between C and a callback."""
    for position, row in enumerate(parameters, 1):
        problem = None
        if row.abi.kind is Kind.VOID:
            problem = "cannot be void"
        elif not row.complete and not row.making:
            problem = f"is the incomplete {row.name}; only pointers to it can be passed"
        elif row.output:
            problem = "is where C wants a value: say Pointer[...], and set p[0]"
        elif row.marshal in _BUFFERS:
            problem = f"is a {row.name}, of which C tells no length; say c.pointer"
        if problem is not None:
            raise DeclarationError(f"{name}: parameter {position} {problem}")
    if result.marshal in _BUFFERS:
        raise DeclarationError(f"{name}: a {result.name} cannot be the result; say c.pointer")
    if not (result.complete or result.making) or not result.returned:
        raise DeclarationError(f"{name}: C gets no {result.name} by value")
    base = getattr(result, "base", None)
    if base is not None:  # Owned
        raise DeclarationError(f"{name}: what Python returns stays Python's; say {base.name}")


def _maker(upcall: Upcall) -> Make:
    """How the preferred backend makes callbacks, or else the first that can. Raises UnsupportedSignatureError."""
    preferred = select_backend(upcall.signature)
    try:
        return preferred.callback_maker(upcall)
    except UnsupportedSignatureError as error:
        refused = error
    for name in available_backends():
        backend = get_backend(name)
        if backend is not preferred:
            try:
                return backend.callback_maker(upcall)
            except UnsupportedSignatureError:
                continue
    raise refused


def _parameter(row: ForeignType) -> UpcallParameter:
    if isinstance(row, PointerType):
        return _pointer_parameter(row)
    marshal = row.result_marshal if row.result_marshal in _NATURAL else Marshal.VALUE
    return UpcallParameter(marshal, row.from_foreign, row.make_object())


def _pointer_parameter(row: PointerType) -> UpcallParameter:
    """A pointer whose target may be read: C would not pass one to a callback for nothing."""
    cls = row.cls
    target = cls.target()
    if not target.complete or not target.size:
        return UpcallParameter(Marshal.VALUE, row.from_foreign)
    size = cls.target_size() * max(cls._promised, 1)
    flags = 0 if cls._promised else PRESUMED

    def receive(address: int | None) -> Any:
        upper = address + size if address else 0
        return pointer_at(cls, address or 0, address or 0, upper, ALWAYS, None, flags)

    return UpcallParameter(Marshal.VALUE, receive, Pointee(receive(None), size))


def _result_converter(result: ForeignType) -> Callable[[Any], Any] | None:
    if result.name == "void":
        return None
    if result.marshal in (Marshal.STRING, Marshal.BYTES):
        convert = result.to_foreign
        return lambda value: lend(convert(value))
    return result.to_foreign


class ForeignCallback:
    """A Python function that C may keep a pointer to, for as long as this object lives or until `release`.

    It is still a Python function: calling it calls Python, not C. `address` is what C calls. A function that is
    called while C runs gets `error` returned to C when it raises; see `Upcall` for `onerror`.
    """

    __slots__ = ("__weakref__", "_handle", "function", "type")

    function: Callable[..., Any]
    type: CallbackType
    _handle: CallbackHandle | None

    def __init__(
        self,
        function: Callable[..., Any],
        type: CallbackType,
        *,
        error: Any = None,
        onerror: Callable[[BaseException], object] | None = None,
    ) -> None:
        self.function = function
        self.type = type
        if error is None is onerror:
            self._handle = type.make(function)
        else:
            self._handle = type.make_with(function, error, onerror)

    @property
    def __name__(self) -> str:
        return getattr(self.function, "__name__", None) or type_name(self.function)

    @property
    def __wrapped__(self) -> Callable[..., Any]:
        """For `inspect.signature`."""
        return self.function

    @property
    def address(self) -> int:
        """Where C calls it. Raises LifetimeError once released."""
        handle = self._handle
        if handle is None:
            raise DeadCallbackError(f"callback {self.__name__} was used after it was released")
        return handle.address

    @property
    def released(self) -> bool:
        """Has `release` been called?"""
        return self._handle is None

    def release(self) -> None:
        """Give the callback up before the object dies: C must not call it any more. Twice does nothing."""
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.release()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __foreign_address__(self) -> int:
        return Address(self.address, self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: builtins.type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def __copy__(self) -> Self:
        """Itself, as for a function."""
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __repr__(self) -> str:
        where = "released" if self._handle is None else f"at {self.address:#x}"
        return f"<foreign callback {self.__name__}: {self.type.name} {where}>"

    def __reduce__(self) -> Any:
        raise TypeError(
            f"cannot pickle callback {self.__name__!r}: an address means nothing in another process"
        )


class _Kept(ForeignCallback):
    """One that `CallbackType.keep` fills in: a constructor without arguments is half the time of one with some."""

    __slots__ = ()

    __init__: Any = object.__init__


def _resolve(annotation: Any) -> ForeignType | None:
    return annotation if isinstance(annotation, CallbackType) else None


add_resolver(_resolve)
