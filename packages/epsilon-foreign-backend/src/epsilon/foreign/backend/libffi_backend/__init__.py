"""The libffi backend, through cffi's ABI mode: full C, with no compiler.

cffi (https://cffi.readthedocs.io) comes with the extra ``libffi`` and is imported when the backend is first
used.
"""

from __future__ import annotations

import sys
import sysconfig
from typing import TYPE_CHECKING

from ..errors import BackendUnavailableError

if TYPE_CHECKING:
    from .backend import LibffiBackend

__all__ = ["create"]


def create() -> LibffiBackend:
    """The backend.

    Raises BackendUnavailableError when cffi is missing, or has no build for this interpreter.
    """
    try:
        import cffi  # noqa: F401  # asked for here so that its absence is told from an error of our own
    except ImportError as error:
        raise BackendUnavailableError(_why(error)) from None
    from .backend import LibffiBackend

    return LibffiBackend()


def _why(error: ImportError) -> str:
    if sysconfig.get_config_var("Py_GIL_DISABLED") and sys.version_info < (3, 14):
        return "cffi has no release for free-threaded CPython before 3.14"
    return f"cffi is not installed ({error}); install epsilon-foreign-backend[libffi]"
