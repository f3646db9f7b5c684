"""The structs, unions and enums that headers define, from the debugging information gcc writes about them
(DWARF 5, https://dwarfstd.org/dwarf5std.html).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..catalogue import Case
from . import compiler

_RECORDS = {"DW_TAG_structure_type": "struct", "DW_TAG_union_type": "union"}


@dataclass(frozen=True)
class Layout:
    """Size in bytes; members by name: offset in bits and, of a bit-field, its width. Anonymous ones dissolved."""

    keyword: str
    name: str
    size: int
    members: dict[str, tuple[int, int | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """What the case's own headers define, by tag or, without a tag, by typedef."""

    records: dict[str, Layout]
    enums: dict[str, dict[str, int]]


def found(case: Case) -> Found:
    """Compile the headers and read what gcc wrote down. Needs pyelftools."""
    from elftools.elf.elffile import ELFFile

    with compiler.source(case) as path:
        compiled = path.with_suffix(".o")
        compiler.run(case, path, "-c", "-g", "-fno-eliminate-unused-debug-types", "-o", str(compiled))
        with compiled.open("rb") as file:
            information = ELFFile(file).get_dwarf_info()
            result = Found({}, {})
            for unit in information.iter_CUs():
                _Unit(information, unit, case).collect(result)
    return result


class _Unit:
    """One compilation unit: its entries and the files they name."""

    def __init__(self, information: Any, unit: Any, case: Case) -> None:
        self.top = unit.get_top_DIE()
        lines = information.line_program_for_CU(unit)
        folders = [folder.decode() for folder in lines["include_directory"]]
        self.own = [
            case.owns(f"{folders[entry.dir_index]}/{entry.name.decode()}") for entry in lines["file_entry"]
        ]

    def collect(self, result: Found) -> None:
        """Add what the own files define."""
        typedefs = {}
        for entry in self.top.iter_children():
            if entry.tag == "DW_TAG_typedef" and "DW_AT_type" in entry.attributes:
                typedefs.setdefault(entry.get_DIE_from_attribute("DW_AT_type").offset, _name(entry))
        for entry in self.top.iter_children():
            place = entry.attributes.get("DW_AT_decl_file")
            name = _name(entry) or typedefs.get(entry.offset, "")
            if place is None or not self.own[place.value] or "DW_AT_declaration" in entry.attributes:
                continue
            if entry.tag in _RECORDS and name:
                size = entry.attributes["DW_AT_byte_size"].value
                members = dict(_members(entry, 0))
                result.records[name] = Layout(_RECORDS[entry.tag], name, size, members)
            elif entry.tag == "DW_TAG_enumeration_type":
                values = {
                    _name(each): each.attributes["DW_AT_const_value"].value for each in entry.iter_children()
                }
                result.enums[name or f"(without a name, of {next(iter(values))})"] = values


def _members(record: Any, base: int) -> Iterator[tuple[str, tuple[int, int | None]]]:
    """Members with their offsets in bits from `base` on."""
    for member in record.iter_children():
        if member.tag != "DW_TAG_member":
            continue
        attributes = member.attributes
        offset, width = base, None
        if "DW_AT_data_bit_offset" in attributes:
            offset += attributes["DW_AT_data_bit_offset"].value
            width = attributes["DW_AT_bit_size"].value
        elif "DW_AT_data_member_location" in attributes:
            offset += 8 * attributes["DW_AT_data_member_location"].value
        if name := _name(member):
            yield name, (offset, width)
        else:
            yield from _members(member.get_DIE_from_attribute("DW_AT_type"), offset)


def _name(entry: Any) -> str:
    attribute = entry.attributes.get("DW_AT_name")
    return attribute.value.decode() if attribute else ""
