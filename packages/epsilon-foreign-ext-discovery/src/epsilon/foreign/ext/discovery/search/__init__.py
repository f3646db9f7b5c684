"""Finding headers: the system's folders, and what pkg-config knows of packages."""

from __future__ import annotations

from .include_dirs import system_dirs
from .pkg_config import Package, package

__all__ = ["Package", "package", "system_dirs"]
