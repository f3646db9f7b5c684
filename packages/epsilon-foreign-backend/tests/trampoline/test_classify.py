"""How aggregates travel, by examples; `tests-integration` asks a compiler about thousands."""

from __future__ import annotations

import pytest
from epsilon.foreign.backend import (
    COMPLEX_DOUBLE,
    COMPLEX_FLOAT,
    DOUBLE,
    FLOAT,
    INT8,
    INT32,
    INT64,
    POINTER,
    UINT8,
    AbiType,
    Field,
    Kind,
    aggregate,
)
from epsilon.foreign.backend.trampoline import classify_aapcs64, classify_sysv
from epsilon.foreign.backend.trampoline.classify_aapcs64 import REFERENCE, Homogeneous, Registers
from epsilon.foreign.backend.trampoline.classify_sysv import (
    INTEGER,
    MEMORY,
    NO_CLASS,
    SSE,
    X87,
    X87UP,
    EightbyteClass,
)

#: x87's long double and AArch64's, on whatever processor the tests run.
WIDE = AbiType(Kind.FLOAT, 16, 16, "long double")


def struct(*types: AbiType, pack: int = 16, align: int = 1) -> AbiType:
    fields, end, alignment = [], 0, align
    for type in types:
        own = min(type.alignment, pack)
        end = -(-end // own) * own
        fields.append(Field(end, type))
        end += type.size
        alignment = max(alignment, own)
    return aggregate(-(-end // alignment) * alignment, alignment, tuple(fields))


def union(*types: AbiType) -> AbiType:
    size, alignment = max(t.size for t in types), max(t.alignment for t in types)
    return aggregate(size, alignment, tuple(Field(0, t) for t in types))


def array(type: AbiType, count: int) -> AbiType:
    return aggregate(count * type.size, type.alignment, (Field(0, type, count),))


SYSV: dict[str, tuple[AbiType, tuple[EightbyteClass, ...] | None]] = {
    "two ints": (struct(INT32, INT32), (INTEGER,)),
    "int and float share an eightbyte": (struct(INT32, FLOAT), (INTEGER,)),
    "two floats share an eightbyte": (struct(FLOAT, FLOAT), (SSE,)),
    "three floats": (array(FLOAT, 3), (SSE, SSE)),
    "double and int": (struct(DOUBLE, INT32), (SSE, INTEGER)),
    "pointer and double": (struct(POINTER, DOUBLE), (INTEGER, SSE)),
    "nested": (struct(struct(FLOAT, FLOAT), struct(INT8)), (SSE, INTEGER)),
    "padding only": (struct(INT32, align=16), (INTEGER, NO_CLASS)),
    "complex float": (struct(COMPLEX_FLOAT), (SSE,)),
    "complex double": (COMPLEX_DOUBLE, (SSE, SSE)),
    "union of int and double": (union(INT64, DOUBLE), (INTEGER,)),
    "long double": (struct(WIDE), (X87, X87UP)),
    "union of long double and double": (union(WIDE, DOUBLE), MEMORY),
    "union of long double and int": (union(WIDE, INT32), MEMORY),
    "large": (array(INT64, 3), MEMORY),
    "misaligned": (struct(INT8, INT32, pack=1), MEMORY),
    "packed but aligned": (struct(INT32, INT8, pack=1), (INTEGER,)),
    "bit-fields": (aggregate(8, 8, (Field(0, UINT8, 3), Field(2, UINT8, 4))), (INTEGER,)),
    "empty": (aggregate(0, 1, ()), ()),
}

AAPCS64: dict[str, tuple[AbiType, Homogeneous | Registers | None]] = {
    "four floats": (array(FLOAT, 4), Homogeneous(FLOAT, 4)),
    "five floats": (array(FLOAT, 5), REFERENCE),
    "four doubles": (array(DOUBLE, 4), Homogeneous(DOUBLE, 4)),
    "four long doubles": (array(WIDE, 4), Homogeneous(WIDE, 4)),
    "complex": (struct(COMPLEX_DOUBLE), Homogeneous(DOUBLE, 2)),
    "nested floats": (struct(FLOAT, struct(FLOAT, FLOAT)), Homogeneous(FLOAT, 3)),
    "union of floats": (union(FLOAT, array(FLOAT, 2)), Homogeneous(FLOAT, 2)),
    "float and double": (struct(FLOAT, DOUBLE), Registers(2, False)),
    "float and int": (struct(FLOAT, INT32), Registers(1, False)),
    "padded floats": (struct(FLOAT, align=8), Registers(1, False)),
    "17 bytes": (array(INT8, 17), REFERENCE),
    "three bytes": (array(INT8, 3), Registers(1, False)),
    "aligned type": (struct(INT64, INT64, align=16), Registers(2, False)),
    "aligned member": (struct(aggregate(8, 16, (Field(0, INT64),)), INT64), Registers(2, True)),
    "empty": (aggregate(0, 1, ()), Registers(0, False)),
}


@pytest.mark.parametrize("case", SYSV)
def test_eightbytes_have_the_classes_of_the_system_v_document(case: str) -> None:
    type, classes = SYSV[case]
    assert classify_sysv.classify(type) == classes


@pytest.mark.parametrize("case", AAPCS64)
def test_aggregates_travel_on_aarch64_as_its_document_says(case: str) -> None:
    type, found = AAPCS64[case]
    assert classify_aapcs64.classify(type) == found


def test_an_aarch64_argument_is_aligned_on_the_stack_to_its_members() -> None:
    assert classify_aapcs64.stack_alignment(struct(INT64, INT64, align=16)) == 8
    assert classify_aapcs64.stack_alignment(array(WIDE, 2)) == 16
    assert classify_aapcs64.stack_alignment(struct(INT8)) == 8
