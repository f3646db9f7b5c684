"""Live bindings: what a header declares, as attributes, on every backend."""

from __future__ import annotations

import copy
import gc
import pickle
import platform
import sys
import sysconfig
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.api import c
from epsilon.foreign.ext import discovery
from epsilon.foreign.ext.discovery.live.bindings import binding_of, library_of

SOURCE = """
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
struct point { int x, y; };
struct node { int value; struct node *next; };
struct packed_one { char c; int i; } __attribute__((packed));
union number { int i; float f; };
struct flags { unsigned a : 3, b : 5; };
enum colour { RED = 1, GREEN = 2, BLUE = 4 };
typedef int (*binary)(int, int);
struct handler { binary call; const char *name; void *user; };
struct point flip(struct point p) { struct point q = { p.y, p.x }; return q; }
int sumv(int n, ...) { va_list ap; va_start(ap, n); int s = 0; while (n--) s += va_arg(ap, int); va_end(ap); return s; }
enum colour next_colour(enum colour c) { return c == BLUE ? RED : c << 1; }
int apply(binary f, int a, int b) { return f(a, b); }
static int add(int a, int b) { return a + b; }
binary get_adder(void) { return add; }
int run(const struct handler *h, int a, int b) { return h->call ? h->call(a, b) : -1; }
int length(const struct node *n) { int k = 0; for (; n; n = n->next) k++; return k; }
int packed_sum(const struct packed_one *p) { return p->c + p->i; }
float as_float(union number n) { return n.f; }
size_t count(const void *data, size_t n, unsigned char b)
{ size_t k = 0; for (size_t i = 0; i < n; i++) k += ((const unsigned char *)data)[i] == b; return k; }
char *shout(const char *s) { char *r = malloc(strlen(s) + 2); strcpy(r, s); strcat(r, "!"); return r; }
void fill(char *out, size_t n) { memset(out, 'x', n - 1); out[n - 1] = 0; }
int is_default(void (*destructor)(void *)) { return destructor == 0 ? 0 : destructor == (void (*)(void *))-1 ? 1 : 2; }
int other_symbol(void) { return 77; }
int fail(void) { return -1; }
int counter = 41;
const int fixed = 7;
const char version[] = "1.2.3";
const char *const banner = "hello";
int table[] = { 10, 20, 30 };
"""
HEADER = """
#include <stddef.h>
/** A place. */
struct point { int x, y; };
struct node { int value; struct node *next; };
struct packed_one { char c; int i; } __attribute__((packed));
union number { int i; float f; };
struct flags { unsigned a : 3, b : 5; };
enum colour { RED = 1, GREEN = 2, BLUE = 4 };
enum { ANSWER = 42 };
typedef int (*binary)(int, int);
typedef struct point point_t;
struct handler { binary call; const char *name; void *user; };
/** Turns it round. */
struct point flip(struct point p);
int sumv(int n, ...);
enum colour next_colour(enum colour c);
int apply(binary f, int a, int b);
binary get_adder(void);
int run(const struct handler *h, int a, int b);
int length(const struct node *n);
int packed_sum(const struct packed_one *p);
float as_float(union number n);
size_t count(const void *data, size_t n, unsigned char b);
char *shout(const char *s);
void fill(char *out, size_t n);
typedef void (*destructor_t)(void *);
int is_default(destructor_t d);
int relabelled(void) __asm__("other_symbol");
int fail(void);
int nowhere(int x);
static inline int inlined(int x) { return x; }
__int128 wide(void);
extern int counter;
extern const int fixed;
extern const char version[];
extern const char *const banner;
extern int table[];
extern int nowhere_variable;
struct with_wide { __int128 w; int after; };
struct hidden;
struct hidden *find(void);
#define LIMIT (1 << 10)
#define NAME "target"
#define RATIO 2.5
#define TRANSIENT ((destructor_t)-1)
#define STATIC ((destructor_t)0)
#define turn flip
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define WORDS static inline
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The header and its library."""
    import shutil
    import subprocess

    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (cc)")
    folder = tmp_path_factory.mktemp("live")
    (folder / "made.h").write_text(HEADER)
    (folder / "made.c").write_text(SOURCE)
    library = folder / "libmade.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(folder / "made.c")], check=True)
    return folder / "made.h", library


@pytest.fixture(scope="module")
def lib(made: tuple[Path, Path]) -> Any:
    """The live bindings."""
    return discovery.bind(made[0], library=made[1])


def test_structs_are_classes_with_cs_layout(lib: Any) -> None:
    assert lib.flip(lib.point(1, 2)) == lib.point(2, 1)
    assert lib.point is lib.point and lib.point_t is lib.point
    assert (lib.point.__name__, lib.point.__doc__) == ("point", "A place.")
    assert ffi.sizeof(lib.packed_one) == 5 and lib.packed_sum(lib.packed_one(1, 2)) == 3
    assert lib.as_float(lib.number(f=1.5)) == 1.5
    flags = lib.flags(a=7, b=31)
    assert (flags.a, flags.b, ffi.sizeof(flags)) == (7, 31, 4)


def test_structs_may_point_to_themselves(lib: Any) -> None:
    chain = lib.node(1, lib.node(2, lib.node(3)))
    gc.collect()
    assert lib.length(chain) == 3 and lib.length(None) == 0
    assert chain.next[0].next[0].value == 3


def test_enums_are_classes_and_unnamed_constants_numbers(lib: Any) -> None:
    assert lib.next_colour(lib.colour.RED) is lib.colour.GREEN and lib.BLUE is lib.colour.BLUE
    assert lib.ANSWER == 42 and type(lib.ANSWER) is int
    assert lib.next_colour(9) == 18


def test_functions_take_callbacks_and_give_function_pointers(lib: Any) -> None:
    assert lib.apply(lambda a, b: a - b, 5, 3) == 2
    assert lib.get_adder()(2, 3) == 5 and lib.apply(lib.get_adder(), 2, 3) == 5
    with ffi.callback(lambda a, b: a * b, lib.binary) as multiply:
        assert lib.run(lib.handler(multiply, "times"), 4, 5) == 20
    assert lib.run(lib.handler(), 1, 2) == -1


def test_functions_have_names_docs_and_signatures(lib: Any) -> None:
    import inspect

    assert lib.flip.__name__ == "flip" and lib.flip.__doc__ == "Turns it round."
    assert list(inspect.signature(lib.count).parameters) == ["data", "n", "b"]
    assert lib.count(b"banana", 6, ord("a")) == 3 == lib.count(data=b"banana", n=6, b=97)
    assert lib.sumv(3, 1, 2, 3) == 6
    assert lib.relabelled() == 77 and lib.turn is not None and lib.turn(lib.point(1, 2)).x == 2


def test_text_goes_in_as_str_and_what_must_be_freed_stays_a_pointer(lib: Any) -> None:
    found = lib.shout("grüß")
    assert ffi.string_at(found) == "grüß!"
    ffi.shared_call("free", None, [c.pointer], found)
    out = bytearray(4)
    lib.fill(out, 4)
    assert out == b"xxx\0"


def test_macros_are_values(lib: Any) -> None:
    assert (lib.LIMIT, lib.NAME, lib.RATIO) == (1024, "target", 2.5)
    assert [lib.is_default(d) for d in (lib.STATIC, lib.TRANSIENT, lambda p: None)] == [0, 1, 2]


def test_variables_are_read_and_written_where_c_lets_them(lib: Any) -> None:
    lib.counter.value = 7
    assert lib.counter.value == 7
    assert lib.fixed.value == 7 and lib.banner.value == "hello"
    assert bytes(lib.version.value) == b"1.2.3\0" and list(lib.table.value) == [10, 20, 30]
    for const, value in ((lib.fixed, 1), (lib.banner, "x"), (lib.version, b"x")):
        with pytest.raises(ffi.ConstError):
            const.value = value
    assert lib.fixed.value == 7


def test_opaque_structs_can_be_pointed_to(lib: Any) -> None:
    assert issubclass(lib.hidden, ffi.Struct)
    with pytest.raises(ffi.DeclarationError, match="incomplete"):
        lib.hidden()
    with pytest.raises(AttributeError, match="find"):
        lib.find()
    assert ffi.sizeof(lib.with_wide) == 32 and ffi.offsetof(lib.with_wide, "after") == 16


def test_what_the_library_lacks_is_missed_when_it_is_asked_for(lib: Any) -> None:
    for name in ("nowhere", "nowhere_variable"):
        with pytest.raises(
            ffi.SymbolNotFoundError, match=f"{name}: made.h declares it, but library"
        ) as raised:
            getattr(lib, name)
        assert isinstance(raised.value, AttributeError) and not hasattr(lib, name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("inlined", "static inline"),
        ("wide", "128-bit"),
        ("MAX", r"MAX\(a, b\): function-like macros .*\(\(a\) > \(b\)"),
        ("WORDS", "no constant value; it is: static inline"),
    ],
)
def test_what_cannot_be_used_says_why(lib: Any, name: str, reason: str) -> None:
    with pytest.raises(discovery.UnsupportedDeclarationError, match=reason):
        getattr(lib, name)


def test_an_unknown_name_is_an_attribute_error(lib: Any) -> None:
    with pytest.raises(AttributeError, match=r"made\.h declares no 'flop'"):
        lib.flop()
    assert "flip" in lib and "flop" not in lib and "size_t" in lib
    assert {"flip", "point", "RED", "LIMIT", "nowhere"} <= set(dir(lib)) and "size_t" not in dir(lib)
    assert "made.h" in repr(lib) and library_of(lib).path and binding_of(lib).headers == ("made.h",)


def test_nothing_is_made_until_it_is_asked_for(made: tuple[Path, Path]) -> None:
    lib = discovery.bind(made[0], library=made[1])
    assert set(vars(lib)) == {"_Bindings__maker"}
    lib.flip(lib.point(1, 2))
    assert set(vars(lib)) == {"_Bindings__maker", "flip", "point"}


def test_two_bindings_share_what_they_describe_alike(made: tuple[Path, Path], tmp_path: Path) -> None:
    lib = discovery.bind(made[0], library=made[1])
    discovery.write_binding(binding_of(lib), tmp_path / "b.json")
    loaded = discovery.load(tmp_path / "b.json", library=made[1])
    assert loaded.point is lib.point and loaded.colour is lib.colour
    assert loaded.flip(lib.point(3, 4)).y == 3
    other = discovery.cdef("struct point { long x, y; };")
    assert other.point is not lib.point


@pytest.mark.skipif(
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")) and sys.version_info < (3, 14),
    reason="the free-threaded 3.13 keeps every class for ever once a thread was started",
)
def test_shared_classes_do_not_live_longer_than_their_users() -> None:
    import weakref

    lib = discovery.cdef("struct only_here { int x; struct only_here *self; }; enum only_there { A_THERE };")
    seen = weakref.ref(lib.only_here), weakref.ref(lib.only_there)
    assert lib.only_here(x=3).x == 3
    del lib
    for _ in range(3):
        gc.collect()
    assert [ref() for ref in seen] == [None, None]


def test_checks_and_gil_are_for_all_functions(made: tuple[Path, Path]) -> None:
    lib = discovery.bind(made[0], library=made[1], checks={"fa*": ffi.check_nonnegative}, release_gil=False)
    with pytest.raises(OSError, match="fail"):
        lib.fail()
    assert lib.is_default(None) == 0


def test_c_text_is_bound_as_a_header_is() -> None:
    m = discovery.cdef("double hypot(double x, double y);", library="m")
    assert m.hypot(3, 4) == 5.0
    libc = discovery.cdef(
        "#include <stdlib.h>\nsize_t strlen(const char *); div_t div(int, int);", headers="*"
    )
    assert libc.strlen("four") == 4 and libc.div(17, 5).rem == 2
    with pytest.raises(discovery.HeaderError, match="cdef:1:7"):
        discovery.cdef("int f(nothing x);")


def test_one_call_needs_a_name_and_a_header() -> None:
    assert discovery.call("strlen", "string.h", "Hello") == 5
    assert discovery.call("cos", "math.h", 0.0, library="m") == 1.0
    with pytest.raises(AttributeError, match="no_such_function"):
        discovery.call("no_such_function", "string.h")


def test_a_library_may_be_given_open_or_be_missing(made: tuple[Path, Path]) -> None:
    with ffi.Library(made[1]) as library:
        lib = discovery.bind(made[0], library=library)
        flip, point = lib.flip, lib.point
    with pytest.raises(ffi.ClosedLibraryError):
        flip(point(1, 2))
    with pytest.raises(ffi.ClosedLibraryError):
        _ = lib.apply
    with pytest.raises(ffi.LibraryError, match="no-such-library"):
        discovery.bind(made[0], library="no-such-library")


def test_bindings_can_be_made_of_a_binding_once_parsed(made: tuple[Path, Path]) -> None:
    binding = discovery.parse(made[0])
    assert discovery.bind(binding, made[1]).LIMIT == 1024
    with pytest.raises(TypeError, match="parsed already"):
        discovery.bind(binding, defines="X")


def test_bindings_are_not_pickled(lib: Any) -> None:
    with pytest.raises(TypeError, match=r"cannot pickle the bindings of made\.h"):
        pickle.dumps(lib)
    with pytest.raises(TypeError):
        copy.copy(lib)


def test_many_threads_may_ask_for_the_same_name(made: tuple[Path, Path]) -> None:
    lib = discovery.bind(made[0], library=made[1])
    ready, results = threading.Barrier(8), []

    def ask() -> None:
        ready.wait()
        results.append((lib.flip(lib.point(1, 2)).x, lib.colour.RED, lib.point))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8 and len(set(map(str, results))) == 1


def test_hostile_names_and_texts_are_data(compiled: Callable[[str], Path], tmp_path: Path) -> None:
    header = tmp_path / "hostile.h"
    header.write_text(
        '/** """ \'\'\' \\ {x} %s ${x} \\N{BULLET} __import__("os").system("false") */\n'
        "int eval(int exec, int None, int self);\nint print(int __class__);\n"
        "struct object { int __dict__, __slots__, mro, _address, __foreign_type__; };\n"
        "enum type { name, value, mro, __members__ };\n"
        '#define TRICK "\\"\\"\\"; import os; \\x41 \\n"\n#define CODE __import__("os")\n'
    )
    source = "int eval(int a, int b, int c) { return a + b + c; } int print(int a) { return a; }"
    lib = discovery.bind(header, library=compiled(source))
    assert lib.eval(1, 2, 3) == 6 and '"""' in lib.eval.__doc__
    assert lib.TRICK == '"""; import os; A \n'
    with pytest.raises(discovery.UnsupportedDeclarationError, match="__import__"):
        _ = lib.CODE
    made = lib.object()
    assert ffi.sizeof(made) == 20 and lib.object.__name__ == "object"
    assert [int(member) for member in lib.type] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"size": 8', '"size": 16', "size is 8 as it is declared, and 16"),
        ('"align": 4', '"align": 8', "alignment is 4"),
        ('"type": "int", "offset": 4', '"type": "char", "offset": 6', "offset of y"),
    ],
)
def test_a_file_whose_layout_contradicts_itself_is_refused(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    path = tmp_path / "b.json"
    discovery.write_binding(discovery.parse_text("struct layout_probe { int x; int y; };"), path)
    assert ffi.sizeof(discovery.load(path).layout_probe) == 8
    path.write_text(path.read_text().replace(before, after).replace("layout_probe", f"probe_{len(message)}"))
    with pytest.raises(discovery.BindingFileError, match=message):
        getattr(discovery.load(path), f"probe_{len(message)}")


@pytest.mark.skipif(
    platform.machine() != "x86_64", reason="ms_abi and sysv_abi are attributes of x86-64's compilers"
)
def test_functions_of_another_convention_are_called_by_it_or_say_that_they_cannot(
    compiled: Callable[[str], Path],
) -> None:
    text = "int __attribute__((ms_abi)) foreign(int a, double b); int __attribute__((sysv_abi)) own(int a);"
    source = (
        "int __attribute__((ms_abi)) foreign(int a, double b) { return a + (int)b; }\n"
        "int __attribute__((sysv_abi)) own(int a) { return a; }\n"
    )
    lib = discovery.cdef(text, library=compiled(source))
    assert lib.own(3) == 3
    try:
        foreign = lib.foreign
    except discovery.UnsupportedDeclarationError as error:
        assert "ms" in str(error)
    else:
        assert foreign(3, 4.5) == 7


def test_function_types_that_double_with_each_typedef_end_as_addresses() -> None:
    chain = "".join(f"typedef f{n} (*f{n + 1})(f{n});" for n in range(40))
    lib = discovery.cdef(f"typedef void (*f0)(void); {chain} f40 last(void);")
    assert lib.f40 is not None and len(str(lib.f40)) < 100_000
