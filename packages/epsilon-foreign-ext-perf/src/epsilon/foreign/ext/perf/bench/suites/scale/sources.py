"""2,000 functions over 200 signatures, the same ones every time."""

from __future__ import annotations

import random

from ...prototype import Prototype, declarations

SIGNATURES = 200
_PER_SIGNATURE = 10
_RESULTS = ("void", "int", "long", "double", "uint8", "string", "pointer")
_PARAMETERS = ("int", "long", "double", "float", "uint8", "size_t", "string", "pointer", "buffer")
_MOST_PARAMETERS = 8

#: What a first call passes; the functions look at none of it.
ARGUMENTS: dict[str, object] = {
    "int": 1, "long": 2, "double": 3.0, "float": 4.0, "uint8": 5, "size_t": 6,
    "string": None, "pointer": None, "buffer": None,
}  # fmt: skip


def _signatures() -> list[tuple[str, tuple[str, ...]]]:
    choice = random.Random(2000)
    found: dict[tuple[str, tuple[str, ...]], None] = {}
    while len(found) < SIGNATURES:
        parameters = tuple(choice.choice(_PARAMETERS) for _ in range(choice.randint(0, _MOST_PARAMETERS)))
        found[choice.choice(_RESULTS), parameters] = None
    return list(found)


PROTOTYPES: tuple[Prototype, ...] = tuple(
    Prototype(f"f_{number:03}_{copy}", result, parameters)
    for copy in range(_PER_SIGNATURE)
    for number, (result, parameters) in enumerate(_signatures())
)


def target() -> str:
    """The library's source: functions that return nothing, or zero."""
    bodies = (
        f"{declaration[:-1]} {{ {'' if declaration.startswith('void f') else 'return 0;'} }}\n"
        for declaration in declarations(PROTOTYPES).splitlines()
    )
    return "#include <stddef.h>\n#include <stdint.h>\n" + "".join(bodies)
