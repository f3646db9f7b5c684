"""`describe` for functions of this layer's own: variadic ones, and those with `Out` parameters."""

from __future__ import annotations

from epsilon.foreign.runtime import TYPES, Library, Out, describe

T = TYPES


def test_a_variadic_function_is_described_by_its_declared_part(library: Library) -> None:
    sum_ints = library.bind("sum_ints", T["int"], [T["int"]], variadic=True)
    data = describe(sum_ints)
    assert (data.name, data.doc) == ("sum_ints", None)
    assert data.address == library.symbol("sum_ints") == sum_ints.address
    assert (len(data.signature.parameters), data.signature.variadic_from) == (1, 1)
    assert data.binding.signature == data.signature
    assert data.backend


def test_a_function_with_outputs_is_described_by_what_c_sees(library: Library) -> None:
    frexp = Library("m").bind("frexp", T["double"], [T["double"], Out[T["int"]]])
    data = describe(frexp)
    assert data.name == "frexp"
    assert [t.name for t in data.signature.parameters] == ["double", "pointer"]
    assert data.address == frexp.address
