"""The command line's grammar, with its help."""

from __future__ import annotations

import argparse

from ..__about__ import __version__
from . import check, diff, making, show

EXIT_CODES = """\
exit codes:
  0  done, and nothing is wrong
  1  check: something does not fit; diff: the ABI is broken; show: no such name
  2  the command line is wrong
  3  it could not be done: a header that does not parse, a file that cannot be read or written, ...
"""

_EXAMPLES = """\
examples:
  %(prog)s bind sqlite3.h --library sqlite3 --output sqlite3_bindings.py
  %(prog)s parse zlib.h --output zlib.json
  %(prog)s show zlib.h --name 'z_stream*'
  %(prog)s check sqlite3.h --library sqlite3
  %(prog)s diff zlib-1.2.json zlib-1.3.json

"""


def build_parser(program: str) -> argparse.ArgumentParser:
    """The parser; `program` is how the command was called."""
    parser = argparse.ArgumentParser(
        prog=program,
        description="From C headers to Python bindings, with no compiler.",
        epilog=_EXAMPLES + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument(
        "--traceback", action="store_true", help="show where an error comes from in this program"
    )
    tools = parser.add_subparsers(dest="tool", required=True, metavar="TOOL", title="tools")
    _bind(tools)
    _parse(tools)
    _show(tools)
    _check(tools)
    _diff(tools)
    return parser


def _tool(
    tools: argparse._SubParsersAction[argparse.ArgumentParser], name: str, help: str, examples: str
) -> argparse.ArgumentParser:
    return tools.add_parser(
        name,
        help=help,
        description=help[0].upper() + help[1:] + ".",
        epilog=f"examples:\n{examples}\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _bind(tools: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    tool = _tool(
        tools,
        "bind",
        "write a Python module that binds a header",
        "  %(prog)s sqlite3.h --library sqlite3 --output sqlite3_bindings.py\n"
        "  %(prog)s git2.h --pkg-config libgit2 --library git2 --strip-prefix git_ > git2.py\n",
    )
    _add_inputs(tool)
    tool.add_argument(
        "--library",
        "-l",
        metavar="LIB",
        help="what the module opens: a path or a name (default: the process)",
    )
    tool.add_argument(
        "--keep-gil",
        action="store_true",
        help="keep the GIL in every call: for libraries of short functions that call back into nothing",
    )
    _add_output(tool)
    tool.set_defaults(run=making.bind)


def _parse(tools: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    tool = _tool(
        tools,
        "parse",
        "write a binding file, to be kept under version control",
        "  %(prog)s zlib.h --output zlib.json\n"
        "  %(prog)s SDL2/SDL.h --pkg-config sdl2 --headers 'SDL2/*' --output sdl.json\n",
    )
    _add_inputs(tool)
    _add_output(tool)
    tool.set_defaults(run=making.parse)


def _show(tools: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    tool = _tool(
        tools,
        "show",
        "show what a header declares",
        "  %(prog)s zlib.h                       a summary and the declarations\n"
        "  %(prog)s zlib.h --name 'z_stream*'    some names, with layouts and comments\n"
        "  %(prog)s zlib.json --layouts          every struct\n",
    )
    _add_inputs(tool)
    tool.add_argument(
        "--name",
        "-n",
        dest="names",
        action="append",
        default=[],
        metavar="PATTERN",
        help="only these names, in full",
    )
    tool.add_argument(
        "--layouts", action="store_true", help="only structs and unions, drawn with offsets and padding"
    )
    tool.add_argument("--all", action="store_true", help="also what other headers declare")
    tool.add_argument("--json", action="store_true", help="print JSON")
    tool.set_defaults(run=show.run)


def _check(tools: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    tool = _tool(
        tools,
        "check",
        "check a library against its header: symbols, and layouts where there is a compiler",
        "  %(prog)s sqlite3.h --library sqlite3\n"
        "  %(prog)s sqlite3.json --library ./libsqlite3.so --no-compiler --json\n",
    )
    _add_inputs(tool)
    tool.add_argument("--library", "-l", metavar="LIB", help="the library: a path or a name")
    tool.add_argument("--no-compiler", action="store_true", help="do not verify layouts")
    tool.add_argument("--all", action="store_true", help="list everything")
    tool.add_argument("--json", action="store_true", help="print JSON")
    tool.set_defaults(run=check.run)


def _diff(tools: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    tool = _tool(
        tools,
        "diff",
        "compare two binding files, and mark what breaks the ABI",
        "  %(prog)s zlib-1.2.json zlib-1.3.json\n  %(prog)s --json old.json new.json\n",
    )
    tool.add_argument("old", help="the binding file of the old version")
    tool.add_argument("new", help="that of the new one")
    tool.add_argument("--json", action="store_true", help="print JSON")
    tool.set_defaults(run=diff.run)


#: Options that may be given several times: group, flags, what `parse` calls it, its value, its help.
_MANY: tuple[tuple[str, tuple[str, ...], str, str, str], ...] = (
    ("parsing", ("--include-dir", "-I"), "include_dirs", "DIR", "a folder of headers"),
    ("parsing", ("--define", "-D"), "defines", "NAME[=VALUE]", "a macro"),
    ("parsing", ("--pkg-config",), "pkg_config", "NAME", "a package whose folders and macros are needed"),
    ("parsing", ("--clang-arg",), "args", "ARG", "anything else for clang: --clang-arg=-fshort-enums"),
    (
        "choosing",
        ("--headers",),
        "headers",
        "PATTERN",
        "take what these headers declare (default: the library's own)",
    ),
    ("choosing", ("--allow",), "allow", "PATTERN", "take only these names"),
    ("choosing", ("--block",), "block", "PATTERN", "leave these names out"),
    ("choosing", ("--strip-prefix",), "strip_prefix", "PREFIX", "names in Python do without it"),
    ("choosing", ("--rename",), "rename", "C_NAME=NAME", "a name in Python"),
)


def _add_inputs(tool: argparse.ArgumentParser) -> None:
    tool.add_argument(
        "input",
        nargs="+",
        metavar="HEADER",
        help="headers, as paths or as one includes them; or a binding file (.json)",
    )
    groups = {
        "parsing": tool.add_argument_group("parsing"),
        "choosing": tool.add_argument_group("choosing and naming (may be given several times)"),
    }
    for group, flags, name, value, text in _MANY:
        groups[group].add_argument(*flags, dest=name, action="append", default=[], metavar=value, help=text)
    parsing = groups["parsing"]
    parsing.add_argument(
        "--language", "-x", choices=("c", "c++"), default="c", help="the header's (default: c)"
    )
    parsing.add_argument("--standard", metavar="STD", default="", help="what follows -std=")
    parsing.add_argument("--libclang", metavar="PATH", help="another libclang than the wheel's")
    parsing.add_argument(
        "--no-cache", dest="cache", action="store_false", help="parse even what was parsed before"
    )


def _add_output(tool: argparse.ArgumentParser) -> None:
    tool.add_argument(
        "--output",
        "-o",
        metavar="FILE",
        help="the file to write, whole or not at all (default: standard output)",
    )
