"""What a shared library exports, and how that compares with what a header declares."""

from __future__ import annotations

from .image import Image, read_image
from .locate import file_of, library_path
from .match import Match, match_library
from .symbol import Symbol

__all__ = ["Image", "Match", "Symbol", "file_of", "library_path", "match_library", "read_image"]
