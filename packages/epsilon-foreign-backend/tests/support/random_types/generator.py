"""Draws random declarations."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from .declarations import SCALARS, Aggregate, Declared

INTEGERS = tuple(
    name for name in SCALARS if not any(word in name for word in ("float", "double", "void", "_Bool", "enum"))
)
BITFIELD_BASES = (*INTEGERS, "_Bool", "enum plain", "enum negative")
FLOATS = ("float", "double")

#: What the scalars of one aggregate are drawn from: types of one class make the conventions' rare cases
#: common.
PALETTES: tuple[tuple[str, ...], ...] = (
    tuple(SCALARS),
    tuple(SCALARS),
    INTEGERS,
    ("signed char", "unsigned char", "short", "_Bool", "int"),
    ("float",),
    ("double",),
    FLOATS,
    (*FLOATS, "int", "long"),
    ("float", "float complex"),
    ("double", "double complex"),
    ("long double", "double", "int"),
)


@dataclass(frozen=True)
class Profile:
    """How often what is drawn: probabilities of 0 to 1 for each member or aggregate, and greatest numbers."""

    members: int = 7
    depth: int = 3
    length: int = 4
    bitfield: float = 0.3
    unnamed: float = 0.1
    zero_width: float = 0.1
    nested: float = 0.15
    anonymous: float = 0.4
    array: float = 0.2
    zero_length: float = 0.03
    union: float = 0.2
    pack: float = 0.25
    packed: float = 0.12
    aligned: float = 0.12
    member_aligned: float = 0.06
    flexible: float = 0.05
    empty: float = 0.01
    greatest_alignment: int = 64


#: Everything that can be declared.
LAYOUT = Profile()
#: Small types, of whose every member C can be asked where it is.
BY_VALUE = replace(
    LAYOUT, members=4, depth=2, length=3, bitfield=0.15, unnamed=0.0, anonymous=0.0, pack=0.1, packed=0.1,
    aligned=0.1, member_aligned=0.05, flexible=0.0, empty=0.0, zero_length=0.0, greatest_alignment=32,
)  # fmt: skip

PACKS = (1, 2, 4, 8, 16)


def draw(dice: random.Random, name: str, profile: Profile = LAYOUT) -> Aggregate:
    """One struct or union that C accepts."""
    return _Drawing(dice, name, profile).aggregate(name, 0, None)


class _Drawing:
    """One declaration in the making; numbers its members through, since anonymous ones share their parent's
    names.
    """

    def __init__(self, dice: random.Random, name: str, profile: Profile) -> None:
        self.dice = dice
        self.name = name
        self.profile = profile
        self.members = 0
        self.types = 0

    def happens(self, probability: float) -> bool:
        return self.dice.random() < probability

    def new_name(self) -> str:
        self.members += 1
        return f"m{self.members - 1}"

    def alignment(self) -> int:
        return 1 << self.dice.randint(0, self.profile.greatest_alignment.bit_length() - 1)

    def aggregate(self, name: str, depth: int, inherited: int | None) -> Aggregate:
        """`inherited`: for what is written inside its parent, the pack in force there (0 for none); else
        None.
        """
        dice, profile = self.dice, self.profile
        palette = dice.choice(PALETTES)
        keyword = "union" if self.happens(profile.union) else "struct"
        pack = inherited or None
        if inherited is None and self.happens(profile.pack):
            pack = dice.choice(PACKS)
        number = 0 if self.happens(profile.empty) else dice.randint(1, profile.members)
        # Some aggregates are mostly bit-fields: what matters there is how they follow each other.
        bitfield = 0.85 if self.happens(profile.bitfield / 2) else profile.bitfield
        members = [self.member(palette, depth, pack, bitfield) for _ in range(number)]
        if (
            keyword == "struct"
            and self.happens(profile.flexible)
            and depth == 0
            and members
            and members[0].name
        ):
            members.append(Declared(self.new_name(), dice.choice(palette), flexible=True))
        return Aggregate(
            name,
            keyword,
            tuple(members),
            pack,
            self.happens(profile.packed),
            self.alignment() if self.happens(profile.aligned) else None,
        )

    def member(self, palette: tuple[str, ...], depth: int, pack: int | None, bitfield: float) -> Declared:
        align = self.alignment() if self.happens(self.profile.member_aligned) else None
        if self.happens(bitfield):
            return self.bitfield(align)
        if depth + 1 < self.profile.depth and self.happens(self.profile.nested):
            return self.nested(depth, pack, align)
        return Declared(self.new_name(), self.dice.choice(palette), self.dimensions(), align=align)

    def bitfield(self, align: int | None) -> Declared:
        base = self.dice.choice(BITFIELD_BASES)
        if self.happens(self.profile.zero_width):
            return Declared(None, base, bits=0, align=align)
        type = SCALARS[base]
        widest = 1 if base == "_Bool" else 8 * type.size
        narrow = self.happens(0.5)
        width = self.dice.randint(1, min(widest, 9) if narrow else widest)
        name = None if self.happens(self.profile.unnamed) else self.new_name()
        return Declared(name, base, bits=width, align=align)

    def nested(self, depth: int, pack: int | None, align: int | None) -> Declared:
        self.types += 1
        name = f"{self.name}_{self.types}"
        if self.happens(self.profile.anonymous):
            return Declared(None, self.aggregate(name, depth + 1, pack or 0))
        return Declared(
            self.new_name(), self.aggregate(name, depth + 1, None), self.dimensions(), align=align
        )

    def dimensions(self) -> tuple[int, ...]:
        if self.happens(self.profile.zero_length):
            return (0,)
        if not self.happens(self.profile.array):
            return ()
        number = 2 if self.happens(0.2) else 1
        return tuple(self.dice.randint(1, self.profile.length) for _ in range(number))
