"""PE: the export directory, read by pefile (https://learn.microsoft.com/windows/win32/debug/pe-format)."""

from __future__ import annotations

from pathlib import Path

from .image import reader_missing
from .symbol import Symbol

#: ``IMAGE_SCN_CNT_CODE``: the section holds code.
_CODE = 0x20


def read(path: Path) -> tuple[list[Symbol], list[str]]:
    """The exported names, without those that are only numbers, and the needed libraries."""
    try:
        import pefile
    except ImportError as error:
        raise reader_missing("PE", "pefile", error) from error
    with pefile.PE(str(path), fast_load=True) as image:
        image.parse_data_directories(
            [
                pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_EXPORT"],
                pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_IMPORT"],
            ]
        )
        exports = getattr(image, "DIRECTORY_ENTRY_EXPORT", None)
        imports = getattr(image, "DIRECTORY_ENTRY_IMPORT", ())
        symbols = []
        for entry in exports.symbols if exports is not None else ():
            if entry.name is None:
                continue
            section = image.get_section_by_rva(entry.address)
            code = section is not None and section.Characteristics & _CODE
            forwarded = (entry.forwarder or b"").decode("utf-8", "replace")
            kind = "symbol" if forwarded else "function" if code else "variable"
            symbols.append(Symbol(entry.name.decode("utf-8", "replace"), kind, forwarded=forwarded))
        return symbols, [entry.dll.decode("utf-8", "replace") for entry in imports]
