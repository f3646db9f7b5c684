"""What an upgrade of a library changed, and what of it breaks the programs made for the old one."""

from __future__ import annotations

import dataclasses

import pytest
from epsilon.foreign.ext import discovery
from epsilon.foreign.ext.discovery import Effect, ir

INT, LONG, CHAR, VOID = ir.Scalar("int"), ir.Scalar("long"), ir.Scalar("char"), ir.Scalar("void")
CONST_INT = ir.Qualified(INT, const=True)


def binding(*declarations: ir.Declaration) -> ir.Binding:
    return ir.Binding(("made.h",), ir.Target.host(), ir.ParseOptions(), declarations)


def changes(
    old: tuple[ir.Declaration, ...] | ir.Declaration, new: tuple[ir.Declaration, ...] | ir.Declaration
) -> list[str]:
    """The changes as text, each with its effect."""
    before, after = (binding(*(d if isinstance(d, tuple) else (d,))) for d in (old, new))
    return [f"{change.effect.value}: {change}" for change in discovery.compare_bindings(before, after)]


def function(*parameters: ir.CType, result: ir.CType = INT, **rest: object) -> ir.Function:
    names = "abcdef"
    made = tuple(ir.Parameter(names[i], type) for i, type in enumerate(parameters))
    return ir.Function("f", result, made, **rest)  # type: ignore[arg-type]


def record(*fields: tuple[str, ir.CType, int], size: int = 8, **rest: object) -> ir.Record:
    return ir.Record("s", size=size, align=4, fields=tuple(ir.Field(*f) for f in fields), **rest)  # type: ignore[arg-type]


def test_additions_break_nothing_and_removals_do() -> None:
    gone = (function(), ir.Variable("v", INT), ir.Macro("M", "1", 1, INT), ir.Typedef("t", INT), record())
    assert changes((), gone) == [
        "compatible: added function f",
        "compatible: added variable v",
        "compatible: added macro M",
        "compatible: added typedef t",
        "compatible: added struct s",
    ]
    assert changes(gone, ()) == [
        "abi: removed function f",
        "abi: removed variable v",
        "source: removed macro M",
        "source: removed typedef t",
        "source: removed struct s",
    ]
    assert changes(function(uncallable="static inline"), ()) == ["source: removed function f"]
    assert changes(gone, gone) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (function(INT), function(LONG), "abi: changed function f: was fn(int) int, is fn(long) int"),
        (function(), function(result=VOID), "abi: changed function f: was fn() int, is fn() void"),
        (
            function(INT),
            function(INT, variadic=True),
            "abi: changed function f: was fn(int) int, is fn(int, ...) int",
        ),
        (function(), function(symbol="f64"), "abi: changed function f: its symbol was f, is f64"),
        (function(), function(uncallable="static inline"), "abi: changed function f: static inline"),
        (
            function(uncallable="static inline"),
            function(),
            "compatible: changed function f: can be called now",
        ),
        (function(), function(deprecated="use g"), "compatible: changed function f: is deprecated: use g"),
        (ir.Variable("v", INT), ir.Variable("v", LONG), "abi: changed variable v: was int, is long"),
        (ir.Typedef("t", INT), ir.Typedef("t", LONG), "abi: changed typedef t: was int, is long"),
    ],
)
def test_types_of_functions_variables_and_typedefs(
    old: ir.Declaration, new: ir.Declaration, expected: str
) -> None:
    assert changes(old, new) == [expected]


def test_what_only_looks_different_is_no_change() -> None:
    typedef = ir.Typedef("number", INT)
    assert changes((typedef, function(INT)), (typedef, function(ir.TypedefName("number")))) == []
    assert changes(function(INT), function(CONST_INT)) == []  # the copy is the function's own
    pointer = ir.Pointer(INT)
    assert changes(function(pointer), function(ir.Qualified(pointer, restrict=True))) == []
    assert changes(function(pointer), function(ir.Pointer(CONST_INT))) != []
    renamed = ir.Function("f", INT, (ir.Parameter("other", INT),))
    assert changes(function(INT), renamed) == [
        "source: changed function f: its parameters were named a, are other"
    ]


def test_members_of_structs() -> None:
    old = record(("a", INT, 0), ("b", INT, 4))
    assert changes(old, record(("a", INT, 0), ("b", INT, 4), ("c", INT, 8), size=12)) == [
        "abi: changed struct s: its size was 8 bytes, is 12; member c is new"
    ]
    assert changes(old, record(("b", INT, 0), ("a", INT, 4))) == [
        "abi: changed struct s: member a was at 0, is at 4; member b was at 4, is at 0"
    ]
    assert changes(old, record(("a", INT, 0), ("b", ir.Scalar("float"), 4))) == [
        "abi: changed struct s: member b was int, is float"
    ]
    assert changes(old, record(("a", INT, 0), ("better", INT, 4))) == [
        "source: changed struct s: member b is named better now"
    ]
    assert changes(old, record(("a", INT, 0))) == ["abi: changed struct s: member b is gone"]
    hidden = dataclasses.replace(old, complete=False, fields=())
    assert changes(old, hidden) == ["abi: changed struct s: its members are hidden now"]
    assert changes(hidden, old) == ["compatible: changed struct s: its members are known now"]
    assert changes(record(("a", CHAR, 0)), record(("a", CHAR, 0), ("used_to_be_padding", CHAR, 1))) == [
        "compatible: changed struct s: member used_to_be_padding is new"
    ]
    bits = dataclasses.replace(old, fields=(ir.Field("a", INT, 0, bits=3),))
    wider = dataclasses.replace(old, fields=(ir.Field("a", INT, 0, bits=4, bit=1),))
    assert changes(bits, wider) == ["abi: changed struct s: member a was at 0:0, 3 bits, is at 0:1, 4 bits"]
    assert changes(old, dataclasses.replace(old, union=True)) == [
        "abi: changed union s: was a struct, is a union"
    ]


def test_constants() -> None:
    old = ir.Enum("e", INT, (ir.Enumerator("A", 1), ir.Enumerator("B", 2)))
    new = ir.Enum("e", ir.Scalar("unsigned char"), (ir.Enumerator("A", 3), ir.Enumerator("C", 2)))
    assert changes(old, new) == [
        "abi: changed enum e: its type was int, is unsigned char; A was 1, is 3; B is gone; C is new"
    ]
    macro = ir.Macro("M", "1", 1, INT)
    assert changes(macro, ir.Macro("M", "2", 2, INT)) == ["compatible: changed macro M: was 1, is 2"]
    assert changes(macro, ir.Macro("M", "x")) == ["source: changed macro M: was 1, is None"]
    assert changes(macro, ir.Macro("M", "x", parameters=("x",))) == [
        "source: changed macro M: is a function-like macro now"
    ]


def test_what_breaks_comes_first_and_other_libraries_are_left_alone() -> None:
    dependency = dataclasses.replace(record(("a", INT, 0)), dependency=True)
    found = changes((dependency, ir.Typedef("t", INT), function()), (ir.Variable("new", INT),))
    assert found == ["abi: removed function f", "source: removed typedef t", "compatible: added variable new"]
    effects = [change.effect for change in discovery.compare_bindings(binding(function()), binding())]
    assert effects == [Effect.ABI]


def test_bindings_of_different_platforms_are_not_compared() -> None:
    other = dataclasses.replace(binding(), target=ir.Target("m68k", "amiga"))
    with pytest.raises(discovery.DiscoveryError, match="different platforms"):
        discovery.compare_bindings(binding(), other)
