"""Random C functions of scalars that write down what arrived: the compiler's idea of each calling convention.

Every function stores its arguments, eight bytes each, in the array ``seen`` and returns a constant of its
result type. So nothing but the arguments under test travels in registers.
"""

from __future__ import annotations

import random
import struct
from typing import Any, NamedTuple

from epsilon.foreign.backend import (
    BOOL,
    DOUBLE,
    FLOAT,
    INT8,
    INT16,
    INT32,
    INT64,
    POINTER,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    VOID,
    AbiType,
    Kind,
    Signature,
)

SEED = 20
MOST = 20  # parameters
C_NAMES = {
    BOOL: "_Bool",
    INT8: "int8_t",
    INT16: "int16_t",
    INT32: "int32_t",
    INT64: "int64_t",
    UINT8: "uint8_t",
    UINT16: "uint16_t",
    UINT32: "uint32_t",
    UINT64: "uint64_t",
    FLOAT: "float",
    DOUBLE: "double",
    POINTER: "void *",
    VOID: "void",
}
SCALARS = tuple(t for t in C_NAMES if t is not VOID)
#: What may follow `...` unchanged (C11 6.5.2.2p6).
PROMOTED = (INT32, INT64, UINT32, UINT64, DOUBLE, POINTER)
RESULTS: dict[AbiType, Any] = {
    VOID: None,
    BOOL: True,
    INT8: -100,
    INT16: -30000,
    INT32: -(2**31),
    INT64: -(2**63),
    UINT8: 200,
    UINT16: 60000,
    UINT32: 2**32 - 1,
    UINT64: 2**64 - 1,
    FLOAT: -0.375,
    DOUBLE: 1e300,
    POINTER: 0x7FFF12345678,
}
_FORMATS = {(Kind.FLOAT, 4): "<f", (Kind.FLOAT, 8): "<d"}


class Prototype(NamedTuple):
    """`variadic_from` is the number of declared parameters, or None."""

    name: str
    result: AbiType
    parameters: tuple[AbiType, ...]
    variadic_from: int | None = None
    convention: str = "c"

    @property
    def signature(self) -> Signature:
        return Signature(
            self.result, self.parameters, variadic_from=self.variadic_from, convention=self.convention
        )


def prototypes(conventions: tuple[str, ...]) -> list[Prototype]:
    """The same in every run: per convention, 0 to `MOST` parameters of all kinds, and variadic ones."""
    dice = random.Random(SEED)
    made = []
    for convention in conventions:
        for count in range(MOST + 1):
            # All kinds; integers or floats alone, which exhaust one kind's registers; alternating kinds.
            pools = (
                SCALARS,
                (INT8, UINT64, POINTER),
                (FLOAT, DOUBLE),
                (DOUBLE, INT64, FLOAT, UINT16, DOUBLE),
            )
            for number, pool in enumerate(pools):
                name = f"{convention}_{count}_{number}"
                parameters = tuple(dice.choice(pool) for _ in range(count))
                made.append(Prototype(name, dice.choice(tuple(RESULTS)), parameters, None, convention))
            fixed = tuple(dice.choice(SCALARS) for _ in range(dice.randint(1, 3)))
            extra = tuple(dice.choice(PROMOTED) for _ in range(count))
            made.append(
                Prototype(f"{convention}_variadic_{count}", INT64, fixed + extra, len(fixed), convention)
            )
    return made


def c_source(all: list[Prototype]) -> str:
    """One function a prototype, and ``seen``."""
    parts = ["#include <stdarg.h>\n#include <stdint.h>\n#include <string.h>\nunsigned char seen[32][8];\n"]
    return "".join(parts + [_function(p) for p in all])


def _function(p: Prototype) -> str:
    fixed = p.parameters[: p.variadic_from]
    declared = [f"{C_NAMES[t]} a{i}" for i, t in enumerate(fixed)]
    body = ["memset(seen, 0, sizeof seen);"]
    body += [_store(i) for i in range(len(fixed))]
    if p.variadic_from is not None:
        declared.append("...")
        # gcc has lists of arguments of its own for functions of the Microsoft convention.
        ms = "__builtin_ms_" if p.convention == "ms" else ""
        body.append(f"{ms}va_list list; {ms}va_start(list, a{p.variadic_from - 1});")
        for i, type in enumerate(p.parameters[p.variadic_from :], p.variadic_from):
            body += [f"{C_NAMES[type]} a{i} = va_arg(list, {C_NAMES[type]});", _store(i)]
        body.append(f"{ms}va_end(list);")
    if p.result is not VOID:
        body.append(f"return {_literal(p.result)};")
    head = f"{C_NAMES[p.result]} {p.name}({', '.join(declared) or 'void'})"
    attribute = "__attribute__((ms_abi)) " if p.convention == "ms" else ""
    return f"{attribute}{head}\n{{\n    {' '.join(body)}\n}}\n"


def _store(index: int) -> str:
    return f"memcpy(seen[{index}], &a{index}, sizeof a{index});"


def _literal(type: AbiType) -> str:
    value = RESULTS[type]
    if type.kind is Kind.FLOAT:
        return f"({C_NAMES[type]}){value!r}"
    suffix = "ll" if value < 0 else "ull"
    return (
        f"({C_NAMES[type]}){'(-9223372036854775807ll - 1)' if value == -(2**63) else f'{int(value)}{suffix}'}"
    )


def values(dice: random.Random, types: tuple[AbiType, ...]) -> list[Any]:
    """An argument for each: edges of the type, and whatever lies between."""
    return [_value(dice, t) for t in types]


def _value(dice: random.Random, type: AbiType) -> Any:
    if type.kind is Kind.BOOL:
        return dice.random() < 0.5
    if type.kind is Kind.FLOAT:
        return struct.unpack("<f", struct.pack("<f", dice.uniform(-1e6, 1e6)))[0]
    low, high = type.bounds
    return dice.choice(
        (low, high, 0, 1, dice.randint(low, high), dice.randint(low, high) >> dice.randrange(64))
    )


def stored(type: AbiType, value: Any) -> bytes:
    """The eight bytes of ``seen`` that an argument leaves."""
    form = _FORMATS.get((type.kind, type.size))
    if form is not None:
        return struct.pack(form, value).ljust(8, b"\0")
    return int(value).to_bytes(type.size, "little", signed=type.kind is Kind.SIGNED).ljust(8, b"\0")
