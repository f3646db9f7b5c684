"""What a callback is, and what every backend puts around the Python function that C calls.

An exception cannot pass through C. It is kept for its thread, the callback returns its error value, and the
foreign call during which all this happened raises it when it returns to Python (`pending`). Where no Python
code waits, on a thread that C made, it goes to `Upcall.onerror` or `sys.unraisablehook`.
"""

from __future__ import annotations

import sys
from _thread import get_ident
from collections.abc import Callable
from typing import Any, NamedTuple

from . import pending
from .abi import Kind
from .binding import Converter, Marshal
from .convert import converter, expected, type_name
from .errors import ArgumentError, LifetimeError, UnsupportedSignatureError
from .interpreters import callbacks_work
from .likeness import Contents, Pointee
from .protected import protected
from .signature import Signature


class UpcallParameter(NamedTuple):
    """How one argument from C reaches Python.

    Natural values are those of results (see `Marshal`): VALUE, STRING or BYTES. `receive` is applied to the
    natural value. A backend that can build the object of `make` may do so in place of both.
    """

    marshal: Marshal = Marshal.VALUE
    receive: Callable[[Any], Any] | None = None
    make: Pointee | Contents | None = None


class Upcall(NamedTuple):
    """Everything specific to one kind of callback.

    `convert` makes the canonical result of what the function returns; None means the conversion that belongs
    to the ABI type. `error` is the canonical value that C gets when the function fails; None is zero.
    `onerror` is called with an exception that no foreign call is there to raise. Without a `name`, messages have
    the function's.
    """

    signature: Signature
    name: str = ""
    parameters: tuple[UpcallParameter, ...] = ()
    convert: Converter | None = None
    result_marshal: Marshal = Marshal.VALUE
    error: Any = None
    onerror: Callable[[BaseException], object] | None = None


_ZERO: dict[Kind, Any] = {Kind.BOOL: False, Kind.FLOAT: 0.0, Kind.COMPLEX: 0j, Kind.VOID: None}


def zero(signature: Signature) -> Any:
    """The canonical zero of a signature's result."""
    result = signature.result
    return bytes(result.size) if result.kind is Kind.AGGREGATE else _ZERO.get(result.kind, 0)


def completed(upcall: Upcall | Signature) -> Upcall:
    """An upcall with every parameter and a canonical error value.

    Raises ValueError for more parameters than the signature has or a marshal that no argument from C can
    have, an `ArgumentError` when `error` is no value of the result's type or `onerror` cannot be called, and
    UnsupportedSignatureError in an interpreter that C cannot call back into.
    """
    if isinstance(upcall, Signature):
        upcall = Upcall(upcall)
    if not callbacks_work():
        raise UnsupportedSignatureError(
            f"{upcall.name or 'callback'}: before Python 3.12, C can call back into the main interpreter only"
        )
    signature = upcall.signature
    missing = len(signature.parameters) - len(upcall.parameters)
    name = upcall.name or "callback"
    if missing < 0:
        raise ValueError(f"{name}: {len(upcall.parameters)} parameters for {signature!r}")
    for parameter, type in zip(upcall.parameters, signature.parameters, strict=False):
        if parameter.marshal in (Marshal.BUFFER, Marshal.WRITABLE) or (
            parameter.marshal in (Marshal.STRING, Marshal.BYTES) and type.kind is not Kind.POINTER
        ):
            raise ValueError(f"{name}: {type.name} from C cannot be marshalled as {parameter.marshal.value}")
    if upcall.onerror is not None and not callable(upcall.onerror):
        raise expected("a function of one exception for onerror", upcall.onerror)
    error = zero(signature) if upcall.error is None else returner(upcall)(upcall.error)
    return upcall._replace(parameters=upcall.parameters + (UpcallParameter(),) * missing, error=error)


def receiver(function: Callable[..., Any], upcall: Upcall) -> Callable[..., Any]:
    """`function` behind the `receive` of each parameter; `function` itself where there is none."""
    steps = [p.receive for p in upcall.parameters]
    if not any(steps):
        return function

    def received(*values: Any) -> Any:
        return function(*[v if step is None else step(v) for step, v in zip(steps, values, strict=True)])

    received.__name__ = getattr(function, "__name__", None) or type_name(function)  # which messages tell
    return received


def returner(upcall: Upcall) -> Converter:
    """The function that makes a canonical result; what a void callback returns is ignored."""
    if upcall.convert is not None:
        return upcall.convert
    if upcall.signature.result.kind is Kind.VOID:
        return lambda value: None
    return converter(upcall.signature.result)


def lends(upcall: Upcall) -> bool:
    """May results point to Python's memory? A struct may hold what does."""
    return upcall.convert is not None and upcall.signature.result.kind in (Kind.POINTER, Kind.AGGREGATE)


def misfit(error: Exception, name: str) -> Exception:
    """The exception of a result's conversion, with the name of the callback that returned it."""
    if not isinstance(error, ArgumentError):
        error.add_note(f"while converting the result of callback {name}()")
        return error
    made = type(error)(f"the result of callback {name}(): {error}")
    made.__suppress_context__ = True
    return made


class DeadCallbackError(LifetimeError):
    """C called a callback that has been released."""


def dead(name: str, error: type[LifetimeError] = DeadCallbackError) -> LifetimeError:
    """What is reported when C calls a callback that has been released."""
    return error(f"C called callback {name} after it was released")


class Guarded:
    """`function` as an interpreting backend's closure calls it: canonical results, and never an exception.

    `steps` make natural values of what the closure is called with, and `last` what the closure must return of
    a canonical result; None where there is nothing to do. They run in here because an exception of theirs
    must not escape either, and because `failed` must know the outermost frame of Python.
    """

    __slots__ = ("convert", "error", "function", "keep", "last", "receive", "steps", "upcall")

    _dead = staticmethod(dead)

    def __init__(
        self,
        function: Callable[..., Any],
        upcall: Upcall,
        steps: list[Converter | None],
        last: Converter | None,
    ) -> None:
        self.upcall = upcall
        self.function: Callable[..., Any] | None = function
        self.receive = receiver(function, upcall)
        self.convert = returner(upcall)
        self.steps = steps if any(steps) else None
        self.last = last
        self.error = upcall.error if last is None else last(upcall.error)
        #: By threads, what their last results point to, which lives until the next.
        self.keep: dict[int, object] | None = {} if lends(upcall) else None

    def release(self) -> None:
        """Let go of the function; every further call is reported."""
        # At shutdown this module's globals may be gone: nothing here uses them.
        name = self.upcall.name or getattr(self.function, "__name__", None) or type(self.function).__name__
        dead = self._dead

        def gone(*values: Any) -> Any:
            raise dead(name)

        self.receive = gone
        self.function = None
        if self.keep is not None:
            self.keep = {}

    @protected
    def __call__(self, *values: Any) -> Any:
        try:
            if pending.kept and pending.here():
                return self.error
            if self.steps is not None:
                values = tuple(v if s is None else s(v) for s, v in zip(self.steps, values, strict=True))
            value = self.receive(*values)
            try:
                result = self.convert(value)
            except Exception as error:
                raise misfit(error, name_of(self.upcall, self.function))  # noqa: B904 - it says so itself
            if self.keep is not None:
                self.keep[get_ident()] = value, result
            return result if self.last is None else self.last(result)
        except BaseException as error:
            alone = sys._getframe().f_back is None
            try:
                failed(error, self.upcall, self.function, alone=alone)
            except BaseException as second:  # of a signal handler, just then
                failed(second, self.upcall, self.function, alone=alone)
            return self.error


def failed(error: BaseException, upcall: Upcall, function: object, *, alone: bool) -> None:
    """Keep an exception for the foreign call it happened in; `alone`: there is none, so report it."""
    if not alone and not isinstance(error, DeadCallbackError):
        pending.keep(error)
        return
    try:
        if upcall.onerror is not None:
            upcall.onerror(error)
            return
    except BaseException as second:
        second.__context__ = error
        error = second
    report(error, f"Exception ignored in callback {name_of(upcall, function)}", function)


def name_of(upcall: Upcall, function: object) -> str:
    """What messages call a callback."""
    return upcall.name or getattr(function, "__name__", None) or type_name(function)


# The interpreter's own hook takes nothing but this struct sequence, which has a constructor and no public
# name (https://docs.python.org/3/library/sys.html#sys.unraisablehook).
_UnraisableHookArgs: Any = next(c for c in tuple.__subclasses__() if c.__name__ == "UnraisableHookArgs")


def report(error: BaseException, message: str, function: object) -> None:
    """Hand an exception that has nowhere to go to `sys.unraisablehook`."""
    sys.unraisablehook(_UnraisableHookArgs((type(error), error, error.__traceback__, message, function)))
