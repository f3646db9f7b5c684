"""The statistics that reports are made of."""

from __future__ import annotations

import pytest
from epsilon.foreign.ext.perf.bench.result import Cell
from epsilon.foreign.ext.perf.bench.statistics import geometric_mean, quartiles
from hypothesis import given
from hypothesis import strategies as st

positive = st.floats(min_value=1e-6, max_value=1e6)


def test_a_half_and_a_double_cancel_in_the_geometric_mean() -> None:
    assert geometric_mean([0.5, 2.0]) == pytest.approx(1.0)
    assert geometric_mean([1.0, 10.0, 100.0]) == pytest.approx(10.0)


@given(st.lists(positive, min_size=1))
def test_the_geometric_mean_lies_between_the_extremes(values: list[float]) -> None:
    assert min(values) * 0.999999 <= geometric_mean(values) <= max(values) * 1.000001


@given(st.lists(positive, min_size=1))
def test_quartiles_are_in_order_and_within_the_samples(values: list[float]) -> None:
    low, high = quartiles(values)
    assert min(values) <= low <= high <= max(values)


def test_quartiles_are_interpolated() -> None:
    assert quartiles([4, 1, 2, 3]) == (1.75, 3.25)


def test_a_cell_is_the_median_and_is_not_moved_by_one_slow_sample() -> None:
    assert Cell.of([10, 11, 9, 10, 9000]) == Cell(10, 10, 11, 5)


@pytest.mark.parametrize("values", [[], [1.0, 0.0], [-1.0]])
def test_what_has_no_geometric_mean_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError):
        geometric_mean(values)


def test_no_samples_are_refused() -> None:
    with pytest.raises(ValueError):
        Cell.of([])
