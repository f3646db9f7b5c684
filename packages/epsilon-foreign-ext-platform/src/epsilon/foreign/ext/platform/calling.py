"""Calling conventions by the names people use, and which backend can call what.

A declaration takes the name that `convention` gives: ``convention="ms"``. Which processor has which convention is
fixed by the documents that the table names.
"""

from __future__ import annotations

import os
import sys
from typing import Any, NamedTuple

from epsilon.foreign.api import ArgumentTypeError, DeclarationError, available_backends, get_backend
from epsilon.foreign.backend import VOID, Signature
from epsilon.foreign.runtime import CallbackType, resolve_type

from .errors import UnsupportedPlatformError

_SYSV = "https://gitlab.com/x86-psABIs/x86-64-ABI"
_MS = "https://learn.microsoft.com/cpp/build/x64-calling-convention"
_AAPCS64 = "https://github.com/ARM-software/abi-aa/blob/main/aapcs64/aapcs64.rst"
_X86 = "https://learn.microsoft.com/cpp/cpp/argument-passing-and-naming-conventions"


class CallingConvention(NamedTuple):
    """A calling convention.

    `name` is what declarations take. `processor` is what has it, None for all. `aliases` are other names for it, in
    other tools. `backends` can call functions of it here, best first; none where it does not exist on this processor.
    """

    name: str
    summary: str
    processor: str | None
    aliases: tuple[str, ...]
    reference: str
    backends: tuple[str, ...] = ()


#: Everything that has a name, whether or not it exists here.
_TABLE = (
    CallingConvention("c", "what C functions have on this platform", None, ("cdecl", "default"), ""),
    CallingConvention("sysv", "System V: Linux, macOS, BSD", "x86-64", ("sysv_abi", "unix64"), _SYSV),
    CallingConvention(
        "ms", "Microsoft: Windows, __attribute__((ms_abi))", "x86-64", ("win64", "ms_abi", "efiapi"), _MS
    ),
    CallingConvention(
        "aapcs64", "Arm's, everywhere but on Windows and macOS the same", "AArch64", ("aapcs",), _AAPCS64
    ),
    CallingConvention("vectorcall", "Microsoft's with vectors in registers", "x86-64", (), _X86),
    CallingConvention("stdcall", "the Windows API of 32-bit programs", "x86", ("winapi",), _X86),
    CallingConvention("fastcall", "two arguments in registers", "x86", (), _X86),
    CallingConvention("thiscall", "methods of C++ classes in 32-bit programs", "x86", (), _X86),
)
_PROCESSORS = {"x86_64": "x86-64", "amd64": "x86-64", "aarch64": "AArch64", "arm64": "AArch64"}
#: Names that a 64-bit compiler for Windows accepts and takes for its one convention.
_SAME_ON_WINDOWS = ("stdcall", "winapi", "fastcall", "thiscall", "cdecl")


def processor() -> str:
    """This processor by the name that the table has."""
    machine = os.uname().machine if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE", "")
    return _PROCESSORS.get(machine.lower(), machine)


def conventions() -> list[CallingConvention]:
    """Every calling convention that has a name here, each with the backends that can call it on this machine."""
    backends = {name: get_backend(name) for name in available_backends()}
    found = []
    for row in _TABLE:
        signature = Signature(VOID, (), convention="c" if row.name == own_convention() else row.name)
        able = tuple(name for name, backend in backends.items() if backend.supports(signature))
        found.append(row._replace(backends=able))
    return found


def own_convention() -> str | None:
    """Which convention of the table the platform's C functions have; None where it is not in the table."""
    system = "win32" if sys.platform in ("win32", "cygwin") else "posix"
    return {("x86-64", "posix"): "sysv", ("x86-64", "win32"): "ms", ("AArch64", "posix"): "aapcs64"}.get(
        (processor(), system)
    )


def convention(name: str) -> str:
    """The name that declarations take for a convention that other tools may call otherwise: ``win64`` gives ``ms``.

    The convention that C functions have on this platform gives ``c``, which every backend calls. On 64-bit Windows the
    conventions of the 32-bit API are all the one that there is, as compilers have it there. Raises
    UnsupportedPlatformError for a convention of another processor or one that no backend here can call, and
    DeclarationError for a name that means nothing, with those that do.
    """
    if not isinstance(name, str):
        raise ArgumentTypeError(
            f"the name of a calling convention (str) is expected, not {type(name).__name__}"
        )
    wanted = name.strip("_").lower()
    if sys.platform == "win32" and sys.maxsize > 2**32 and wanted in _SAME_ON_WINDOWS:
        return "c"
    for row in conventions():
        if wanted == row.name or wanted in row.aliases:
            return _usable(row)
    known = ", ".join(row.name for row in _TABLE)
    raise DeclarationError(f"{name!r} is no calling convention; there are {known}")


def _usable(row: CallingConvention) -> str:
    if row.name == own_convention():
        return "c"
    if row.backends:
        return row.name
    if row.processor != processor():
        raise UnsupportedPlatformError(
            f"{row.name} is a convention of {row.processor}, and this is {processor()}"
        )
    raise UnsupportedPlatformError(
        f"no backend here calls functions of the {row.name} convention; there are {', '.join(available_backends())}"
    )


def with_convention(type: Any, name: str) -> CallbackType:
    """The type of pointers to functions of a calling convention: ``with_convention(Callback[[c.int], c.int], "ms")``.

    It serves as a parameter's type, as `Callback` does; a Python function that is passed becomes a callback of that
    convention. Raises DeclarationError when `type` is no `Callback`, and as `convention` does.
    """
    row = resolve_type(type)
    if not isinstance(row, CallbackType):
        raise DeclarationError(
            f"{row.name} is not the type of a function pointer; use Callback[[...], result]"
        )
    return row.with_convention(convention(name))
