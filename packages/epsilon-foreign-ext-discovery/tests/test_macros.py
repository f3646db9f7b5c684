"""Macros have the values that a C program would see."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from epsilon.foreign.ext.discovery import ir
from epsilon.foreign.ext.discovery.ir import notation

Declared = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("text", "value", "type"),
    [
        ("(1 << 10)", 1024, "int"),
        ("-5", -5, "int"),
        ("0xffffffffffffffffULL", 2**64 - 1, "unsigned long long"),
        ("'a'", 97, "int"),
        ("2.5", 2.5, "double"),
        ("1.5f", 1.5, "float"),
        ("((double)3)", 3.0, "double"),
        ('"text"', "text", "*char"),
        ('("par" "en")', "paren", "*char"),
        (r'"\xff\xfe"', b"\xff\xfe", "*char"),
        (r'"gr\xc3\xbc\xc3\x9f"', "grüß", "*char"),
        (r'"a\0b" "\0"', "a\0b\0", "*char"),
        (r'("\0\xff")', b"\0\xff", "*char"),
        ("((void *)-1)", 2**64 - 1, "*void"),
        ("((char *)0)", 0, "*char"),
        ("sizeof(struct five)", 20, "unsigned long"),
        ("(sizeof(long) == 8 ? 64 : 32)", 64, "int"),
        ("(CONSTANT | 1)", 5, "int"),
        ("OTHER", 12, "int"),
        ("STR(OTHER) STR(2)", "122", "*char"),
        ("1 \\\n + 2", 3, "int"),
        ("7 /* seven */", 7, "int"),
    ],
)
def test_constant_expressions_have_values(declared: Declared, text: str, value: object, type: str) -> None:
    found = declared(
        "struct five { int a[5]; }; enum { CONSTANT = 4 };\n"
        f"#define OTHER 12\n#define STR2(x) #x\n#define STR(x) STR2(x)\n#define IT {text}\n"
    )["IT"]
    assert found.value == value and found.value.__class__ is value.__class__
    assert notation(found.type) == type


@pytest.mark.parametrize(
    "text",
    [
        "{1, 2}",
        "static inline",
        "(undeclared + 1)",
        "1L,3L,14L",
        "((1)",
        "1)+(2",
        "do { } while (0)",
        "__attribute__((packed))",
        "unsigned int",
        "__FILE__",
        "__LINE__",
        "__DATE__ __TIME__",
        "__COUNTER__",
        "__func__",
        'L"wide"',
        "; int evil = 1",
        "#",
        "return",
        "goto x",
        "= 3",
        "(&variable)",
    ],
)
def test_what_is_no_constant_expression_has_none(declared: Declared, text: str) -> None:
    found = declared(f"extern int variable;\n#define BEFORE 1\n#define IT {text}\n#define AFTER 2\n")
    assert found["IT"].value is None and found["IT"].text
    assert (found["BEFORE"].value, found["AFTER"].value) == (1, 2)  # the neighbours are unharmed
    assert "evil" not in found


def test_what_a_place_decides_has_no_value_through_another_macro(declared: Declared) -> None:
    found = declared(
        "#define LINE __LINE__\n#define ALIAS LINE\n#define SUM (LINE + 1)\n#define FILE_ __FILE__\n"
    )
    assert found["ALIAS"].value is None and found["FILE_"].value is None


def test_special_floats_are_values(declared: Declared) -> None:
    found = declared("#define INF (1.0/0.0)\n#define NOT_A_NUMBER (0.0/0.0)\n")
    assert found["INF"].value == math.inf and math.isnan(found["NOT_A_NUMBER"].value)


def test_function_like_macros_are_listed(declared: Declared) -> None:
    found = declared(
        "#define MAX(a, b) ((a) > (b) ? (a) : (b))\n#define CALL(...) f(__VA_ARGS__)\n#define NONE() 1\n"
    )
    assert found["MAX"].parameters == ("a", "b") and found["MAX"].text == "((a) > (b) ? (a) : (b))"
    assert found["CALL"].parameters == ("...",) and found["NONE"].parameters == ()


def test_other_names_for_declarations_are_aliases(declared: Declared) -> None:
    found = declared(
        "int real_name(int);\n#define other_name real_name\ntypedef int number;\n#define nombre number\n"
    )
    assert (found["other_name"].alias, found["nombre"].alias) == ("real_name", "number")


def test_only_the_definition_that_holds_at_the_end_counts(declared: Declared) -> None:
    found = declared(
        "#define TWICE 1\n#undef TWICE\n#define TWICE 2\n#define GONE 1\n#undef GONE\n#define EMPTY\n"
    )
    assert found["TWICE"].value == 2
    assert "GONE" not in found and "EMPTY" not in found and "__STDC__" not in found


def test_the_platforms_macros_stay_out(declared: Declared) -> None:
    assert not [d for d in declared("int f(void);\n").values() if isinstance(d, ir.Macro)]


def test_static_constants_are_what_macros_are(declared: Declared) -> None:
    found = declared(
        'static const int NUMBER = 5; static const double HALF = 0.5; static const char WORD[] = "word";\n'
        "static int changes = 1; static const int *POINTS = 0; static const struct { int x; } RECORD = { 1 };\n"
    )
    assert [found[name].value for name in ("NUMBER", "HALF", "WORD")] == [5, 0.5, "word"]
    assert all(isinstance(found[name], ir.Variable) for name in ("changes", "POINTS", "RECORD"))
