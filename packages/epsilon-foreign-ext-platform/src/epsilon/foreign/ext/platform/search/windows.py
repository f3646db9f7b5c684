"""The rules of Windows: which paths are tried for a DLL's name, in which order.

Those of LoadLibraryEx with LOAD_LIBRARY_SEARCH_DEFAULT_DIRS and LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR, with which layer 1
opens DLLs as Python itself does ("Dynamic-link library search order",
https://learn.microsoft.com/windows/win32/dlls/dynamic-link-library-search-order). PATH and the working directory do
not count. Pure rules over names and folders, which run anywhere.
"""

from __future__ import annotations

import ntpath
from collections.abc import Iterator
from typing import NamedTuple

#: Names that begin so stand for whatever DLL the system has behind them, and are files nowhere.
API_SETS = ("api-", "ext-")
#: DLLs that the system takes from its own folder whatever the rules say (KnownDLLs), those that programs use most.
KNOWN = frozenset(
    [
        "advapi32",
        "clbcatq",
        "combase",
        "comdlg32",
        "coml2",
        "difxapi",
        "gdi32",
        "gdiplus",
        "imagehlp",
        "imm32",
        "kernel32",
        "msctf",
        "msvcrt",
        "normaliz",
        "nsi",
        "ole32",
        "oleaut32",
        "psapi",
        "rpcrt4",
        "sechost",
        "setupapi",
        "shcore",
        "shell32",
        "shlwapi",
        "user32",
        "wldap32",
        "ws2_32",
    ]
)
_SEPARATORS = ("\\", "/")


class WindowsProcess(NamedTuple):
    """A process on Windows, as far as the rules ask.

    `application` is the folder of the program, `added` are the folders of `os.add_dll_directory`, `system` is the
    system's.
    """

    application: str = "C:\\Program"
    added: tuple[str, ...] = ()
    system: str = "C:\\Windows\\System32"


def paths_tried(name: str, process: WindowsProcess) -> Iterator[tuple[str, str]]:
    """Each path that Windows tries for a name, after the rule that leads to it."""
    if any(separator in name for separator in _SEPARATORS):
        yield "path", ntpath.normpath(_with_suffix(name))
        return
    file_name = _with_suffix(name)
    stem = ntpath.splitext(file_name)[0].lower()
    if stem.startswith(API_SETS):
        yield "API set", file_name
        return
    if stem in KNOWN and file_name.lower().endswith(".dll"):
        yield "KnownDLLs", ntpath.join(process.system, file_name)
        return
    yield "application folder", ntpath.join(process.application, file_name)
    for folder in process.added:
        yield "added folder", ntpath.join(folder, file_name)
    yield "system folder", ntpath.join(process.system, file_name)


def _with_suffix(name: str) -> str:
    """``.dll`` is added to a name without a dot; a dot at the end says that the name has none."""
    if name.endswith("."):
        return name[:-1]
    return name if "." in ntpath.basename(name) else f"{name}.dll"
