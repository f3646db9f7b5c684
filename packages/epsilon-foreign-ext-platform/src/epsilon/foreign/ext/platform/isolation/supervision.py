"""One child as the keeper sees it: from the fork to the report of its end."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

from . import tracing
from .backtrace import RawFrame, backtrace
from .report import EXIT, MEMORY, SIGNAL, Report
from .syscalls import number

#: Signals that stop a process, or that it does not notice, unless it has a handler.
_HARMLESS = {
    signal.SIGCHLD,
    signal.SIGCONT,
    signal.SIGURG,
    signal.SIGWINCH,
    signal.SIGSTOP,
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
}
#: Faults of the processor, whose address means something.
_FAULTS = {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP}
#: Codes of signals that a program sent itself or another, `SI_USER` and below.
_SENT = 0
#: A fault without an address, such as that of an address that no pointer can hold.
_KERNEL = 0x80
#: Files whose frames are not the foreign code's but of what calls it: beginnings, and parts of their paths.
_OURS = (os.path.realpath(sys.executable), "/memfd:")
_CALLERS = ("/libpython", "/_ctypes.", "/_cffi_backend.", "/libffi")
#: How long a running thread is given to stop, in seconds.
PATIENCE = 0.2


class Child:
    """A child process under supervision; `report` is None while it lives."""

    def __init__(self, process: int, *, traced: bool) -> None:
        self.process = process
        self.traced = traced
        self.report: Report | None = None
        self._cause: Report | None = None

    def notice(self, thread: int, status: int) -> None:
        """Take in what waitpid(2) said of one of its threads, and let it go on."""
        if os.WIFSTOPPED(status):
            # Killed while it is looked at: its end is yet to be told.
            with contextlib.suppress(OSError):
                self._stopped(thread, os.WSTOPSIG(status), status >> 16)
        elif thread == self.process:
            self._ended(status)

    def _stopped(self, thread: int, signal_number: int, event: int) -> None:
        if event == tracing.EVENT_SECCOMP:
            # Stop once more when the call is done.
            tracing.resume(thread, 0, tracing.SYSCALL)
        elif signal_number == signal.SIGTRAP | 0x80:
            self._system_call(thread)
        elif event == tracing.EVENT_EXIT:
            self._exiting(thread)
        elif event == tracing.EVENT_STOP and signal_number in (
            signal.SIGSTOP,
            signal.SIGTSTP,
            signal.SIGTTIN,
            signal.SIGTTOU,
        ):
            tracing.listen(thread)
        elif event:
            tracing.resume(thread)
        elif signal_number in _HARMLESS or tracing.caught(self.process, signal_number):
            tracing.resume(thread, signal_number)
        else:
            self._fatal(thread, signal_number)

    def _fatal(self, thread: int, number: int) -> None:
        info = tracing.signal_info(thread)
        fault = number in _FAULTS and _SENT < info.code != _KERNEL
        self.kill(
            Report(
                SIGNAL,
                number,
                info.code,
                info.address if fault else -1,
                info.sender if info.code <= _SENT else 0,
                info.syscall if number == signal.SIGSYS else -1,
                frames=self._frames(thread),
            )
        )

    def _system_call(self, thread: int) -> None:
        """The end of a system call that asks for memory."""
        if _refused(tracing.registers(thread)):
            self.kill(Report(MEMORY, frames=self._frames(thread)))
        else:
            tracing.resume(thread)

    def _exiting(self, thread: int) -> None:
        """A thread ends; when it ends the process, by its own will, that is where it did."""
        status = tracing.message(thread)
        if self._cause is None and os.WIFEXITED(status) and thread == self.process:
            self._cause = Report(EXIT, exit_code=os.WEXITSTATUS(status), frames=self._frames(thread))
        tracing.resume(thread)

    def _frames(self, thread: int) -> tuple[RawFrame, ...]:
        """Where a stopped thread is, up to the stub that called the foreign function."""
        found: list[RawFrame] = []
        with contextlib.suppress(OSError):
            for frame in backtrace(self.process, tracing.registers(thread)):
                if found and not _foreign(frame.path):
                    break
                found.append(frame)
        return tuple(found)

    def _ended(self, status: int) -> None:
        cause = self._cause
        if os.WIFSIGNALED(status):
            self.report = cause or Report(SIGNAL, os.WTERMSIG(status))
        else:
            code = os.WEXITSTATUS(status)
            self.report = cause._replace(exit_code=code) if cause else Report(EXIT, exit_code=code)

    def kill(self, cause: Report | None) -> None:
        """End it, all its threads at once; a cause given earlier stays."""
        self._cause = self._cause or cause
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)

    def halt(self, reason: str) -> None:
        """End it, and note where it was."""
        frames: tuple[RawFrame, ...] = ()
        if self.traced and reason:
            with contextlib.suppress(OSError):
                tracing.interrupt(self.process)
                if self._wait_for_stop():
                    frames = self._frames(self.process)
        if self.report is None:
            self.kill(Report(reason, frames=frames))

    def _wait_for_stop(self) -> bool:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            thread, status = os.waitpid(self.process, os.WNOHANG | tracing.WALL)
            if thread and os.WIFSTOPPED(status):
                if status >> 16 == tracing.EVENT_STOP:
                    return True
                self.notice(thread, status)
            elif thread:
                self.notice(thread, status)
                return False
            time.sleep(0.001)
        return False


def _foreign(path: str) -> bool:
    """Is what lies in a file foreign code?"""
    return path.startswith("/") and not path.startswith(_OURS) and not any(part in path for part in _CALLERS)


def _refused(registers: tracing.Registers) -> bool:
    """Has a system call that asks for memory been refused it? mmap(2) and mremap(2) say ENOMEM; brk(2) returns the old
    end, which is less than what it was asked for."""
    result = registers.result
    if result == (1 << 64) - 12:
        return True
    return registers.call == number("brk") and registers.argument > result
