"""`parse`: from headers, or C text, to a `Binding`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import ir
from ..cache import Fingerprint, Store
from ..errors import Diagnostic, HeaderError, HeaderNotFoundError
from ..libclang import load, locate
from ..naming import assign_names
from ..values import replace
from . import unit as units
from .arguments import Arguments, arguments
from .files import Files
from .macros import HEAD, Evaluation, byte_probes, bytes_of, described, probes
from .names import TagNames
from .reader import HeaderReader
from .selection import select
from .source import MAIN, Header, Source, found_paths, header_source, text_source
from .types import TypeReader
from .unit import Unit, version_of

_LANGUAGES = ("c", "c++")
#: Errors that a message shows; all are in `HeaderError.diagnostics`.
SHOWN = 5
Patterns = str | Iterable[str]


def parse(
    header: Header | Sequence[Header],
    *,
    include_dirs: Iterable[str | os.PathLike[str]] = (),
    defines: Iterable[str] | Mapping[str, object] = (),
    pkg_config: Patterns = (),
    args: Iterable[str] = (),
    language: str = "c",
    standard: str = "",
    headers: Patterns = (),
    allow: Patterns = (),
    block: Patterns = (),
    strip_prefix: Patterns = (),
    rename: Mapping[str, str] | None = None,
    libclang: str | os.PathLike[str] | None = None,
    cache: bool = True,
) -> ir.Binding:
    """What a header declares.

    `header` is a path, a name as one includes it (``"sqlite3.h"``, ``"openssl/evp.h"``), or several of these.
    `include_dirs`, `defines` (``"NAME=1"``, or a mapping) and `args` are for clang, `pkg_config` names packages that
    have more of them. `language` is ``"c"`` or ``"c++"``, `standard` what follows ``-std=``.

    `headers`, `allow` and `block` are patterns as of `fnmatch`: declarations of which headers (those of the same
    library by default), and with which names. What the rest needs stays, marked as a dependency. `strip_prefix` and
    `rename` give Python names, see `naming`.

    `libclang` names a library to use instead of the wheel's; with `cache`, a header that was parsed before, and is
    unchanged with all that it includes, is not parsed again.

    Raises HeaderError with file, line, column and source of every error, HeaderNotFoundError,
    PackageNotFoundError, ParserUnavailableError.
    """
    options = make_options(
        include_dirs=include_dirs,
        defines=defines,
        pkg_config=pkg_config,
        args=args,
        language=language,
        standard=standard,
        headers=headers,
        allow=allow,
        block=block,
        strip_prefix=strip_prefix,
        rename=rename,
    )
    source = header_source(header)
    return parse_source(source, options, libclang=libclang, cache=cache)


def parse_text(
    text: str, *, libclang: str | os.PathLike[str] | None = None, cache: bool = True, **options: Any
) -> ir.Binding:
    """What C text declares; the standard's integer types and `bool` are there without an ``#include``.

    Options and errors are those of `parse`; places are in a file named ``cdef``.
    """
    made = make_options(**options)
    return parse_source(text_source(text), made, libclang=libclang, cache=cache)


def make_options(
    *,
    include_dirs: Iterable[str | os.PathLike[str]] = (),
    defines: Iterable[str] | Mapping[str, object] = (),
    rename: Mapping[str, str] | None = None,
    language: str = "c",
    standard: str = "",
    **patterns: Patterns,
) -> ir.ParseOptions:
    """Options as they are recorded. Raises ValueError for an unknown language."""
    if language not in _LANGUAGES:
        raise ValueError(f"the language is 'c' or 'c++', not {language!r}")
    if isinstance(defines, Mapping):
        defines = [name if value is None else f"{name}={value}" for name, value in defines.items()]
    return ir.ParseOptions(
        include_dirs=tuple(os.fspath(folder) for folder in listed(include_dirs)),
        defines=tuple(listed(defines)),
        language=language,
        standard=standard,
        rename=tuple((rename or {}).items()),
        **{name: tuple(listed(value)) for name, value in patterns.items()},
    )


def listed(value: Any) -> list[Any]:
    """One or several: a text or a path is one."""
    return [value] if isinstance(value, (str, os.PathLike)) else list(value)


def parse_source(
    source: Source,
    options: ir.ParseOptions,
    *,
    libclang: str | os.PathLike[str] | None = None,
    cache: bool = True,
) -> ir.Binding:
    """As `parse`, for a text that includes the headers."""
    installation = locate(libclang)
    found = arguments(options, installation, source.paths)
    folders = (*found.include_dirs, *found.system_dirs)
    fingerprint = Fingerprint(
        f"{source.main}: {source.text}", found.args, options, installation.library, folders
    )
    store = _store() if cache else None
    known = store.get(fingerprint) if store else None
    if known is not None:
        return known
    made = _Parse(load(installation.library), source, options, found)
    binding = made.run()
    if store:
        store.put(fingerprint, made.read, binding)
    return binding


def _store() -> Store | None:
    try:
        return Store()
    except RuntimeError:  # a user without a home, as containers have them, has no cache
        return None


class _Parse:
    """One parse and the evaluation of its macros."""

    def __init__(self, clang: Any, source: Source, options: ir.ParseOptions, found: Arguments) -> None:
        self.clang = clang
        self.source = source
        self.options = options
        self.arguments = found
        self.cplusplus = options.language == "c++"
        #: The contents of every file that clang read, by path.
        self.read: dict[str, bytes] = {}

    def run(self) -> ir.Binding:
        flags = units.DETAILED_PREPROCESSING_RECORD | units.SKIP_FUNCTION_BODIES
        with self.unit(self.source.text, flags) as unit:
            self.check(unit)
            reader = HeaderReader(
                unit,
                self.files(unit),
                cplusplus=self.cplusplus,
                unnamed_bits_align=self.unnamed_bits_align(unit),
            )
            declarations = reader.read()
            target = target_of(unit)
            for file in unit.inclusions():
                name = unit.file_name(file)
                if name != self.source.main:
                    self.read[name] = unit.contents(file)
        declarations += self.macros(reader, declarations)
        chosen = select(declarations, self.options.allow, self.options.block)
        named = assign_names(chosen, self.options.strip_prefix, dict(self.options.rename))
        return ir.Binding(self.source.names, target, self.options, tuple(named), version_of(self.clang))

    def unit(self, text: str, flags: int) -> Unit:
        args = [*self.arguments.args]
        texts = {self.source.main: text.encode("utf-8", "surrogateescape")}
        for name in self.source.prelude:
            if found_paths([name], self.arguments.system_dirs):
                args += ["-include", name]
        return Unit(self.clang, self.source.main, texts, args, flags)

    def files(self, unit: Unit) -> Files:
        folders = (*self.arguments.include_dirs, *self.arguments.system_dirs)
        named = [name for name in self.source.names if not self.source.prelude]
        mains = [*self.source.paths, *found_paths(named, folders)]
        if self.source.prelude:
            mains.append(self.source.main)
        return Files(
            unit, mains, self.arguments.include_dirs, self.arguments.system_dirs, self.options.headers
        )

    def check(self, unit: Unit) -> None:
        """Raises HeaderError when clang found errors."""
        errors = tuple(d for d in unit.diagnostics() if d.severity != "warning")
        if errors:
            raise header_error(errors, self.source, self.arguments)

    def unnamed_bits_align(self, unit: Unit) -> bool:
        return unit.triple().startswith(("aarch64", "arm64"))

    def macros(self, reader: HeaderReader, declarations: list[ir.Declaration]) -> list[ir.Declaration]:
        """The macros of the own headers, evaluated in a second parse."""
        if not reader.macros:
            return []
        text, asked = probes(reader.macros.values(), self.cplusplus)
        known = {d.name: type(d).__name__ for d in declarations}
        with self.unit(self.source.text + text, units.SKIP_FUNCTION_BODIES) as unit:
            types = TypeReader(unit, TagNames(unit, self.cplusplus))
            first = self.source.text.count("\n") + HEAD + 1
            evaluation = Evaluation(unit, types, first)
            made: dict[str, ir.Macro] = {}
            for number, found in enumerate(asked):
                says_nothing = found.text in ("", found.name) and found.parameters is None
                if number not in evaluation.gone and not says_nothing:
                    made[found.name] = described(found, evaluation.get(number), known)
            cut = {asked[number].name: size for number, size in evaluation.cut.items()}
        if cut:
            with self.unit(self.source.text + byte_probes(cut), units.SKIP_FUNCTION_BODIES) as unit:
                for name, value in bytes_of(unit, cut).items():
                    made[name] = replace(made[name], value=value, type=ir.Pointer(ir.Scalar("char")))
        return list(made.values())


def header_error(errors: tuple[Diagnostic, ...], source: Source, found: Arguments) -> HeaderError:
    """The error for what clang found wrong."""
    searched = f"searched: {', '.join((*found.include_dirs, *found.system_dirs))}"
    lost = [each for each in errors if each.file == MAIN]
    if lost:
        missing = re.findall(r"'([^']+)' file not found", "\n".join(each.message for each in lost))
        if missing:
            return HeaderNotFoundError(f"there is no header {', '.join(missing)}; {searched}", errors)
    shown = [str(each) for each in errors[:SHOWN]]
    if len(errors) > SHOWN:
        shown.append(f"... and {len(errors) - SHOWN} more errors")
    message = "\n".join(shown)
    if any("file not found" in each.message for each in errors):
        return HeaderNotFoundError(f"{message}\n{searched}", errors)
    return HeaderError(message, errors)


def target_of(unit: Unit) -> ir.Target:
    """The platform of a unit: this one, unless the triple says otherwise."""
    host = ir.Target.host()
    arch, _, rest = unit.triple().partition("-")
    arch = {"arm64": "aarch64", "amd64": "x86_64"}.get(arch, arch)
    if arch == host.arch or (arch[:1] == "i" and arch[2:] == "86" and host.arch == "i686"):
        return host
    system = next((name for name in ("linux", "darwin", "windows", "freebsd") if name in rest), rest)
    wide = "64" in arch
    return ir.Target(arch, system, "gnu" if "gnu" in rest else "", 8 if wide else 4, 8 if wide else 4)


__all__ = ["make_options", "parse", "parse_source", "parse_text"]
