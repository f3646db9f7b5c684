"""C has several name spaces and no keywords of Python's; the names in Python are predictable."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from epsilon.foreign.ext.discovery import ir
from epsilon.foreign.ext.discovery.naming import Constant, member_names, parameter_names, public_names

Parse = Callable[..., ir.Binding]


def kinds(binding: ir.Binding) -> dict[str, str]:
    return {name: type(found).__name__ for name, found in public_names(binding).items()}


def test_prefixes_are_stripped_where_a_name_is_left(parse: Parse) -> None:
    text = "int lib_open(int lib_x); enum lib_mode { LIB_READ, LIB_2ND }; struct lib_file; int lib_; int other(void);"
    names = kinds(parse(text, strip_prefix=["lib_", "LIB_"]))
    assert set(names) == {"open", "mode", "READ", "LIB_2ND", "file", "lib_", "other"}


def test_renaming_decides(parse: Parse) -> None:
    text = "struct stat { int x; }; int stat(struct stat *s); int open_file(void); enum e { A };"
    rename = {"struct stat": "Stat", "open_file": "open", "A": "first"}
    assert kinds(parse(text, rename=rename)) == {
        "Stat": "Record",
        "stat": "Function",
        "open": "Function",
        "e": "Enum",
        "first": "Constant",
    }


def test_keywords_get_an_underscore(parse: Parse) -> None:
    binding = parse("struct class { int from, import_, None; }; int lambda(int in, int def, int, int in_);")
    assert set(kinds(binding)) == {"class_", "lambda_"}
    assert member_names(binding.records["class"]) == ("from_", "import_", "None_")
    assert parameter_names(binding.functions[0]) == ("in_", "def_", "arg3", "in__")


def test_on_a_clash_functions_win_and_tags_say_what_they_are(parse: Parse) -> None:
    binding = parse(
        """
        struct both { int x; }; int both(struct both *p);
        enum mode { mode_a }; int mode(void);
        union number { int i; }; typedef float number;
        #define both(x) x
        """
    )
    names = kinds(binding)
    assert names["both"] == "Function" and names["struct_both"] == "Record"
    assert names["mode"] == "Function" and names["enum_mode"] == "Enum"
    assert names["number"] == "Typedef" and names["union_number"] == "Record"


def test_a_typedef_of_its_tags_name_is_the_tag(parse: Parse) -> None:
    binding = parse("typedef struct same same; struct same { int x; }; typedef enum e { A } e;")
    assert kinds(binding) == {"same": "Record", "e": "Enum", "A": "Constant"}
    assert not any(d.python_name for d in binding.declarations)


def test_constants_lead_to_their_enum_and_hide_macros_of_their_name(parse: Parse) -> None:
    binding = parse("enum e { RED = 3 };\n#define RED RED\nenum { ALONE };\n")
    found = public_names(binding)
    assert isinstance(found["RED"], Constant) and found["RED"].enum.name == "e"
    assert set(found) == {"e", "RED", "ALONE"}


def test_members_that_python_or_the_api_needs_are_renamed(parse: Parse) -> None:
    record = parse(
        "struct s { int _address, __init__, _, _1, ok, : 3; struct { int anonymous_0; }; };"
    ).records["s"]
    names = member_names(record)
    assert len(set(names)) == len(names) == 7
    assert not {"_address", "__init__"} & set(names)
    assert names[4] == "ok" and names[5] == "_"  # the unnamed bits


def test_names_python_cannot_have_are_changed(parse: Parse) -> None:
    names = kinds(parse("int dollar$sign(void); extern int __getattr__; int __dir__(void);"))
    assert all(name.isidentifier() for name in names)
    assert not {"__getattr__", "__dir__"} & set(names)


@pytest.mark.parametrize("count", [2])
def test_the_same_header_gives_the_same_names(parse: Parse, count: int) -> None:
    text = "struct a { struct { int x; } one; union { int y; }; }; enum { P, Q }; struct { int z; } v;"
    assert len({tuple(public_names(parse(text))) for _ in range(count)}) == 1
