"""Random signatures of up to 20 scalar parameters, and C functions that write down what arrived."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

from .random_aggregates import SCALARS

COUNT = 160
SEED = 7
SLOT = 32  # bytes of the output that each argument gets

COMMON = tuple(name for name in SCALARS if "complex" not in name and name != "long double")
WIDE = ("long double", "float complex", "double complex")


@dataclass(frozen=True)
class Prototype:
    """``result name(out, parameters...)``; the result is the argument number `returned`, or nothing
    (None).
    """

    name: str
    parameters: tuple[str, ...]
    returned: int | None


@cache
def prototypes() -> tuple[Prototype, ...]:
    """The same prototypes in every run; every seventh also has types that not all backends can do."""
    dice = random.Random(SEED)
    made = []
    for number in range(COUNT):
        count = number if number <= 20 else dice.randint(1, 20)
        types = COMMON + WIDE if number % 7 == 6 else COMMON
        # Runs of one kind exhaust that kind's registers while the other kind's are still free.
        if dice.random() < 0.4:
            types = (*types, *("double", "float") * 8)
        parameters = tuple(dice.choice(types) for _ in range(count))
        returned = dice.randrange(count) if count and number % 4 else None
        made.append(Prototype(f"many_{number}", parameters, returned))
    return tuple(made)


def c_source() -> str:
    """One function a prototype."""
    parts = ["#include <complex.h>\n#include <stdint.h>\n#include <string.h>\n"]
    for prototype in prototypes():
        declared = "".join(f", {type} a{i}" for i, type in enumerate(prototype.parameters))
        stores = "".join(
            f"    memcpy(out + {SLOT * i}, &a{i}, sizeof a{i});\n" for i in range(len(prototype.parameters))
        )
        result = "void" if prototype.returned is None else prototype.parameters[prototype.returned]
        last = "" if prototype.returned is None else f"    return a{prototype.returned};\n"
        parts.append(f"{result} {prototype.name}(char *out{declared})\n{{\n{stores}{last}}}\n")
    return "".join(parts)
