"""What is mapped where in a process: proc_pid_maps(5) (https://man7.org/linux/man-pages/man5/proc_pid_maps.5.html).

Apart from `memory.procmaps`, which stands on the api: the keeper starts with as few modules as it can.
"""

from __future__ import annotations

from typing import NamedTuple


class Mapping(NamedTuple):
    """Pages [start, end) of a process, what may be done with them, and the part of a file that they show."""

    start: int
    end: int
    rights: str
    offset: int
    path: str


def mappings(process: int | str = "self") -> list[Mapping]:
    """The mappings of a process, by address. Raises OSError."""
    found = []
    with open(f"/proc/{process}/maps", encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            words = line.split(None, 5)
            start, end = words[0].split("-")
            path = words[5].rstrip("\n") if len(words) > 5 else ""
            found.append(Mapping(int(start, 16), int(end, 16), words[1], int(words[2], 16), path))
    return found


def mapping_at(maps: list[Mapping], address: int) -> Mapping | None:
    """The mapping that holds an address."""
    return next((each for each in maps if each.start <= address < each.end), None)


def beginning(maps: list[Mapping], part: Mapping) -> Mapping | None:
    """The mapping with which a part's file begins: of the same copy, for a file may be loaded twice."""
    before = [
        each for each in maps if each.path == part.path and not each.offset and each.start <= part.start
    ]
    return before[-1] if before else None


_known: list[Mapping] = []


def is_code(address: int) -> bool:
    """May what lies at an address of this process be executed?"""
    found = mapping_at(_known, address)
    if found is None or "x" not in found.rights:
        # Something may have been loaded, or made executable, since.
        _known[:] = mappings()
        found = mapping_at(_known, address)
    return found is not None and "x" in found.rights
