"""Where each convention's table puts arguments and results, written out by hand from the ABI documents.

An integer register is written by its name; an aggregate in several as ``rdi+xmm0``, on the stack as ``[16]``, as the
address of a copy as ``&rcx`` or ``&[32]``; a result in memory as ``&rdi``. Nothing is run, so all of it is tested on
every processor.
"""

from __future__ import annotations

import pytest
from epsilon.foreign.backend import (
    DOUBLE,
    FLOAT,
    INT8,
    INT32,
    INT64,
    LONGDOUBLE,
    POINTER,
    UINT8,
    VOID,
    AbiType,
    Field,
    Kind,
    Signature,
    aggregate,
)
from epsilon.foreign.backend.trampoline.conventions import Convention, Location, assign, can_travel
from epsilon.foreign.backend.trampoline.conventions.aapcs64 import AAPCS64
from epsilon.foreign.backend.trampoline.conventions.sysv import SYSV
from epsilon.foreign.backend.trampoline.conventions.win64 import WIN64

#: A 16-byte long double by name: what it is on the platform that runs this does not matter.
QUAD = AbiType(Kind.FLOAT, 16, 16, "quad")


def struct(*members: AbiType, align: int = 1, pack: int = 16) -> AbiType:
    """Laid out as C does it."""
    at, alignment, fields = 0, align, []
    for member in members:
        own = min(member.alignment, pack)
        at = -(-at // own) * own
        fields.append(Field(at, member))
        at += member.size
        alignment = max(alignment, own)
    return aggregate(-(-at // alignment) * alignment, alignment, tuple(fields), "struct")


def array(type: AbiType, count: int) -> AbiType:
    return struct(*[type] * count)


II, DD, FF = struct(INT64, INT64), struct(DOUBLE, DOUBLE), struct(FLOAT, FLOAT)
ID, DI = struct(INT64, DOUBLE), struct(DOUBLE, INT64)
BIG = array(INT64, 5)
ALIGNED = struct(INT64, INT64, align=16)
INT128 = struct(AbiType(Kind.SIGNED, 16, 16, "int128"))
BYTES = {n: array(UINT8, n) for n in (1, 2, 3, 4, 5, 8, 12, 16, 17)}
WIDE = struct(*[INT64] * 3, align=16)
PACKED = struct(INT8, DOUBLE, pack=1)

SYSV_PLACES: dict[str, tuple[list[AbiType], str]] = {
    "an eightbyte of each class": ([ID, DI, II, DD], "rdi+xmm0 xmm1+rsi rdx+rcx xmm2+xmm3"),
    "floats share an eightbyte": ([FF, struct(FLOAT, FLOAT, FLOAT)], "xmm0 xmm1+xmm2"),
    "an int beside a float makes it INTEGER": ([struct(FLOAT, INT32), struct(INT32, FLOAT, FLOAT)], "rdi rsi+xmm0"),
    "up to 16 bytes are in registers": ([BYTES[3], BYTES[12], BYTES[16], BYTES[17]], "rdi rsi+rdx rcx+r8 [0]"),
    "a misaligned member is in memory": ([PACKED, INT64], "[0] rdi"),
    "whole in registers or not at all": ([INT64] * 5 + [II, INT64, II], "rdi rsi rdx rcx r8 [0] r9 [16]"),
    "both kinds must suffice": ([DOUBLE] * 8 + [ID, INT64, DI], "xmm0 xmm1 xmm2 xmm3 xmm4 xmm5 xmm6 xmm7 [0] rdi [16]"),
    "a large one leaves the registers to others": ([BIG, INT64, BIG, DOUBLE], "[0] rdi [40] xmm0"),
    "the stack is aligned for it": ([*[INT64] * 7, WIDE, INT8], "rdi rsi rdx rcx r8 r9 [0] [16] [48]"),
    "16-byte alignment asks nothing of registers": ([INT64, ALIGNED], "rdi rsi+rdx"),
    "a long double is in memory": ([struct(LONGDOUBLE, INT32)], "[0]"),
}  # fmt: skip
AAPCS64_PLACES: dict[str, tuple[list[AbiType], str]] = {
    "a homogeneous one has a register for each member": ([FF, DD, array(FLOAT, 4)], "v0+v1 v2+v3 v4+v5+v6+v7"),
    "five floats are not homogeneous": ([array(FLOAT, 5), struct(FLOAT, DOUBLE)], "&x0 x1+x2"),
    "quads are homogeneous, too": ([array(QUAD, 2)], "v0+v1"),
    "up to 16 bytes are in general registers": ([BYTES[3], BYTES[12], ID, BYTES[17]], "x0 x1+x2 x3+x4 &x5"),
    "what does not fit ends the registers of its kind": ([*[INT64] * 7, II, INT64], "x0 x1 x2 x3 x4 x5 x6 [0] [16]"),
    "of its kind alone": ([array(DOUBLE, 3)] * 3 + [FLOAT, INT64], "v0+v1+v2 v3+v4+v5 [0] [24] x0"),
    "16-byte alignment wants an even register": ([INT64, INT128, INT64], "x0 x2+x3 x4"),
    "alignment of the type alone does not": ([INT64, ALIGNED], "x0 x1+x2"),
    "and a place on the stack": ([*[INT64] * 9, INT128], "x0 x1 x2 x3 x4 x5 x6 x7 [0] [16]"),
    "addresses go to the stack as well": ([*[INT64] * 8, BIG], "x0 x1 x2 x3 x4 x5 x6 x7 &[0]"),
}  # fmt: skip
WIN64_PLACES: dict[str, tuple[list[AbiType], str]] = {
    "1, 2, 4 and 8 bytes are integers": ([BYTES[1], BYTES[2], BYTES[4], BYTES[8]], "rcx rdx r8 r9"),
    "of floats, too": ([struct(FLOAT), struct(DOUBLE), FF], "rcx rdx r8"),
    "all others are addresses": ([BYTES[3], BYTES[5], II, BIG], "&rcx &rdx &r8 &r9"),
    "positions count": ([DOUBLE, BYTES[8], FLOAT, BIG, BYTES[4], BIG], "xmm0 rdx xmm2 &r9 [32] &[40]"),
}  # fmt: skip
PLACES = {
    f"{convention.name}: {name}": (convention, types, places)
    for convention, table in ((SYSV, SYSV_PLACES), (AAPCS64, AAPCS64_PLACES), (WIN64, WIN64_PLACES))
    for name, (types, places) in table.items()
}

RESULTS: dict[str, tuple[Convention, AbiType, str]] = {
    "sysv: two integers": (SYSV, II, "rax+rdx"),
    "sysv: two doubles": (SYSV, DD, "xmm0+xmm1"),
    "sysv: one of each": (SYSV, ID, "rax+xmm0"),
    "sysv: the other way round": (SYSV, DI, "xmm0+rax"),
    "sysv: in memory": (SYSV, BIG, "&rdi"),
    "sysv: misaligned": (SYSV, PACKED, "&rdi"),
    "aapcs64: homogeneous": (AAPCS64, array(FLOAT, 3), "v0+v1+v2"),
    "aapcs64: general": (AAPCS64, ID, "x0+x1"),
    "aapcs64: in memory": (AAPCS64, BIG, "&x8"),
    "ms: small": (WIN64, FF, "rax"),
    "ms: in memory": (WIN64, II, "&rcx"),
}


def shown(location: Location) -> str:
    if location.pieces:
        return "+".join(piece.register.name.lower() for piece in location.pieces)
    place = f"[{location.offset}]" if location.register is None else location.register.name.lower()
    return f"&{place}" if location.reference else place


@pytest.mark.parametrize("name", PLACES)
def test_arguments_are_where_the_document_says(name: str) -> None:
    convention, types, places = PLACES[name]
    signature = Signature(VOID, types)
    assert can_travel(convention, signature)
    assert " ".join(map(shown, assign(convention, signature).arguments)) == places


@pytest.mark.parametrize("name", RESULTS)
def test_results_are_where_the_document_says(name: str) -> None:
    convention, type, place = RESULTS[name]
    assigned = assign(convention, Signature(type, [POINTER, DOUBLE]))
    assert shown(assigned.result) == place
    # An address for the result is the first argument, unless it has a register of its own.
    first = assigned.arguments[0].register
    assert first is not None
    assert first is convention.integers[place in ("&rdi", "&rcx")]


def test_a_result_pointer_takes_a_position_in_microsofts_convention() -> None:
    assigned = assign(WIN64, Signature(II, [DOUBLE, INT64, FLOAT, INT64]))
    assert " ".join(map(shown, assigned.arguments)) == "xmm1 r8 xmm3 [32]"


def test_the_stack_pointer_is_aligned_for_its_arguments() -> None:
    wide = struct(*[INT64] * 4, align=64)
    assert assign(SYSV, Signature(VOID, [wide])).alignment == 64
    assert assign(SYSV, Signature(VOID, [BIG])).alignment == 16


@pytest.mark.parametrize("convention", [SYSV, AAPCS64, WIN64], ids=lambda c: str(c.name))
def test_what_compilers_do_not_agree_on_cannot_travel(convention: Convention) -> None:
    assert not can_travel(convention, Signature(VOID, [aggregate(0, 1, ())]))
    assert not can_travel(convention, Signature(aggregate(0, 1, ())))


def test_padding_alone_cannot_travel_in_system_v() -> None:
    assert not can_travel(SYSV, Signature(VOID, [aggregate(4, 4, ())]))


def test_a_result_in_an_x87_register_cannot_travel() -> None:
    alone = struct(AbiType(Kind.FLOAT, 16, 16, "x87"))
    assert not can_travel(SYSV, Signature(alone))
    assert can_travel(SYSV, Signature(VOID, [alone]))
