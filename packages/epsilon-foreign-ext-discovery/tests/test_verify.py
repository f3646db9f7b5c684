"""A C compiler is asked whether a binding's layouts and constants are its own."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from epsilon.foreign.ext.discovery import ir
from epsilon.foreign.ext.discovery.verify import CompilerError, find_compiler, verify_layouts

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler (cc)")
INT, CHAR, DOUBLE = ir.Scalar("int"), ir.Scalar("char"), ir.Scalar("double")

HEADER = """
#include <stdint.h>
struct point { int x, y; };
struct bits { unsigned a : 3; unsigned : 2; int b : 7; char after; };
typedef struct { char c; struct point inner; } handle_target;
typedef handle_target *handle;
struct outer {
    char tag;
    struct { double d; int i; };
    union { int number; float real; } value;
    struct { char c; } many[3];
    struct point *next;
};
#pragma pack(push, 1)
struct packed { char c; int i; };
#pragma pack(pop)
enum colour { RED = 1, BLUE = -4 };
enum { BIG = 0xFFFFFFFFu };
#define LIMIT (1 << 10)
#define NEGATIVE -1LL
#define RATIO 2.5
#define NAME "a\\x01\\"b"
#define INVALID ((void *)-1)
"""


def point() -> ir.Record:
    return ir.Record("point", size=8, align=4, fields=(ir.Field("x", INT, 0), ir.Field("y", INT, 4)))


def binding(*declarations: ir.Declaration, **options: object) -> ir.Binding:
    made = ir.ParseOptions(**options)  # type: ignore[arg-type]
    return ir.Binding(("made.h",), ir.Target.host(), made, declarations)


@pytest.fixture
def header(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str = HEADER) -> Path:
        (tmp_path / "made.h").write_text(text)
        return tmp_path

    return write


@needs_compiler
def test_layouts_bits_and_constants_of_every_kind_are_compared(header: Callable[..., Path]) -> None:
    unsigned = ir.Scalar("unsigned int")
    inner = ir.Record(
        "@d", size=16, align=8, anonymous=True, fields=(ir.Field("d", DOUBLE, 0), ir.Field("i", INT, 8))
    )
    value = ir.Record(
        "outer.value",
        True,
        4,
        4,
        (ir.Field("number", INT, 0), ir.Field("real", ir.Scalar("float"), 0)),
        anonymous=True,
    )
    many = ir.Record("outer.many", size=1, fields=(ir.Field("c", CHAR, 0),), anonymous=True)
    outer = ir.Record(
        "outer",
        size=40,
        align=8,
        fields=(
            ir.Field("tag", CHAR, 0),
            ir.Field("", inner.type, 8),
            ir.Field("value", value.type, 24),
            ir.Field("many", ir.Array(many.type, 3), 28),
            ir.Field("next", ir.Pointer(ir.RecordName("point")), 32),
        ),
    )
    bits = ir.Record(
        "bits",
        size=4,
        align=4,
        fields=(
            ir.Field("a", unsigned, 0, bits=3),
            ir.Field("", unsigned, 0, bits=2, bit=3),
            ir.Field("b", INT, 0, bits=7, bit=5),
            ir.Field("after", CHAR, 2),
        ),
    )
    target = ir.Record(
        "handle_target",
        size=12,
        align=4,
        typedef=True,
        fields=(ir.Field("c", CHAR, 0), ir.Field("inner", ir.RecordName("point"), 4)),
    )
    packed = ir.Record(
        "packed", size=5, align=1, pack=1, fields=(ir.Field("c", CHAR, 0), ir.Field("i", INT, 1))
    )
    found = verify_layouts(
        binding(
            *(point(), inner, value, many, outer, bits, target, packed),
            ir.Typedef("handle", ir.Pointer(ir.TypedefName("handle_target"))),
            ir.Record("never_completed", complete=False),
            ir.Enum("colour", INT, (ir.Enumerator("RED", 1), ir.Enumerator("BLUE", -4))),
            ir.Enum("@BIG", unsigned, (ir.Enumerator("BIG", 0xFFFFFFFF),), anonymous=True),
            ir.Macro("LIMIT", "(1 << 10)", 1024, INT),
            ir.Macro("NEGATIVE", "-1LL", -1, ir.Scalar("long long")),
            ir.Macro("RATIO", "2.5", 2.5, DOUBLE),
            ir.Macro("NAME", "", 'a\x01"b', ir.Array(CHAR, 5)),
            ir.Macro("INVALID", "((void *)-1)", 2**64 - 1, ir.Pointer(ir.VOID)),
            ir.Macro("LISTED", "(a)", parameters=("a",)),
        ),
        include_dirs=[str(header())],
    )
    assert found.ok, found.mismatches
    assert found.unchecked == () and (found.records, found.records_verified, found.percent) == (8, 8, 100.0)
    assert (found.enumerators, found.macros) == (3, 5) and found.fields > 12


@needs_compiler
def test_every_difference_is_told_with_both_values(header: Callable[..., Path]) -> None:
    wrong = dataclasses.replace(point(), size=12, fields=(ir.Field("x", INT, 0), ir.Field("y", INT, 8)))
    found = verify_layouts(
        binding(
            wrong,
            ir.Record("bits", size=4, align=4, fields=(ir.Field("a", INT, 0, bits=4),)),
            ir.Enum("colour", INT, (ir.Enumerator("RED", 2),)),
            ir.Macro("RATIO", "2.5", 2.25, DOUBLE),
            ir.Macro("NAME", "", "ab", ir.Array(CHAR, 3)),
        ),
        include_dirs=[str(header())],
    )
    assert not found.ok and (found.records, found.records_verified) == (2, 0)
    shown = {mismatch.what: (mismatch.ours, mismatch.theirs) for mismatch in found.mismatches}
    assert shown["sizeof struct point"] == ("12", "8") and shown["offset of struct point.y"] == ("8", "4")
    assert shown["bits of struct bits.a"] == ("0+4", "0+3") and shown["RED"] == ("2", "1")
    assert {"RATIO", "NAME"} <= set(shown)
    assert "sizeof struct point: the binding says 12, the compiler 8" in map(str, found.mismatches)


@needs_compiler
def test_what_does_not_compile_is_left_out_by_name_and_the_rest_is_asked(header: Callable[..., Path]) -> None:
    unknown = ir.Record("unknown", size=4, align=4, fields=(ir.Field("x", INT, 0),))
    macro = ir.Macro("NO_SUCH_MACRO", "1", 1, INT)
    found = verify_layouts(binding(point(), unknown, macro), include_dirs=[str(header())])
    assert found.ok and (found.records, found.records_verified) == (2, 1)
    reasons = {each.what: each.reason for each in found.unchecked}
    assert "sizeof struct unknown" in reasons and "undeclared" in reasons["NO_SUCH_MACRO"]


@needs_compiler
def test_options_of_the_binding_reach_the_compiler_but_none_that_runs_programs(
    header: Callable[..., Path], tmp_path: Path
) -> None:
    folder = header(
        "#ifdef WIDE\nstruct point { long x, y; };\n#endif\nenum e { E = VALUE }; enum small { S };"
    )
    wide = dataclasses.replace(
        point(),
        size=16,
        align=8,
        fields=(ir.Field("x", ir.Scalar("long"), 0), ir.Field("y", ir.Scalar("long"), 8)),
    )
    ran = tmp_path / "ran"
    hostile = ("-wrapper", f"touch,{ran}", f"-fplugin={ran}", f"@{ran}", "-o", str(ran))
    found = verify_layouts(
        binding(
            wide,
            ir.Enum("e", INT, (ir.Enumerator("E", 7),)),
            include_dirs=(str(folder),),
            defines=("WIDE",),
            args=("-D", "VALUE=7", *hostile),
        )
    )
    assert found.ok and found.records_verified == 1 and found.enumerators == 1 and not ran.exists()


@needs_compiler
def test_nothing_of_a_hostile_binding_becomes_code(header: Callable[..., Path], tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    attack = f'x)); system("touch {ran}"); ((0'
    field = (ir.Field(attack, INT, 0), ir.Field("x", INT, 0))
    hostile = binding(
        dataclasses.replace(point(), fields=field),
        ir.Record(attack, size=4, fields=field),
        ir.Typedef(attack, ir.RecordName("@a")),
        ir.Enum("colour", INT, (ir.Enumerator(attack, 1), ir.Enumerator("RED", 1))),
        ir.Macro(attack, "", 1, INT),
    )
    found = verify_layouts(hostile, include_dirs=[str(header())])
    assert found.ok and not ran.exists() and found.macros == 0 and found.enumerators == 1
    injected = dataclasses.replace(
        hostile, headers=(f'made.h"\nint main() {{ system("touch {ran}"); }}\n//',)
    )
    with pytest.raises((CompilerError, ValueError), match="cannot be included"):
        verify_layouts(injected, include_dirs=[str(header())])


@needs_compiler
def test_a_header_that_the_compiler_refuses_says_what_it_says(header: Callable[..., Path]) -> None:
    with pytest.raises(CompilerError, match=r"does not take the header:[\s\S]*made\.h:1"):
        verify_layouts(binding(point()), include_dirs=[str(header("int f(unknown_t x);"))])


@needs_compiler
def test_cxx_headers_are_asked_of_the_cxx_compiler(header: Callable[..., Path]) -> None:
    if shutil.which("c++") is None:
        pytest.skip("no C++ compiler (c++)")
    folder = header(
        'extern "C" {\nstruct point { int x, y; };\nenum class kind : char { A };\nenum colour { RED = 1 };\n}'
    )
    bits = ir.Enum("colour", INT, (ir.Enumerator("RED", 1),))
    found = verify_layouts(binding(point(), bits, language="c++"), include_dirs=[str(folder)])
    assert found.ok and found.records_verified == 1 and found.enumerators == 1


def test_a_binding_of_another_platform_is_not_verified_here() -> None:
    foreign = dataclasses.replace(binding(point()), target=ir.Target("m68k", "amiga"))
    with pytest.raises(CompilerError, match="m68k-amiga"):
        verify_layouts(foreign)


def test_a_compiler_that_is_not_there_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -m32")
    with pytest.raises(CompilerError, match="CC names 'no-such-compiler'"):
        find_compiler()
    monkeypatch.delenv("CC")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CompilerError, match="none of cc, gcc, clang is installed"):
        find_compiler()
