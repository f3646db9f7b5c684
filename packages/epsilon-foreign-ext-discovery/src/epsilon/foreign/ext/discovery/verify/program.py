"""The C program that answers questions, one line of output for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from .question import Question

_HEAD = """\
#include <stdio.h>
#include <string.h>
#include <stdint.h>
"""

# Every question is one line below, so that a complaint of the compiler's names it.
_MACROS = """
#define NUMBER(n, value) printf("%d %llu\\n", n, (unsigned long long)(value));
#define REAL(n, value) printf("%d %a\\n", n, value);
#define TEXT(n, text) { \\
    const unsigned char *c = (const unsigned char *)(text); \\
    size_t s = sizeof(text) == sizeof(char *) ? strlen((const char *)c) : sizeof(text) - 1; \\
    printf("%d ", n); while (s--) printf("%02x", *c++); printf("\\n"); }
#ifdef __cplusplus
#define ONES(place) (decltype(place))-1
#else
#define ONES(place) -1
#endif
#define BITS(n, type, path) { \\
    static union { type x; unsigned char b[sizeof(type) ? sizeof(type) : 1]; } u; \\
    memset(&u, 0, sizeof u); u.x.path = ONES(u.x.path); \\
    size_t i, first = 0, count = 0; \\
    for (i = 0; i < 8 * sizeof(type); i++) if (u.b[i / 8] >> i % 8 & 1) { if (!count++) first = i; } \\
    printf("%d %zu+%zu\\n", n, first, count); }
"""

_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*")
_WORDS = frozenset({"struct", "union", "sizeof", "__alignof__", "__typeof__", "__builtin_offsetof"})

#: Questions in one function: compilers take more than their share of time for long ones.
_CHUNK = 500


def program(headers: Sequence[str], asked: Mapping[int, Question]) -> tuple[str, dict[int, int]]:
    """The source, and which question each of its lines asks."""
    lines = [
        *(f"#include {_quoted(header)}" for header in headers),
        *_HEAD.splitlines(),
        *_MACROS.splitlines(),
    ]
    where: dict[int, int] = {}
    # Macros first: the names of members that are macros, too, are undefined for what comes after.
    numbers = sorted(asked, key=lambda number: asked[number].about != "macro")
    chunks = [numbers[start : start + _CHUNK] for start in range(0, len(numbers), _CHUNK)]
    for index, chunk in enumerate(chunks):
        lines.append(f"static void ask_{index}(void) {{")
        for number in chunk:
            question = asked[number]
            lines += [f"#undef {name}" for name in _names(question)]
            lines.append(f"{question.kind}({number}, {question.expression})")
            where[len(lines)] = number
        lines.append("}")
    lines.append("int main(void) {")
    lines += [f"ask_{index}();" for index in range(len(chunks))]
    lines += ["return 0;", "}", ""]
    return "\n".join(lines), where


def _names(question: Question) -> list[str]:
    """The names in a question about a type, which are those after preprocessing: no macro may replace them again."""
    if question.about not in ("record", "field"):
        return []
    return [name for name in _IDENTIFIER.findall(question.expression) if name not in _WORDS]


def _quoted(header: str) -> str:
    """The name of a header as ``#include`` takes it. Raises ValueError for one that it cannot take."""
    if any(sign in header for sign in '<>"\n\r\\'):
        raise ValueError(f"{header!r} cannot be included")
    return f'"{header}"' if header.startswith(("/", ".")) else f"<{header}>"


def answers(output: str) -> dict[int, str]:
    """What the program printed, by question."""
    pairs: Iterable[list[str]] = (line.split(" ", 1) for line in output.splitlines())
    return {int(pair[0]): pair[1] for pair in pairs if len(pair) == 2 and pair[0].isdigit()}
