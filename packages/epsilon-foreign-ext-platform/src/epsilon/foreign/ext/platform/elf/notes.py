"""Notes: the build id, by which debuggers and crash reports know a file.

"Note Section" of the generic ABI (https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.pheader.html#note_section);
NT_GNU_BUILD_ID is binutils' (ld --build-id).
"""

from __future__ import annotations

import struct

_NT_GNU_BUILD_ID = 3
_HEADER = 12


def build_id(data: bytes, order: str, alignment: int = 4) -> str | None:
    """The build id, as hexadecimal digits, in the contents of a PT_NOTE segment; None where there is none.

    `order` is `struct`'s sign for the byte order. Notes that do not make sense end the search.
    """
    alignment = 8 if alignment == 8 else 4
    at = 0
    while at + _HEADER <= len(data):
        name_size, size, type = struct.unpack_from(f"{order}III", data, at)
        name_at = at + _HEADER
        contents_at = _up(name_at + name_size, alignment)
        end = contents_at + size
        if end > len(data):
            return None
        if type == _NT_GNU_BUILD_ID and data[name_at : name_at + name_size] == b"GNU\0":
            return data[contents_at:end].hex()
        at = _up(end, alignment)
    return None


def _up(value: int, alignment: int) -> int:
    return -(-value // alignment) * alignment
