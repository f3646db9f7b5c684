"""Where the bits of a bit-field are, and which bytes to read and write to reach them.

Which bits belong to a bit-field is the compiler's decision (`layout`); which bytes to access is ours, as long
as no byte outside the struct is touched (C11 6.7.2.1p11,
https://www.open-std.org/jtc1/sc22/wg14/www/docs/n1570.pdf).
"""

from __future__ import annotations

import sys
from typing import NamedTuple

#: Sizes in bytes that a processor reads at once.
UNITS = (1, 2, 4, 8)


class Access(NamedTuple):
    """``int.from_bytes(struct[offset : offset + size], sys.byteorder) >> shift & (1 << width) - 1`` is the
    value.
    """

    offset: int
    size: int
    shift: int


def occupied(position: int, width: int) -> tuple[int, int]:
    """The first byte that `width` bits from bit `position` on lie in, and the number of those bytes."""
    first = position // 8
    return first, -(-(position + width) // 8) - first


def access(position: int, width: int, struct_size: int) -> Access:
    """The bytes through which to reach `width` bits from bit `position` on, in a struct of `struct_size`
    bytes.

    They are the smallest unit that holds them all and lies wholly inside the struct, naturally aligned
    relative to the struct where there is one. Where there is none (a packed bit-field that takes 9 bytes, or
    3 bytes of a struct of 3), they are exactly the bytes occupied, to be accessed one by one.
    """
    first, count = occupied(position, width)
    offset, size = first, count
    for unit in UNITS:
        starts = range(max(0, first + count - unit), min(first, struct_size - unit) + 1)
        if starts:
            aligned = [start for start in starts if start % unit == 0]
            offset, size = (aligned or starts)[-1], unit
            break
    return Access(offset, size, _shift(position - 8 * offset, width, 8 * size))


def _shift(bit: int, width: int, unit: int) -> int:
    # A big-endian compiler allocates bit-fields from the most significant bit down.
    return bit if sys.byteorder == "little" else unit - bit - width
