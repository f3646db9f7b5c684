"""Linker scripts: text files under a library's name, which the linker follows and the loader refuses.

Development packages use them to split a library, for instance ``libc.so`` as
``GROUP ( /lib/x86_64-linux-gnu/libc.so.6 /usr/lib/x86_64-linux-gnu/libc_nonshared.a AS_NEEDED ( ... ) )``.
GNU ld's manual, "Commands Dealing with Files" (https://sourceware.org/binutils/docs/ld/File-Commands.html).
"""

from __future__ import annotations

import os

#: No linker script is longer; bytes.
LONGEST = 64 * 1024

_COMMENT = r"(?s:/\*.*?\*/)"
_FILES = r"\b(?:INPUT|GROUP)\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)"
_NEEDED = r"AS_NEEDED\s*\([^()]*\)"


def is_text(path: str) -> bool:
    """Is `path` a file that holds text?"""
    return _text(path) is not None


def linker_script_targets(path: str) -> list[str]:
    """The libraries that the linker script at `path` stands for; none when it is no linker script.

    Static archives are passed over, and what is listed AS_NEEDED comes along with the library that needs it.
    """
    text = _text(path)
    if text is None:
        return []
    import re  # few libraries are linker scripts, and it takes as long to import as this layer's own modules

    found: list[str] = []
    for files in re.findall(_FILES, re.sub(_COMMENT, " ", text)):
        for word in re.split(r"[\s,]+", re.sub(_NEEDED, " ", files).strip()):
            name = f"lib{word[2:]}.so" if word.startswith("-l") else word.strip('"')
            if re.search(r"\.so(\.[\w.]+)?$", name):
                found += _located(name, os.path.dirname(path))
    return found


def _located(name: str, directory: str) -> list[str]:
    """A name as the linker looks for it: beside the script first, then wherever the loader finds it."""
    beside = os.path.join(directory, name)
    return [beside] if os.path.exists(beside) else [name]


def _text(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            content = file.read(LONGEST + 1)
        return content.decode() if len(content) <= LONGEST and b"\0" not in content else None
    except (OSError, UnicodeDecodeError):
        return None
