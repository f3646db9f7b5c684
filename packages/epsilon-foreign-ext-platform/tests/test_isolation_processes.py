"""What isolation leaves behind, lets in and keeps apart: processes, descriptors, memory, forks, threads, limits."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.api import c
from epsilon.foreign.ext import platform
from platform_support.isolating import alive, eventually, linux, parent_of

pytestmark = [pytest.mark.once, linux]


def run(program: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program of its own."""
    command = [sys.executable, "-c", textwrap.dedent(program), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)


def started(backend: Any) -> tuple[int, int]:
    """The processes of a backend: the child and its keeper."""
    with ffi.use_backend(backend):
        ffi.Library(None)
    return backend.process, parent_of(backend.process)


def test_nothing_is_started_before_it_is_needed() -> None:
    with platform.isolated() as backend:
        assert backend.process is None
        assert "not started" in repr(backend)
        child, _ = started(backend)
        assert str(child) in repr(backend)


def test_closing_ends_every_process(crashes: str) -> None:
    backend = platform.isolated()
    with ffi.use_backend(backend):
        calm = ffi.Library(crashes).bind("calm", c.int, [c.int])
    assert calm(1) == 2
    processes = started(backend)
    backend.close()
    backend.close()
    assert not any(map(alive, processes))
    with pytest.raises(ffi.LifetimeError, match="closed"):
        calm(1)
    with pytest.raises(ffi.LifetimeError):
        backend.alloc(8)
    assert "closed" in repr(backend)


def test_a_forgotten_backend_ends_too() -> None:
    backend = platform.isolated()
    processes = started(backend)
    del backend
    gc.collect()
    assert eventually(lambda: not any(map(alive, processes)))


def test_functions_and_memory_keep_what_they_need(crashes: str) -> None:
    with ffi.use_backend(platform.isolated()):
        calm = ffi.Library(crashes).bind("calm", c.int, [c.int])
    gc.collect()
    assert calm(1) == 2
    with platform.isolated() as backend, ffi.use_backend(backend):
        arena = ffi.Arena()
        text = arena.string("outlives its backend")
    assert ffi.string_at(text) == "outlives its backend"
    arena.close()


def test_what_c_printed_is_written_when_it_is_closed(isolated_library: str) -> None:
    done = run(
        """
        import sys
        import epsilon.foreign.api as ffi
        from epsilon.foreign.api import c
        from epsilon.foreign.ext import platform
        with platform.isolated() as backend, ffi.use_backend(backend):
            ffi.Library(sys.argv[1]).bind("print", None, [c.string])("printed by C")
        """,
        isolated_library,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "printed by C", "")


@pytest.mark.parametrize("how", ["os._exit(0)", "os.kill(os.getpid(), 9)", "sys.exit()", "os.abort()"])
def test_no_process_outlives_the_parent(how: str) -> None:
    done = run(
        f"""
        import os, sys
        import epsilon.foreign.api as ffi
        from epsilon.foreign.ext import platform
        backend = platform.isolated()
        with ffi.use_backend(backend):
            library = ffi.Library(None)
        with open(f"/proc/{{backend.process}}/stat") as file:
            print(backend.process, file.read().rpartition(")")[2].split()[1], flush=True)
        {how}
        """,
        preexec_fn=lambda: __import__("resource").setrlimit(__import__("resource").RLIMIT_CORE, (0, 0)),
    )
    processes = [int(word) for word in done.stdout.split()]
    assert len(processes) == 2, done.stderr
    assert eventually(lambda: not any(map(alive, processes)))


def test_no_process_that_foreign_code_started_outlives_it(isolated_library: str, tmp_path: Path) -> None:
    note = tmp_path / "process"
    with platform.isolated(timeout=20) as backend, ffi.use_backend(backend):
        library = ffi.Library(isolated_library)
        shell = library.bind("run_shell", c.int, [c.string])
        assert shell(f"sleep 600 & echo $! > {note}") == 0
        process = int(note.read_text())
        assert alive(process)
        backend.restart()
        assert eventually(lambda: not alive(process))


def test_no_shared_memory_is_left_behind() -> None:
    before = set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()
    backend = platform.isolated()
    with ffi.use_backend(backend):
        memory = ffi.alloc(c.char, 1 << 20)
        ffi.Library(None)
        assert not (set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()) - before
    region = backend._session.region
    with open("/proc/self/maps", encoding="utf-8") as maps:
        assert f"{region.address:x}-" in maps.read()
    ffi.free(memory)
    descriptors = len(os.listdir("/proc/self/fd"))
    backend.close()
    with open("/proc/self/maps", encoding="utf-8") as maps:
        assert f"{region.address:x}-" not in maps.read()
    assert len(os.listdir("/proc/self/fd")) < descriptors


def test_starting_and_stopping_leaks_no_descriptor() -> None:
    def once() -> None:
        with platform.isolated() as backend:
            started(backend)

    once()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        once()
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_child_has_no_descriptor_that_it_was_not_given(crashes: str, tmp_path: Path) -> None:
    secret = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(secret, True)
    given, end = os.pipe()
    try:
        with platform.isolated(descriptors=(1, 2, end)) as backend, ffi.use_backend(backend):
            is_open = ffi.Library(crashes).bind("descriptor_is_open", c.int, [c.int])
            assert [n for n in range(256) if is_open(n)] == sorted({0, 1, 2, end})
            assert os.readlink(f"/proc/{backend.process}/fd/0") == os.devnull
            write = ffi.Library(None).bind("write", c.ssize_t, [c.int, c.buffer, c.size_t])
            assert write(end, b"given", 5) == 5
            assert os.read(given, 5) == b"given"
        with platform.isolated(descriptors=()) as backend, ffi.use_backend(backend):
            ffi.Library(None)
            assert {os.readlink(f"/proc/{backend.process}/fd/{n}") for n in (0, 1, 2)} == {os.devnull}
    finally:
        for descriptor in (secret, given, end):
            os.close(descriptor)


def test_a_profile_binds_the_child_and_not_the_parent(crashes: str) -> None:
    with platform.isolated(profile=platform.Profile.untrusted(), timeout=20) as backend:
        with ffi.use_backend(backend):
            library = ffi.Library(crashes)
            open_socket = library.bind("open_socket", c.int, [c.int])
            assert open_socket(2) == -13, "EACCES"
            assert library.bind("calm", c.int, [c.int])(1) == 2
            assert library.bind("call_back", c.int, [ffi.Callback[[c.int], c.int], c.int])(abs, -3) == 3
            with pytest.raises(platform.ForeignCrash, match="forbidden system call") as caught:
                library.bind("run_program", c.int, [c.string])("/bin/true")
            assert caught.value.signal is signal.SIGSYS and caught.value.syscall is not None
            assert "run_program" in [frame.function for frame in caught.value.backtrace]
            assert library.bind("calm", c.int, [c.int])(1) == 2
        assert ffi.Library(crashes).bind("open_socket", c.int, [c.int])(2) >= 0


def test_threads_take_turns(crashes: str) -> None:
    with platform.isolated(timeout=20) as backend:
        with ffi.use_backend(backend):
            counted = ffi.Library(crashes).bind("counted", c.int, [])
        seen: list[int] = []
        threads = [
            threading.Thread(target=lambda: seen.extend(counted() for _ in range(200))) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(seen) == list(range(1, 801))


def test_a_crash_under_threads_is_told_once_and_the_rest_goes_on(crashes: str) -> None:
    with platform.isolated(timeout=20) as backend:
        with ffi.use_backend(backend):
            library = ffi.Library(crashes)
            calm, null_write = library.bind("calm", c.int, [c.int]), library.bind("null_write", None, [])
        outcomes: list[Any] = []

        def work(number: int) -> None:
            for i in range(20):
                try:
                    null_write() if (i + number) % 7 == 0 else outcomes.append(calm(i) == i + 1)
                except platform.ForeignCrash as crash:
                    outcomes.append(crash.function)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(outcomes) == {True, "null_write"}
        assert len(outcomes) == 60


def test_a_forked_child_of_the_parent_gets_an_isolated_child_of_its_own(crashes: str) -> None:
    with platform.isolated(timeout=20) as backend, ffi.use_backend(backend):
        library = ffi.Library(crashes)
        counted, total = (
            library.bind("counted", c.int, []),
            library.bind("sum_bytes", c.size_t, [c.pointer, c.size_t]),
        )
        assert counted() == 1
        own = backend.process
        with ffi.Arena() as arena:
            memory = arena.bytes(b"\1\2\3")
            process = os.fork()
            if not process:
                status = 1
                try:
                    memory[0] = 10
                    fine = counted() == 1 and backend.process != own and total(memory, 3) == 15
                    backend.close()
                    status = 0 if fine else 2
                finally:
                    os._exit(status)
            _, status = os.waitpid(process, 0)
            assert os.waitstatus_to_exitcode(status) == 0
            assert memory[0] == 1, "its memory is its own"
            assert counted() == 2 and backend.process == own and total(memory, 3) == 6


def test_a_parent_that_reaps_every_child_disturbs_nothing(crashes: str) -> None:
    done = run(
        """
        import os, signal, sys
        import epsilon.foreign.api as ffi
        from epsilon.foreign.api import c
        from epsilon.foreign.ext import platform
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        with platform.isolated(timeout=20) as backend, ffi.use_backend(backend):
            library = ffi.Library(sys.argv[1])
            try:
                library.bind("null_write", None, [])()
            except platform.ForeignCrash as crash:
                assert crash.address == 0
            assert library.bind("calm", c.int, [c.int])(1) == 2
        print("ok")
        """,
        crashes,
    )
    assert (done.stdout, done.stderr) == ("ok\n", "")


def test_a_fresh_child_is_there_in_time(crashes: str) -> None:
    """150 ms at most on an idle machine: some ten times what an interpreter takes that does nothing."""
    times, bare = [], []
    for _ in range(5):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-I", "-S", "-c", "pass"], check=True)
        bare.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        with platform.isolated() as backend, ffi.use_backend(backend):
            ffi.Library(None)
            times.append(time.perf_counter() - begin)
    assert min(times) < 20 * min(bare)


@pytest.mark.parametrize("end", ["restart", "close"])
def test_another_thread_can_end_a_call_that_hangs(crashes: str, end: str) -> None:
    with platform.isolated() as backend, ffi.use_backend(backend):
        sleep = ffi.Library(crashes).bind("sleep_forever", None, [])
        raised: list[Exception] = []

        def hang() -> None:
            try:
                sleep()
            except platform.ForeignCrash as crash:
                raised.append(crash)

        thread = threading.Thread(target=hang)
        thread.start()
        time.sleep(0.2)
        getattr(backend, end)()
        thread.join(20)
        assert not thread.is_alive() and len(raised) == 1
