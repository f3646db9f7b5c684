"""What can be seen of the process's stubs: their instructions, how many there are, a map for `perf`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from .. import pending
from ..binding import Binding, validate
from ..errors import UnsupportedSignatureError
from ..registry import get_backend
from ..signature import Signature
from ..upcall import Upcall, completed
from . import callback, callback_kind, cpython, perfmap
from .disassembly import disassemble_code
from .record import ForeignFunction
from .specs import spec_of
from .stubs import Stubs

if TYPE_CHECKING:
    from .memory import Block, HeapStatistics

#: Which code to list: what Python calls; what the slow way calls, with converted arguments; what C calls.
Which = Literal["call", "trusted", "upcall"]


def disassemble(what: Callable[..., Any] | Binding | Signature | Upcall, stub: Which = "call") -> str:
    """The machine code that serves `what`, one instruction a line, with the names of what it refers to.

    `what` is a function or a callback of this backend, or what either is made from: a `Signature`, a
    `Binding`, an `Upcall`. `stub` chooses among the stubs of a signature or a binding: ``"call"`` is what
    Python code calls; ``"trusted"`` what the slow way calls, with converted arguments; ``"upcall"`` what C
    calls. The stub is made if there is none yet. Without capstone the listing is a hex dump.

    Raises TypeError for anything else, UnsupportedSignatureError, BackendUnavailableError.
    """
    stubs = _stubs()
    block = stubs.heap.block(_address(stubs, what, stub))
    listing = disassemble_code(
        stubs.heap.code(block.address), block.address, _symbols(stubs), code_size=block.code_size
    )
    return f"{_title(block)}\n{listing}"


def statistics() -> HeapStatistics:
    """How many stubs there are, and how many bytes they take. Raises BackendUnavailableError."""
    return _stubs().statistics


def enable_perf_map() -> str:
    """Write every stub, old and new, to the map that Linux `perf` reads; returns its path.

    Raises OSError when the file cannot be written, and BackendUnavailableError.
    """
    return perfmap.enable_perf_map(_stubs().heap)


def _stubs() -> Stubs:
    stubs: Stubs = get_backend("trampoline").stubs  # type: ignore[attr-defined]  # of the built-in backend
    return stubs


def _address(stubs: Stubs, what: Any, stub: Which) -> int:
    if isinstance(what, callback.TrampolineCallback):
        what, stub = what._kind.upcall, "upcall"
    owner = getattr(what, "__self__", what)
    if isinstance(owner, ForeignFunction):
        what = owner.binding
    if isinstance(what, Upcall) or (isinstance(what, Signature) and stub == "upcall"):
        upcall = completed(what)
        _check(upcall.signature)
        return stubs.get_upcall(callback_kind.spec_of(upcall))
    if isinstance(what, Signature):
        what = Binding(what)
    if not isinstance(what, Binding) or stub == "upcall":
        raise TypeError(f"{what!r} has no {stub} stub of the trampoline backend")
    what = validate(what)
    _check(what.signature)
    return stubs.get(spec_of(what, trusted=stub == "trusted"))


def _check(signature: Signature) -> None:
    if not get_backend("trampoline").supports(signature):
        raise UnsupportedSignatureError(f"the trampoline backend cannot call {signature!r}")


def _symbols(stubs: Stubs) -> dict[int, str]:
    ours = {
        pending.COUNT_ADDRESS: "pending.count",
        pending.FINALIZING_ADDRESS: "pending.finalizing",
        id(pending.kept): "pending.kept",
        id(pending.KEY): "pending.KEY",
        id(pending.Box): "pending.Box",
    }
    return cpython.names() | ours | {block.address: block.name for block in stubs.heap.blocks}


def _title(block: Block) -> str:
    pool = block.size - (block.size if block.code_size is None else block.code_size)
    return f"; {block.name}: {block.size} bytes at {block.address:#x}, {pool} of them constants"
