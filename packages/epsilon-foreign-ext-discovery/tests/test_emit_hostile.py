"""Nothing in a header becomes more than data: names, comments, macros, and texts of every kind."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from epsilon.foreign.ext import discovery
from epsilon.foreign.ext.discovery import ir
from hypothesis import given, settings
from hypothesis import strategies as st

INT, CHAR = ir.Scalar("int"), ir.Scalar("char")
TEXT = ir.Pointer(ir.Qualified(CHAR, const=True))
Import = Callable[[str], ModuleType]
Formatted = Callable[[str], bool]


def generate(*declarations: ir.Declaration, library: str | None = None) -> str:
    made = ir.Binding(("made.h",), ir.Target.host(), ir.ParseOptions(), declarations)
    return discovery.generate(made, library=library)


TEXTS = [
    "quotes \" and ' and \"\"\" and '''",
    '"""',
    '""" + __import__("os").system("true") + """',
    "a backslash at the end \\",
    "\\",
    '\\"""',
    '"starts and ends"',
    'ends with a quote"',
    "tabs\tand\r\nreturns\rand\ftoo\vmany",
    "bidi \u202e override, nul \0, bell \x07, escape \x1b[31m, line separator \u2028, surrogate \udc80",
    "{braces} %s %(x)s $dollars `ticks`",
    "# type: ignore\n# noqa\n# fmt: off\n# ruff: noqa",
    "  indented\n    more\n  back\n\n\n",
    "x" * 200,
    "one\n\n\n\nafter three blank lines",
    ">>> 1 + 1\n2\n",
    "```python\nx  =  1\n```",
    "\N{SNOWMAN} snow",
    "",
    "   ",
]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_texts_of_a_header_stay_texts(text: str, load: Import, formatted: Formatted) -> None:
    source = generate(
        ir.Function("abs", INT, (ir.Parameter("x", INT),), doc=text, deprecated=text),
        ir.Record("point", size=4, align=4, fields=(ir.Field("x", INT, 0, doc=text),), doc=text),
        ir.Enum("e", INT, (ir.Enumerator("ONE", 1, text),), doc=text),
        ir.Typedef("t", INT, doc=text),
        ir.Macro("TEXT", text, text, TEXT, doc=text),
        ir.Function("refused", INT, uncallable=text or "none"),
        library=text or None,
    )
    only_declares(source.encode("utf-8").decode("utf-8"))
    assert formatted(source)
    module = load(source)
    assert text == module.TEXT and (module.lib.name or "") == text


ALLOWED = (
    *(
        ast.Import,
        ast.ImportFrom,
        ast.alias,
        ast.Module,
        ast.Load,
        ast.Store,
        ast.Tuple,
        ast.UnaryOp,
        ast.USub,
        ast.Not,
    ),
    *(
        ast.ClassDef,
        ast.FunctionDef,
        ast.arguments,
        ast.arg,
        ast.AnnAssign,
        ast.Assign,
        ast.If,
        ast.Name,
        ast.Constant,
    ),
    *(ast.Attribute, ast.Subscript, ast.List, ast.Call, ast.keyword, ast.Expr, ast.BinOp, ast.Sub),
)
CALLS = {
    "LazyLibrary",
    "unsupported",
    "module_hooks",
    "enum",
    "function",
    "struct",
    "union",
    "variable",
    "constant",
}


def only_declares(source: str) -> None:
    """Nothing but declarations is in the source, and no call but those of the library's own decorators."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        assert isinstance(node, ALLOWED), ast.dump(node)
        if isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Attribute) and node.func.attr in CALLS, ast.dump(node)
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            assert all(isinstance(value, (ast.Constant, ast.Attribute)) for value in values)
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            assert all(isinstance(n, (ast.Expr, ast.AnnAssign, ast.Assign)) for n in node.body), ast.dump(
                node
            )
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.annotation, ast.Name)
            and node.annotation.id == "TypeAlias"
        ):
            assert isinstance(node.value, ast.Constant)
            spelled = ast.parse(node.value.value, mode="eval")
            plain = (
                ast.Expression,
                ast.Name,
                ast.Attribute,
                ast.Subscript,
                ast.List,
                ast.Tuple,
                ast.Constant,
                ast.Load,
            )
            assert all(isinstance(n, plain) for n in ast.walk(spelled)), node.value.value


anything = st.text(max_size=60) | st.sampled_from(TEXTS)


@settings(max_examples=150, deadline=None)
@given(anything, anything, st.binary(max_size=20), st.floats(), st.integers(-(2**63), 2**64))
def test_no_text_number_or_comment_can_be_more_than_that(
    doc: str, text: str, data: bytes, real: float, number: int
) -> None:
    source = generate(
        ir.Function("f", INT, doc=doc, deprecated=text, symbol=text or "f"),
        ir.Record("r", size=4, align=4, fields=(ir.Field("x", INT, 0, doc=text),), doc=doc),
        ir.Macro("T", text, text, TEXT, doc=doc),
        ir.Macro("D", text, data, TEXT),
        ir.Macro("R", text, real, ir.Scalar("double")),
        ir.Macro("N", text, number, INT),
        ir.Unsupported("u", text, doc),
        library=text,
    )
    only_declares(source)
    names: dict[str, Any] = {"__name__": "generated"}
    exec(compile(source, "generated", "exec"), names)
    assert (names["T"], names["D"], names["N"]) == (text, data, number)
    assert names["R"] == real or (names["R"] != names["R"] and real != real)


@settings(max_examples=25, deadline=None)
@given(doc=anything, text=anything)
def test_any_comment_is_set_as_ruff_sets_it(doc: str, text: str, formatted: Formatted) -> None:
    source = generate(
        ir.Function("f", INT, doc=doc),
        ir.Record("r", size=4, align=4, fields=(ir.Field("x", INT, 0, doc=text),), doc=doc),
        ir.Macro("T", text, text, TEXT, doc=text),
        ir.Macro("D", text, text.encode("utf-8", "surrogatepass"), TEXT),
    )
    assert formatted(source)


def test_a_hostile_header_becomes_data(tmp_path: Path, load: Import, formatted: Formatted) -> None:
    ran = tmp_path / "ran"
    (tmp_path / "hostile.h").write_text(
        f'''
        /** """ + __import__("pathlib").Path({str(ran)!r}).touch() + """ \\ */
        int abs(int __import__);
        struct exec {{ int eval; int __class__; int self; struct exec *None; }}; /**< \\N{{DASH}} \\u0000 \\ */
        enum print {{ import = 1, type, mro, name, value, _x_, __y }};
        #define CODE __import__("os").system("touch {ran}")
        #define QUOTED "\\"\\"\\" + __import__('os').system('touch {ran}') + \\"\\"\\""
        #define open(x) __import__("os").system(x)
        #define NEWLINE "a\\nb\\r\\x1b[2J"
        extern int __builtins__;
        int lambda(int class, int def);
        typedef int *list;
        '''
    )
    source = discovery.generate(discovery.parse(tmp_path / "hostile.h", cache=False))
    only_declares(source)
    assert formatted(source)
    module = load(source)
    for name in dir(module):
        with contextlib.suppress(AttributeError, NotImplementedError):
            getattr(module, name)
    assert not ran.exists() and module.abs(-3) == 3 and "CODE" not in dir(module)
    assert module.QUOTED.startswith('"""') and module.NEWLINE.startswith("a\nb\r")
    assert module.import_ == 1 and module.exec(eval=3).eval == 3
