"""A name bound live and the same name in a generated module are the same thing."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import epsilon.foreign.api as ffi
from epsilon.foreign.ext import discovery

HEADER = """
#include <stdint.h>
#include <stddef.h>
#include <stdbool.h>
typedef struct node node;
struct node { const char *name; node *next; struct { int depth; union { float f; uint32_t u; }; }; node *all[2]; };
typedef struct { unsigned kind : 3; unsigned : 2; bool urgent : 1; signed level : 4; } flags_t;
struct __attribute__((packed)) packed { char c; int i; flags_t flags; };
struct aligned { char c; _Alignas(32) double d; int __private, class; };
struct empty {};
struct around { struct empty nothing_here; int x; };
struct flexible { size_t count; unsigned char data[]; };
union number { int64_t i; double d; char text[16]; };
enum colour { RED = 1, GREEN = -2, from = 4 };
enum small { SMALL } __attribute__((packed));
enum { LOOSE = 77 };
typedef int (*visit_fn)(node *, void *user, enum colour);
typedef visit_fn visit_alias;
typedef unsigned long long big;
int walk(node *first, visit_fn visit, void *user, const struct packed *p, struct aligned);
flags_t flagged(flags_t f, const uint8_t *data, size_t size, char *out, char **outs, int numbers[4]);
visit_alias chosen(enum small s, wchar_t w, long double d, float _Complex z, big b);
void variadic(const char *args, ...) __attribute__((deprecated("use walk")));
void *opaque(struct hidden *h, const void *in, __int128 *wide);
__int128 too_wide(void);
static inline int inlined(int x) { return x; }
extern const int table[3];
extern node *list, lists[2];
#define LIMIT (1ull << 40)
#define TEXT "grüß"
#define RATIO 0.1
#define FAILED ((node *)-1)
#define NONE ((void *)0)
#define walk_again walk
#define MAX(a, b) ((a) > (b) ? (a) : (b))
"""
SOURCE = """
int walk(){return 0;} int flagged(){return 0;} void *chosen(){return 0;} void variadic(){} void *opaque(){return 0;}
const int table[3] = {1, 2, 3}; void *list, *lists[14];
"""


def described(value: Any) -> object:
    """What a bound thing is, without what differs between two of the same."""
    shown = re.sub(r"0x[0-9a-f]+", "", repr(value))
    if isinstance(value, type) and issubclass(value, ffi.Struct):
        row = value.__foreign_type__
        # An empty struct of C's has to have something in Python.
        fields = {
            name: re.sub(r"0x[0-9a-f]+", "", repr(field))
            for name, field in row.fields.items()
            if name != "nothing"
        }
        return (value.__name__, row.complete and row.size, row.complete and row.alignment, fields)
    if isinstance(value, type):
        return (value.__name__, {each.name: int(each) for each in value}, ffi.sizeof(value))  # type: ignore[attr-defined]
    if isinstance(value, ffi.Variable):
        return (value.name, value.type.name, value.readonly)
    if callable(value) and not isinstance(value, ffi.ForeignType):
        return (value.__name__, str(inspect.signature(value)), value.__doc__)
    return (type(value).__name__, shown)


def outcome(holder: object, name: str) -> object:
    try:
        return described(getattr(holder, name))
    except (AttributeError, NotImplementedError) as error:
        return type(error)


def test_live_bindings_and_generated_modules_agree(
    parse: Callable[..., Any], compiled: Callable[[str], Path], load: Callable[[str], ModuleType]
) -> None:
    binding = parse(HEADER)
    library = compiled(SOURCE)
    live = discovery.bind(binding, library)
    module = load(discovery.generate(binding, library=library))
    names = [*dir(live), "inlined", "too_wide", "MAX", "walk_again"]
    assert {"walk", "node", "flags_t", "colour", "LOOSE", "list", "FAILED", "big"} <= set(names)
    differences = {
        name: (outcome(live, name), outcome(module, name))
        for name in names
        if outcome(live, name) != outcome(module, name)
    }
    assert differences == {}
