"""Which comment documents which declaration.

Doxygen's comments (``/** */``, ``///``, ``/**< */``) are where clang puts them. Plain ones count as well, since most
libraries write them: right above a declaration, or, as zlib does, right below it. A plain comment with an empty line
on either side is about something else, such as the section of the header that follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .comments import doc_text

if TYPE_CHECKING:
    from .unit import Unit

_DOXYGEN = ("/**", "/*!", "///", "//!")


class Docs:
    """The comments of one unit."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.clang = unit.clang
        #: Plain comments that are not right above what clang takes them for, by file and first line.
        self._loose: dict[tuple[int, int], str] = {}

    def member(self, cursor: Any) -> str:
        """The doc of a member or an enum's constant."""
        return doc_text(self.unit.text(self.clang.clang_Cursor_getRawCommentText(cursor)))

    def declaration(self, cursor: Any) -> str:
        """The doc of a declaration, if a comment stands above it."""
        comment = self.unit.text(self.clang.clang_Cursor_getRawCommentText(cursor))
        if not comment:
            return ""
        if comment.startswith(_DOXYGEN) and not comment.startswith("/***"):
            return doc_text(comment)
        clang, unit = self.clang, self.unit
        extent = clang.clang_Cursor_getCommentRange(cursor)
        file, first, _, _ = unit.place(clang.clang_getRangeStart(extent))
        _, last, _, _ = unit.place(clang.clang_getRangeEnd(extent))
        start = unit.place(clang.clang_getRangeStart(clang.clang_getCursorExtent(cursor)))[1]
        if start - last > 1:
            self._loose[file, first] = comment
            return ""
        return doc_text(comment)

    def below(self, file: int, last: int) -> str:
        """The doc of a declaration that ends in line `last`, if a comment stands right below it."""
        return doc_text(self._loose.get((file, last + 1), ""))
