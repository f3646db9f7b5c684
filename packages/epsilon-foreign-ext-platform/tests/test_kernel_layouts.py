"""Structs and numbers of the kernel's interfaces beside a compiler's, and those of other systems beside tables."""

from __future__ import annotations

import enum
import os
import re
import shutil
import subprocess
import sys

import pytest
from epsilon.foreign import api as ffi
from epsilon.foreign.ext.platform import kernel, memory
from epsilon.foreign.ext.platform.kernel import kqueue

pytestmark = pytest.mark.once

#: Struct -> its header, and its members with what C calls those that Python calls otherwise.
STRUCTS = {
    kernel.epoll_event: ("sys/epoll.h", {"data": "data.u64"}),
    kernel.itimerspec: ("sys/timerfd.h", {}),
    kernel.timespec: ("time.h", {}),
    kernel.signalfd_siginfo: ("sys/signalfd.h", {}),
    kernel.inotify_event: ("sys/inotify.h", {}),
}
#: Enum -> its header and the prefix of its names in C; names that a C library's headers may be too old for.
ENUMS = {
    kernel.EpollEvents: ("sys/epoll.h", "EPOLL"),
    kernel.EventFDFlags: ("sys/eventfd.h", "EFD_"),
    kernel.TimerFDFlags: ("sys/timerfd.h", "TFD_TIMER_"),
    kernel.Clock: ("time.h", "CLOCK_"),
    kernel.InotifyEvents: ("sys/inotify.h", "IN_"),
    kernel.RandomFlags: ("sys/random.h", "GRND_"),
    kernel.Seals: ("linux/fcntl.h", "F_SEAL_"),
    memory.Advice: ("sys/mman.h", "MADV_"),
    memory.Protection: ("sys/mman.h", "PROT_"),
}
#: Names that are ours, or that C spells otherwise.
OWN = {"Clock": {}, "InotifyEvents": {"ALL": "IN_ALL_EVENTS"}, "Protection": {"EXECUTE": "PROT_EXEC"}}
TIMER = {"NONBLOCK": "TFD_NONBLOCK", "CLOEXEC": "TFD_CLOEXEC", "TIMER_ABSTIME": "TFD_TIMER_ABSTIME"}
TIMER |= {"TIMER_CANCEL_ON_SET": "TFD_TIMER_CANCEL_ON_SET"}


def members(cls: type) -> list[str]:
    """The members of a struct that have a name in C."""
    return [name for name in ffi.asdict(cls()) if not name.startswith("_")]


def constants() -> dict[str, int]:
    """C name -> our number."""
    found = {}
    for cls, (_, prefix) in ENUMS.items():
        for name, member in cls.__members__.items():
            spelled = TIMER if cls is kernel.TimerFDFlags else OWN.get(cls.__name__, {})
            found[spelled.get(name, prefix + name)] = int(member)
    return found


def program() -> str:
    """C source that prints ``name number`` for layouts and constants, and nothing for names it does not know."""
    headers = {header for header, _ in [*STRUCTS.values(), *ENUMS.values()]}
    lines = ["#define _GNU_SOURCE", "#include <stdio.h>", "#include <stddef.h>"]
    lines += [f"#include <{header}>" for header in sorted(headers)]
    lines += [
        '#define show(name, value) printf("%s %llu\\n", name, (unsigned long long)(value))',
        "int main(void) {",
    ]
    for cls, (_, spelled) in STRUCTS.items():
        name = cls.__name__
        lines.append(f'show("{name}", sizeof(struct {name}));')
        for member in members(cls):
            lines.append(f'show("{name}.{member}", offsetof(struct {name}, {spelled.get(member, member)}));')
    for name in constants():
        # Some are enumerators with a macro of the same name, some macros alone: both are macros here.
        lines += [f"#ifdef {name}", f'show("{name}", {name});', "#endif"]
    return "\n".join([*lines, "return 0;", "}"])


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """What the compiler says."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        pytest.skip("no C compiler (cc, or CC in the environment)")
    folder = tmp_path_factory.mktemp("layouts")
    (folder / "layouts.c").write_text(program(), encoding="utf-8")
    subprocess.run([compiler, "-w", "-o", folder / "layouts", folder / "layouts.c"], check=True)
    out = subprocess.run([folder / "layouts"], check=True, capture_output=True, text=True).stdout
    return {name: int(number) for name, number in map(str.split, out.splitlines())}


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux' headers")
def test_structs_are_laid_out_as_the_compiler_does(compiled) -> None:
    for cls in STRUCTS:
        assert ffi.sizeof(cls) == compiled[cls.__name__], cls
        for member in members(cls):
            assert ffi.offsetof(cls, member) == compiled[f"{cls.__name__}.{member}"], member


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux' headers")
def test_numbers_are_those_of_the_headers(compiled) -> None:
    ours = constants()
    # C's enumerators are ints, of which the highest bit is the sign.
    wrong = {
        name: (number, compiled[name])
        for name, number in ours.items()
        if name in compiled and (number ^ compiled[name]) & 0xFFFF_FFFF
    }
    assert not wrong
    unknown = ours.keys() - compiled.keys()
    new = {"F_SEAL_EXEC", "MADV_COLLAPSE", "MADV_POPULATE_READ", "MADV_POPULATE_WRITE", "GRND_INSECURE"}
    assert unknown <= new, "misspelled, or newer than these headers"


def test_flags_have_names_of_single_bits_or_of_their_sums() -> None:
    for cls in ENUMS:
        if issubclass(cls, enum.IntFlag):
            single = {int(member) for member in cls}
            for member in cls.__members__.values():
                assert int(member) in single or int(member) & ~sum(single) == 0


@pytest.mark.parametrize(
    ("cls", "size", "offsets"),
    [
        # sys/event.h of macOS and of FreeBSD 12, minwinbase.h of Windows, each for 64 bits.
        (
            kernel.kevent_darwin,
            32,
            {"ident": 0, "filter": 8, "flags": 10, "fflags": 12, "data": 16, "udata": 24},
        ),
        (
            kernel.kevent_freebsd,
            64,
            {"ident": 0, "filter": 8, "flags": 10, "fflags": 12, "data": 16, "udata": 24, "ext": 32},
        ),
        (
            kernel.OVERLAPPED,
            32,
            {"Internal": 0, "InternalHigh": 8, "Offset": 16, "OffsetHigh": 20, "hEvent": 24},
        ),
        (
            kernel.OVERLAPPED_ENTRY,
            32,
            {"lpCompletionKey": 0, "lpOverlapped": 8, "Internal": 16, "dwNumberOfBytesTransferred": 24},
        ),
    ],
)
def test_structs_of_other_systems_are_laid_out_as_their_headers_say(cls, size, offsets) -> None:
    assert ffi.sizeof(cls) == size
    assert {name: ffi.offsetof(cls, name) for name in offsets} == offsets
    assert list(ffi.asdict(cls())) == list(offsets)


def test_the_layout_and_the_filters_of_a_system_are_chosen_by_its_name() -> None:
    assert kqueue.layout("darwin") is kernel.kevent_darwin
    assert kqueue.layout("freebsd14") is kernel.kevent_freebsd
    assert kqueue.filters("darwin")["USER"] == -10 and kqueue.filters("freebsd13")["USER"] == -11
    for names in kqueue.FILTERS.values():
        assert sorted(names.values()) == list(range(-len(names), 0))


def test_a_change_of_a_kqueue_is_checked_before_the_system_sees_it() -> None:
    queue = object.__new__(kernel.Kqueue)
    queue._fd = -1
    with pytest.raises(ValueError, match=r"no filter 'NO_SUCH' on .*READ, WRITE"):
        queue.change(0, "NO_SUCH")
    with pytest.raises(kernel.ClosedDescriptorError):
        queue.change(0, "READ")
    with pytest.raises(ValueError, match="at least one"):
        queue.wait(0, 0)


def test_the_system_is_told_what_kqueues_and_ports_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The calls as they would be made: recorded, since no kernel here takes them."""
    from epsilon.foreign.ext.platform.kernel import iocp

    calls = []

    def kevent(fd, changes, change_count, events, event_count, timeout) -> int:
        taken = [changes[i].filter for i in range(change_count)]
        calls.append((fd, taken, event_count, (timeout[0].tv_sec, timeout[0].tv_nsec) if timeout else None))
        if event_count:
            events[0] = kqueue.layout()(ident=7, data=3)
        return min(event_count, 1)

    monkeypatch.setattr(kqueue, "kqueue", lambda: 1000)
    monkeypatch.setattr(kqueue, "kevent", kevent)
    queue = kernel.Kqueue()
    queue.change(7, "READ")
    assert [(event.ident, event.data) for event in queue.wait(0, 5)] == [(7, 3)]
    queue.wait()
    assert calls == [(1000, [-1], 0, (0, 0)), (1000, [], 5, (0, 0)), (1000, [], 64, None)]
    queue.detach()

    asked = []

    def function(name: str):
        def call(*args: object) -> object:
            asked.append((name, *[arg for arg in args if isinstance(arg, int)]))
            if name == "GetQueuedCompletionStatusEx":
                args[1][0] = kernel.OVERLAPPED_ENTRY(5, 0x1000, 0, 12)
                return 1, 1
            return 9

        return call

    monkeypatch.setattr(iocp, "_function", function)
    with kernel.CompletionPort() as port:
        port.associate(4, 5)
        port.post(5, 12)
        assert port.wait(0, 3) == [(5, 12, 0x1000)]
    assert asked == [
        ("CreateIoCompletionPort", 2**64 - 1, 0, 0, 0),
        ("CreateIoCompletionPort", 4, 9, 5, 0),
        ("PostQueuedCompletionStatus", 9, 12, 5, 0),
        ("GetQueuedCompletionStatusEx", 9, 3, 0, 0),
        ("CloseHandle", 9),
    ]
    with pytest.raises(kernel.ClosedDescriptorError):
        port.post(1)


def test_ports_take_the_parameters_that_the_sdk_declares() -> None:
    from epsilon.foreign.ext.platform.kernel.iocp import FUNCTIONS

    for name, (result, parameters) in FUNCTIONS.items():
        # HANDLE, ULONG_PTR and pointers are 8 bytes, DWORD, ULONG and BOOL 4: none is a `long`, whose size differs.
        assert ffi.sizeof(result) in (4, 8), name
        for parameter in parameters:
            assert re.fullmatch(r"(u?int(32|64)|Pointer\[.*\]|Out\[uint32\])", getattr(parameter, "name", "") or
                                parameter.__name__), name  # fmt: skip
