"""`describe`: the data of a bound function, whichever backend bound it."""

from __future__ import annotations

from typing import Any

import pytest
from backend_support.native import Native
from epsilon.foreign.backend import INT64, Binding, FunctionData, Signature, describe

ADD = Signature(INT64, [INT64, INT64])


def test_a_bound_function_has_data(native: Native) -> None:
    add = native.backend.bind(native.address("add"), Binding(ADD, "add", doc="The sum."))
    data = describe(add)
    assert (data.name, data.doc) == ("add", "The sum.")
    assert (data.address, data.signature) == (native.address("add"), ADD)
    assert data.backend == native.backend.name
    assert data.binding.name == "add"
    assert data.binding.signature == ADD


def test_the_data_follow_the_function(native: Native) -> None:
    add = native("add", INT64, [INT64, INT64])
    data = describe(add)
    native.backend.redirect(add, None)
    assert data.address == 0
    native.backend.redirect(add, native.address("add"))
    assert data.address == native.address("add")


def test_another_class_may_take_part(native: Native) -> None:
    inner = native("add", INT64, [INT64, INT64])

    class Wrapper:
        def __foreign_function__(self) -> FunctionData:
            return describe(inner)

    assert describe(Wrapper()).name == "add"


@pytest.mark.parametrize(
    "other", [len, [].append, print, 3, None, "add", object(), describe, Native, int.__add__]
)
def test_nothing_else_has_data(other: Any) -> None:
    with pytest.raises(TypeError, match="is not a foreign function"):
        describe(other)
