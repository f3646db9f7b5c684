"""What a library may be called, what stands in search paths, and which processors may use what."""

from __future__ import annotations

import pytest
from epsilon.foreign.ext.platform.search.hwcaps import levels, supported
from epsilon.foreign.ext.platform.search.names import exactly, file_names, version_of
from epsilon.foreign.ext.platform.search.tokens import Tokens, split_path

pytestmark = pytest.mark.once

FOLDER = [
    "libz.so.1.2.9",
    "libz.so",
    "libz.so.1.10",
    "libz.so.1.9.debug",
    "libzz.so",
    "z.so",
    "libz.a",
    "libz.so.1.10-gdb.py",
    "libz.so.",
]


def test_a_short_name_means_the_plain_library_then_its_versions_from_the_newest_down() -> None:
    assert file_names("z").among(FOLDER) == ["libz.so", "libz.so.1.10", "libz.so.1.2.9", "z.so"]


def test_a_file_name_with_a_version_means_that_one_only() -> None:
    assert file_names("libz.so.1.2.9").among(FOLDER) == ["libz.so.1.2.9"]
    assert file_names("libz.so").among(FOLDER) == ["libz.so", "libz.so.1.10", "libz.so.1.2.9"]


def test_what_a_library_needs_it_needs_by_one_name() -> None:
    assert exactly("libz.so").among(FOLDER) == ["libz.so"]
    assert str(exactly("libz.so")) == "libz.so"


@pytest.mark.parametrize(
    ("text", "version"), [("1.2.13", [1, 2, 13]), ("6", [6]), ("1.debug", None), ("", None)]
)
def test_a_version_is_numbers_with_dots(text: str, version: list[int] | None) -> None:
    assert version_of(text) == version


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$ORIGIN/../lib", "/opt/app/../lib"),
        ("${ORIGIN}", "/opt/app"),
        ("/usr/$LIB/$PLATFORM", "/usr/lib64/x86_64"),
        ("$LIBRARY/x", "$LIBRARY/x"),
        ("${LIB}rary", "lib64rary"),
        ("$LIB$LIBS$LIB", "lib64$LIBSlib64"),
        ("$OTHER", "$OTHER"),
    ],
)
def test_tokens_in_a_path_are_replaced_as_whole_words(text: str, expanded: str) -> None:
    assert Tokens("/opt/app", "lib64", "x86_64").expand(text) == expanded


@pytest.mark.parametrize(
    ("text", "parts"), [("", []), ("/a:/b;/c", ["/a", "/b", "/c"]), (":/a:", [".", "/a", "."])]
)
def test_an_empty_part_of_a_search_path_is_the_working_directory(text: str, parts: list[str]) -> None:
    assert split_path(text, ":;") == parts


def test_a_processor_reaches_a_level_when_it_has_all_of_its_features() -> None:
    v2 = {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"}
    v3 = v2 | {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"}
    assert levels(frozenset()) == ()
    assert levels(frozenset(v2)) == ("x86-64-v2",)
    assert levels(frozenset(v3)) == ("x86-64-v3", "x86-64-v2")
    assert levels(frozenset(v3 - {"fma"})) == ("x86-64-v2",)
    assert supported("riscv64") == ()
