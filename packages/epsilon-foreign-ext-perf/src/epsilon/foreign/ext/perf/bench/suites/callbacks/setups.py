"""How each peer makes a Python function callable from C, and calls the C functions that call it."""

from __future__ import annotations

import ctypes
import functools
import importlib
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from ...building.workshop import Workshop, load
from ...contestant import Contestant, Gil, UnavailableError
from ...operation import Subject
from ...peers import ours
from ...peers.ctypes_peer import open_library
from ...suite import Setup
from ..data.with_ours import own_int
from .operations import CALLS, checksum, functions

Subjects = Mapping[str, Subject | UnavailableError]

#: Calls of a callback that was made only to be looked at.
_FEW = 3


def source(name: str) -> str:
    """The text of a source file that this package carries."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _with_header(name: str) -> str:
    return source(name).replace('#include "target.h"', source("target.h"))


def target(workshop: Workshop) -> Path:
    """The library that calls back. Raises UnavailableError."""
    return workshop.library("callbacks_target", _with_header("target.c"))


@functools.cache
def comparisons(path: Path) -> int:
    """How many comparisons this machine's qsort needs."""
    function = ctypes.CDLL(str(path)).count_comparisons
    function.restype = ctypes.c_int64
    return int(function())


def calling(path: Path, repeat: Any, step: object, sort: Any, compare: object) -> Subjects:
    """The operations that call C: `repeat` and `sort` are the peer's functions, `step` and `compare` what it
    passes them."""
    return {
        "loop": Subject({"run": repeat, "f": step, "n": CALLS}),
        "qsort": Subject(
            {"run": sort, "f": compare}, check=lambda sum: sum == checksum(), inner=comparisons(path)
        ),
    }


def making(repeat: Any, make: Callable[..., Any], type: object, statement: str | None = None) -> Subjects:
    """The operation that makes a callback of `type`; the answer is right when C can call it."""

    def check(made: Any) -> bool:
        return bool(repeat(made, _FEW) == sum(range(1, _FEW + 1)))

    step, _ = functions()
    return {"new_callback": Subject({"make": make, "type": type, "f": step}, statement, check)}


def _set_up_ctypes(workshop: Workshop, contestant: Contestant) -> Subjects:
    path = target(workshop)
    library = open_library(path, contestant.gil)
    number = ctypes.POINTER(ctypes.c_int)
    step_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
    compare_type = ctypes.CFUNCTYPE(ctypes.c_int, number, number)
    repeat, sort = library["call_repeatedly"], library["sort_numbers"]
    repeat.argtypes, repeat.restype = [step_type, ctypes.c_int], ctypes.c_int64
    sort.argtypes, sort.restype = [compare_type], ctypes.c_int64
    if contestant.gil is Gil.UNTOUCHED:
        return making(repeat, step_type, None, "make(f)")
    step, compare = functions()
    return calling(path, repeat, step_type(step), sort, compare_type(compare))


#: As in target.h, in what cffi's parser takes.
_DECLARATIONS = """\
int64_t call_repeatedly(int (*function)(int), int count);
int64_t sort_numbers(int (*compare)(const int *, const int *));
"""
_EXTERN = """\
extern "Python" int python_step(int);
extern "Python" int python_compare(const int *, const int *);
"""


def _set_up_cffi_callback(workshop: Workshop, contestant: Contestant) -> Subjects:
    try:
        import cffi
    except ImportError as error:
        raise UnavailableError(f"cffi cannot be imported: {error}") from None
    ffi = cffi.FFI()
    ffi.cdef(_DECLARATIONS)
    path = target(workshop)
    library = ffi.dlopen(str(path))
    step_type = ffi.typeof("int(*)(int)")
    compare_type = ffi.typeof("int(*)(const int *, const int *)")
    if contestant.gil is Gil.UNTOUCHED:
        return making(library.call_repeatedly, ffi.callback, step_type)
    step, compare = functions()
    return calling(
        path,
        library.call_repeatedly,
        ffi.callback(step_type, step),
        library.sort_numbers,
        ffi.callback(compare_type, compare),
    )


_COMPILED = UnavailableError("what C calls is compiled: there is none to make at run time")


def _set_up_cffi_extern(workshop: Workshop, contestant: Contestant) -> Subjects:
    path = target(workshop)
    built = workshop.cffi("cffi_callbacks", _DECLARATIONS + _EXTERN, source("target.h"), [path])
    module: Any = load("cffi_callbacks", built)
    if contestant.gil is Gil.UNTOUCHED:
        return {"new_callback": _COMPILED}
    step, compare = functions()
    module.ffi.def_extern("python_step")(step)
    module.ffi.def_extern("python_compare")(compare)
    library = module.lib
    return calling(
        path, library.call_repeatedly, library.python_step, library.sort_numbers, library.python_compare
    )


def _set_up_handwritten(workshop: Workshop, contestant: Contestant) -> Subjects:
    if contestant.gil is Gil.UNTOUCHED:
        return {"new_callback": _COMPILED}
    path = target(workshop)
    name = f"callbacks_{contestant.gil.value}"
    defines = ("RELEASE_GIL",) if contestant.gil is Gil.RELEASED else ()
    module: Any = load(name, workshop.c_extension(name, _with_header("handwritten.c"), [path], defines))
    step, compare = functions()
    return calling(path, module.call_repeatedly, step, module.sort_numbers, compare)


def _set_up_ours(workshop: Workshop, contestant: Contestant) -> Subjects:
    path = target(workshop)
    backend = ours.require(contestant.peer)
    api: Any = importlib.import_module("epsilon.foreign.api")
    number, shared = own_int(contestant.peer)
    c = api.c
    step_type = api.Callback[[number], number]
    compare_type = api.Callback[[api.Pointer[number], api.Pointer[number]], number]
    release = contestant.gil is not Gil.HELD
    with api.use_backend(backend):
        bind = api.Library(str(path)).bind
        repeat = bind("call_repeatedly", c.int64, [step_type, c.int], release_gil=release)
        sort = bind("sort_numbers", c.int64, [compare_type], release_gil=release)
        if contestant.gil is Gil.UNTOUCHED:
            # Which backend makes a callback is decided when it is made: within the timing, the process's.
            made = making(repeat, api.callback, step_type, "make(f, type)")
            return {"new_callback": shared} if shared else made
        step, compare = functions()
        return calling(path, repeat, api.callback(step, step_type), sort, api.callback(compare, compare_type))


SETUPS: dict[str, Setup] = {
    "ours-trampoline": _set_up_ours,
    "ours-libffi": _set_up_ours,
    "ours-ctypes": _set_up_ours,
    "c": _set_up_handwritten,
    "cffi-callback": _set_up_cffi_callback,
    "cffi-extern": _set_up_cffi_extern,
    "ctypes": _set_up_ctypes,
}
