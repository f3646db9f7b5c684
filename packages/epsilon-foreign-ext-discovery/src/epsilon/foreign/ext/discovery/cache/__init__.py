"""Bindings of headers that were parsed before, in the user's cache folder."""

from __future__ import annotations

from .folder import cache_folder, clear_cache
from .store import Fingerprint, Store

__all__ = ["Fingerprint", "Store", "cache_folder", "clear_cache"]
