"""Calls against what the C compiler does: random scalars in every convention, in every kind of stub."""

from __future__ import annotations

import ctypes
import random
import subprocess
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from compiling import compiler
from epsilon.foreign.backend import Backend, Binding, Marshal, Parameter, get_backend
from prototypes import RESULTS, Prototype, c_source, prototypes, stored, values

try:
    CONVENTIONS = tuple(c for c in ("c", "ms") if c in get_backend("trampoline").stubs.target.conventions)
except RuntimeError as error:
    pytest.skip(f"no trampoline backend: {error}", allow_module_level=True)
PROTOTYPES = prototypes(CONVENTIONS)
#: Binding by kind of stub. *Direct* ones convert into the argument registers, the others by way of the frame.
MODES: dict[str, Callable[[Prototype], Binding]] = {
    "direct": lambda p: Binding(p.signature, p.name, release_gil=False),
    "gil released": lambda p: Binding(p.signature, p.name),
    "errno": lambda p: Binding(
        p.signature, p.name, capture_errno=True, finish=lambda r, errno: r, release_gil=False
    ),
    "trusted": lambda p: Binding(
        p.signature, p.name, tuple(Parameter(marshal=Marshal.OBJECT) for _ in p.parameters)
    ),
}


class Compiled(NamedTuple):
    """The compiled prototypes."""

    library: ctypes.CDLL

    @property
    def seen(self) -> bytes:
        return ctypes.string_at(ctypes.addressof((ctypes.c_char * 256).in_dll(self.library, "seen")), 256)

    def address(self, name: str) -> int:
        return ctypes.cast(getattr(self.library, name), ctypes.c_void_p).value or 0


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    folder = tmp_path_factory.mktemp("prototypes")
    source = folder / "prototypes.c"
    source.write_text(c_source(PROTOTYPES))
    command = [
        *compiler(),
        "-std=gnu11",
        "-O1",
        "-shared",
        "-fPIC",
        "-w",
        "-o",
        str(folder / "lib.so"),
        str(source),
    ]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return Compiled(ctypes.CDLL(str(folder / "lib.so")))


@pytest.fixture(scope="module")
def trampoline() -> Backend:
    return get_backend("trampoline")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("prototype", PROTOTYPES, ids=lambda p: p.name)
def test_every_argument_and_the_result_arrive(
    prototype: Prototype, mode: str, compiled: Compiled, trampoline: Backend
) -> None:
    function: Any = trampoline.bind(compiled.address(prototype.name), MODES[mode](prototype))
    dice = random.Random(prototype.name)
    for _ in range(4):
        arguments = values(dice, prototype.parameters)
        result = function(*arguments)
        assert result == RESULTS[prototype.result]
        assert type(result) is type(RESULTS[prototype.result])
        wanted = b"".join(map(stored, prototype.parameters, arguments))
        assert compiled.seen[: len(wanted)] == wanted, arguments
