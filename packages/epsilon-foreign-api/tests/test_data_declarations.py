"""Structs, unions and enums as people declare them: annotated classes and their decorators."""

import copy
import enum
import gc
import inspect
import textwrap
from typing import Literal

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.api import c


@ffi.struct
class point:
    """A place."""

    x: c.int
    y: c.int = 7

    def norm(self) -> int:
        return self.x * self.x + self.y * self.y

    @property
    def mirrored(self) -> "point":
        return point(self.y, self.x)


def test_a_declared_struct_is_a_class_of_its_own() -> None:
    assert (point.__name__, point.__module__, point.__doc__) == ("point", __name__, "A place.")
    assert point(1) == point(1, 7) == point(x=1) and repr(point(1)) == "point(x=1, y=7)"
    assert point(3, 4).norm() == 25 and point(3, 4).mirrored == point(4, 3)
    assert isinstance(point(), ffi.Struct) and ffi.typeof(point()) is point
    assert copy.copy(point(1, 2)) == ffi.replace(point(5, 2), x=1)


def test_options_are_those_of_c_compilers() -> None:
    @ffi.struct(pack=1)
    class packed:
        c: c.char
        i: c.int32
        d: c.double

    @ffi.struct(align=32)
    class aligned:
        x: c.int

    @ffi.struct()
    class plain:
        x: c.int

    assert [ffi.sizeof(t) for t in (packed, aligned, plain)] == [13, 32, 4]
    assert [ffi.alignof(t) for t in (packed, aligned, plain)] == [1, 32, 4]

    @ffi.struct(packed=True)
    class mixed:
        a: c.char
        b: c.int32
        c: ffi.Aligned[c.int32, 8]
        d: ffi.Aligned[ffi.Bits[c.uint8, 3], 2]

    assert [ffi.offsetof(mixed, name) for name in "abc"] == [0, 1, 8]
    assert ffi.sizeof(mixed) == 16 and bytes(mixed(b"a", 1, 2, 5)) == b"a\1\0\0\0\0\0\0\2\0\0\0\5\0\0\0"
    with pytest.raises(ffi.LayoutError, match="Aligned: align=3"):
        ffi.Aligned[c.int, 3]
    with pytest.raises(ffi.LayoutError, match="bad: align=3"):

        @ffi.struct(align=3)
        class bad:
            x: c.int


def test_lengths_may_be_literals() -> None:
    @ffi.struct
    class holder:
        values: ffi.Array[c.int, Literal[3]]
        bits: ffi.Bits[c.uint, Literal[4]]

    assert len(holder().values) == 3
    with pytest.raises(OverflowError):
        holder(bits=16)


def test_a_struct_may_name_itself_and_others_before_they_exist() -> None:
    @ffi.struct
    class tree:
        value: c.int
        left: ffi.Pointer["tree"]
        forest: ffi.Array[ffi.Pointer["other"], 2]

    with pytest.raises(ffi.DeclarationError, match='Pointer\\["other"\\]: the name cannot be resolved'):
        tree().forest[0].cast(c.int) if tree().forest[0] else type(tree().forest[0]).target()

    @ffi.struct
    class other:
        back: ffi.Pointer["tree"]

    leaf = tree(2)
    root = tree(1, leaf, [other(leaf), None])
    gc.collect()
    assert root.left[0].value == 2 and root.forest[0][0].back[0] == leaf and not root.forest[1]


def test_a_struct_by_value_in_itself_is_refused() -> None:
    with pytest.raises(
        ffi.DeclarationError, match=r"loop.inner: loop cannot contain itself; a pointer to it can"
    ):
        exec("@ffi.struct\nclass loop:\n    inner: 'loop'", {"ffi": ffi, "__name__": __name__})


def test_a_class_without_members_is_opaque() -> None:
    @ffi.struct
    class FILE: ...

    libc = ffi.Library(None)
    tmpfile = libc.bind("tmpfile", ffi.Pointer[FILE])
    close = libc.bind("fclose", c.int, [ffi.Pointer[FILE]])
    file = tmpfile()
    assert file and close(file) == 0
    with pytest.raises(ffi.DeclarationError, match="FILE is incomplete"):
        FILE()
    with pytest.raises(ffi.DeclarationError):
        ffi.sizeof(ffi.opaque("DIR"))


def test_text_annotations_are_evaluated_where_they_stand() -> None:
    source = textwrap.dedent(
        """
        from __future__ import annotations
        import epsilon.foreign.api as ffi
        from epsilon.foreign.api import c

        def make(length):
            @ffi.struct
            class inner:
                values: ffi.Array[c.int16, length]

            @ffi.struct
            class outer:
                first: inner
                next: ffi.Pointer[outer]
                again: ffi.Pointer["outer"]
            return inner, outer
        """
    )
    scope: dict = {"__name__": __name__}
    exec(compile(source, "<text>", "exec", dont_inherit=True), scope)
    inner, outer = scope["make"](5)
    assert ffi.sizeof(inner) == 10 and ffi.sizeof(outer) == 32
    chain = outer(next=outer(first=[[1, 2, 3, 4, 5]]))
    assert list(chain.next[0].first.values) == [1, 2, 3, 4, 5]


def test_an_annotation_that_cannot_be_evaluated_names_struct_and_member() -> None:
    with pytest.raises(ffi.DeclarationError, match=r"bad.x: cannot evaluate 'c.nothing'"):

        @ffi.struct
        class bad:
            x: "c.nothing"

    with pytest.raises(ffi.DeclarationError, match=r"bad.x: int is not a C type; did you mean c.int"):

        @ffi.struct
        class bad:
            x: int


def test_a_default_that_does_not_fit_raises_when_it_is_used() -> None:
    @ffi.struct
    class holder:
        x: c.uint8 = 300

    with pytest.raises(OverflowError, match=r"holder.x: 300 does not fit uint8"):
        holder()
    assert holder(5).x == 5


def test_a_derived_struct_begins_with_its_base() -> None:
    @ffi.struct
    class named(point):
        name: c.string

    value = named(1, 2, "abc")
    assert (value.x, value.name, ffi.offsetof(named, "name"), value.norm()) == (1, "abc", 8, 5)
    assert isinstance(value, point) and repr(value) == "named(x=1, y=2, name='abc')"


def test_unions_and_enums_have_decorators_too() -> None:
    @ffi.union
    class number:
        i: c.int32
        f: c.float

    @ffi.enum(base=c.uint8)
    class level(enum.IntEnum):
        LOW = 1
        HIGH = 200

    @ffi.enum
    class state(enum.IntEnum):
        ON = 1

    @ffi.struct
    class report:
        value: number
        strength: level
        status: state

    assert (ffi.sizeof(number), ffi.sizeof(level), ffi.sizeof(state), ffi.sizeof(report)) == (4, 1, 4, 12)
    seen = report(number(f=1.0), level.HIGH, 1)
    assert seen.strength is level.HIGH and seen.status is state.ON and seen.value.i == 0x3F800000
    assert isinstance(report(strength=7).strength, ffi.UnknownEnumValue)


def test_types_can_be_made_from_tables() -> None:
    made = ffi.make_struct("made", {"class": c.int, "next": ffi.Pointer["made"]}, doc="From a table.")
    value = made(**{"class": 5})
    value.next = value
    assert getattr(value.next[0], "class") == 5 and made.__doc__ == "From a table."
    either = ffi.make_union("either", {"a": c.int, "b": c.double})
    assert ffi.sizeof(either) == 8


def test_decorators_take_classes_of_annotations_only() -> None:
    for wrong in (5, lambda: None, "text"):
        with pytest.raises(TypeError):
            ffi.struct(wrong)
    with pytest.raises(ffi.DeclarationError):
        ffi.enum(point)


@pytest.mark.parametrize("name", [n for n in ffi.__all__ if n not in ("c", "__version__", "Check")])
def test_every_public_name_says_what_it_is(name: str) -> None:
    assert inspect.getdoc(getattr(ffi, name)), name


def test_functions_take_and_return_data(backend: str) -> None:
    libc = ffi.Library(None)

    @libc.function
    def strtol(text: c.string, rest: ffi.Out[c.string], base: c.int = 10) -> c.long: ...

    @libc.function
    def div(numerator: c.int, denominator: c.int) -> ffi.make_struct(
        "div_t", {"quot": c.int, "rem": c.int}
    ): ...

    @libc.function
    def strdup(text: c.string) -> ffi.Owned[c.string, "free"]: ...  # noqa: F821 - the name is C's

    @libc.function
    def memset(where: ffi.Pointer[c.uint8], value: c.int, size: c.size_t) -> c.pointer: ...

    assert strtol("12 apples") == (12, " apples") and strtol("ff", base=16) == (255, "")
    assert (div(17, 5).quot, div(17, 5).rem) == (3, 2)
    assert strdup("grüß") == "grüß"
    octets = bytearray(4)
    memset(octets, 7, 3)
    assert octets == b"\7\7\7\0"
