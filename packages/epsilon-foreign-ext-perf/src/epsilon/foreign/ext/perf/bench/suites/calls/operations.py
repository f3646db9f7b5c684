"""The calls that are timed, their C prototypes, and arguments whose results do not come from a cache of
objects."""

from __future__ import annotations

import zlib

from ...operation import Operation
from ...prototype import Prototype

PROTOTYPES: tuple[Prototype, ...] = (
    Prototype("noop", "void"),
    Prototype("twice", "double", ("double",)),
    Prototype("add", "long", ("long", "long")),
    Prototype("six", "long", ("long",) * 6),
    Prototype("mix", "double", ("long", "double", "long", "double")),
    Prototype("length", "size_t", ("string",)),
    Prototype("identity", "pointer", ("pointer",)),
    Prototype("crc", "uint32", ("buffer", "size_t")),
)

DATA = b"sixteen bytes..."
TEXT = "the length of this text"

#: Arguments by operation, as local variables of the timing loop. Integers are larger than those that CPython
#: keeps ready (-5 to 256), so that every peer makes a new object for its result.
ARGUMENTS: dict[str, dict[str, object]] = {
    "noop": {},
    "twice": {"a": 1.25},
    "add": {"a": 1000, "b": 2000},
    "six": {"a": 100, "b": 200, "c": 3000, "d": 40000, "e": 500000, "g": 6000000},
    "mix": {"a": 1000, "b": 2.5, "c": 3000, "d": 4.25},
    "length": {"a": TEXT},
    "identity": {"a": None},
    "crc": {"a": DATA, "b": len(DATA)},
}

_LABELS = {
    "noop": "void f(void)",
    "twice": "double f(double)",
    "add": "long f(long, long)",
    "six": "long f(long, … six)",
    "mix": "double f(long, double, long, double)",
    "length": "size_t strlen(const char *)",
    "identity": "void *f(void *)",
    "crc": "crc32(16 bytes, length)",
}

_EXPECTED: dict[str, object] = {
    "noop": None,
    "twice": 2.5,
    "add": 3000,
    "six": 6543300,
    "mix": 4006.75,
    "length": len(TEXT),
    "identity": ...,
    "crc": zlib.crc32(DATA),
}

OPERATIONS: tuple[Operation, ...] = tuple(
    Operation(name, _LABELS[name], f"f({', '.join(arguments)})", _EXPECTED[name])
    for name, arguments in ARGUMENTS.items()
)
