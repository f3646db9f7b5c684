"""One change."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Effect(Enum):
    """What a change does to a program that was made for the old version."""

    ABI = "abi"
    """Compiled code and existing bindings call or read it wrongly, or do not find it."""
    SOURCE = "source"
    """Code that names it has to be changed; what is compiled goes on working."""
    NONE = "compatible"
    """Nothing."""


@dataclass(frozen=True, slots=True)
class Change:
    """`kind` is the kind of declaration (``function``, ``struct`` ...), `action` ``added``, ``removed`` or ``changed``;
    `details` say what changed, one difference each."""

    kind: str
    name: str
    action: str
    effect: Effect
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        shown = f"{self.action} {self.kind} {self.name}"
        return f"{shown}: {'; '.join(self.details)}" if self.details else shown
