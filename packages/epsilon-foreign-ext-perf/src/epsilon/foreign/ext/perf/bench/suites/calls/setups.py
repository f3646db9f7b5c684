"""How each peer comes by the functions, and what it wants for a pointer and a string."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from functools import partial
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

from ...building.workshop import Workshop, load
from ...contestant import Contestant, Gil
from ...operation import Subject
from ...peers import cffi_peer, ctypes_peer, ours
from ...suite import Setup
from .operations import ARGUMENTS, PROTOTYPES, TEXT

#: Any address will do, as long as it is one: C only hands it back.
_ADDRESS = 0x1234_5678_9ABC

Functions = Mapping[str, Callable[..., Any]]


def source(name: str) -> str:
    """The text of a source file that this package carries."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def target(workshop: Workshop) -> Path:
    """The library that every peer calls. Raises UnavailableError."""
    return workshop.library("target", source("target.c"))


def subjects(functions: Functions, pointer: object, text: object = TEXT) -> dict[str, Subject]:
    """A subject for each function, with the pointer and the text that this peer takes."""
    own = {"identity": {"a": pointer}, "length": {"a": text}}
    made = {
        name: Subject({"f": functions[name], **own.get(name, arguments)})
        for name, arguments in ARGUMENTS.items()
        if name in functions
    }
    if "identity" in made:
        made["identity"] = made["identity"]._replace(check=partial(_same_pointer, pointer))
    return made


def _same_pointer(given: Any, returned: Any) -> bool:
    if type(returned).__name__ == "PyCapsule":
        return capsule_address(returned) == capsule_address(given)
    return bool(returned == given) or getattr(returned, "address", None) == given


def capsule_address(capsule: object) -> int | None:
    """Where a capsule points, by `PyCapsule_GetPointer` under the capsule's own name."""
    name = ctypes.pythonapi.PyCapsule_GetName
    name.argtypes, name.restype = [ctypes.py_object], ctypes.c_void_p
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.argtypes, pointer.restype = [ctypes.py_object, ctypes.c_void_p], ctypes.c_void_p
    address: int | None = pointer(capsule, name(capsule))
    return address


def _capsule(address: int, name: bytes) -> Any:
    new = ctypes.pythonapi.PyCapsule_New
    new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    new.restype = ctypes.py_object
    # A capsule keeps the pointer to its name, not a copy: the caller's bytes must live as long as the
    # process.
    return new(address, name, None)


def _module_functions(module: ModuleType) -> Functions:
    return {prototype.name: getattr(module, prototype.name) for prototype in PROTOTYPES}


def _set_up_ctypes(workshop: Workshop, contestant: Contestant) -> dict[str, Subject]:
    functions = ctypes_peer.bind(target(workshop), PROTOTYPES, contestant.gil)
    # Encoding is the caller's business with ctypes; the text is given encoded, which spares ctypes that work.
    return subjects(functions, _ADDRESS, TEXT.encode())


def _set_up_cffi_abi(workshop: Workshop, contestant: Contestant) -> dict[str, Subject]:
    bound = cffi_peer.bind_abi(target(workshop), PROTOTYPES)
    return subjects(bound.functions, bound.ffi.cast("void *", _ADDRESS), TEXT.encode())


def _set_up_cffi_api(workshop: Workshop, contestant: Contestant) -> dict[str, Subject]:
    bound = cffi_peer.bind_api(workshop, "cffi_calls", target(workshop), PROTOTYPES)
    return subjects(bound.functions, bound.ffi.cast("void *", _ADDRESS), TEXT.encode())


def _release(contestant: Contestant) -> tuple[str, ...]:
    return ("RELEASE_GIL",) if contestant.gil is Gil.RELEASED else ()


def _with_header(name: str) -> str:
    return source(name).replace('#include "target.h"', source("target.h"))


def _set_up_handwritten(workshop: Workshop, contestant: Contestant) -> dict[str, Subject]:
    name = f"handwritten_{contestant.gil.value}"
    libraries = [target(workshop)]
    built = workshop.c_extension(name, _with_header("handwritten.c"), libraries, _release(contestant))
    return subjects(_module_functions(load(name, built)), _ADDRESS)


#: The name that nanobind gives its capsules of ``void *``; held here because a capsule does not copy it.
_CAPSULE_NAME = b"nb_handle"


def _set_up_nanobind(workshop: Workshop, contestant: Contestant) -> dict[str, Subject]:
    name = f"nanobind_{contestant.gil.value}"
    libraries = [target(workshop)]
    built = workshop.nanobind(name, _with_header("bindings.cpp"), libraries, _release(contestant))
    return subjects(_module_functions(load(name, built)), _capsule(_ADDRESS, _CAPSULE_NAME))


def _set_up_cython(workshop: Workshop, contestant: Contestant) -> dict[str, Subject]:
    name = f"cython_{contestant.gil.value}"
    block = "with nogil" if contestant.gil is Gil.RELEASED else "if True"
    verbatim = f'from * nogil:\n    """\n{source("target.h")}\n    """'
    text = source("bindings.pyx").replace("WITH:", f"{block}:").replace('from "target.h" nogil:', verbatim)
    return subjects(_module_functions(load(name, workshop.cython(name, text, [target(workshop)]))), _ADDRESS)


def _set_up_ours(workshop: Workshop, contestant: Contestant) -> dict[str, Subject]:
    functions = ours.bind(target(workshop), PROTOTYPES, contestant)
    # A pointer that came from C once is what a program would pass on; it is of whatever class the layer
    # gives.
    pointer = functions["identity"](_ADDRESS) if "identity" in functions else None
    return subjects(functions, pointer)


SETUPS: dict[str, Setup] = {
    "ours-trampoline": _set_up_ours,
    "ours-libffi": _set_up_ours,
    "ours-ctypes": _set_up_ours,
    "layer-trampoline": _set_up_ours,
    "c": _set_up_handwritten,
    "nanobind": _set_up_nanobind,
    "cython": _set_up_cython,
    "cffi-api": _set_up_cffi_api,
    "cffi-abi": _set_up_cffi_abi,
    "ctypes": _set_up_ctypes,
}
