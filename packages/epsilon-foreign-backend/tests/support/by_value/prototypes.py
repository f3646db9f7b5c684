"""Functions over one aggregate: where it stands among integers and floating numbers, and whether it comes
back.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from random_types import BY_VALUE, SCALARS, Aggregate, draw

#: Enough of each kind, in the longest lists, to use up all the registers of either convention.
MOST_AROUND = 10
AROUND = ("int", "long", "short", "unsigned char", "double", "double", "float", "void *")
AGGREGATE = None


@dataclass(frozen=True)
class Prototype:
    """``result name(parameters...)``; `AGGREGATE` stands for the aggregate, and the result is either that or
    a sum.
    """

    name: str
    type: Aggregate
    parameters: tuple[str | None, ...]
    returns_aggregate: bool

    def __str__(self) -> str:
        words = ", ".join(self.type.name if p is AGGREGATE else str(p) for p in self.parameters)
        return f"{self.type.name if self.returns_aggregate else 'uint64_t'} {self.name}({words})"


def drawn(count: int, seed: int) -> list[Aggregate]:
    """The aggregates of seeds `seed` to `seed + count - 1`."""
    return [draw(random.Random(s), f"t{s}", BY_VALUE) for s in range(seed, seed + count)]


def prototypes(type: Aggregate, seed: int) -> list[Prototype]:
    """The aggregate first, in the middle, last, and twice."""
    dice = random.Random(f"{type.name} {seed}")

    def around(least: int = 0) -> tuple[str, ...]:
        # One kind alone runs out of registers while the other kind's are free.
        kinds = dice.choice((AROUND, AROUND, ("int", "long"), ("double", "float")))
        return tuple(dice.choice(kinds) for _ in range(dice.randint(least, MOST_AROUND)))

    lists: dict[str, tuple[str | None, ...]] = {
        "first": (AGGREGATE, *around()),
        "middle": (*around(1), AGGREGATE, *around(1)),
        "last": (*around(), AGGREGATE),
        "twice": (*around(), AGGREGATE, *around()[:3], AGGREGATE, "int", "double"),
    }
    return [
        Prototype(f"{place}_{type.name}", type, parameters, dice.random() < 0.6)
        for place, parameters in lists.items()
    ]


def c_name(prototype: Prototype, index: int) -> str:
    """A parameter's type in C."""
    named = prototype.parameters[index]
    return prototype.type.name if named is AGGREGATE else str(named)


def is_floating(name: str) -> bool:
    """Is a parameter of this C type a floating number?"""
    return SCALARS[name].kind.name == "FLOAT"
