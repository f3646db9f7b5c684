"""The keeper: a process between the parent and the child, which runs no foreign code.

It is a fresh interpreter with one thread, so forking it is safe and fast: a new child takes a few milliseconds. It is
the child's parent and tracer, so it learns of its end at once and knows why; and since it has only this one thread,
the kernel can kill the child with it (PR_SET_PDEATHSIG goes by threads, and the parent's come and go). The parent's end
it sees by a pidfd and by the socket between them.

Started as ``python -I -S keeper.py``: see `launch`.
"""

from __future__ import annotations

import _socket  # `socket` takes longer to import than all it would be used for
import contextlib
import gc
import os
import select
import signal
import sys
from typing import Any, NamedTuple, NoReturn

from epsilon.foreign.backend import Signature

from . import pickling, thunks, tracing
from .channel import Channel
from .machine import INT, LONG, local_backend
from .machine import c_function as c
from .region import EXECUTE, READ, Region, map_at
from .report import STOPPED, Report
from .supervision import Child
from .worker import Worker

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
#: Words between parent and keeper.
START, HALT = b"start", b"halt"
STARTED, ENDED, FAILED = b"started", b"ended", b"failed"


class Settings(NamedTuple):
    """What the keeper is started with."""

    parent: int
    address: int
    size: int
    descriptors: tuple[int, ...]
    """What the child gets of the parent's open files, under the same numbers."""
    traced: bool
    memory_limit: int | None
    profile: Any


def _prctl(option: int, argument: int) -> None:
    c("prctl", INT, INT, LONG, LONG, LONG, LONG)(option, argument, 0, 0, 0)


class Keeper:
    """Starts children, watches them, and reports their ends."""

    def __init__(self, control: _socket.socket, region: Region, settings: Settings) -> None:
        self._control = control
        self._settings = settings
        self._channel = Channel(region.address, parent=False)
        self._child: Child | None = None
        self._traced = settings.traced
        self._woken, wake = os.pipe()
        for end in (self._woken, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self._poll = select.poll()
        parent = os.pidfd_open(settings.parent)
        for descriptor in (self._woken, parent, control.fileno()):
            self._poll.register(descriptor, select.POLLIN)
        self._parent = parent

    def run(self) -> NoReturn:
        """Until the parent is gone, or wants no more."""
        try:
            while True:
                ready = {descriptor for descriptor, _ in self._poll.poll()}
                if self._woken in ready:
                    os.read(self._woken, 4096)
                    self._reap()
                if self._parent in ready:
                    break
                if self._control.fileno() in ready:
                    words = self._control.recv(65536)
                    if not words:
                        break
                    self._obey(words)
        finally:
            self._end_everything()
            os._exit(0)

    def _obey(self, words: bytes) -> None:
        word, _, rest = words.partition(b" ")
        if word == START:
            self._start()
        elif word == HALT and self._child is not None:
            self._child.halt(rest.decode())
            self._reap()

    def _start(self) -> None:
        """Fork a child. It waits until it is traced."""
        wait, go = os.pipe()
        process = os.fork()
        if not process:
            os.close(go)
            _become_worker(wait, self._settings, self._channel)
        os.close(wait)
        traced = self._traced
        if traced:
            try:
                tracing.seize(process)
            except OSError as error:
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
                os.close(go)
                self._control.send(
                    FAILED + b" the kernel does not allow to trace the child: %s" % str(error).encode()
                )
                return
        self._child = Child(process, traced=traced)
        self._control.send(STARTED + b" %d" % process)
        os.write(go, b".")
        os.close(go)

    def _reap(self) -> None:
        """Take in every change there is."""
        while True:
            try:
                thread, status = os.waitpid(-1, os.WNOHANG | tracing.WALL)
            except ChildProcessError:
                break
            if not thread:
                break
            if self._child is not None:
                self._child.notice(thread, status)
            elif os.WIFSTOPPED(status):
                tracing.resume(thread)
        child = self._child
        if child is not None and child.report is not None:
            self._child = None
            self._kill_rest()
            self._tell(child.report)

    def _tell(self, report: Report) -> None:
        # In this order: once the parent has the report, nothing of this child comes any more.
        self._channel.end()
        with contextlib.suppress(OSError):
            self._control.send(ENDED + b" " + report.encode())

    def _kill_rest(self) -> None:
        """Processes that the foreign code started are the keeper's children now."""
        while True:
            try:
                with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as children:
                    rest = [int(word) for word in children.read().split()]
            except OSError:
                return
            if not rest:
                return
            for process in rest:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    _, status = os.waitpid(process, tracing.WALL)
                    if os.WIFSTOPPED(status):  # one that is traced stops once more on its way out
                        tracing.resume(process)

    def _end_everything(self) -> None:
        if self._child is not None:
            self._child.kill(Report(STOPPED))
        self._kill_rest()


def _become_worker(wait: int, settings: Settings, channel: Channel) -> NoReturn:
    """What a forked child does."""
    try:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if not os.read(wait, 1):
            os._exit(0)  # the keeper died, or could not trace it
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        _close_all_but({0, 1, 2, *settings.descriptors})
        if settings.memory_limit is not None:
            _limit_memory(settings.memory_limit)
            if settings.traced:
                _trace_memory()
        if settings.profile is not None:
            settings.profile.apply()
        Worker(channel).run()
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(70)


def _limit_memory(limit: int) -> None:
    """Let there be `limit` bytes of data more than now: see RLIMIT_DATA in getrlimit(2)."""
    import resource

    with open("/proc/self/status", encoding="ascii", errors="replace") as lines:
        used = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))
    resource.setrlimit(resource.RLIMIT_DATA, (used + limit, used + limit))


def _trace_memory() -> None:
    """Let the keeper see the system calls that ask for memory."""
    from .seccomp import Rule, install, trace
    from .syscalls import number

    numbers = [number(name) for name in ("mmap", "mremap", "brk")]
    install([Rule(each, trace()) for each in numbers if each is not None])


def _close_all_but(kept: set[int]) -> None:
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            with contextlib.suppress(OSError):
                os.close(int(name))


def main(control: int, memory: int, code: int, settings: Settings) -> NoReturn:
    """Be the keeper, over these descriptors: a socket to the parent, the shared memory, the thunks."""
    if os.getppid() != settings.parent:
        os._exit(0)
    _close_all_but({0, 1, 2, control, memory, code, *settings.descriptors})
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    region = Region(memory, settings.size, settings.address)
    region.close_file()
    if code >= 0:
        map_at(region.address + CODE, thunks.LENGTH, code, replace=True, protection=READ | EXECUTE)
        os.close(code)
    # So that children find everything loaded.
    local_backend(Signature())
    import resource  # noqa: F401

    gc.collect()
    gc.freeze()
    Keeper(_socket.socket(fileno=control), region, settings).run()


#: Where the thunks lie in the shared memory, behind the channel and the slots.
CODE = 1 << 20


def _start_from_arguments(arguments: list[str]) -> NoReturn:
    control, memory, code = (int(word) for word in arguments[:3])
    main(control, memory, code, pickling.loads(bytes.fromhex(arguments[3])))
