"""What cannot be declared, and what cannot be done with a type of which only the name is known."""

from __future__ import annotations

import pytest
from epsilon.foreign.runtime import (
    TYPES,
    Anonymous,
    Array,
    Bits,
    DeclarationError,
    LayoutError,
    Pointer,
    array,
    make_aggregate,
    sizeof,
)

T = TYPES


def make_struct(name, members, **options):
    return make_aggregate(name, members, module=__name__, **options)


def make_union(name, members, **options):
    return make_aggregate(name, members, union=True, module=__name__, **options)


point = make_struct("point", {"x": T["int"], "y": T["int"]})
rect = make_struct("rect", {"a": point, "b": point})
mixed = make_struct("mixed", {"tag": T["char"], "value": T["double"], "small": Array[T["int16"], 3]})
number = make_union("number", {"i": T["int32"], "f": T["float"], "bytes": Array[T["uint8"], 4]})


def test_an_opaque_struct_is_only_pointed_to() -> None:
    opaque = make_struct("opaque", None)
    assert Pointer[opaque].from_address(4096).address == 4096
    for wrong in (
        lambda: opaque(),
        lambda: sizeof(opaque),
        lambda: Array[opaque, 3],
        lambda: array(opaque, 2),
    ):
        with pytest.raises(DeclarationError, match="opaque"):
            wrong()
    with pytest.raises(DeclarationError, match=r"outer.inner: opaque is incomplete"):
        make_struct("outer", {"inner": opaque})
    with pytest.raises(DeclarationError, match="size of opaque is not known"):
        Pointer[opaque].from_address(4096)[0]


@pytest.mark.parametrize(
    ("members", "options", "error", "message"),
    [
        ({"_live": T["int"]}, {}, DeclarationError, r"bad._live: the name is taken"),
        ({"x": int}, {}, DeclarationError, r"bad.x: int is not a C type; did you mean c.int"),
        ({"x": T["void"]}, {}, DeclarationError, r"bad.x: a member cannot be void"),
        ({"x": T["int"]}, {"pack": 3}, LayoutError, r"bad: pack=3"),
        ({"x": T["int"]}, {"align": 24}, LayoutError, r"bad: align=24 is not a power of two"),
        ({"x": Bits[T["int"], 33]}, {}, LayoutError, r"bad.x: a bit-field of int.* not 33"),
        ({"x": Bits[T["int"], 0]}, {}, LayoutError, r"bad.x: a bit-field of 0 bits has no name"),
        ({"x": Bits[T["float"], 3]}, {}, DeclarationError, r"bad.x: a bit-field is of an integer type"),
        (
            {"x": Array[T["int"], ...], "y": T["int"]},
            {},
            DeclarationError,
            r"bad.x: a flexible array is the last",
        ),
        ({"x": Array[T["int"], ...]}, {}, DeclarationError, r"bad.x: a flexible array cannot be the only"),
    ],
)
def test_what_c_has_no_meaning_for_is_refused_by_name(members, options, error, message) -> None:
    with pytest.raises(error, match=message):
        make_struct("bad", members, **options)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Array[T["int"], -1], LayoutError, "-1 elements"),
        (lambda: Array[T["int"], 2**62], LayoutError, "more than"),
        (lambda: Array[T["int"], 1.5], DeclarationError, "1.5.*the length is an int"),
        (lambda: Array[T["void"], 2], DeclarationError, "no arrays of void"),
        (lambda: Array[T["int"], 2, 3], DeclarationError, "got 3 parameters"),
        (lambda: Bits[T["int"]], DeclarationError, "Bits"),
        (lambda: Anonymous[T["int"]], DeclarationError, "only a struct or a union may be anonymous"),
        (lambda: Pointer[int], DeclarationError, "int is not a C type"),
    ],
)
def test_a_type_that_cannot_be_is_refused(make, error, message) -> None:
    with pytest.raises(error, match=message):
        make()
