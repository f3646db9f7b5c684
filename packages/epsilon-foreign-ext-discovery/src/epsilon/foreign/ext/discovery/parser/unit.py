"""A translation unit: libclang's parse of one text, its complaints, its files and its cursors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import epsilon.foreign.api as ffi
from epsilon.foreign.api import c

from ..errors import Diagnostic, ParserUnavailableError

#: CXTranslationUnit_Flags
DETAILED_PREPROCESSING_RECORD = 0x01
SKIP_FUNCTION_BODIES = 0x40
KEEP_GOING = 0x200
INCLUDE_ATTRIBUTED_TYPES = 0x1000

#: Which pointer of the struct is `data[0]`: on 64-bit machines the second in both.
_DATA = {"CXCursor": 8 // ffi.sizeof(c.pointer), "CXType": 1}
_CONTINUE = 1  # CXChildVisit_Continue, and CXVisit_Continue
_WARNING = 2
_SEVERITIES = {_WARNING: "warning", 3: "error", 4: "fatal error"}


class Unit:
    """One parsed text; a context manager, after which its cursors must not be used.

    `clang` is what `libclang.load` gives. Cursors and types are libclang's own structs.
    """

    def __init__(
        self, clang: Any, main: str, texts: Mapping[str, bytes], args: Sequence[str], flags: int
    ) -> None:
        self.clang = clang
        self.main = main
        self._text = clang.clang_getCString
        self._done = clang.clang_disposeString
        self._index = clang.clang_createIndex(0, 0)
        self.handle = self._parse(main, texts, args, flags)
        self._file = ffi.array(clang.CXFile, 1)
        self._numbers = ffi.array(c.uint, 3)
        # Views of the memory that clang writes to: reading them is cheaper than indexing the arrays.
        self._file_view, self._number_view = memoryview(self._file), memoryview(self._numbers)
        start = ffi.pointer(self._numbers)
        self._out = (ffi.pointer(self._file), start, start + 1, start + 2)
        self._names: dict[int, str] = {}
        self._contents: dict[int, bytes] = {}

    def _parse(self, main: str, texts: Mapping[str, bytes], args: Sequence[str], flags: int) -> Any:
        clang = self.clang
        unsaved = ffi.array(clang.CXUnsavedFile, max(len(texts), 1))
        for place, (name, text) in enumerate(texts.items()):
            # A bytes object as a C string ends at its first NUL; the length says how far the text goes.
            unsaved[place] = clang.CXUnsavedFile(name, text.replace(b"\0", b" "), len(text))
        row: Any = c.string  # an optional str to checkers
        words = ffi.array(row, list(args)) if args else None
        made = ffi.array(c.pointer, 1)
        code = clang.clang_parseTranslationUnit2(
            self._index, main, words, len(args), unsaved, len(texts), flags, made
        )
        if code or not made[0]:
            clang.clang_disposeIndex(self._index)
            raise ParserUnavailableError(f"libclang cannot parse (error {code}) with {' '.join(args)!r}")
        return ffi.from_foreign(made[0], clang.CXTranslationUnit)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file_view.release()
        self._number_view.release()
        self.clang.clang_disposeTranslationUnit(self.handle)
        self.clang.clang_disposeIndex(self._index)

    def text(self, string: Any) -> str:
        """The text of a CXString, which is disposed of. Headers need not be UTF-8."""
        found = self._text(string)
        text = "" if found is None else found.decode("utf-8", "replace")
        self._done(string)
        return text

    def children(self, cursor: Any = None) -> list[Any]:
        """The cursors directly inside of one; of the whole text by default, macros included."""
        clang = self.clang
        found: list[Any] = []
        append = found.append

        def visit(child: Any, parent: Any, data: Any) -> int:
            append(child)
            return _CONTINUE

        if cursor is None:
            cursor = clang.clang_getTranslationUnitCursor(self.handle)
        clang.clang_visitChildren(cursor, visit, None)
        return found

    def fields(self, type: Any) -> list[Any]:
        """The cursors of a record's members, unnamed ones included."""
        found: list[Any] = []
        append = found.append

        def visit(child: Any, data: Any) -> int:
            append(child)
            return _CONTINUE

        self.clang.clang_Type_visitFields(type, visit, None)
        return found

    def spelling(self, cursor: Any) -> str:
        """The name of what a cursor stands for."""
        return self.text(self.clang.clang_getCursorSpelling(cursor))

    def place(self, location: Any) -> tuple[int, int, int, int]:
        """The file (0 for none), line, column and offset of a location; inside a macro's, of its use."""
        self.clang.clang_getFileLocation(location, *self._out)
        numbers = self._number_view
        return self._file_view[0], numbers[0], numbers[1], numbers[2]

    def extent(self, cursor: Any) -> tuple[int, int, int]:
        """The file, and the offsets of the first byte of a cursor's text and of the one after it."""
        clang = self.clang
        found = clang.clang_getCursorExtent(cursor)
        file, _, _, start = self.place(clang.clang_getRangeStart(found))
        _, _, _, end = self.place(clang.clang_getRangeEnd(found))
        return file, start, end

    def file_name(self, file: int) -> str:
        """The path of a file, as clang was given it or found it."""
        name = self._names.get(file)
        if name is None:
            name = ""
            if file:
                name = self.text(self.clang.clang_getFileName(_handle(file)))
            self._names[file] = name
        return name

    def contents(self, file: int) -> bytes:
        """The bytes of a file, as clang read them."""
        found = self._contents.get(file)
        if found is None:
            size = ffi.array(c.size_t, 1)
            address = self.clang.clang_getFileContents(self.handle, _handle(file), size)
            found = self._contents[file] = ffi.bytes_at(address, size[0]) if address else b""
        return found

    def inclusions(self) -> list[int]:
        """The files that were read, the main text first."""
        found: dict[int, None] = {}

        def visit(file: Any, stack: Any, depth: int, data: Any) -> None:
            found[int(file)] = None

        self.clang.clang_getInclusions(self.handle, visit, None)
        found.pop(0, None)
        return list(found)

    def triple(self) -> str:
        """The target triple that was parsed for."""
        clang = self.clang
        info = clang.clang_getTranslationUnitTargetInfo(self.handle)
        triple = self.text(clang.clang_TargetInfo_getTriple(info))
        clang.clang_TargetInfo_dispose(info)
        return triple

    def diagnostics(self) -> Iterator[Diagnostic]:
        """Warnings and errors, in order."""
        clang = self.clang
        for place in range(clang.clang_getNumDiagnostics(self.handle)):
            found = clang.clang_getDiagnostic(self.handle, place)
            severity = _SEVERITIES.get(clang.clang_getDiagnosticSeverity(found))
            message = self.text(clang.clang_getDiagnosticSpelling(found))
            location = self.place(clang.clang_getDiagnosticLocation(found))
            clang.clang_disposeDiagnostic(found)
            if severity:
                yield self._diagnostic(severity, message, location)

    def error_lines(self) -> set[int]:
        """The lines of errors, whatever they say."""
        clang = self.clang
        found = set()
        for place in range(clang.clang_getNumDiagnostics(self.handle)):
            diagnostic = clang.clang_getDiagnostic(self.handle, place)
            if clang.clang_getDiagnosticSeverity(diagnostic) > _WARNING:
                found.add(self.place(clang.clang_getDiagnosticLocation(diagnostic))[1])
            clang.clang_disposeDiagnostic(diagnostic)
        return found

    def _diagnostic(self, severity: str, message: str, location: tuple[int, int, int, int]) -> Diagnostic:
        file, line, column, _ = location
        if not file:
            return Diagnostic(severity, message)
        lines = self.contents(file).split(b"\n")
        source = lines[line - 1].decode("utf-8", "replace").rstrip() if 0 < line <= len(lines) else ""
        return Diagnostic(severity, message, self.file_name(file), line, column, source)


def pointer_of(value: Any) -> int:
    """What a cursor or a type is to clang: the address of its declaration, or of the type with its qualifiers."""
    # As `value.data[0]`, which makes an array and a pointer on the way, and is asked for thousands of times.
    found: int = memoryview(value).cast("P")[_DATA[type(value).__name__]]
    return found


def _handle(address: int) -> Any:
    return ffi.Pointer.from_address(address)


def version_of(clang: Any) -> str:
    """What libclang calls itself: ``clang version 22.1.4``."""
    string = clang.clang_getClangVersion()
    text = (clang.clang_getCString(string) or b"").decode("utf-8", "replace")
    clang.clang_disposeString(string)
    return text.partition(" (")[0]
