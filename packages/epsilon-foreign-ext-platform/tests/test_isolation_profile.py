"""Profiles: what a process may still do, tried against the kernel; and the filter's program, run by hand."""

from __future__ import annotations

import errno
import os
import pickle
import random
import re
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from epsilon.foreign import api as ffi
from epsilon.foreign.api import c
from epsilon.foreign.ext.platform.isolation import seccomp, syscalls
from epsilon.foreign.ext.platform.isolation.profile import Profile
from epsilon.foreign.ext.platform.isolation.seccomp import (
    ALLOW,
    KILL_PROCESS,
    TRAP,
    Condition,
    Rule,
    Test,
    assemble,
    refuse,
    trace,
)

Test.__test__ = False  # an enum, which pytest would take for a class of tests

pytestmark = pytest.mark.once
filtering = pytest.mark.skipif(
    not seccomp.available(), reason="system calls are filtered on Linux, x86-64 and AArch64"
)


def decide(program: bytes, number: int, arguments: tuple[int, ...] = (), architecture: str = "x86_64") -> int:
    """What a filter says of a call: the few operations of its machine, as filter.txt of the kernel describes them."""
    data = struct.pack("<IIQ6Q", number, seccomp.ARCHITECTURES[architecture], 0, *(*arguments, *[0] * 6)[:6])
    instructions = list(struct.iter_unpack("<HBBI", program))
    at, register = 0, 0
    while True:
        code, then, otherwise, value = instructions[at]
        at += 1
        if code == 0x20:
            (register,) = struct.unpack_from("<I", data, value)
        elif code == 0x06:
            return value
        else:
            holds = {0x15: register == value, 0x35: register >= value, 0x45: bool(register & value)}[code]
            at += then if holds else otherwise


def test_the_first_rule_that_applies_counts() -> None:
    program = assemble(
        [
            Rule(5, refuse(errno.EPERM), Condition(0, Test.EQUAL, 7)),
            Rule(5, TRAP, Condition(1, Test.ANY_BIT, 0x6)),
            Rule(5, trace(3)),
            Rule(6, refuse(errno.EACCES), Condition(2, Test.NO_BIT, 0x10)),
            Rule(8, KILL_PROCESS, Condition(3, Test.DIFFERENT, 0, high=True)),
        ],
        architecture="x86_64",
    )
    assert decide(program, 5, (7, 6)) == refuse(errno.EPERM) == 0x50001
    assert decide(program, 5, (8, 2)) == TRAP
    assert decide(program, 5, (8, 1)) == trace(3) == 0x7FF00003
    assert decide(program, 6, (0, 0, 0x20)) == refuse(errno.EACCES)
    assert decide(program, 6, (0, 0, 0x30)) == ALLOW
    assert decide(program, 8, (0, 0, 0, 1)) == ALLOW
    assert decide(program, 8, (0, 0, 0, 1 << 32)) == KILL_PROCESS
    assert decide(program, 7) == ALLOW


def test_calls_of_other_architectures_are_trapped() -> None:
    for architecture, other in (("x86_64", "aarch64"), ("aarch64", "x86_64")):
        program = assemble([Rule(1, ALLOW)], architecture=architecture)
        assert decide(program, 1, architecture=architecture) == ALLOW
        assert decide(program, 1, architecture=other) == TRAP
    x32 = 0x40000000
    assert decide(assemble([], architecture="x86_64"), x32 | 1) == TRAP
    with pytest.raises(KeyError):
        assemble([], architecture="vax")


def test_random_rules_are_decided_as_they_read() -> None:
    source = random.Random(3)
    asks: dict[Test, Callable[[int, int], bool]] = {
        Test.EQUAL: lambda given, value: given == value,
        Test.DIFFERENT: lambda given, value: given != value,
        Test.ANY_BIT: lambda given, value: bool(given & value),
        Test.NO_BIT: lambda given, value: not given & value,
    }
    for _ in range(50):
        rules = [
            Rule(
                source.randrange(6),
                refuse(index + 1),
                None
                if source.random() < 0.2
                else Condition(
                    source.randrange(6), source.choice(list(Test)), source.randrange(4), source.random() < 0.3
                ),
            )
            for index in range(source.randrange(12))
        ]
        program = assemble(rules, architecture="aarch64")
        for number in range(6):
            arguments = tuple(source.randrange(4) | source.randrange(4) << 32 for _ in range(6))
            expected = ALLOW
            for rule in rules:
                ask = rule.condition
                given = 0 if ask is None else arguments[ask.argument] >> (32 if ask.high else 0) & 0xFFFFFFFF
                if rule.number == number and (ask is None or asks[ask.test](given, ask.value)):
                    expected = rule.action
                    break
            assert decide(program, number, arguments, "aarch64") == expected


def test_a_filter_has_a_greatest_length() -> None:
    assert len(assemble([Rule(1, TRAP)] * 2000, architecture="aarch64")) == 8 * 4005
    with pytest.raises(ValueError, match="4096 at most"):
        assemble([Rule(1, TRAP)] * 2100, architecture="aarch64")


@pytest.mark.parametrize(
    ("header", "column"), [("asm/unistd_64.h", 0), ("asm-generic/unistd.h", 1)], ids=["x86_64", "aarch64"]
)
def test_numbers_of_system_calls_are_those_of_the_headers(header: str, column: int) -> None:
    """On AArch64, and only there, the generic table is the processor's."""
    folders = [Path("/usr/include"), Path(f"/usr/include/{os.uname().machine}-linux-gnu")]
    found = next((folder / header for folder in folders if (folder / header).exists()), None)
    if found is None:
        pytest.skip(f"no {header} here")
    text = found.read_text()
    known = {name: int(number) for _, name, number in re.findall(r"#define __NR(3264)?_(\w+)\s+(\d+)", text)}
    assert len(known) > 250
    # New calls are missing in old headers; those that the architecture has not are None here.
    for name, row in syscalls.ALL.items():
        number = row[column]
        assert known.get(name, number) == number, name
        assert number is not None or name not in known, name


def test_every_number_names_one_call() -> None:
    for column in range(len(syscalls.MACHINES)):
        numbers = [row[column] for row in syscalls.ALL.values() if row[column] is not None]
        assert len(numbers) == len(set(numbers))
    assert syscalls.number("openat", "x86_64") == 257 and syscalls.number("open", "aarch64") is None
    for name, machine in (("no_such_call", "x86_64"), ("openat", "vax")):
        with pytest.raises(KeyError):
            syscalls.number(name, machine)


@pytest.fixture(scope="module")
def crashes(compile_library) -> Any:
    """tests/crashes.c, bound."""
    path = compile_library(
        (Path(__file__).parent / "crashes.c").read_text(), "libcrashes.so", "-pthread", "-w"
    )
    return ffi.Library(path)


@pytest.fixture
def under(in_child: Callable[[Callable[[], int]], int]) -> Callable[..., int]:
    """What a function returns (0 to 255) under a profile, or the negative number of the signal that ended it."""

    def under(profile: Profile, function: Callable[..., int], *arguments: Any) -> int:
        def work() -> int:
            profile.apply()
            return function(*arguments)

        return in_child(work)

    return under


@filtering
def test_no_profile_changes_nothing(crashes: Any, under: Any, tmp_path: Path) -> None:
    open_file = crashes.bind("open_file", c.int, [c.bytes, c.int])
    assert not Profile().filters and Profile().rules(1) == []
    assert under(Profile(), lambda: open_file(bytes(tmp_path / "made"), os.O_CREAT | os.O_RDWR) > 0) == 1
    assert (tmp_path / "made").exists()


@filtering
def test_no_network_means_no_sockets(crashes: Any, under: Any) -> None:
    open_socket = crashes.bind("open_socket", c.int, [c.int])
    for family in (socket.AF_INET, socket.AF_UNIX, getattr(socket, "AF_NETLINK", 16)):
        assert under(Profile(network=False), lambda family=family: -open_socket(family)) == errno.EACCES
        assert under(Profile(), lambda family=family: open_socket(family) > 2) in (0, 1)
    ring = syscalls.number("io_uring_setup")
    call = crashes.bind("call_system", c.long, [c.long] * 4)
    assert under(Profile(network=False), lambda: -call(ring, 1, 0, 0)) == errno.ENOSYS


@filtering
def test_files_are_read_and_not_written(crashes: Any, under: Any, tmp_path: Path) -> None:
    open_file = crashes.bind("open_file", c.int, [c.bytes, c.int])
    remove = crashes.bind("remove_file", c.int, [c.bytes])
    file = tmp_path / "file"
    file.write_text("content")
    name, no = bytes(file), Profile(write_files=False)
    assert under(no, lambda: open_file(name, os.O_RDONLY) > 2) == 1
    for flags in (
        os.O_WRONLY,
        os.O_RDWR,
        os.O_CREAT,
        os.O_TRUNC,
        os.O_WRONLY | os.O_APPEND,
        os.O_TMPFILE | os.O_RDWR,
    ):
        assert under(no, lambda flags=flags: -open_file(name, flags)) == errno.EACCES
    assert under(no, lambda: -remove(name)) == errno.EACCES
    for change in (
        lambda: os.rename(file, tmp_path / "other"),
        lambda: os.mkdir(tmp_path / "folder"),
        lambda: os.chmod(file, 0),
        lambda: os.symlink(file, tmp_path / "link"),
        lambda: os.truncate(file, 0),
        lambda: os.utime(file),
        lambda: os.setxattr(file, "user.x", b"x"),
    ):

        def refused(change: Callable[[], Any] = change) -> int:
            try:
                change()
            except OSError as error:
                return error.errno or 0
            return 0

        assert under(no, refused) == errno.EACCES
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"] and file.read_text() == "content"
    # What was open before stays open, and memory is no file.
    assert under(no, lambda: os.memfd_create("x") > 2) == 1


@filtering
def test_no_processes_means_threads_alone(crashes: Any, under: Any) -> None:
    no = Profile(processes=False)
    assert under(no, crashes.bind("run_thread", c.int, [c.int]), 41) == 42
    assert under(no, lambda: -crashes.bind("start_process", c.int)()) == errno.EPERM
    assert under(no, lambda: -crashes.bind("run_program", c.int, [c.bytes])(b"/bin/true")) == -signal.SIGSYS
    assert under(Profile(), lambda: crashes.bind("run_program", c.int, [c.bytes])(b"/bin/true")) == 0

    def spawn() -> int:
        try:
            subprocess.run(["/bin/true"])
        except OSError as error:
            return error.errno or 0
        return 0

    assert under(no, spawn) == errno.EPERM


@filtering
def test_signals_reach_oneself_and_nobody_else(crashes: Any, under: Any) -> None:
    no = Profile(processes=False)
    kill_other = crashes.bind("kill_other", c.int, [c.int, c.int])
    for pid in (os.getpid(), 1, -1, 0):
        assert under(no, lambda pid=pid: -kill_other(pid, 0)) == errno.EPERM
    assert under(no, lambda: crashes.bind("kill_self", c.int, [c.int])(0)) == 0
    assert under(no, crashes.bind("kill_self", c.int, [c.int]), signal.SIGTERM) == -signal.SIGTERM
    assert under(no, crashes.bind("abort_now", None)) == -signal.SIGABRT
    call = crashes.bind("call_system", c.long, [c.long] * 4)
    parent = os.getpid()
    for name, arguments in {
        "tkill": (parent, 0, 0),
        "tgkill": (parent, parent, 0),
        "rt_sigqueueinfo": (parent, 0, 0),
        "pidfd_open": (parent, 0, 0),
    }.items():
        number = syscalls.number(name)
        assert (
            under(no, lambda number=number, arguments=arguments: -call(number, *arguments)) == errno.EPERM
        ), name


@filtering
def test_named_calls_are_refused_or_forbidden(crashes: Any, under: Any) -> None:
    call = crashes.bind("call_system", c.long, [c.long] * 4)
    number = syscalls.number("kcmp")
    assert under(Profile(refused=frozenset({"kcmp"})), lambda: -call(number, 0, 0, 0)) == errno.EPERM
    assert under(Profile(forbidden=frozenset({"kcmp"})), lambda: -call(number, 0, 0, 0)) == -signal.SIGSYS
    # What is both is forbidden.
    both = Profile(refused=frozenset({"kcmp"}), forbidden=frozenset({"kcmp"}))
    assert under(both, lambda: -call(number, 0, 0, 0)) == -signal.SIGSYS


@filtering
def test_filters_add_up(crashes: Any, in_child: Any) -> None:
    open_socket = crashes.bind("open_socket", c.int, [c.int])
    start = crashes.bind("start_process", c.int)

    def work() -> int:
        Profile(network=False).apply()
        Profile(processes=False).apply()
        return int(-open_socket(socket.AF_INET) == errno.EACCES and -start() == errno.EPERM)

    assert in_child(work) == 1


@filtering
def test_a_filter_holds_for_threads_that_there_are(crashes: Any, in_child: Any) -> None:
    import threading

    open_socket = crashes.bind("open_socket", c.int, [c.int])

    def work() -> int:
        go, found = threading.Event(), []
        thread = threading.Thread(target=lambda: (go.wait(), found.append(-open_socket(socket.AF_INET))))
        thread.start()
        Profile(network=False).apply()
        go.set()
        thread.join()
        return found[0]

    assert in_child(work) == errno.EACCES


@filtering
def test_untrusted_code_keeps_what_ordinary_libraries_need(crashes: Any, under: Any, tmp_path: Path) -> None:
    untrusted = Profile.untrusted()

    def ordinary() -> int:
        import ctypes
        import mmap
        import resource

        ctypes.CDLL("libm.so.6").abs(-1)
        mmap.mmap(-1, 1 << 20).close()
        with mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC) as code:
            assert len(code) == 4096
        os.close(os.memfd_create("code"))
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (256, 256)
        assert os.listdir("/") and Path("/etc/hostname").exists() in (True, False)
        assert crashes.bind("run_thread", c.int, [c.int])(1) == 2
        status = Path("/proc/self/status").read_text()
        assert "NoNewPrivs:\t1" in status and "CapEff:\t0000000000000000" in status
        assert "CapPrm:\t0000000000000000" in status
        return 1

    assert under(untrusted, ordinary) == 1


@filtering
@pytest.mark.parametrize(
    "name", ["ptrace", "bpf", "mount", "setuid", "unshare", "keyctl", "perf_event_open", "reboot"]
)
def test_untrusted_code_is_ended_when_it_reaches_for_the_system(crashes: Any, under: Any, name: str) -> None:
    call = crashes.bind("call_system", c.long, [c.long] * 4)
    number = syscalls.number(name)
    assert under(Profile.untrusted(), lambda: -call(number, 0, 0, 0)) == -signal.SIGSYS


@filtering
def test_untrusted_code_cannot_raise_its_limits(crashes: Any, under: Any) -> None:
    import resource

    def raised() -> int:
        for attempt in (
            lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (200, 256)),
            lambda: resource.prlimit(0, resource.RLIMIT_NOFILE, (200, 256)),
        ):
            try:
                attempt()
            except (OSError, ValueError):
                continue
            return 0
        return 1 if resource.prlimit(0, resource.RLIMIT_NOFILE) == (256, 256) else 2

    assert under(Profile.untrusted(), raised) == 1


def test_processor_time_ends(crashes: Any, under: Any) -> None:
    spin = crashes.bind("spin_forever", None)
    assert under(Profile(cpu=0.3), spin) == -signal.SIGXCPU


def test_files_descriptors_and_dumps_are_limited(under: Any, tmp_path: Path) -> None:
    def write() -> int:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        (tmp_path / "large").write_bytes(b"x" * 10_000)
        return 0

    assert under(Profile(file_size=1000), write) == -signal.SIGXFSZ
    assert (tmp_path / "large").stat().st_size <= 1000

    def descriptors() -> int:
        try:
            while True:
                os.dup(0)
        except OSError as error:
            return error.errno or 0

    assert under(Profile(open_files=20), descriptors) == errno.EMFILE

    def core() -> int:
        import resource

        return int(resource.getrlimit(resource.RLIMIT_CORE) == (0, 0))

    assert under(Profile(core_dumps=False), core) == 1


def test_a_profile_is_a_value() -> None:
    untrusted = Profile.untrusted(cpu=5)
    assert pickle.loads(pickle.dumps(untrusted)) == untrusted and hash(untrusted) == hash(
        Profile.untrusted(cpu=5)
    )
    assert replace(untrusted, network=True).network and untrusted != Profile()
    assert Profile(refused="kcmp").refused == frozenset({"kcmp"})  # type: ignore[arg-type]
    assert Profile(refused=["kcmp", "bpf"]).refused == frozenset({"kcmp", "bpf"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"refused": {"no_such_call"}}, "refused.*unknown system calls no_such_call; known are accept|acct"),
        ({"forbidden": {"bpf", "x"}}, "forbidden.*unknown system calls x"),
        ({"cpu": -1}, "cpu=-1"),
        ({"open_files": -5}, "open_files=-5"),
    ],
)
def test_a_profile_that_means_nothing_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Profile(**wrong)


def test_a_machine_without_filters_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert syscalls.machine() == "" and not seccomp.available()
    with pytest.raises(NotImplementedError, match="x86-64 and AArch64"):
        Profile(network=False).apply()
    with pytest.raises(NotImplementedError, match="x86-64 and AArch64"):
        seccomp.install([])


def test_the_rules_of_a_profile_exist_on_every_machine() -> None:
    for machine in syscalls.MACHINES:
        rules = Profile.untrusted().rules(77, machine)
        program = assemble(rules, architecture=machine)
        number = syscalls.number("tgkill", machine)
        assert decide(program, number, (77,), machine) == ALLOW
        assert decide(program, number, (78,), machine) == refuse(errno.EPERM)
        assert decide(program, syscalls.number("socket", machine), (2,), machine) == refuse(errno.EACCES)
        assert decide(program, syscalls.number("execve", machine), (), machine) == TRAP
        prlimit = syscalls.number("prlimit64", machine)
        assert decide(program, prlimit, (0, 7, 0, 1), machine) == ALLOW
        for new in (0x1000, 1 << 40):
            assert decide(program, prlimit, (0, 7, new, 1), machine) == refuse(errno.EPERM)
