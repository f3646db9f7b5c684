"""The few statistics that the benchmark reports. All of them refuse an empty input with ValueError."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median

__all__ = ["geometric_mean", "median", "quartiles"]


def geometric_mean(values: Iterable[float]) -> float:
    """The mean that suits ratios: a half and a double cancel. Raises ValueError for a value that is not
    positive."""
    logarithms = [math.log(value) for value in values]
    if not logarithms:
        raise ValueError("the geometric mean of nothing")
    return math.exp(math.fsum(logarithms) / len(logarithms))


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """The first and third quartile, interpolated linearly between the values around them."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("the quartiles of nothing")
    return _quantile(ordered, 0.25), _quantile(ordered, 0.75)


def _quantile(ordered: Sequence[float], share: float) -> float:
    position = share * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)
