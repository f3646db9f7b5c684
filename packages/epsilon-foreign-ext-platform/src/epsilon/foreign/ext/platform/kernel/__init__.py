"""Interfaces of the kernel as typed bindings: each a small module over the C calls that it is named after.

>>> from epsilon.foreign.ext.platform import kernel
>>> with kernel.EventFD(3) as event, kernel.TimerFD() as timer, kernel.Epoll() as epoll:
...     timer.start(0.001)
...     epoll.register(event)
...     event.read()
TimerState(left=0.0, interval=0.0)
3
"""

from __future__ import annotations

from epsilon.foreign.runtime import lazy_names

TYPE_CHECKING = False  # see `lazy_names`
if TYPE_CHECKING:
    from .descriptor import ClosedDescriptorError, Descriptor, WaitTimeoutError
    from .epoll import Epoll, EpollEvents, Ready, epoll_event
    from .eventfd import EventFD, EventFDFlags
    from .inotify import Inotify, InotifyEvent, InotifyEvents, inotify_event
    from .iocp import OVERLAPPED, OVERLAPPED_ENTRY, Completion, CompletionPort, CompletionPortError
    from .kqueue import Kqueue, KqueueFlags, KqueueNotes, kevent_darwin, kevent_freebsd
    from .memfd import MemFD, Seals
    from .random import RandomFlags, fill_random, getrandom
    from .signalfd import SignalFD, signalfd_siginfo
    from .timerfd import Clock, TimerFD, TimerFDFlags, TimerState, itimerspec, timespec
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            ".descriptor": "ClosedDescriptorError Descriptor WaitTimeoutError",
            ".epoll": "Epoll EpollEvents Ready epoll_event",
            ".eventfd": "EventFD EventFDFlags",
            ".inotify": "Inotify InotifyEvent InotifyEvents inotify_event",
            ".iocp": "OVERLAPPED OVERLAPPED_ENTRY Completion CompletionPort CompletionPortError",
            ".kqueue": "Kqueue KqueueFlags KqueueNotes kevent_darwin kevent_freebsd",
            ".memfd": "MemFD Seals",
            ".random": "RandomFlags fill_random getrandom",
            ".signalfd": "SignalFD signalfd_siginfo",
            ".timerfd": "Clock TimerFD TimerFDFlags TimerState itimerspec timespec",
        },
    )

__all__ = [
    "OVERLAPPED",
    "OVERLAPPED_ENTRY",
    "Clock",
    "ClosedDescriptorError",
    "Completion",
    "CompletionPort",
    "CompletionPortError",
    "Descriptor",
    "Epoll",
    "EpollEvents",
    "EventFD",
    "EventFDFlags",
    "Inotify",
    "InotifyEvent",
    "InotifyEvents",
    "Kqueue",
    "KqueueFlags",
    "KqueueNotes",
    "MemFD",
    "RandomFlags",
    "Ready",
    "Seals",
    "SignalFD",
    "TimerFD",
    "TimerFDFlags",
    "TimerState",
    "WaitTimeoutError",
    "epoll_event",
    "fill_random",
    "getrandom",
    "inotify_event",
    "itimerspec",
    "kevent_darwin",
    "kevent_freebsd",
    "signalfd_siginfo",
    "timespec",
]
