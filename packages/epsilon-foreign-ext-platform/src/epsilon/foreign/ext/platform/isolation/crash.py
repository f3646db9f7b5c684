"""What foreign code does instead of returning: the exceptions that an isolated call raises for it."""

from __future__ import annotations

import signal as signals

from ..errors import PlatformError
from .report import EXIT, MEMORY, STOPPED, TIMEOUT, Report
from .symbols import Frame, named


class ForeignCrash(PlatformError, RuntimeError):
    """The process that ran an isolated call has ended, and its state is lost; the next call gets a fresh one.

    `function` is the name of what was called. `signal` is the signal that ended it, a `signal.Signals` or None; for a
    fault, `address` is what was accessed (for SIGSEGV and SIGBUS) or executed (for SIGILL, SIGFPE). `exit_code` is set
    when it called ``exit``. `backtrace` are its C frames, innermost first, as far as the stack told: a list of return
    addresses found there, so that a frame too many is possible. `syscall` is the number of a forbidden system call.
    """

    def __init__(self, message: str, report: Report | None = None, function: str = "") -> None:
        super().__init__(message)
        report = report or Report(STOPPED)
        self.function = function
        self.signal: signals.Signals | None = _signal(report.signal)
        self.address: int | None = report.address if report.address >= 0 else None
        self.exit_code: int | None = report.exit_code if report.exit_code >= 0 else None
        self.syscall: int | None = report.syscall if report.syscall >= 0 else None
        self._report = report
        self._backtrace: tuple[Frame, ...] | None = None

    @property
    def backtrace(self) -> tuple[Frame, ...]:
        """The C frames, innermost first. Names are looked up when they are first asked for."""
        if self._backtrace is None:
            self._backtrace = tuple(
                named(frame, returns=position > 0) for position, frame in enumerate(self._report.frames)
            )
        return self._backtrace

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.args[0], self._report, self.function))


class ForeignTimeout(ForeignCrash, TimeoutError):
    """An isolated call ran for longer than ``timeout=`` allows, and was ended."""


class ForeignMemoryLimit(ForeignCrash, MemoryError):
    """Foreign code asked for more memory than ``memory_limit=`` allows, and was ended."""


_CLASSES: dict[str, type[ForeignCrash]] = {TIMEOUT: ForeignTimeout, MEMORY: ForeignMemoryLimit}
_FAULTS = {signals.SIGSEGV, signals.SIGBUS}


def crash(report: Report, function: str, limit: str = "") -> ForeignCrash:
    """The exception for a report; `limit` says in words what was exceeded."""
    made = _CLASSES.get(report.reason, ForeignCrash)("", report, function)
    where = next((str(frame) for frame in made.backtrace), "")
    called = function if " " in function or "(" in function else f"{function}()"
    text = f"{called} {_described(made, report, limit)}" + (f", in {where}" if where else "")
    made.args = (text,)
    return made


def _described(made: ForeignCrash, report: Report, limit: str) -> str:
    if report.reason == TIMEOUT:
        return f"did not return within its timeout of {limit}"
    if report.reason == MEMORY:
        return f"asked for more memory than its limit of {limit}"
    if report.reason == EXIT:
        return f"ended its process by exit({made.exit_code})"
    if made.signal is None:
        return f"lost its process: {report.reason}" if report.reason else "lost its process"
    if made.syscall is not None:
        return f"was ended for the forbidden system call {made.syscall} ({made.signal.name})"
    at = "" if made.address is None else f" at address {made.address:#x}"
    by = f" sent by process {report.sender}" if report.sender and made.signal is not signals.SIGABRT else ""
    return f"crashed: {made.signal.name} ({signals.strsignal(made.signal)}){at}{by}"


def _signal(number: int) -> signals.Signals | None:
    try:
        return signals.Signals(number)
    except ValueError:  # none, or a realtime signal without a name
        return None
