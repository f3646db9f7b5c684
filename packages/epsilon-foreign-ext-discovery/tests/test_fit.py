"""A layout is turned back into the declaration that gives it, as plain as it can be."""

from __future__ import annotations

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.api import c
from epsilon.foreign.ext.discovery.fit import Fit, Shape, fit

NONE3 = (None, None, None)


def bits(offset: int, width: int, named: bool = True) -> Shape:
    """Bits of an unsigned int."""
    return Shape(4, 4, offset, width, named)


@pytest.mark.parametrize(
    ("members", "size", "align", "fitted"),
    [
        ([], 0, 1, Fit()),
        ([Shape(1, 1, 0), Shape(4, 4, 32), Shape(8, 8, 64)], 16, 8, Fit(members=NONE3)),
        ([Shape(1, 1, 0), Shape(4, 4, 8), Shape(8, 8, 40)], 13, 1, Fit(pack=1, members=NONE3)),
        ([Shape(1, 1, 0), Shape(4, 4, 16), Shape(8, 8, 48)], 14, 2, Fit(pack=2, members=NONE3)),
        ([Shape(4, 4, 0)], 64, 64, Fit(align=64, members=(None,))),
        ([Shape(4, 4, 0)], 8, 4, None),
        ([Shape(1, 1, 0), Shape(4, 4, 128)], 32, 16, Fit(members=(None, 16))),
        ([Shape(1, 1, 0), Shape(4, 4, 8), Shape(4, 4, 64)], 16, 8, Fit(packed=True, members=(None, None, 8))),
        ([Shape(1, 1, 0), Shape(4, 4, 24)], 8, 4, None),
        ([Shape(1, 1, 8)], 2, 1, None),
        ([bits(0, 3), bits(3, 29), bits(32, 1)], 8, 4, Fit(members=NONE3)),
        ([bits(0, 30), bits(30, 4)], 5, 1, Fit(pack=1, members=(None, None))),
        ([bits(0, 30), bits(32, 4)], 8, 4, Fit(members=(None, None))),
        ([Shape(1, 1, 0), bits(32, 0, False), Shape(1, 1, 32)], 5, 1, Fit(members=NONE3)),
        ([Shape(4, 4, 0), Shape(0, 8, 64)], 8, 8, Fit(members=(None, None))),
    ],
)
def test_a_struct_is_fitted(members: list[Shape], size: int, align: int, fitted: Fit | None) -> None:
    assert fit(members, size, align) == fitted


def test_members_of_a_union_begin_together() -> None:
    members = [Shape(1, 1, 0), Shape(8, 8, 0), bits(0, 12)]
    assert fit(members, 8, 8, union=True) == Fit(members=NONE3)
    assert fit(members, 8, 1, union=True) == Fit(pack=1, members=NONE3)
    assert fit([Shape(1, 1, 0), Shape(8, 8, 64)], 16, 8, union=True) is None


def test_the_api_lays_out_what_was_fitted_alike() -> None:
    members = [Shape(1, 1, 0), Shape(4, 4, 8), Shape(4, 4, 64)]
    found = fit(members, 16, 8)
    assert found is not None
    types = [ffi.Aligned[c.uint, n] if n else c.uint for n in found.members[1:]]
    made = ffi.make_struct(
        "made",
        {"a": c.char, "b": types[0], "c": types[1]},
        pack=found.pack,
        packed=found.packed,
        align=found.align,
    )
    assert [8 * ffi.offsetof(made, name) for name in "abc"] == [member.offset for member in members]
    assert (ffi.sizeof(made), ffi.alignof(made)) == (16, 8)
