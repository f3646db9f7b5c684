"""A tree of declarations as `lay_out` takes it, with the layout it gave."""

from __future__ import annotations

from dataclasses import dataclass

from epsilon.foreign.backend import AbiType, Kind, aggregate
from epsilon.foreign.runtime.layout import Layout, Member, Rules, lay_out
from random_types import SCALARS, Aggregate, Declared


@dataclass(frozen=True)
class Described:
    """One aggregate: our layout of it, and the same of the aggregates among its members."""

    declared: Aggregate
    layout: Layout
    inner: tuple[Described | None, ...]

    @property
    def abi(self) -> AbiType:
        """As the calling conventions see it."""
        layout = self.layout
        return aggregate(layout.size, layout.alignment, layout.fields, self.declared.name)


def describe(type: Aggregate, rules: Rules) -> Described:
    """Lay out `type`, innermost aggregates first."""
    inner = tuple(
        describe(member.type, rules) if isinstance(member.type, Aggregate) else None
        for member in type.members
    )
    members = [
        _member(declared, below.abi if below else SCALARS[str(declared.type)])
        for declared, below in zip(type.members, inner, strict=True)
    ]
    layout = lay_out(
        members,
        name=type.name,
        union=type.is_union,
        pack=type.pack,
        align=type.align,
        packed=type.packed,
        rules=rules,
    )
    return Described(type, layout, inner)


def _member(declared: Declared, type: AbiType) -> Member:
    return Member(
        declared.name,
        type,
        declared.bits,
        type.kind is Kind.SIGNED,
        declared.count,
        declared.flexible,
        declared.align,
    )
