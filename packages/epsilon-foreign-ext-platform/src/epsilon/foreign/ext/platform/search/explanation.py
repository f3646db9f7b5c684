"""What a search looked at, place by place, and what came of it."""

from __future__ import annotations

from typing import NamedTuple


class Step(NamedTuple):
    """A place that was looked into, or a file that was looked at there.

    `place` names the rule (``LD_LIBRARY_PATH``, ``ld.so.cache`` ...), `where` the directory or file that the rule led
    to. `path` is the candidate, None where there was none. `reason` says what was wrong, and is empty for the library
    that was found.
    """

    place: str
    where: str
    path: str | None
    reason: str

    @property
    def accepted(self) -> bool:
        """Is this the library that was found?"""
        return self.path is not None and not self.reason


class Explanation(NamedTuple):
    """How a library was looked for. `path` is what was found, None for nothing; its text tells the story.

    `wanted` lists the file names that were looked for, `steps` what was looked at, in order.
    """

    name: str
    path: str | None
    wanted: str
    steps: tuple[Step, ...]

    @property
    def refused(self) -> list[Step]:
        """The files that were there and would not load, each with the reason."""
        return [step for step in self.steps if step.path is not None and step.reason]

    def __str__(self) -> str:
        verdict = f"found: {self.path}" if self.path else "not found"
        lines = [f"{self.name}: {verdict}", f"  looked for {self.wanted}"]
        place = ""
        for step in self.steps:
            if step.place != place:
                place = step.place
                lines.append(f"  {place}")
            what = step.path or step.where
            lines.append(f"    {what}: {step.reason or 'found'}" if what else f"    {step.reason}")
        return "\n".join(lines)
