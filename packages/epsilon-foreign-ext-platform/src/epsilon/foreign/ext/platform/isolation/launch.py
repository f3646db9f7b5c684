"""Starting the keeper, and talking to it: the parent's side."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time

from epsilon.foreign.backend import BackendUnavailableError

from . import pickling, thunks
from .keeper import CODE, ENDED, HALT, START, STARTED, Settings
from .region import Region
from .report import LOST, Report

#: Seconds that the keeper is given to answer: a loaded machine may take some.
PATIENCE = 30.0
_SLOTS = CODE - thunks.COUNT * thunks.SLOT
_PROGRAM = (
    "import sys; path = sys.argv.pop(1); sys.path[:] = eval(path); "
    "from epsilon.foreign.ext.platform.isolation.keeper import _start_from_arguments; "
    "_start_from_arguments(sys.argv[1:])"
)


class Keeper:
    """The keeper's process, as the parent sees it."""

    def __init__(self, region: Region, settings: Settings) -> None:
        """Start it. Raises BackendUnavailableError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        code = _code_file() if thunks.supported() else -1
        try:
            self.process = _spawn(theirs.fileno(), region.descriptor, code, settings)
        finally:
            theirs.close()
            if code >= 0:
                os.close(code)
        self._control = ours
        self._watch = os.pidfd_open(self.process)
        self._child = -1

    def start_child(self) -> int:
        """Fork a child; returns its process id. Raises BackendUnavailableError."""
        try:
            self._control.send(START)
            word, rest = self._receive(PATIENCE)
        except OSError as error:
            raise BackendUnavailableError(f"the isolated backend's keeper is gone: {error}") from None
        if word != STARTED:
            raise BackendUnavailableError(
                rest.decode(errors="replace") or "the isolated process does not start"
            )
        process = int(rest)
        self._forget_child()
        with contextlib.suppress(OSError):  # it has ended already
            self._child = os.pidfd_open(process)
        return process

    def halt(self, reason: str) -> Report:
        """End the child now; its report."""
        with contextlib.suppress(OSError):
            self._control.send(HALT + b" " + reason.encode())
        return self.report(5.0) or self.lost()

    def report(self, seconds: float) -> Report | None:
        """The report of the child's end, if it comes within so long."""
        try:
            word, rest = self._receive(seconds)
        except TimeoutError:
            return None
        except OSError:
            return self.lost()
        return Report.decode(rest) if word == ENDED else self.lost()

    def _receive(self, seconds: float) -> tuple[bytes, bytes]:
        """What the keeper says. Raises TimeoutError; ConnectionError when it is gone."""
        until = time.monotonic() + seconds
        while True:
            left = max(0, until - time.monotonic())
            if _readable(self._control.fileno(), left):
                break
            if left <= 0:
                raise TimeoutError
        words = self._control.recv(1 << 18)
        if not words:
            raise ConnectionError("it has ended")
        word, _, rest = words.partition(b" ")
        return word, rest

    def gone(self) -> bool:
        """Has the keeper ended?"""
        return self._watch < 0 or bool(_readable(self._watch, 0))

    def lost(self) -> Report:
        """After the keeper itself has ended, or does not answer: make sure that nothing of it is left."""
        self.kill()
        return Report(LOST)

    def kill_child(self) -> None:
        """End the child, from any thread; its report comes as ever."""
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self._child, signal.SIGKILL)

    def _forget_child(self) -> None:
        if self._child >= 0:
            os.close(self._child)
            self._child = -1

    def kill(self) -> None:
        """End the keeper; the kernel ends the child with it."""
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self._watch, signal.SIGKILL)
        self.stop()

    def stop(self) -> None:
        """Let the keeper end its child and itself, and wait for that."""
        if self._watch < 0:
            return
        self._control.close()
        if not _readable(self._watch, 5.0):
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._watch, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):  # somebody else has waited for every child
            os.waitpid(self.process, 0)
        os.close(self._watch)
        self._watch = -1
        self._forget_child()

    def forget(self) -> None:
        """In a forked child: the keeper belongs to the parent."""
        self._forget_child()
        self._control.close()
        os.close(self._watch)
        self._watch = -1


def _readable(descriptor: int, seconds: float) -> bool:
    """Does a descriptor become readable within so long? poll(2), which takes any number, unlike select(2)."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _code_file() -> int:
    """A file with the thunks."""
    content = thunks.thunks(_SLOTS - CODE)
    descriptor = os.memfd_create("epsilon-foreign-thunks", os.MFD_CLOEXEC)
    os.write(descriptor, content)
    return descriptor


def _spawn(control: int, memory: int, code: int, settings: Settings) -> int:
    """Start the interpreter, with these descriptors and standard streams where they are given, else /dev/null."""
    given = set(settings.descriptors)
    free = max([2, control, memory, code, *given]) + 1
    numbers = (free, free + 1, free + 2 if code >= 0 else -1)
    actions: list[tuple[object, ...]] = [
        (os.POSIX_SPAWN_DUP2, source, target)
        for source, target in zip((control, memory, code), numbers, strict=True)
        if source >= 0
    ]
    actions += [
        (os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in (0, 1, 2) if stream not in given
    ]
    # dup2 of a descriptor to itself makes it inheritable: posix_spawn_file_actions_adddup2(3).
    actions += [(os.POSIX_SPAWN_DUP2, descriptor, descriptor) for descriptor in sorted(given)]
    path = [entry for entry in sys.path if entry]
    arguments = [*map(str, numbers), pickling.dumps(settings).hex()]
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM, repr(path), *arguments]
    try:
        return os.posix_spawn(
            sys.executable,
            command,
            os.environ,
            file_actions=actions,
            setpgroup=0,  # signals from the terminal are the parent's to handle
            setsigmask=[],
            setsigdef=[signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT],
        )
    except OSError as error:
        raise BackendUnavailableError(f"cannot start {sys.executable}: {error}") from None
