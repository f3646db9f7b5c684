"""Allowing and blocking: what is taken, and what stays because the rest needs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from epsilon.foreign.ext.discovery import ir
from epsilon.foreign.ext.discovery.file import decode, encode

Parse = Callable[..., ir.Binding]

TEXT = """
struct inner { int x; };
struct outer { struct inner in; struct pointed *p; };
struct pointed { int y; };
typedef struct outer outer_t;
enum mode { MODE_A, MODE_B };
int lib_use(outer_t *o, enum mode m);
int lib_plain(void);
int other(struct pointed *p);
#define LIB_FLAG 1
#define OTHER_FLAG 2
"""


def names(binding: ir.Binding, **having: Any) -> set[str]:
    assert decode(encode(binding)) == binding  # it is whole: nothing that is named is missing
    return {d.name for d in binding.declarations if all(getattr(d, k) == v for k, v in having.items())}


def test_everything_is_taken_by_default(parse: Parse) -> None:
    assert len(names(parse(TEXT), dependency=False)) == 10


def test_allowed_names_bring_what_they_need(parse: Parse) -> None:
    binding = parse(TEXT, allow=["lib_*", "LIB_*"])
    assert names(binding, dependency=False) == {"lib_use", "lib_plain", "LIB_FLAG"}
    assert names(binding, dependency=True) == {"outer", "outer_t", "inner", "pointed", "mode"}


def test_an_enum_is_allowed_with_its_constants(parse: Parse) -> None:
    assert names(parse(TEXT, allow="MODE_*"), dependency=False) == {"mode"}


def test_blocked_names_go_unless_something_needs_them(parse: Parse) -> None:
    binding = parse(TEXT, block=["other*", "inner", "OTHER_*"])
    found = {d.name: d for d in binding.declarations}
    assert "other" not in found and "OTHER_FLAG" not in found
    assert found["inner"].dependency and found["inner"].complete  # it is inside of outer


def test_of_a_blocked_struct_that_is_pointed_to_the_name_stays(parse: Parse) -> None:
    pointed = {d.name: d for d in parse(TEXT, block="pointed").declarations}["pointed"]
    assert pointed.dependency and not pointed.complete and not pointed.fields
