"""What a backend is: the contract between this layer and everything above it, and the base that implements
its common part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from .abi import AbiType
    from .binding import Binding
    from .signature import Signature
    from .upcall import Upcall


class CallbackHandle(Protocol):
    """C-callable code made from a Python function. It lives until `release` or until the object dies."""

    @property
    def address(self) -> int:
        """Where C calls it."""
        ...

    def release(self) -> None:
        """Free the code now; C must not call it any more. Releasing twice does nothing."""
        ...


class TypeTable(Protocol):
    """What an allocating method knows of types."""

    def learn(self, type: Any, pointers: Any, size: int, alignment: int, flags: int) -> None:
        """From now on know `type`: the class of pointers to it, its size and alignment in bytes, their flags."""
        ...


class Accessors(Protocol):
    """Machine code that reads and writes numbers in the memory of `Memory` objects, in place of Python code.

    It does what is plain and leaves the rest to the Python functions it is given.
    """

    def member(
        self,
        cls: type,
        name: str,
        type: AbiType,
        offset: int,
        get: Callable[[Any], Any],
        set: Callable[[Any, Any], None],
        *,
        doc: str | None = None,
        readonly: bool = False,
    ) -> Any | None:
        """A descriptor for a number at `offset` bytes from the address of instances of `cls`, a subclass of `Memory`;
        None where there is no machine code for `type`. With `readonly`, every write goes to `set`."""
        ...

    def constructor(
        self,
        base: type,
        members: Sequence[tuple[AbiType, int]],
        template: Any,
        size: int,
        inline: int,
        fallback: Callable[[Any, tuple[Any, ...], dict[str, Any] | None], None],
    ) -> Any:
        """A subclass of `base`, a subclass of `Memory` whose instances hold `size` bytes of data at `inline` bytes
        from their start, with a constructor in machine code; `base` itself where there is none.

        `members` are the types and offsets that positional arguments are for. `template` is an initialised instance
        of `base`. ``fallback(self, args, kwargs or None)`` does the same in full.
        """
        ...

    def allocator(
        self, cls: type, fallback: Callable[..., Any], owner: str, nones: tuple[str, ...], sample: type
    ) -> tuple[Any, TypeTable] | None:
        """A method ``alloc(type, count=1, *, align=None)`` for `cls`, a subclass of `Owner`, and the table of the types
        that it knows; None where there is no machine code for it.

        It moves the owner's cursor, and makes a pointer object whose slot `owner` refers to the owner and whose slots
        `nones` are None, as slots of `sample`, a subclass of `Memory`. ``fallback(self, type, count, align=...)`` does
        the same in full.
        """
        ...

    def items(self, base: type, type: AbiType) -> Any:
        """A subclass of `base`, itself one of `Memory`, whose ``self[i]`` is machine code for numbers of `type` that
        leaves the rest to the methods of `base`; `base` itself where there is none."""
        ...


@runtime_checkable
class Backend(Protocol):
    """A way to call machine code from Python.

    Addresses and library handles are plain integers, so what one backend opened another can call.
    """

    @property
    def name(self) -> str:
        """The name it is registered under."""
        ...

    @property
    def capabilities(self) -> frozenset[str]:
        """What it can do at all, from `CAPABILITIES`; `supports` answers for one signature."""
        ...

    @property
    def accessors(self) -> Accessors | None:
        """Machine code for access to memory, or None."""
        ...

    def supports(self, signature: Signature) -> bool:
        """Can `bind` take this signature?"""
        ...

    def dlopen(self, name: str | None, flags: int | None = None) -> int:
        """Open a library and return its handle; None is the process itself. Raises OSError with the loader's
        words.
        """
        ...

    def dlsym(self, handle: int, symbol: str) -> int:
        """The address of a symbol. Raises LookupError when the library has none of that name."""
        ...

    def dlclose(self, handle: int) -> None:
        """Close a handle. Raises OSError."""
        ...

    def alloc(self, size: int, alignment: int = ...) -> int:
        """`size` bytes of zeroed memory, aligned to `alignment` (a power of two). Raises MemoryError,
        ValueError.
        """
        ...

    def free(self, address: int) -> None:
        """Free what `alloc` of any backend returned. 0 is allowed."""
        ...

    def bind(self, address: int, binding: Binding | Signature) -> Callable[..., Any]:
        """Prepare a function once for many calls.

        The callable has ``__name__``, ``__doc__`` and an `inspect.signature`, takes weak references, and
        keeps working until `redirect`. Raises `UnsupportedSignatureError`, and ValueError for a binding that
        contradicts its signature.
        """
        ...

    def redirect(self, function: Callable[..., Any], address: int | None) -> None:
        """Let a function that this backend bound call `address` from now on; None makes every call raise
        `ClosedLibraryError`. It costs the calls nothing."""
        ...

    def call(self, address: int, signature: Signature, args: Sequence[Any]) -> Any:
        """`bind`, with a cache, and call."""
        ...

    def callback(self, function: Callable[..., Any], upcall: Upcall | Signature) -> CallbackHandle:
        """Machine code that C calls and that calls `function`.

        What the function raises is raised by the foreign call during which it happened. Raises
        `UnsupportedSignatureError`, and ValueError for an upcall that contradicts its signature.
        """
        ...

    def callback_maker(self, upcall: Upcall | Signature) -> Callable[[Callable[..., Any]], CallbackHandle]:
        """`callback` for many functions: prepare once, make many. Raises what does not depend on the function."""
        ...


#: Every word that `Backend.capabilities` may hold.
CAPABILITIES = frozenset(
    {"scalars", "long double", "complex", "aggregates", "variadic", "callbacks", "errno", "release_gil"}
)
