"""Whatever foreign code does to its process, the parent gets an exception that says what, and goes on."""

from __future__ import annotations

import os
import pickle
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.api import c
from epsilon.foreign.ext import platform
from platform_support.isolating import alive, count, eventually, linux, parent_of

pytestmark = [pytest.mark.once, linux]

#: x86-64 has no SIGSEGV address for what no pointer can hold.
NONE = object()


class Way(NamedTuple):
    """A way to go: the function, its parameters and arguments, and what the exception says."""

    function: str
    parameters: list[Any]
    arguments: tuple[Any, ...]
    signals: set[str]
    address: Any = NONE
    inside: str | None = None


WAYS = {
    "null write": Way("null_write", [], (), {"SIGSEGV"}, 0),
    "wild read": Way("read_at", [c.uintptr_t], (0xDEAD000,), {"SIGSEGV"}, 0xDEAD000),
    "wild write": Way("write_at", [c.uintptr_t], (0xDEAD000,), {"SIGSEGV"}, 0xDEAD000),
    "impossible address": Way("read_at", [c.uintptr_t], (1 << 63,), {"SIGSEGV"}, None),
    "wild jump": Way("wild_jump", [c.uintptr_t], (0x1230,), {"SIGSEGV"}, 0x1230, "wild_jump"),
    "smashed stack": Way("smash_stack", [c.size_t], (4096,), {"SIGSEGV", "SIGBUS", "SIGILL"}),
    "smashed stack, beyond its end": Way("smash_stack", [c.size_t], (1 << 30,), {"SIGSEGV"}),
    "smashed stack, noticed": Way("smash_guarded_stack", [c.size_t], (200,), {"SIGABRT"}, None),
    "overflown stack": Way("overflow_stack", [c.int], (0,), {"SIGSEGV"}),
    "abort": Way("abort_now", [], (), {"SIGABRT"}, None, "abort_now"),
    "double free": Way("double_free", [], (), {"SIGABRT"}, None, "double_free"),
    "division by zero": Way("divide_by_zero", [c.int], (1,), {"SIGFPE"}),
    "illegal instruction": Way("illegal_instruction", [], (), {"SIGILL", "SIGTRAP"}),
    "bus error": Way("bus_error", [], (), {"SIGBUS"}),
    "its own signal": Way("kill_self", [c.int], (signal.SIGTERM,), {"SIGTERM"}, None, "kill_self"),
    "its own SIGKILL": Way("kill_self", [c.int], (signal.SIGKILL,), {"SIGKILL"}, None),
}
#: Where the fault itself says which function it was in.
PLAIN = ("null write", "wild read", "wild write", "division by zero", "illegal instruction", "bus error")


@pytest.fixture(scope="module")
def backend() -> Iterator[Any]:
    with platform.isolated(timeout=20) as made:
        yield made


@pytest.fixture
def lib(backend: Any, crashes: str) -> Iterator[ffi.Library]:
    with ffi.use_backend(backend):
        yield ffi.Library(crashes)


def went(lib: ffi.Library, way: Way) -> platform.ForeignCrash:
    """Go that way; what was raised."""
    function = lib.bind(way.function, c.int, way.parameters)
    with pytest.raises(platform.ForeignCrash) as caught:
        function(*way.arguments)
    return caught.value


@pytest.mark.parametrize("name", WAYS)
def test_a_crash_is_an_exception_that_says_what_happened(lib: ffi.Library, name: str) -> None:
    way = WAYS[name]
    crash = went(lib, way)
    assert crash.signal is not None and crash.signal.name in way.signals
    assert way.function in str(crash) and crash.signal.name in str(crash)
    assert crash.function == way.function
    assert way.address is NONE or crash.address == way.address
    frames = [frame.function for frame in crash.backtrace]
    if name in PLAIN:
        assert frames[0] == way.function
        assert crash.backtrace[0].library.endswith("libcrashes.so")
    assert way.inside is None or way.inside in frames
    assert lib.bind("calm", c.int, [c.int])(1) == 2, "a fresh child serves the next call"


@pytest.mark.parametrize(("function", "status"), [("exit_with", 3), ("exit_at_once", 0)])
def test_exit_is_an_exception(lib: ffi.Library, function: str, status: int) -> None:
    with pytest.raises(platform.ForeignCrash, match=rf"exit\({status}\)") as caught:
        lib.bind(function, None, [c.int])(status)
    assert caught.value.exit_code == status and caught.value.signal is None
    assert function in [frame.function for frame in caught.value.backtrace]


def test_a_crash_is_a_foreign_error_and_a_builtin_and_pickles(lib: ffi.Library) -> None:
    crash = went(lib, WAYS["null write"])
    assert isinstance(crash, (ffi.ForeignError, RuntimeError))
    copy = pickle.loads(pickle.dumps(crash))
    assert (str(copy), copy.signal, copy.address) == (str(crash), crash.signal, 0)
    assert issubclass(platform.ForeignTimeout, (platform.ForeignCrash, TimeoutError))
    assert issubclass(platform.ForeignMemoryLimit, (platform.ForeignCrash, MemoryError))


def test_state_is_lost_with_the_child_and_everything_else_is_not(lib: ffi.Library) -> None:
    counted = lib.bind("counted", c.int, [])
    first = counted()
    assert counted() == first + 1
    with ffi.Arena() as arena:
        text = arena.string("still here")
        lost = went(lib, WAYS["abort"])
        assert lost.signal is signal.SIGABRT
        assert counted() == 1
        assert ffi.string_at(text) == "still here"
        assert lib.bind("sum_bytes", c.size_t, [c.pointer, c.size_t])(text, 5) == sum(b"still")


@pytest.mark.parametrize("function", ["spin_forever", "sleep_forever"])
def test_a_hang_is_ended_by_the_timeout(crashes: str, function: str) -> None:
    with platform.isolated(timeout=0.3) as backend, ffi.use_backend(backend):
        library = ffi.Library(crashes)
        hang = library.bind(function, None, [])
        begin = time.monotonic()
        with pytest.raises(platform.ForeignTimeout, match=r"timeout of 0\.3 s") as caught:
            hang()
        assert 0.3 <= time.monotonic() - begin < 5
        assert function in [frame.function for frame in caught.value.backtrace]
        assert library.bind("calm", c.int, [c.int])(1) == 2


def test_memory_beyond_the_limit_is_refused_by_an_exception(crashes: str) -> None:
    with platform.isolated(timeout=30, memory_limit=64 << 20) as backend, ffi.use_backend(backend):
        eat = ffi.Library(crashes).bind("eat_memory", c.size_t, [c.size_t])
        assert eat(16 << 20) == 16 << 20
        with pytest.raises(platform.ForeignMemoryLimit, match="limit of 67108864 bytes") as caught:
            eat(256 << 20)
        assert "eat_memory" in [frame.function for frame in caught.value.backtrace]
        assert eat(16 << 20) == 16 << 20


def test_a_thread_that_crashes_later_is_told_at_the_next_call(lib: ffi.Library, backend: Any) -> None:
    assert lib.bind("crash_in_thread", c.int, [c.uint])(1000) == 0
    process = backend.process
    assert eventually(lambda: not alive(process))
    calm = lib.bind  # binding asks the child too
    with pytest.raises(platform.ForeignCrash, match="SIGSEGV") as caught:
        calm("calm", c.int, [c.int])
    assert caught.value.backtrace[0].function == "crash_later"
    assert lib.bind("calm", c.int, [c.int])(1) == 2


def test_a_fault_that_the_library_handles_itself_is_none_of_ours(compile_library: Callable[..., Any]) -> None:
    source = """
    #include <setjmp.h>
    #include <signal.h>
    static sigjmp_buf back;
    static void handler(int number) { siglongjmp(back, 1); }
    int probe(const int *at)
    {
        struct sigaction action = {0}, before;
        action.sa_handler = handler;
        sigaction(SIGSEGV, &action, &before);
        int result = sigsetjmp(back, 1) ? -1 : *at;
        sigaction(SIGSEGV, &before, 0);
        return result;
    }
    """
    with platform.isolated() as backend, ffi.use_backend(backend):
        probe = ffi.Library(str(compile_library(source, "libprobe.so"))).bind("probe", c.int, [c.uintptr_t])
        assert [probe(8) for _ in range(3)] == [-1, -1, -1]


def test_a_child_that_is_not_traced_tells_its_signal_and_no_more(crashes: str) -> None:
    with platform.isolated(traced=False, timeout=0.3) as backend, ffi.use_backend(backend):
        library = ffi.Library(crashes)
        crash = went(library, WAYS["null write"])
        assert (crash.signal, crash.address, crash.backtrace) == (signal.SIGSEGV, None, ())
        with pytest.raises(platform.ForeignTimeout):
            library.bind("spin_forever", None, [])()
        assert library.bind("calm", c.int, [c.int])(1) == 2


def test_random_crashes_leave_the_parent_alive(crashes: str) -> None:
    chosen = random.Random(1)
    with platform.isolated(timeout=60, descriptors=()) as backend, ffi.use_backend(backend):
        library = ffi.Library(crashes)
        calm = library.bind("calm", c.int, [c.int])
        functions = {name: library.bind(way.function, c.int, way.parameters) for name, way in WAYS.items()}
        with platform.isolated(timeout=0.05, descriptors=()) as hasty, ffi.use_backend(hasty):
            spin = ffi.Library(crashes).bind("spin_forever", None, [])
            for number in range(count(40)):
                name = chosen.choice([*WAYS, "loop"])
                if name == "loop":
                    with pytest.raises(platform.ForeignTimeout):
                        spin()
                    continue
                way = WAYS[name]
                place = (chosen.randrange(16, 1 << 46),)
                arguments = place if name == "wild jump" else way.arguments
                try:
                    result = functions[name](*arguments)
                except platform.ForeignCrash as crash:
                    # Where a wild jump leads nobody knows.
                    expected = way.signals if name != "wild jump" else signal.Signals.__members__
                    assert crash.signal is not None and crash.signal.name in expected, (name, str(crash))
                else:
                    pytest.fail(f"{name} with {arguments} returned {result}")
                if number % 10 == 0:
                    assert calm(number) == number + 1


def test_a_child_killed_from_outside_at_any_moment_is_an_exception(crashes: str) -> None:
    chosen = random.Random(2)
    crashed = 0
    with platform.isolated(timeout=20) as backend, ffi.use_backend(backend):
        library = ffi.Library(crashes)
        calm = library.bind("calm", c.int, [c.int])
        back = library.bind("call_back", c.int, [ffi.Callback[[c.int], c.int], c.int])
        for _ in range(count(40)):
            calm(1)
            victim = backend.process
            killer = threading.Timer(chosen.random() * 0.01, os.kill, (victim, signal.SIGKILL))
            killer.start()
            begin = time.monotonic()
            try:
                while time.monotonic() - begin < 10:
                    assert calm(1) == 2
                    assert back(lambda x: x + 1, 5) == 6
            except platform.ForeignCrash as crash:
                assert crash.signal is signal.SIGKILL
                crashed += 1
            killer.join()
    assert crashed == count(40)


def test_a_keeper_killed_from_outside_takes_the_child_along_and_is_an_exception(crashes: str) -> None:
    with platform.isolated(timeout=20) as backend, ffi.use_backend(backend):
        library = ffi.Library(crashes)
        calm = library.bind("calm", c.int, [c.int])
        sleep = library.bind("sleep_forever", None, [])
        for _ in range(count(3, 30)):
            assert calm(1) == 2
            child = backend.process
            killer = threading.Timer(0.02, os.kill, (parent_of(child), signal.SIGKILL))
            killer.start()
            with pytest.raises(platform.ForeignCrash, match="lost"):
                sleep()
            killer.join()
            assert eventually(lambda child=child: not alive(child))
        assert calm(1) == 2


def test_a_child_that_damages_the_channel_is_an_exception(lib: ffi.Library, backend: Any) -> None:
    fill = lib.bind("write_at", None, [c.uintptr_t])
    region = backend._session.region
    # The kind of the answer, which is written over only in part.
    for offset in (4096 + 64 * 1024 + 4, 4096 + 64 * 1024 + 8):
        fill(region.address + offset)
        assert lib.bind("calm", c.int, [c.int])(1) == 2


def test_ctrl_c_interrupts_an_isolated_call(crashes: str) -> None:
    with platform.isolated() as backend, ffi.use_backend(backend):
        library = ffi.Library(crashes)
        sleep, calm = library.bind("sleep_forever", None, []), library.bind("calm", c.int, [c.int])
        calm(1)
        child = backend.process
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            sleep()
        assert not alive(child)
        assert calm(1) == 2


def test_a_signal_handler_may_not_call_in_while_a_call_runs(crashes: str) -> None:
    with platform.isolated(timeout=20) as backend, ffi.use_backend(backend):
        library = ffi.Library(crashes)
        calm = library.bind("calm", c.int, [c.int])
        pause = ffi.Library(None).bind("usleep", c.int, [c.uint])
        refused = []

        def handler(number: int, frame: Any) -> None:
            try:
                calm(1)
            except platform.ForeignBusyError as error:
                refused.append(error)

        before = signal.signal(signal.SIGUSR1, handler)
        try:
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1)).start()
            assert pause(400_000) == 0
        finally:
            signal.signal(signal.SIGUSR1, before)
        assert len(refused) == 1
        assert calm(1) == 2
