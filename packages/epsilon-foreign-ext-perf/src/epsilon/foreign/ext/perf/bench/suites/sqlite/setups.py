"""How each peer reads the table: the same loop, with what that peer needs to come by an int and a str."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...building.workshop import Workshop
from ...contestant import Contestant
from ...operation import Subject
from ...peers import cffi_peer, ctypes_peer, ours
from ...prototype import Prototype
from ...suite import Setup
from . import database

PROTOTYPES = (
    Prototype("sqlite3_step", "int", ("pointer",)),
    Prototype("sqlite3_column_int64", "int64", ("pointer", "int")),
    Prototype("sqlite3_column_text", "string", ("pointer", "int")),
    Prototype("sqlite3_reset", "int", ("pointer",)),
)

#: 100 is SQLITE_ROW. Compiled anew for each contestant, so that each has call sites of its own; what it uses
#: are defaults of parameters, which are local variables.
_SCAN = """\
def scan({parameters}):
    total = characters = 0
    while step(statement) == 100:
        total += column_int64(statement, 0)
        characters += len({text})
    reset(statement)
    return total, characters
"""
_SCAN_STDLIB = """\
def scan({parameters}):
    total = characters = 0
    for number, text in execute(query):
        total += number
        characters += len(text)
    return total, characters
"""
_CALL = "column_text(statement, 1)"


def _compiled(template: str, names: Mapping[str, Any], text: str = _CALL) -> Callable[[], tuple[int, int]]:
    parameters = ", ".join(f"{name}={name}" for name in names)
    scope = dict(names)
    exec(compile(template.format(parameters=parameters, text=text), "<scan>", "exec"), scope)
    scan: Callable[[], tuple[int, int]] = scope["scan"]
    return scan


def _subject(workshop: Workshop, scan: Callable[[], tuple[int, int]]) -> dict[str, Subject]:
    rows = workshop.effort.rows
    answer = database.expected(rows)
    return {"rows": Subject({"scan": scan}, check=lambda result: result == answer, inner=rows)}


def _over(
    workshop: Workshop,
    functions: Mapping[str, Callable[..., Any]],
    pointer: Callable[[int], Any] = lambda address: address,
    text: str = _CALL,
    **more: Any,
) -> dict[str, Subject]:
    statement = database.Statement(database.file(workshop, workshop.effort.rows))
    names: dict[str, Any] = {name.removeprefix("sqlite3_"): function for name, function in functions.items()}
    # `owner` keeps the statement prepared for as long as the scan may run.
    names.update(statement=pointer(statement.address), owner=statement, **more)
    return _subject(workshop, _compiled(_SCAN, names, text))


def _set_up_ctypes(workshop: Workshop, contestant: Contestant) -> dict[str, Subject]:
    functions = ctypes_peer.bind(database.library(), PROTOTYPES, contestant.gil)
    return _over(workshop, functions, text=f"{_CALL}.decode()")


def _set_up_cffi(workshop: Workshop, contestant: Contestant) -> dict[str, Subject]:
    if contestant.peer.key == "cffi-abi":
        bound = cffi_peer.bind_abi(database.library(), PROTOTYPES)
    else:
        bound = cffi_peer.bind_api(workshop, "cffi_sqlite", Path(database.library()), PROTOTYPES)
    return _over(
        workshop,
        bound.functions,
        lambda address: bound.ffi.cast("void *", address),
        f"string({_CALL}).decode()",
        string=bound.ffi.string,
    )


def _set_up_ours(workshop: Workshop, contestant: Contestant) -> dict[str, Subject]:
    return _over(workshop, ours.bind(database.library(), PROTOTYPES, contestant))


def _set_up_stdlib(workshop: Workshop, contestant: Contestant) -> dict[str, Subject]:
    path = database.file(workshop, workshop.effort.rows)
    import sqlite3

    connection = sqlite3.connect(path)
    connection.execute(database.SETTINGS)
    scan = _compiled(_SCAN_STDLIB, {"execute": connection.execute, "query": database.QUERY})
    return _subject(workshop, scan)


SETUPS: dict[str, Setup] = {
    "ours-trampoline": _set_up_ours,
    "ours-libffi": _set_up_ours,
    "ours-ctypes": _set_up_ours,
    "cffi-api": _set_up_cffi,
    "cffi-abi": _set_up_cffi,
    "ctypes": _set_up_ctypes,
    "stdlib": _set_up_stdlib,
}
