"""A protected function catches what is raised at its first instruction."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest
from epsilon.foreign.backend.protected import protected


def inside(value: int) -> object:
    try:
        return 100 // value
    except BaseException as error:
        return type(error)


def outside(value: int) -> int:
    return 100 // value


def entered(function: Any, *arguments: Any) -> object:
    """The result of a call at whose entry something is raised, as a signal handler may."""

    def tracer(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            raise KeyboardInterrupt

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        return function(*arguments)
    finally:
        sys.settrace(before)


def long_body(value: int) -> object:
    """Its `try` takes more than one byte to say how long it is."""
    try:
        for _ in range(3):
            value = (value * 3 + 1) % 1000 + (value * 5 + 7) % 1000 + (value * 11 + 13) % 1000
            value = (value * 3 + 1) % 1000 + (value * 5 + 7) % 1000 + (value * 11 + 13) % 1000
            value = (value * 3 + 1) % 1000 + (value * 5 + 7) % 1000 + (value * 11 + 13) % 1000
        return value
    except BaseException as error:
        return type(error)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="3.11 calls tracers before the first instruction")
@pytest.mark.parametrize("function", [inside, long_body])
def test_what_is_raised_on_entry_is_caught(function: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        entered(function, 4)
    before = function(4)
    covered = protected(function)
    assert covered(4) == before
    assert entered(covered, 4) is KeyboardInterrupt
    assert covered(4) == before


def test_what_is_raised_in_the_body_is_caught_as_ever() -> None:
    def body(value: int) -> object:
        try:
            return 100 // value
        except ZeroDivisionError:
            return -1

    assert protected(body)(0) == -1
    assert body(5) == 20
    with pytest.raises(TypeError):
        body("text")  # type: ignore[arg-type]


def test_a_function_without_a_try_stays_as_it_is() -> None:
    before = outside.__code__
    assert protected(outside) is outside
    assert outside.__code__ is before
