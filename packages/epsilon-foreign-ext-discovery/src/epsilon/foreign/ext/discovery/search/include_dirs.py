"""The folders that a C compiler searches for ``#include <...>``, found without running one where possible."""

from __future__ import annotations

import functools
import os
import sys

_UNIX = ("/usr/local/include", "/usr/include/{multiarch}", "/usr/include")
_MACOS = (
    "/usr/local/include",
    "/Library/Developer/CommandLineTools/SDKs/MacOSX.sdk/usr/include",
    "/Applications/Xcode.app/Contents/Developer/Platforms/MacOSX.platform/Developer/SDKs/MacOSX.sdk/usr/include",
)
_COMPILERS = ("cc", "gcc", "clang")


@functools.cache
def system_dirs() -> tuple[str, ...]:
    """The system's folders in the order of the search; a compiler is asked only when they have no ``stdio.h``."""
    if sys.platform == "win32":
        return ()  # clang's driver asks the registry for Visual Studio's
    multiarch = getattr(sys.implementation, "_multiarch", "") or f"{os.uname().machine}-linux-gnu"
    known = _MACOS if sys.platform == "darwin" else tuple(d.format(multiarch=multiarch) for d in _UNIX)
    found = tuple(folder for folder in known if os.path.isdir(folder))
    if any(os.path.exists(os.path.join(folder, "stdio.h")) for folder in found):
        return found
    return found + tuple(folder for folder in _asked() if folder not in found)


def _asked() -> tuple[str, ...]:
    """What a compiler of this machine says, without its own folder: libclang has one that fits it."""
    import shutil  # a compiler is rarely asked
    import subprocess

    for name in _COMPILERS:
        compiler = shutil.which(name)
        if compiler is None:
            continue
        try:
            ran = subprocess.run(
                [compiler, "-E", "-v", "-x", "c", os.devnull],
                capture_output=True,
                text=True,
                timeout=30,
                env={**os.environ, "LC_ALL": "C"},
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        folders = _listed(ran.stderr)
        if folders:
            return folders
    return ()


def _listed(output: str) -> tuple[str, ...]:
    _, _, rest = output.partition("#include <...> search starts here:")
    listed, _, _ = rest.partition("End of search list.")
    folders = (line.strip() for line in listed.splitlines() if line.strip())
    return tuple(
        folder
        for folder in folders
        if os.path.isdir(folder)
        and not os.path.isfile(os.path.join(folder, "stddef.h"))
        and "framework" not in folder
    )
