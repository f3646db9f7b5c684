"""The text of a C type, there and back."""

from __future__ import annotations

import pytest
from epsilon.foreign.ext.discovery import ir
from epsilon.foreign.ext.discovery.ir import notation, parse_type
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: (
        name not in {"const", "volatile", "restrict", "atomic", "struct", "union", "enum"}
        and not any(name in scalar.split() for scalar in ir.SCALARS)
    )
)
LEAVES = st.one_of(
    st.sampled_from(sorted(ir.SCALARS)).map(ir.Scalar),
    NAMES.map(ir.TypedefName),
    st.builds(ir.RecordName, NAMES, st.booleans()),
    NAMES.map(ir.EnumName),
    st.builds(ir.RecordName, st.just("outer.@0")),
    st.just(ir.Opaque("vector", 16, 16, "int __attribute__((ext_vector_type(4)))")),
)


def _grown(inner: st.SearchStrategy[ir.CType]) -> st.SearchStrategy[ir.CType]:
    return st.one_of(
        inner.map(ir.Pointer),
        st.builds(ir.Array, inner, st.none() | st.integers(0, 1 << 40)),
        st.builds(
            ir.FunctionType,
            inner,
            st.lists(inner, max_size=3).map(tuple),
            st.booleans(),
            st.just(True),
            st.sampled_from(["c", "ms_abi"]),
        ),
        st.just(ir.FunctionType(ir.VOID, (), prototyped=False)),
        st.builds(
            ir.Qualified,
            inner.filter(lambda type: not isinstance(type, ir.Qualified)),
            *[st.booleans()] * 4,
        ).filter(lambda q: q.const or q.volatile or q.restrict or q.atomic),
    )


@given(st.recursive(LEAVES, _grown, max_leaves=8))
def test_every_type_comes_back(type: ir.CType) -> None:
    assert parse_type(notation(type)) == type


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ("*const char", ir.Pointer(ir.Qualified(ir.Scalar("char"), const=True))),
        ("[2][3]int", ir.Array(ir.Array(ir.Scalar("int"), 3), 2)),
        (
            "*fn(unsigned long, ...) *struct s",
            ir.Pointer(
                ir.FunctionType(ir.Pointer(ir.RecordName("s")), (ir.Scalar("unsigned long"),), variadic=True)
            ),
        ),
        ("fn_ptr", ir.TypedefName("fn_ptr")),
    ],
)
def test_types_read_from_left_to_right(text: str, type: ir.CType) -> None:
    assert parse_type(text) == type and notation(type) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "unsigned",
        "struct",
        "int int",
        "[3",
        "[-1]int",
        "fn(int",
        "fn(int) ",
        "const",
        "a.b",
        "__import__('os')",
        "<vector 16 16>",
        "<magic 1 1 x>",
        "int;",
        "struct a\nint",
        "*" * 200 + "int",
    ],
)
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_type(text)
