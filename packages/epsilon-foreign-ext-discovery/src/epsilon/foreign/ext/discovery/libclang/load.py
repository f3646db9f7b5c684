"""libclang's C interface, by bindings that this package has generated from its header.

https://clang.llvm.org/doxygen/group__CINDEX.html
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Any

import epsilon.foreign.api as ffi
from epsilon.foreign.api import c

from ..errors import ParserUnavailableError


@functools.cache
def load(path: Path) -> Any:
    """The functions and structs of the libclang at `path`, as attributes under their C names.

    Each libclang gets a module of its own. Raises ParserUnavailableError.
    """
    # Not an ordinary import: that gives one module, which has one library.
    spec = importlib.util.spec_from_file_location(
        f"{__package__}.bindings", Path(__file__).with_name("bindings.py")
    )
    assert spec is not None and spec.loader is not None, "the module is part of this package"
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.lib.name = path
    try:
        library = module.lib.library
    except ffi.LibraryError as error:
        raise ParserUnavailableError(f"libclang cannot be loaded: {error}") from None
    _say_more(module, library)
    return module


def _say_more(module: Any, library: Any) -> None:
    """What a prototype does not say: which texts need not be UTF-8, and which call takes long."""
    short = functools.partial(library.bind, release_gil=False)
    module.clang_getCString = short("clang_getCString", c.bytes, [module.CXString])
    module.clang_EvalResult_getAsStr = short("clang_EvalResult_getAsStr", c.bytes, [ffi.Pointer])
    module.clang_getFileContents = short(
        "clang_getFileContents", c.pointer, [ffi.Pointer, ffi.Pointer, ffi.Pointer[c.size_t]]
    )
    unsaved: Any = ffi.Pointer[module.CXUnsavedFile]
    module.clang_parseTranslationUnit2 = library.bind(
        "clang_parseTranslationUnit2",
        c.int,
        [
            ffi.Pointer,
            c.string,
            ffi.Pointer[c.string],
            c.int,
            unsaved,
            c.uint,
            c.uint,
            ffi.Pointer[c.pointer],
        ],
    )
