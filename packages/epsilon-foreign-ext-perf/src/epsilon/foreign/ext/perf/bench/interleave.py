"""Measuring several loops in turns, so that whatever the machine does meanwhile happens to all of them."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

from .loop import Loop, empty

Key = TypeVar("Key", bound=Hashable)


def measure(
    loops: Mapping[Key, Loop],
    rounds: int,
    chunk: int,
    order: random.Random,
    tick: Callable[[], None] = lambda: None,
) -> dict[Key, list[float]]:
    """Time every loop once per round, in a new order each round; nanoseconds per unit, one number a round.

    The empty loop is timed in each round too and subtracted. Garbage collection is off meanwhile. `tick` is
    called after each round, outside anything timed.
    """
    baseline = empty()
    baseline.calibrate(chunk // 4)
    for loop in loops.values():
        loop.calibrate(chunk)
    samples: dict[Key, list[float]] = {key: [] for key in loops}
    keys = list(loops)
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            order.shuffle(keys)
            nothing = baseline.time() / baseline.iterations
            for key in keys:
                loop = loops[key]
                taken = loop.time() / loop.iterations - nothing
                samples[key].append(max(taken, 0.0) / loop.units)
            tick()
    finally:
        if collecting:
            gc.enable()
    return samples
