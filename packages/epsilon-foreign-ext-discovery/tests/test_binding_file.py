"""The binding file: the same binding back, a text that is made to be compared, and nothing hostile gets in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from epsilon.foreign.ext import discovery
from epsilon.foreign.ext.discovery import ir
from epsilon.foreign.ext.discovery.file import decode, encode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Parse = Callable[..., ir.Binding]

TEXT = """
/** A "place" \\ on the screen. */
struct point { int x; /**< across */ int y; struct { int deep; }; };
typedef struct point point_t;
union number { int i; float f; };
enum colour { RED = -1, GREEN };
typedef int (*binary)(int, point_t *, ...);
point_t *make_point(int x, const char *name, unsigned long long);
extern const int counter;
static inline int uncallable(void) { return 1; }
#define LIMIT (1 << 10)
#define RATIO 2.0
#define NAME "na\\"me"
#define LATIN "\\xff"
#define INF (1.0/0.0)
#define MAX(a, b) ((a) > (b) ? (a) : (b))
"""


OPTIONS: dict[str, Any] = {"strip_prefix": "make_", "rename": {"counter": "count"}, "defines": ["X=1"]}


@pytest.fixture(scope="module")
def binding(tmp_path_factory: pytest.TempPathFactory) -> ir.Binding:
    path = tmp_path_factory.mktemp("header") / "made.h"
    path.write_text(TEXT)
    return discovery.parse(path, cache=False, **OPTIONS)


def changed(binding: ir.Binding, change: Callable[[dict[str, Any]], object]) -> str:
    """The text of a file in which one thing is changed."""
    root = json.loads(encode(binding))
    change(root)
    return json.dumps(root)


def test_a_binding_comes_back_as_it_was(binding: ir.Binding, tmp_path: Path) -> None:
    discovery.write_binding(binding, tmp_path / "b.json")
    assert discovery.read_binding(tmp_path / "b.json") == binding
    assert encode(decode(encode(binding))) == encode(binding)


def test_every_declaration_begins_a_line_and_positions_are_apart(binding: ir.Binding, parse: Parse) -> None:
    lines = encode(binding).splitlines()
    assert '{"variable": "counter", "type": "const int", "python_name": "count"},' in lines
    moved = encode(parse("\n\n" + TEXT, **OPTIONS))
    before, after = (text.partition('"positions"') for text in (encode(binding), moved))
    assert before[0] == after[0] and before[2] != after[2]


def test_the_file_is_plain_json(binding: ir.Binding) -> None:
    root = json.loads(encode(binding), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert (root["format"], root["version"]) == ("epsilon-foreign-binding", 1)
    assert "/" not in str(root["positions"])  # no path of this machine


def test_a_file_appears_whole_or_not_at_all(binding: ir.Binding, tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "b.json"
    path.write_text("before")
    path.chmod(0o640)
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        discovery.write_binding(binding, path)
    monkeypatch.undo()
    assert path.read_text() == "before" and [p.name for p in tmp_path.iterdir() if p.suffix == ".tmp"] == []
    discovery.write_binding(binding, path)
    assert path.stat().st_mode & 0o777 == 0o640


def test_another_version_is_refused(binding: ir.Binding) -> None:
    with pytest.raises(discovery.BindingFileError, match="version 99, and this is a reader of version 1"):
        decode(changed(binding, lambda root: root.update(version=99)))


def test_another_platform_is_refused_unless_it_is_only_looked_at(binding: ir.Binding, tmp_path: Path) -> None:
    other = replace(binding, target=ir.Target("sparc", "solaris", long=4))
    discovery.write_binding(other, tmp_path / "b.json")
    with pytest.raises(discovery.BindingFileError, match=r"is for sparc-solaris .*long of 4.*and this is"):
        discovery.load(tmp_path / "b.json")
    assert discovery.read_binding(tmp_path / "b.json", any_target=True) == other
    with pytest.raises(discovery.BindingFileError, match="sparc"):
        discovery.bind(other)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"format": "other"}', "[" * 100_000, "\ufeff{}", '{"a": 1e999}', "9" * 5000],
)
def test_what_is_no_binding_file_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_text(text)
    with pytest.raises(discovery.BindingFileError, match=r"b\.json is no binding file"):
        discovery.load(path)


def test_bytes_that_are_no_text_are_refused_and_a_missing_file_is_missing(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(discovery.BindingFileError, match="not UTF-8"):
        discovery.load(tmp_path / "b.json")
    with pytest.raises(FileNotFoundError):
        discovery.load(tmp_path / "gone.json")


def declarations(**by_kind: Any) -> Callable[[dict[str, Any]], object]:
    return lambda root: (root.update(declarations=[by_kind]), root.pop("positions"))


RECORD = {"record": "s", "size": 4, "align": 4, "fields": [{"name": "x", "type": "int", "offset": 0}]}


def record(**changes: Any) -> Callable[[dict[str, Any]], object]:
    return declarations(**{**RECORD, **changes})


def field(**changes: Any) -> Callable[[dict[str, Any]], object]:
    return record(fields=[{"name": "x", "type": "int", "offset": 0, **changes}])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda root: root.pop("target"), "lacks 'target'"),
        (lambda root: root.update(extra=1), "unknown member 'extra'"),
        (lambda root: root.update(declarations={}), "expected a list"),
        (lambda root: root.update(headers="x"), "expected a list"),
        (lambda root: root.update(positions={"function gone": "x.h:1:1"}), "which is not declared"),
        (lambda root: root.update(positions={"record point": "x.h"}), "file:line:column"),
        (lambda root: root["target"].update(pointer="8"), "target: pointer: expected a size"),
        (lambda root: root.update(declarations=[1]), "declaration 1: expected an object"),
        (declarations(klass="x"), "'klass' is no kind"),
        (declarations(function="x y", result="int"), "expected a C name"),
        (declarations(function="f"), "lacks result"),
        (declarations(function="f", result="int", evil=1), "unknown member 'evil'"),
        (declarations(function="f", result="struct gone"), "names .*gone.*not declared"),
        (declarations(function="f", result="int; import os"), "is no type"),
        (declarations(function="f", result="int", python_name="x; y"), "a name that Python takes"),
        (declarations(function="f", result="int", python_name="class"), "a name that Python takes"),
        (declarations(function="f", result="int", parameters=[["a"]]), "a name and a type"),
        (declarations(function="f", result="int", parameters=[["a b", "int"]]), "expected a C name"),
        (declarations(function="f", result="int", variadic=1), "true or false"),
        (declarations(function="f", result="int", symbol="a b"), "a symbol's name"),
        (declarations(typedef="t", type="t"), "contains itself"),
        (declarations(typedef="t", type="[2]t"), "contains itself"),
        (record(align=3), "power of two"),
        (record(size=-1), "expected a size"),
        (record(size=2**70), "expected a size"),
        (record(pack=3), "no compiler packs"),
        (record(complete=False), "incomplete and has members"),
        (record(fields=[{"name": "x", "type": "struct s", "offset": 0}]), "contains itself"),
        (field(offset=99), "outside of 4 bytes"),
        (field(bits=500), "no bit-field has 500 bits"),
        (field(bits=3, bit=9), "no bit of a byte"),
        (field(type=f"[{2**62}][8]int"), "larger than memory"),
        (record(fields=RECORD["fields"] * 2), "two members 'x'"),
        (declarations(enum="e", base="int", enumerators=[{"name": "A", "value": 1.5}]), "an integer"),
        (declarations(macro="M", text="", value=[1]), "expected a number"),
        (declarations(macro="M", text="", value={"bytes": "zz"}), "value: "),
        (declarations(macro="M", text="", value={"float": "1"}), "special float"),
    ],
)
def test_a_damaged_file_says_what_is_wrong(
    binding: ir.Binding, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    with pytest.raises(discovery.BindingFileError, match=f"is damaged: .*{message}"):
        decode(changed(binding, change))


def test_declaring_twice_is_refused(binding: ir.Binding) -> None:
    with pytest.raises(discovery.BindingFileError, match="declared twice"):
        decode(changed(binding, lambda root: root.update(declarations=[RECORD, RECORD], positions={})))


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_with_any_one_thing_changed_is_read_or_refused(
    binding: ir.Binding, data: st.DataObject
) -> None:
    root = json.loads(encode(binding))
    places = list(_places(root))
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = data.draw(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=8)
        | st.just([])
        | st.just({})
    )
    try:
        text = json.dumps(root)
        decode(text, any_target=True)
    except discovery.BindingFileError:
        pass


def _places(value: Any) -> Any:
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, (dict, list)):
            yield from _places(inner)


def test_names_are_of_any_script() -> None:
    binding = discovery.parse_text("int caf\u00e9(int \u00e9); struct \u03b1 { int \u03b2; };", cache=False)
    assert decode(encode(binding)) == binding
