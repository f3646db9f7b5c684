"""cffi in API mode: it writes the C source of an extension module, which is compiled like any other."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from ..contestant import UnavailableError
from . import compiler
from .cache import Built, Cache

#: Run in a subprocess: writing the source imports pycparser, which is no business of the process that
#: measures.
_EMIT = """\
import sys, cffi
name, declarations, source = sys.argv[1], open("declarations.h").read(), open("source.h").read()
builder = cffi.FFI()
builder.cdef(declarations)
builder.set_source(name, source)
builder.emit_c_code(name + ".c")
"""


def build(cache: Cache, name: str, declarations: str, source: str, libraries: Sequence[Path]) -> Built:
    """Emit and compile the module `name`. Raises UnavailableError."""
    if importlib.util.find_spec("cffi") is None:
        raise UnavailableError("cffi is not installed")
    command = [
        *compiler.find("CC"), f"{name}.c", *compiler.extension_flags(), "-Wl,-s",
        "-o", name + compiler.suffix(), *compiler.link_flags(libraries),
    ]  # fmt: skip

    def make(folder: Path) -> None:
        (folder / "declarations.h").write_text(declarations)
        (folder / "source.h").write_text(source)
        compiler.run([sys.executable, "-c", _EMIT, name], folder)
        compiler.run(command, folder)

    return cache.build(name, [declarations, source, _EMIT, version("cffi"), *command], make)
