"""`bind`, `load` and `cdef`: the ways to live bindings. All go through the IR."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import epsilon.foreign.api as ffi
from epsilon.foreign.runtime import Library, shared_library

from ..file import read_binding
from ..file.decode import check_target
from ..ir import Binding
from .bindings import Bindings

Place: TypeAlias = str | os.PathLike[str] | Library | None


def bind(
    header: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Binding,
    library: Place = None,
    *,
    release_gil: bool = True,
    checks: Mapping[str, ffi.Check] | None = None,
    **options: Any,
) -> Bindings:
    """Live bindings of a header, or of a `Binding` that there is already.

    `library` is what `epsilon.foreign.api.Library` takes, or an open library; None is the first one that `pkg_config`
    names, and without that the process itself.
    `release_gil` and `checks` are as for `Library.bind`; `checks` has patterns of names (``{"open*":
    check_nonnegative}``). The other options, and the errors, are those of `parse`; also raises LibraryError, and
    BindingFileError for a `Binding` of another platform.
    """
    if isinstance(header, Binding):
        if options:
            raise TypeError(f"a Binding is parsed already: it takes no {next(iter(options))!r}")
        check_target(header.target, "the binding")
        binding = header
    else:
        from ..parser import parse

        binding = parse(header, **options)
        library = library if library is not None else _of_package(binding)
    return Bindings(binding, _opened(library), release_gil=release_gil, checks=checks)


def load(
    path: str | os.PathLike[str],
    library: Place = None,
    *,
    release_gil: bool = True,
    checks: Mapping[str, ffi.Check] | None = None,
) -> Bindings:
    """Live bindings from a binding file: no parser is needed. Raises OSError, BindingFileError, LibraryError."""
    binding = read_binding(path)
    return Bindings(binding, _opened(library), release_gil=release_gil, checks=checks, distrust=True)


def cdef(
    text: str,
    library: Place = None,
    *,
    release_gil: bool = True,
    checks: Mapping[str, ffi.Check] | None = None,
    **options: Any,
) -> Bindings:
    """Live bindings of C text: ``cdef("double hypot(double x, double y);", library="m")``.

    The standard's integer types and `bool` are known; anything else the text declares, or includes. Options and errors
    are those of `bind`, places are in a file named ``cdef``.
    """
    from ..parser import parse_text

    binding = parse_text(text, **options)
    return Bindings(binding, _opened(library), release_gil=release_gil, checks=checks)


def _of_package(binding: Binding) -> str | None:
    """The library that one links against for the packages that a header was parsed with."""
    from ..search import package

    named = (library for name in binding.options.pkg_config for library in package(name).libraries)
    return next(named, None)


def _opened(library: Place) -> Library:
    if isinstance(library, Library):
        return library
    return shared_library(library)
