"""Immutable values: what `dataclasses` would make of the same classes."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest
from epsilon.foreign.ext.discovery import ir
from epsilon.foreign.ext.discovery.values import replace

POINT = ir.Record("point", size=8, align=4, fields=(ir.Field("x", ir.Scalar("int"), 0),))


def test_values_compare_and_hash_by_their_fields() -> None:
    again = ir.Record("point", False, 8, 4, (ir.Field("x", ir.Scalar("int"), 0),))
    assert again == POINT and hash(again) == hash(POINT) and len({again, POINT}) == 1
    assert ir.Record("point") != POINT and ir.Scalar("x") != ir.TypedefName("x")
    assert ir.Scalar("int").__eq__(3) is NotImplemented


def test_values_do_not_change() -> None:
    for change in (
        lambda: setattr(POINT, "size", 9),
        lambda: setattr(POINT, "new", 9),
        lambda: delattr(POINT, "size"),
        lambda: setattr(ir.Binding((), ir.Target("a", "b"), ir.ParseOptions(), ()), "parser", ""),
    ):
        with pytest.raises(AttributeError, match="immutable"):
            change()


def test_changed_copies_are_new_values() -> None:
    for changed in (replace(POINT, size=16), dataclasses.replace(POINT, size=16)):
        assert (changed.size, changed.fields) == (16, POINT.fields) and POINT.size == 8
    with pytest.raises(TypeError):
        replace(POINT, colour="red")


def test_values_are_copied_pickled_shown_and_matched() -> None:
    assert copy.copy(POINT) == copy.deepcopy(POINT) == pickle.loads(pickle.dumps(POINT)) == POINT
    assert repr(ir.Scalar("int")) == "Scalar(name='int')"
    match ir.Pointer(ir.Scalar("int")):
        case ir.Pointer(ir.Scalar(name)):
            assert name == "int"
        case _:
            pytest.fail("no match")
    assert [field.name for field in dataclasses.fields(ir.Position)] == ["file", "line", "column"]


def test_missing_and_unknown_fields_are_type_errors() -> None:
    for wrong in (lambda: ir.Scalar(), lambda: ir.Scalar("int", 1), lambda: ir.Scalar(kind="int")):
        with pytest.raises(TypeError):
            wrong()
