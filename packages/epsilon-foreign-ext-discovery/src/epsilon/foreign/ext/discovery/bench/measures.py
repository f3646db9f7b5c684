"""What is measured, and how much it may be."""

from __future__ import annotations

import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

from .child import Measured, Task, measure, take_turns

#: clang's Python bindings, which use ctypes: what everybody else walks a tree with.
_CINDEX = "from clang.cindex import Index, TranslationUnit\n"
_OURS = "from epsilon.foreign.ext import discovery\n"
#: Everything is imported, and a library open.
_READY = f"""
import epsilon.foreign.api as ffi
{_OURS}
discovery.bind, discovery.parse, ffi.Library(None)
"""
_UNIT = """
from epsilon.foreign.ext.discovery.libclang import load, locate
from epsilon.foreign.ext.discovery.parser.unit import Unit
clang = load(locate().library)
"""


class Subject(NamedTuple):
    """A library: its header, the name it is opened by, and folders of headers."""

    header: str
    library: str | None
    include_dirs: tuple[str, ...] = ()


SQLITE = Subject("sqlite3.h", "sqlite3")
#: A large one, that everybody who runs this may have.
PYTHON = Subject("Python.h", None, (sysconfig.get_paths()["include"],))


@dataclass(frozen=True)
class Result:
    """One line of the report; seconds or megabytes, as `unit` says. `reference` is what `ours` is compared with."""

    title: str
    ours: float
    limit: float | None = None
    reference: float | None = None
    formula: str = ""
    unit: str = "s"

    @property
    def kept(self) -> bool:
        """Is it within the limit, if there is one?"""
        return self.limit is None or self.ours <= self.limit


@dataclass(frozen=True)
class Measure:
    """Tasks that take turns, and what their medians come to."""

    tasks: dict[str, Task]
    verdict: Callable[[dict[str, list[Measured]]], Result]

    def take(self, runs: int) -> Result:
        """Measure. Raises FailedError."""
        return self.verdict(take_turns(self.tasks, runs))


def seconds(found: list[Measured]) -> float:
    """The median."""
    return median(each.seconds for each in found)


@contextmanager
def measures(subject: Subject) -> Iterator[list[Measure]]:
    """All measures, with the files they need in a folder that lasts as long as the context."""
    with tempfile.TemporaryDirectory() as folder:
        yield [
            _parse(subject),
            _start(subject),
            _from_file(subject, Path(folder)),
            _import(subject, Path(folder)),
            _walk(),
            _memory(),
        ]


def _parse(subject: Subject) -> Measure:
    bare = (
        f"Index.create().parse('main.c', args={_arguments(subject)!r}, unsaved_files={_including(subject)!r})"
    )
    tasks = {"bare": Task(bare, _CINDEX), "ours": Task(_bind(subject), _READY)}

    def verdict(found: dict[str, list[Measured]]) -> Result:
        reference = seconds(found["bare"])
        title = f"parse and bind {subject.header}, imports done"
        return Result(
            title, seconds(found["ours"]), 1.5 * reference + 0.3, reference, "1.5 x a bare parse + 0.3 s"
        )

    return Measure(tasks, verdict)


def _start(subject: Subject) -> Measure:
    def verdict(found: dict[str, list[Measured]]) -> Result:
        return Result(f"import, parse and bind {subject.header}", seconds(found["ours"]))

    return Measure({"ours": Task(_OURS + _bind(subject))}, verdict)


def _from_file(subject: Subject, folder: Path) -> Measure:
    path = str(folder / "binding.json")
    measure(Task(f"{_OURS}discovery.write_binding({_binding(subject)}, {path!r})"))
    load = Task(
        f"lib = discovery.load({path!r}, library={subject.library!r})",
        _READY,
    )

    def verdict(found: dict[str, list[Measured]]) -> Result:
        return Result(
            f"bind {subject.header} from its binding file, imports done", seconds(found["load"]), 0.05
        )

    return Measure({"load": load}, verdict)


def _import(subject: Subject, folder: Path) -> Measure:
    path = str(folder / "generated.py")
    measure(
        Task(f"{_OURS}discovery.write_module({_binding(subject)}, {path!r}, library={subject.library!r})")
    )
    setup = f"import epsilon.foreign.api\nsys.dont_write_bytecode = True\nsys.path.insert(0, {str(folder)!r})"
    tasks = {
        "compile": Task(
            f"compile(text, {path!r}, 'exec')", f"text = open({path!r}, encoding='utf-8').read()"
        ),
        "import": Task("import generated", setup),
    }

    def verdict(found: dict[str, list[Measured]]) -> Result:
        reference = seconds(found["compile"])
        return Result(
            f"import what is generated of {subject.header}, without bytecode", seconds(found["import"]),
            3 * reference, reference, "3 x compiling the source",
        )  # fmt: skip

    return Measure(tasks, verdict)


def _walk() -> Measure:
    arguments = _arguments(PYTHON)
    texts = {name: text.encode() for name, text in _including(PYTHON)}
    flags = "TranslationUnit.PARSE_DETAILED_PROCESSING_RECORD | TranslationUnit.PARSE_SKIP_FUNCTION_BODIES"
    tasks = {
        "ours": Task(
            "for c in unit.children(): c.kind, unit.spelling(c), unit.place(where(c))",
            f"{_UNIT}unit = Unit(clang, 'main.c', {texts!r}, {arguments!r}, 0x41)\n"
            "where = clang.clang_getCursorLocation",
        ),
        "ctypes": Task(
            "for c in unit.cursor.get_children():\n    l = c.location\n"
            "    c._kind_id, c.spelling, l.file, l.line, l.column, l.offset",
            f"{_CINDEX}unit = Index.create().parse('main.c', {arguments!r}, {_including(PYTHON)!r}, {flags})",
        ),
    }

    def verdict(found: dict[str, list[Measured]]) -> Result:
        reference = seconds(found["ctypes"])
        title = f"kind, name and place of every declaration and macro in {PYTHON.header}"
        return Result(title, seconds(found["ours"]), reference, reference, "clang.cindex, which uses ctypes")

    return Measure(tasks, verdict)


def _memory() -> Measure:
    def verdict(found: dict[str, list[Measured]]) -> Result:
        peak = median(each.peak for each in found["bind"]) / 2**20
        return Result(f"greatest memory of a process that binds {PYTHON.header}", peak, 300, unit="MiB")

    return Measure({"bind": Task(_bind(PYTHON), _OURS)}, verdict)


def _bind(subject: Subject) -> str:
    return f"discovery.bind({subject.header!r}, library={subject.library!r}, {_options(subject)})"


def _binding(subject: Subject) -> str:
    return f"discovery.parse({subject.header!r}, {_options(subject)})"


def _options(subject: Subject) -> str:
    return f"include_dirs={subject.include_dirs!r}, cache=False"


def _arguments(subject: Subject) -> list[str]:
    return [f"-I{folder}" for folder in subject.include_dirs]


def _including(subject: Subject) -> list[tuple[str, str]]:
    """A file that includes the header, as `clang.cindex` takes files that are not on the disk."""
    return [("main.c", f"#include <{subject.header}>\n")]
