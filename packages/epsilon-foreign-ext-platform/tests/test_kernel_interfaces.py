"""epoll, signalfd, inotify, memfd and getrandom against the kernel that runs the tests."""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import pytest
from epsilon.foreign import api as ffi
from epsilon.foreign.api import c
from epsilon.foreign.ext.platform import kernel
from epsilon.foreign.ext.platform.kernel import (
    Epoll,
    EpollEvents,
    EventFD,
    Inotify,
    InotifyEvents,
    MemFD,
    RandomFlags,
    Ready,
    Seals,
    SignalFD,
    fill_random,
    getrandom,
)
from epsilon.foreign.ext.platform.memory import Protection, huge_pages, mapping_at

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform != "linux", reason="these interfaces are Linux'"),
]

IN, OUT, HUP, RDHUP, ET, ONESHOT = (
    EpollEvents[name] for name in ["IN", "OUT", "HUP", "RDHUP", "ET", "ONESHOT"]
)


@pytest.fixture
def pair():
    """Two sockets that are connected."""
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def test_epoll_says_what_is_ready(pair) -> None:
    one, other = pair
    with Epoll() as epoll:
        epoll.register(one, IN | OUT)
        epoll.register(other, data=2**64 - 1)
        assert epoll.wait(0) == [Ready(one.fileno(), OUT)]
        one.send(b"x")
        assert sorted(epoll.wait(1)) == sorted([Ready(one.fileno(), OUT), Ready(2**64 - 1, IN)])
        epoll.modify(one, IN)
        assert epoll.wait(0) == [(2**64 - 1, IN)]
        epoll.unregister(other)
        assert epoll.wait(0) == []
        epoll.modify(one, IN | RDHUP, data=5)
        other.close()
        ((data, events),) = epoll.wait(1)
        assert data == 5 and events & (IN | RDHUP | HUP) == IN | RDHUP | HUP


def test_epoll_reports_states_changes_or_once(pair) -> None:
    one, other = pair
    with Epoll() as epoll:
        for flag, again in ((EpollEvents(0), 1), (ET, 0), (ONESHOT, 0)):
            epoll.register(one, IN | flag)
            other.send(b"x")
            assert len(epoll.wait(1)) == 1
            assert len(epoll.wait(0)) == again
            epoll.unregister(one)


def test_epoll_gives_no_more_than_the_limit_and_starves_nobody() -> None:
    with contextlib.ExitStack() as stack:
        epoll = stack.enter_context(Epoll())
        events = [stack.enter_context(EventFD(1)) for _ in range(10)]
        for event in events:
            epoll.register(event)
        seen = set()
        for _ in range(4):
            ready = epoll.wait(1, limit=3)
            assert 0 < len(ready) <= 3
            seen |= {item.data for item in ready}
        assert seen == {event.fileno() for event in events}
        assert len(epoll.wait(0, limit=1000)) == 10
        for limit in (0, -1):
            with pytest.raises(ValueError, match="at least one"):
                epoll.wait(0, limit)
        with pytest.raises((OSError, MemoryError, ffi.LayoutError)):
            epoll.wait(0, 1 << 40)


def test_epoll_explains_what_it_refuses(pair, tmp_path: Path) -> None:
    one, other = pair
    with Epoll() as epoll, (tmp_path / "file").open("w") as file:
        epoll.register(one)
        for refused, error, words in (
            (lambda: epoll.register(one), FileExistsError, "use modify"),
            (lambda: epoll.modify(other, IN), FileNotFoundError, "not registered"),
            (lambda: epoll.unregister(other), FileNotFoundError, "not registered"),
            (lambda: epoll.register(file), PermissionError, "regular file"),
            (lambda: epoll.register(-1), OSError, "not open"),
            (lambda: epoll.register(123456), OSError, "not open"),
            (lambda: epoll.register(epoll), OSError, "watch itself"),
            (lambda: epoll.register(1 << 40), OverflowError, "does not fit"),
            (lambda: epoll.register(other, data=-1), OverflowError, "epoll_event.data"),
            (lambda: epoll.register(other, data=1 << 64), OverflowError, "epoll_event.data"),
            (lambda: epoll.register("0"), AttributeError, "fileno"),
        ):
            with pytest.raises(error, match=words):
                refused()
        closed = EventFD(1)
        epoll.register(closed)
        closed.close()
        assert epoll.wait(0) == []  # it has left the set


def test_epolls_watch_epolls_and_select_watches_them() -> None:
    with Epoll() as outer, Epoll() as inner, EventFD() as event:
        inner.register(event)
        outer.register(inner, data=7)
        assert outer.wait(0) == []
        event.write()
        assert outer.wait(1) == [(7, IN)]
        assert select.select([outer], [], [], 0)[0] == [outer]


def test_epoll_is_woken_by_another_thread() -> None:
    with Epoll() as epoll, EventFD() as event:
        epoll.register(event)
        threading.Timer(0.02, event.write).start()
        assert epoll.wait(10) == [(event.fileno(), IN)]


def test_epoll_waits_for_less_than_a_millisecond_without_spinning() -> None:
    with Epoll() as epoll:
        start = time.process_time()
        for _ in range(20):
            assert epoll.wait(0.0005) == []
        assert time.process_time() - start < 0.5


def test_signals_are_read_with_who_sent_them() -> None:
    with SignalFD({signal.SIGUSR1, signal.SIGUSR2}) as signals:
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR2)
        found = signals.read(1)
        if len(found) == 1:
            found += signals.read(1)
        assert {info.signal for info in found} == {signal.SIGUSR1, signal.SIGUSR2}
        assert all(info.ssi_pid == os.getpid() and info.ssi_uid == os.getuid() for info in found)
        with pytest.raises(TimeoutError):
            signals.read(0)
    assert signal.SIGUSR1 not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_a_child_that_ends_is_a_signal() -> None:
    with SignalFD([signal.SIGCHLD]) as signals:
        pid = os.fork()
        if pid == 0:
            os._exit(3)
        info = signals.read(10)[0]
        assert (info.signal, info.ssi_pid, info.ssi_status) == (signal.SIGCHLD, pid, 3)
        os.waitpid(pid, 0)


def test_real_time_signals_queue_with_their_values() -> None:
    number = signal.SIGRTMIN + 2
    sigqueue = ffi.Library(None).bind("sigqueue", c.int, [c.int, c.int, c.pointer], check=ffi.check_zero)
    with SignalFD([number]) as signals:
        for value in (10, 20, 30):
            sigqueue(os.getpid(), number, value)
        assert [info.ssi_ptr for info in signals.read(1, limit=2)] == [10, 20]
        (last,) = signals.read(1)
        assert last.ssi_ptr == 30 and last.signal == number and not isinstance(last.signal, signal.Signals)


def test_the_signals_that_are_read_can_change() -> None:
    with SignalFD({signal.SIGUSR1}) as signals:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
        try:
            signals.update([signal.SIGUSR2])
            os.kill(os.getpid(), signal.SIGUSR2)
            assert signals.read(1)[0].signal == signal.SIGUSR2
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR2])


def test_signals_that_were_blocked_before_stay_so() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    try:
        with SignalFD([signal.SIGUSR1, signal.SIGUSR2]):
            assert signal.SIGUSR2 in signal.pthread_sigmask(signal.SIG_BLOCK, [])
        now = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        assert signal.SIGUSR1 in now and signal.SIGUSR2 not in now
        with SignalFD([signal.SIGUSR2], block=False):
            assert signal.SIGUSR2 not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def test_signals_that_nobody_read_are_delivered_at_the_end() -> None:
    handled = []
    before = signal.signal(signal.SIGUSR1, lambda *_: handled.append(1))
    try:
        with SignalFD([signal.SIGUSR1]):
            os.kill(os.getpid(), signal.SIGUSR1)
            assert not handled
        assert handled == [1]
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("wrong", [[0], [-1], [1000], [32]])
def test_numbers_that_are_no_signals_are_refused(wrong) -> None:
    with pytest.raises(OSError, match=r"EINVAL.*no such signal"):
        SignalFD(wrong)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()


def watched(inotify: Inotify, watch: int, timeout: float = 1) -> list[tuple[InotifyEvents, str]]:
    return [(event.events, event.name) for event in inotify.read(timeout) if event.watch == watch]


def test_what_happens_in_a_folder_is_told(tmp_path: Path) -> None:
    E = InotifyEvents
    with Inotify() as inotify:
        watch = inotify.add(tmp_path, E.CREATE | E.CLOSE | E.MOVE | E.DELETE)
        (tmp_path / "grün").write_text("x")
        assert watched(inotify, watch) == [(E.CREATE, "grün"), (E.CLOSE_WRITE, "grün")]
        (tmp_path / "grün").rename(tmp_path / "blau")
        source, target = inotify.read()
        assert (source.events, source.name, target.events, target.name) == (
            E.MOVED_FROM,
            "grün",
            E.MOVED_TO,
            "blau",
        )
        assert source.cookie == target.cookie != 0
        (tmp_path / "folder").mkdir()
        (tmp_path / "blau").unlink()
        assert watched(inotify, watch) == [(E.CREATE | E.ISDIR, "folder"), (E.DELETE, "blau")]
        inotify.remove(watch)
        assert watched(inotify, watch) == [(E.IGNORED, "")]
        with pytest.raises(OSError, match=r"EINVAL.*no such watch"):
            inotify.remove(watch)
        with pytest.raises(TimeoutError):
            inotify.read(0)


def test_names_of_any_length_and_bytes_are_told(tmp_path: Path) -> None:
    names = [b"a" * length for length in (1, 15, 16, 17, 255)] + [b"\xff\xfe", "ü".encode() * 127]
    with Inotify() as inotify:
        inotify.add(os.fsencode(tmp_path), InotifyEvents.CREATE)
        for name in names:
            os.close(os.open(os.path.join(os.fsencode(tmp_path), name), os.O_CREAT))
        found: list[str] = []
        while len(found) < len(names):
            found += [event.name for event in inotify.read(1, size=512)]
        assert [os.fsencode(name) for name in found] == names
        with pytest.raises(ValueError, match="an event with a long name"):
            inotify.read(0, size=16)


def test_a_watched_file_tells_of_itself(tmp_path: Path) -> None:
    E = InotifyEvents
    file = tmp_path / "file"
    file.write_text("")
    with Inotify() as inotify:
        watch = inotify.add(file, E.MODIFY | E.DELETE_SELF)
        assert inotify.add(file, E.MODIFY | E.DELETE_SELF) == watch
        with pytest.raises(FileExistsError):
            inotify.add(file, E.MODIFY | E.MASK_CREATE)
        file.write_text("more")
        file.unlink()
        events = []
        while E.IGNORED not in [event for event, _ in events]:
            events += watched(inotify, watch)
        assert (E.MODIFY, "") in events and (E.DELETE_SELF, "") in events


def test_inotify_explains_what_it_refuses(tmp_path: Path) -> None:
    with Inotify() as inotify:
        for path, events, error in (
            (tmp_path / "missing", InotifyEvents.ALL, FileNotFoundError),
            (__file__, InotifyEvents.ALL | InotifyEvents.ONLYDIR, NotADirectoryError),
            (tmp_path, InotifyEvents(0), OSError),
            ("a\0b", InotifyEvents.ALL, ValueError),
            (5, InotifyEvents.ALL, TypeError),
        ):
            with pytest.raises(error):
                inotify.add(path, events)


def test_a_queue_that_overflows_says_so(tmp_path: Path) -> None:
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if limit > 20_000:
        pytest.skip(f"the queue here takes {limit} events")
    names = [tmp_path / "a", tmp_path / "b"]
    with Inotify() as inotify:
        inotify.add(tmp_path, InotifyEvents.ATTRIB | InotifyEvents.CREATE)
        for name in names:
            name.touch()
        for turn in range(limit):
            os.chmod(names[turn % 2], 0o600)
        found = []
        while not found or found[-1].events != InotifyEvents.Q_OVERFLOW:
            found += inotify.read(1)
        assert found[-1].watch == -1 and len(found) <= limit + 1


def test_a_memory_file_has_a_size_and_content() -> None:
    with MemFD("epsilon", 10) as file:
        assert file.size == 10 and "memfd:epsilon" in os.readlink(f"/proc/self/fd/{file.fileno()}")
        os.pwrite(file.fileno(), b"hello", 0)
        with file.map() as region:
            assert bytes(region.array()) == b"hello\0\0\0\0\0" and len(region) == 10
            region.array(c.char, 5)[0] = b"J"
            assert os.pread(file.fileno(), 5, 0) == b"Jello"
            assert "memfd:epsilon" in mapping_at(region).path
        with file.map(4, protection=Protection.READ, shared=False) as private:
            assert bytes(private.array()) == b"Jell"
            with pytest.raises(ffi.ConstError):
                private.array()[0] = 1
        file.resize(3)
        assert file.size == 3
        with pytest.raises(ffi.BoundsError, match="the file ends after 3"):
            file.map(4)


def test_seals_hold_against_everyone() -> None:
    with MemFD(size=mmap.PAGESIZE) as file:
        assert file.seals == Seals(0)
        with file.map() as region, pytest.raises(OSError, match=r"EBUSY.*a mapping of it can be written"):
            file.seal(Seals.WRITE)
        del region
        file.seal(Seals.SHRINK | Seals.GROW)
        for size in (1, 2 * mmap.PAGESIZE):
            with pytest.raises(PermissionError, match="sealed against growing or shrinking"):
                file.resize(size)
        file.seal(Seals.WRITE)
        assert file.seals == Seals.SHRINK | Seals.GROW | Seals.WRITE
        with pytest.raises(PermissionError):
            os.pwrite(file.fileno(), b"x", 0)
        with pytest.raises(PermissionError, match="sealed"):
            file.map()
        with file.map(protection=Protection.READ, shared=False) as copy:
            assert copy.array()[0] == 0
            copy.protect(Protection.READ | Protection.WRITE)
            copy.array()[0] = 1  # one's own copy
        file.seal(Seals.SEAL)
        with pytest.raises(PermissionError, match="its seals are final"):
            file.seal(Seals.FUTURE_WRITE)


def test_a_future_write_seal_leaves_the_mapping_that_there_is() -> None:
    with MemFD(size=100) as file, file.map() as region:
        file.seal(Seals.FUTURE_WRITE)
        region.array()[0] = 5
        assert os.pread(file.fileno(), 1, 0) == b"\5"
        with pytest.raises(PermissionError):
            file.map()
        with file.map(protection=Protection.READ) as reader:
            assert reader.array()[0] == 5
            with pytest.raises(PermissionError):
                reader.protect(Protection.READ | Protection.WRITE)


def test_a_file_without_sealing_takes_no_seals() -> None:
    with MemFD(sealing=False) as file:
        assert file.seals == Seals.SEAL
        with pytest.raises(PermissionError):
            file.seal(Seals.GROW)


def test_memory_travels_to_another_process_by_descriptor(pair) -> None:
    one, other = pair
    with MemFD(size=8) as file, file.map() as region:
        pid = os.fork()
        if pid == 0:
            _, fds, _, _ = socket.recv_fds(other, 1, 1)
            os.pwrite(fds[0], b"over", 0)
            os._exit(0)
        socket.send_fds(one, [b"x"], [file.fileno()])
        os.waitpid(pid, 0)
        assert bytes(region.array(c.uint8, 4)) == b"over"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"name": "x" * 250}, OSError),
        ({"name": "a\0b"}, ValueError),
        ({"name": 5}, TypeError),
        ({"size": -1}, OSError),
        ({"size": 1 << 63}, OverflowError),
        ({"size": (1 << 63) - 1}, OSError),
        ({"huge": 3}, ValueError),
        ({"huge": -1}, ValueError),
        ({"huge": 1 << 45}, OSError),
    ],
)
def test_a_memory_file_that_cannot_be_is_refused(arguments, error) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(error):
        MemFD(**arguments).map()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_a_memory_file_of_huge_pages_is_mapped_when_there_are_some() -> None:
    pools = huge_pages()
    if not pools:
        pytest.skip("this kernel has no huge pages")
    size = pools[0].size
    with MemFD(size=size, huge=size) as file:
        if pools[0].free - pools[0].reserved < 1:
            with pytest.raises(OSError, match="nr_hugepages"):
                file.map()
        else:
            with file.map() as region:
                assert region.page_size == size


def test_random_bytes_are_random() -> None:
    for size in (0, 1, 256, 257, 100_000):
        made = getrandom(size)
        assert type(made) is bytes and len(made) == size
    assert getrandom(32) != getrandom(32, RandomFlags.NONBLOCK) != getrandom(32, RandomFlags.RANDOM)
    counts = [0] * 256
    for octet in getrandom(256 * 400):
        counts[octet] += 1
    assert 250 < min(counts) <= max(counts) < 600
    with pytest.raises(ValueError, match="cannot make -1"):
        getrandom(-1)
    with pytest.raises(OSError, match=r"EINVAL.*flag"):
        getrandom(1, 0x1000)


@pytest.mark.parametrize(
    "make",
    [
        lambda: bytearray(1000),
        lambda: ffi.array(c.double, 125),
        lambda: ffi.alloc(c.uint8, 1000),
        lambda: memoryview(bytearray(1000)),
    ],
)
def test_memory_is_filled_where_it_is(make) -> None:
    data = make()
    fill_random(data)
    with memoryview(data) as view:
        assert len(set(view.cast("B"))) > 200
    fill_random(bytearray())


def test_memory_that_cannot_be_written_is_not_filled() -> None:
    data = b"constant"
    with pytest.raises(ffi.ConstError):
        fill_random(data)
    with pytest.raises(TypeError):
        fill_random("text")
    assert data == b"constant"


def test_large_memory_is_filled_to_its_end_although_signals_come() -> None:
    handled = []
    before = signal.signal(signal.SIGALRM, lambda *_: handled.append(1))
    data = bytearray(40 << 20)  # more than one call gives
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        fill_random(data)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert handled
    assert all(any(data[at : at + 64]) for at in range(0, len(data), 1 << 20)) and any(data[-64:])


def test_other_systems_interfaces_say_where_they_are() -> None:
    from epsilon.foreign.ext.platform import UnsupportedPlatformError

    with pytest.raises(UnsupportedPlatformError, match=r"linux.*kqueue"):
        kernel.Kqueue()
    with pytest.raises(UnsupportedPlatformError, match=r"Windows'; this is linux"):
        kernel.CompletionPort()
