"""Ask a C compiler everything about a binding, and compare."""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..ir import Binding, Target
from ..search import package
from .compiler import CompilerError, Refused, compile_and_run, find_compiler
from .program import answers, program
from .question import Question, questions, record_of

#: Times that the program is made again without the questions that did not compile.
ATTEMPTS = 20
#: Options of a binding that are passed on. A file may hold any, and compilers have some that run programs.
_PASSED_ON = re.compile(
    r"-[DUI].+|-std=.+|-m[\w.=+-]+|-pthread|-ansi|-f(un)?signed-(char|bitfields)|-fshort-(enums|wchar)"
    r"|-fpack-struct(=\d+)?|-f(no-)?(strict-aliasing|ms-extensions|gnu89-inline|freestanding)"
)
#: Those that take the argument behind them along.
_WITH_OPERAND = ("-D", "-U", "-I", "-isystem", "-idirafter", "-iquote", "-include")


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something that the compiler sees differently: `ours` and `theirs` are the values, in C's notation."""

    what: str
    ours: str
    theirs: str

    def __str__(self) -> str:
        return f"{self.what}: the binding says {self.ours}, the compiler {self.theirs}"


@dataclass(frozen=True, slots=True)
class Unchecked:
    """Something that could not be asked, and why."""

    what: str
    reason: str


@dataclass(frozen=True)
class Verification:
    """What a compiler says of a binding.

    `records` are the structs and unions with members, `records_verified` those of which everything was asked and is
    right; `fields`, `enumerators` and `macros` count the values that were compared.
    """

    compiler: str
    records: int
    records_verified: int
    fields: int
    enumerators: int
    macros: int
    mismatches: tuple[Mismatch, ...]
    unchecked: tuple[Unchecked, ...]

    @property
    def ok(self) -> bool:
        """Does the compiler contradict nothing?"""
        return not self.mismatches

    @property
    def percent(self) -> float:
        """Of the records, how many are verified."""
        return 100.0 * self.records_verified / self.records if self.records else 100.0


#: What headers are parsed as when nothing else is said.
_STANDARD = {"c": "gnu17", "c++": "gnu++17"}


def verify_layouts(
    binding: Binding,
    *,
    compiler: Sequence[str] | None = None,
    headers: Sequence[str] | None = None,
    include_dirs: Sequence[str] = (),
    args: Sequence[str] = (),
) -> Verification:
    """Compare every record's size, alignment, offsets and bit-fields, and every constant, with the compiler's.

    `compiler` is its command, by default what CC names, or ``cc``. `headers` are what to include, by default those
    of the binding; `include_dirs` come before the binding's own, `args` after all else. Raises CompilerError.
    """
    if binding.target != Target.host():
        raise CompilerError(f"the binding is for {binding.target}: its layouts can be verified there only")
    language = binding.options.language
    command = [*(compiler or find_compiler(language)), *_options(binding, include_dirs), *args]
    asked = list(questions(binding))
    unchecked: dict[int, str] = {}
    numbered = dict(enumerate(asked))
    with tempfile.TemporaryDirectory(prefix="epsilon-foreign-verify-") as folder:
        source = Path(folder) / ("verify.cc" if language == "c++" else "verify.c")
        output = _settle(command, source, headers or binding.headers, numbered, unchecked)
    return _compared(binding, command[0], asked, answers(output), unchecked)


def _options(binding: Binding, include_dirs: Sequence[str]) -> list[str]:
    """The parse's own options, in the compiler's words. Raises PackageNotFoundError."""
    options = binding.options
    packages = [package(name) for name in options.pkg_config]
    made = ["-w", "-O0", f"-std={options.standard or _STANDARD[options.language]}"]
    made += [f"-I{folder}" for folder in (*include_dirs, *options.include_dirs)]
    made += [f"-I{folder}" for each in packages for folder in each.include_dirs]
    made += [f"-D{define}" for each in packages for define in each.defines]
    made += [f"-D{define}" for define in options.defines]
    waiting = iter(options.args)
    for option in waiting:
        if option in _WITH_OPERAND:
            made += [option, next(waiting, "")]
        elif _PASSED_ON.fullmatch(option):
            made.append(option)
    return made


def _settle(
    command: Sequence[str],
    source: Path,
    headers: Sequence[str],
    asked: dict[int, Question],
    unchecked: dict[int, str],
) -> str:
    """Compile until the compiler takes every question that is left; the others are noted with what it says."""
    for _ in range(ATTEMPTS):
        text, where = program(headers, asked)
        source.write_text(text, encoding="utf-8")
        try:
            return compile_and_run(command, source)
        except Refused as refused:
            refusals = {where[line]: message for line, message in refused.lines.items() if line in where}
            if not refusals:
                raise CompilerError(
                    f"{command[0]} does not take the header:\n{str(refused)[:2000]}"
                ) from None
            for number, message in refusals.items():
                unchecked[number] = message
                del asked[number]
    raise CompilerError(f"{command[0]} still complains after {ATTEMPTS} attempts")


def _compared(
    binding: Binding,
    compiler: str,
    asked: Sequence[Question],
    found: dict[int, str],
    unchecked: dict[int, str],
) -> Verification:
    mismatches, wrong = [], {subject_of(asked[number]) for number in unchecked}
    counts = dict.fromkeys(("record", "field", "enumerator", "macro"), 0)
    for number, question in enumerate(asked):
        answer = found.get(number)
        if answer is None:
            unchecked.setdefault(number, "the program did not answer")
            wrong.add(subject_of(question))
            continue
        counts[question.about] += 1
        if not _same(question, answer):
            mismatches.append(Mismatch(question.what, question.expected, answer))
            wrong.add(subject_of(question))
    complete = [r for r in binding.records.values() if r.complete]
    reached = {question.subject for question in asked if question.about == "record"}
    hidden = _inside(binding, complete, reached)
    verified = [r for r in complete if r.name in reached | hidden and ("record", r.name) not in wrong]
    missed = [Unchecked(r.name, "C has no name for it") for r in complete if r.name not in reached | hidden]
    return Verification(
        compiler,
        len(complete),
        len(verified),
        counts["field"],
        counts["enumerator"],
        counts["macro"],
        tuple(mismatches),
        (*missed, *(Unchecked(asked[number].what, reason) for number, reason in sorted(unchecked.items()))),
    )


def _inside(binding: Binding, complete: Sequence[object], reached: set[str]) -> set[str]:
    """Records that are anonymous members of others, whose members were asked as those of the one around them."""
    hidden: set[str] = set()
    grew = True
    while grew:
        grew = False
        for record in binding.records.values():
            if record.name not in reached | hidden:
                continue
            for field in record.fields:
                inner = None if field.name or field.bits is not None else record_of(field.type, binding)
                if inner is not None and inner.name not in reached | hidden:
                    hidden.add(inner.name)
                    grew = True
    return hidden


def subject_of(question: Question) -> tuple[str, str]:
    """What a question's answer decides about."""
    return ("record" if question.about == "field" else question.about, question.subject)


def _same(question: Question, answer: str) -> bool:
    if question.kind == "REAL":
        if question.expected == "nan":
            return "nan" in answer
        return math.isclose(_real(question.expected), _real(answer), rel_tol=0.0, abs_tol=0.0)
    return question.expected == answer.strip()


def _real(text: str) -> float:
    return float(text) if "inf" in text or "nan" in text else float.fromhex(text)
