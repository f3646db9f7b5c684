"""The conversation with a child: starting one, asking it, answering its upcalls, noticing its end."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable
from typing import Any

from epsilon.foreign.backend import (
    ForeignError,
    LifetimeError,
    ProcessLock,
    UnsupportedSignatureError,
    report,
)

from ..errors import PlatformError
from . import pickling, thunks
from .channel import Channel, Kind, ProtocolError
from .crash import crash
from .heap import Heap
from .keeper import CODE, Settings
from .launch import Keeper
from .profile import Profile
from .region import Region
from .report import LOST, STOPPED, TIMEOUT, Report
from .worker import ANSWER

#: How long the parent sleeps before it looks whether everybody is still alive, in seconds.
SLICE = 0.05
#: How long closing waits for a call that another thread is in, in seconds.
PATIENCE = 1.0
_NEVER = float("inf")


class NotAFunctionError(PlatformError, TypeError):
    """What was to be called is data: it lies in memory that may not be executed."""


class ForeignBusyError(PlatformError, RuntimeError):
    """A signal handler or a finalizer called an isolated function while its thread waits for another."""


#: Name of an exception in the child -> what it is here.
_RAISED: dict[str, type[Exception]] = {
    "OSError": OSError,
    "LookupError": LookupError,
    "MemoryError": MemoryError,
    "DataCalledError": NotAFunctionError,
    "UnsupportedSignatureError": UnsupportedSignatureError,
}

#: Answers an upcall: the kind of the answer and its content.
Upcall = Callable[["Conversation", bytes], tuple[Kind, bytes]]


class Life:
    """One child from its start to its end, and what it has been told so far."""

    def __init__(self, process: int) -> None:
        self.process = process
        self.functions: set[int] = set()
        self.callbacks: set[int] = set()
        self.handles: dict[int, int] = {}
        #: The addresses of symbols that are elsewhere in it than they were, and where.
        self.moved: dict[int, int] = {}
        self.report: Report | None = None


class Conversation:
    """One request to a child, until its answer."""

    __slots__ = ("deadline", "kept", "life", "name")

    def __init__(self, life: Life, name: str, timeout: float | None) -> None:
        self.life = life
        self.name = name
        self.deadline = _NEVER if timeout is None else time.monotonic() + timeout
        #: What a callback of it has raised.
        self.kept: BaseException | None = None


class Session:
    """One keeper, at most one child, the memory shared with them, and one request at a time.

    `lock` is held by the thread whose request it is, through its callbacks too. `upcall` answers calls from C, `begin`
    prepares a new child.
    """

    def __init__(
        self,
        *,
        timeout: float | None,
        memory_limit: int | None,
        profile: Profile | None,
        descriptors: tuple[int, ...],
        reserve: int,
        traced: bool,
        upcall: Upcall,
        begin: Callable[[Life], None],
    ) -> None:
        self.timeout = timeout
        self.lock = ProcessLock()
        self.region = Region.make(reserve)
        self.heap = Heap(self.region, self.region.address + CODE + thunks.LENGTH)
        self.channel = Channel(self.region.address, parent=True)
        self.life: Life | None = None
        self.closed = False
        #: How many children there have been.
        self.epoch = 0
        #: What finalizers wanted to call while their thread waited.
        self.deferred: list[Callable[[], object]] = []
        self._settings = Settings(0, self.region.address, reserve, descriptors, traced, memory_limit, profile)
        self._keeper: Keeper | None = None
        self._waiting = False
        #: Conversations that are going on, one in a callback of another.
        self._depth = 0
        self._upcall = upcall
        self._begin = begin
        _sessions.add(self)

    def ready(self) -> Life:
        """The child, a fresh one if there is none. `lock` must be held.

        Raises the `ForeignCrash` of a child that has ended meanwhile, LifetimeError, ForeignBusyError,
        BackendUnavailableError.
        """
        if self._waiting:
            raise ForeignBusyError(
                "an isolated function was called by a signal handler or a finalizer, on a thread that waits for "
                "another one to return"
            )
        life = self.life
        if life is None:
            return self._start()
        if not self.channel.live:
            raise self._crashed(Conversation(life, "the isolated process", None))
        return life

    def _start(self) -> Life:
        if self.closed:
            raise LifetimeError("the isolated backend is closed")
        if self._keeper is None or self._keeper.gone():
            if self._keeper is not None:
                self._keeper.kill()
            self._keeper = Keeper(self.region, self._settings._replace(parent=os.getpid()))
        self.channel.reset()
        self.epoch += 1
        self.life = life = Life(self._keeper.start_child())
        try:
            self._begin(life)
        except BaseException:
            self._end(life, STOPPED)  # half of what it should know would be worse than none
            raise
        return life

    def ask(self, life: Life, kind: Kind, content: Any, name: str) -> int:
        """A request that is no call: what it answers. Raises what the child raised, ForeignCrash."""
        conversation = Conversation(life, name, self.timeout)
        return int(ANSWER.unpack(self.converse(conversation, kind, pickling.dumps(content)))[0])

    def converse(self, conversation: Conversation, kind: Kind | None, content: bytes = b"") -> bytes:
        """Send a request, or what lies in the outbox already, and answer upcalls until it is answered.

        Raises what a callback raised, or the child itself, and ForeignCrash.
        """
        channel = self.channel
        self._waiting = True
        self._depth += 1
        try:
            if kind is None:
                channel.post()
            else:
                channel.send(kind, content, lambda: self._wait(conversation))
            while True:
                if not channel.look() or not channel.arrived:
                    self._sleep(conversation)
                answer, content = channel.take() or channel.receive(lambda: self._wait(conversation))
                if answer == Kind.RESULT:
                    return content
                if answer != Kind.UPCALL:
                    break
                self._answer(conversation, content)
        except ProtocolError as error:
            self._end(conversation.life, f"its memory is damaged: {error}")
            raise self._crashed(conversation) from None
        except BaseException:
            # Interrupted: what the foreign code is doing will never be asked for.
            if conversation.life.report is None:
                self._end(conversation.life, STOPPED)
            raise
        finally:
            self._waiting = False
            self._depth -= 1
            if self.closed and not self._depth:
                self._give_up()
        raise self._failure(conversation, answer, content)

    def _failure(self, conversation: Conversation, answer: int, content: bytes) -> BaseException:
        if answer == Kind.KEPT and conversation.kept is not None:
            kept, conversation.kept = conversation.kept, None
            return kept
        if answer == Kind.RAISED:
            name, _, text = content.decode(errors="replace").partition("\0")
            number, _, text = text.partition("\0")
            if name == "OSError" and number not in ("", "0"):
                return OSError(int(number), text)
            known = _RAISED.get(name)
            return known(text) if known is not None else ForeignError(f"{name}: {text}")
        self._end(conversation.life, f"its memory is damaged: an answer of kind {answer}")
        return self._crashed(conversation)

    def _answer(self, conversation: Conversation, content: bytes) -> None:
        """Let a callback run, on its own time."""
        began = time.monotonic()
        self._waiting = False
        try:
            answer, content = self._upcall(conversation, content)
        finally:
            self._waiting = True
        if conversation.life.report is not None:
            # A call that the callback made has ended the child that this one is running in.
            raise self._crashed(conversation) from conversation.kept
        conversation.deadline += time.monotonic() - began
        self.channel.send(answer, content, lambda: self._wait(conversation))

    def _wait(self, conversation: Conversation) -> None:
        """Wait for a message. Raises ForeignCrash."""
        if not self.channel.look() or not self.channel.arrived:
            self._sleep(conversation)

    def _sleep(self, conversation: Conversation) -> None:
        """Wait for a message that does not come at once. Raises ForeignCrash."""
        channel = self.channel
        while True:
            left = conversation.deadline - time.monotonic()
            if channel.sleep(max(0.0, min(SLICE, left))) and channel.arrived:
                return
            if not channel.live or (self._keeper and self._keeper.gone()):
                raise self._crashed(conversation)
            if left <= 0:
                self._end(conversation.life, TIMEOUT)
                raise self._crashed(conversation)

    def _end(self, life: Life, reason: str) -> None:
        """End the child; `report` says how it went."""
        if self._keeper is not None and life.report is None:
            life.report = self._keeper.halt(reason)
        if self.life is life:
            self.life = None

    def _crashed(self, conversation: Conversation) -> BaseException:
        """The exception for the end of a child."""
        life = conversation.life
        if life.report is None:
            life.report = (self._keeper and self._keeper.report(5.0)) or self._lost()
        if self.life is life:
            self.life = None
        limit = (
            f"{self.timeout} s" if life.report.reason == TIMEOUT else f"{self._settings.memory_limit} bytes"
        )
        return crash(life.report, conversation.name, limit)

    def _lost(self) -> Report:
        return self._keeper.lost() if self._keeper else Report(LOST)

    def damaged(self, life: Life, name: str, error: Exception) -> BaseException:
        """The exception for a child that says what has no meaning: it is ended."""
        with self.lock:
            self._end(life, f"its memory is damaged: {error}")
            return self._crashed(Conversation(life, name, None))

    def defer(self, call: Callable[[], object]) -> bool:
        """Put a call off when this thread waits for another one; False when it does not. `lock` must be held."""
        if self._waiting:
            self.deferred.append(call)
        return self._waiting

    def catch_up(self) -> None:
        """Make the calls that were put off."""
        while self.deferred:
            call = self.deferred.pop(0)
            try:
                call()
            except Exception as error:
                report(error, "Exception ignored in an isolated call of a finalizer", call)

    def restart(self) -> None:
        """End the child, if there is one. A call that another thread is in raises ForeignCrash."""
        life = self.life
        if self.lock.acquire(blocking=False):
            try:
                if self._waiting:
                    raise ForeignBusyError("the isolated process is running a call of this very thread")
                if self.life is not None:
                    self._end(self.life, STOPPED)
            finally:
                self.lock.release()
        elif life is not None and self._keeper is not None:
            self._keeper.kill_child()

    def close(self) -> None:
        """End the child and the keeper. Memory that is in use stays. A call that another thread is in, and that does
        not return soon, raises ForeignCrash."""
        held = self.lock.acquire(timeout=PATIENCE)
        if not held:
            if self._keeper is not None:
                self._keeper.kill_child()
            held = self.lock.acquire(timeout=PATIENCE)
        try:
            if self.closed:
                return
            self.closed = True
            life, self.life = self.life, None
            if held and self._depth and life is not None:
                # By a callback or a signal handler of a call, which raises; it needs its memory until then.
                life.report = life.report or Report(STOPPED)
            elif held and life is not None and self.channel.live:
                self._leave(life)
            if self._keeper is not None:
                self._keeper.stop()
            if not held:
                self.region.close_file()
            elif not self._depth:
                self._give_up()
        finally:
            if held:
                self.lock.release()

    def _give_up(self) -> None:
        """Unmap the memory, unless something in it is in use."""
        if len(self.heap):
            self.region.close_file()
        else:
            self.region.unmap()

    def _leave(self, life: Life) -> None:
        """Let the child end by itself: C may have something to write yet."""
        self.channel.send(Kind.LEAVE, b"", lambda: None)
        until = time.monotonic() + 1.0
        while self.channel.live and time.monotonic() < until:
            self.channel.sleep(SLICE)

    def forked(self) -> None:
        """In a forked child of the parent: neither the keeper nor the shared memory is its own."""
        if self.closed:
            return
        keeper, self._keeper, self.life, self._waiting = self._keeper, None, None, False
        if keeper is not None:
            keeper.forget()
        self.region.detach(self.heap.used)


_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


def _forked() -> None:
    for session in list(_sessions):
        session.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
