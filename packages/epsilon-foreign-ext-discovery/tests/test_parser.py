"""What is found in headers: every kind of declaration that C has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from epsilon.foreign.ext import discovery
from epsilon.foreign.ext.discovery import ir
from epsilon.foreign.ext.discovery.ir import notation

Declared = Callable[..., dict[str, Any]]
Parse = Callable[..., ir.Binding]


def shown(function: ir.Function) -> str:
    return f"{', '.join(f'{p.name}: {notation(p.type)}' for p in function.parameters)} -> " + notation(
        function.result
    )


def fields(record: ir.Record) -> list[tuple[str, str, int]]:
    return [(f.name, notation(f.type), f.offset) for f in record.fields]


def test_functions_have_parameters_as_c_passes_them(declared: Declared) -> None:
    found = declared(
        """
        #include <stdarg.h>
        #include <stddef.h>
        typedef int callback(int);
        struct s;
        int plain(int a, const char *text, unsigned long);
        void arrays(int v[3], double m[][4], char *const argv[], callback f, int (*g)(void));
        size_t variadic(const char *restrict format, ...);
        void list(va_list ap);
        const volatile struct s *qualified(struct s *const p);
        int old();
        callback by_typedef;
        """
    )
    assert {n: shown(f) for n, f in found.items() if isinstance(f, ir.Function)} == {
        "plain": "a: int, text: *const char, : unsigned long -> int",
        "arrays": "v: *int, m: *[4]double, argv: *const *char, f: callback, g: *fn() int -> void",
        "variadic": "format: *const char -> size_t",
        "list": "ap: va_list -> void",
        "qualified": "p: *struct s -> *const volatile struct s",
        "old": " -> int",
        "by_typedef": ": int -> int",
    }
    assert found["variadic"].variadic and not found["plain"].variadic
    assert not found["old"].prototyped and found["plain"].prototyped
    assert found["size_t"].dependency and not found["plain"].dependency


def test_what_no_library_has_is_listed_as_uncallable(declared: Declared) -> None:
    found = declared(
        """
        static inline int inlined(int x) { return x; }
        static int local(int x);
        extern __thread int per_thread;
        static int mutable = 3;
        """
    )
    assert "static inline" in found["inlined"].uncallable
    assert "static" in found["local"].uncallable
    assert "thread" in found["per_thread"].uncallable
    assert "static" in found["mutable"].uncallable


def test_attributes_and_labels_are_kept(declared: Declared) -> None:
    found = declared(
        """
        int renamed(void) __asm__("other_name");
        void leave(void) __attribute__((noreturn));
        int old(void) __attribute__((deprecated("use new")));
        int __attribute__((ms_abi)) windows(int x);
        """
    )
    assert found["renamed"].symbol == "other_name" and found["leave"].symbol == ""
    assert found["leave"].noreturn and not found["renamed"].noreturn
    assert found["old"].deprecated and not found["leave"].deprecated
    assert found["windows"].convention in ("ms_abi", "c")


def test_structs_have_clangs_layout(declared: Declared) -> None:
    found = declared(
        """
        struct mixed { char tag; double value; short small[3]; };
        union number { int i; float f; unsigned char bytes[4]; };
        struct nested { struct inner { int i; } in; struct mixed m[2]; };
        struct flexible { int n; char data[]; };
        struct node { struct node *next, *const previous; };
        struct opaque;
        typedef struct opaque opaque_t;
        struct empty {};
        """
    )
    assert fields(found["mixed"]) == [("tag", "char", 0), ("value", "double", 8), ("small", "[3]short", 16)]
    assert (found["mixed"].size, found["mixed"].align) == (24, 8)
    assert found["number"].union and found["number"].size == 4
    assert fields(found["nested"]) == [("in", "struct inner", 0), ("m", "[2]struct mixed", 8)]
    assert fields(found["inner"]) == [("i", "int", 0)]
    assert fields(found["flexible"])[1] == ("data", "[]char", 4)
    assert fields(found["node"])[1] == ("previous", "const *struct node", 8)
    assert not found["opaque"].complete and not found["opaque"].fields
    assert found["empty"].complete and found["empty"].size == 0
    order = list(found)
    assert order.index("inner") < order.index("nested")  # what is contained stands first


def test_anonymous_records_get_names_that_tell_where_they_are(parse: Parse) -> None:
    binding = parse(
        """
        typedef struct { int x; } by_typedef;
        typedef union { int x; } *by_pointer;
        struct outer {
            int tag;
            union { int i; float f; };
            struct { int deep; } named;
            struct { int each; } many[3];
            enum { LOW, HIGH } level;
            struct { struct { char c; }; };
        };
        """
    )
    records, enums = binding.records, binding.enums
    assert set(records) == {
        "by_typedef",
        "@x",
        "outer",
        "outer.@0",
        "outer.named",
        "outer.many",
        "outer.@1",
        "outer.@1.@0",
    }
    assert set(enums) == {"outer.level"}
    assert records["by_typedef"].typedef and records["by_typedef"].c_name == "by_typedef"
    assert records["outer.named"].anonymous and records["outer.named"].c_name is None
    assert records["outer"].c_name == "struct outer"
    assert [f.name for f in records["outer"].fields] == ["tag", "", "named", "many", "level", ""]
    assert "by_typedef" not in binding.typedefs
    assert notation(binding.typedefs["by_pointer"].type) == "*union @x"


def test_bit_fields_have_their_first_bit(declared: Declared) -> None:
    record = declared("struct flags { unsigned a : 3; int : 0; unsigned b : 5; _Bool c : 1; int : 2; };")[
        "flags"
    ]
    assert [(f.name, f.offset, f.bit, f.bits) for f in record.fields] == [
        ("a", 0, 0, 3),
        ("", 4, 0, 0),
        ("b", 4, 0, 5),
        ("c", 4, 5, 1),
        ("", 4, 6, 2),
    ]


def test_packing_and_alignment_are_told_as_the_api_takes_them(declared: Declared) -> None:
    found = declared(
        """
        #pragma pack(push, 2)
        struct pragma { char c; int i; };
        #pragma pack(pop)
        struct attribute { char c; int i; } __attribute__((packed));
        struct raised { int i; } __attribute__((aligned(64)));
        struct member { char c; int i __attribute__((aligned(16))); };
        struct plain { char c; int i; };
        """
    )
    assert found["pragma"].pack == 2 and found["pragma"].size == 6
    assert found["attribute"].size == 5 and (found["attribute"].pack == 1 or found["attribute"].packed)
    assert found["raised"].aligned == 64 and found["raised"].size == 64
    assert found["member"].fields[1].aligned == 16 and found["member"].aligned is None
    plain = found["plain"]
    assert (plain.pack, plain.packed, plain.aligned, plain.unsupported) == (None, False, None, "")


def test_enums_have_their_integer_type(declared: Declared) -> None:
    found = declared(
        """
        enum colour { RED = 1, GREEN = 2, BLUE = 4 };
        enum signed_one { MINUS = -1, PLUS };
        enum wide { HUGE_VALUE = 0x123456789abcLL };
        enum small : unsigned char { LITTLE = 200 };
        typedef enum { BY_TYPEDEF } by_typedef;
        enum { ALONE = 7, TWICE = 7 };
        enum forward;
        """
    )
    assert [(e.name, e.value) for e in found["colour"].enumerators] == [("RED", 1), ("GREEN", 2), ("BLUE", 4)]
    assert notation(found["colour"].base) == "unsigned int" and notation(found["signed_one"].base) == "int"
    assert notation(found["wide"].base) in ("long", "unsigned long", "long long")
    assert notation(found["small"].base) == "unsigned char" and found["small"].fixed
    assert not found["colour"].fixed
    assert found["by_typedef"].typedef
    assert found["@ALONE"].is_plain and [e.value for e in found["@ALONE"].enumerators] == [7, 7]


def test_typedef_chains_are_kept(declared: Declared) -> None:
    found = declared("typedef int first; typedef first second; typedef second third[4];")
    assert notation(found["second"].type) == "first"
    assert notation(found["third"].type) == "[4]second"


def test_variables_are_found(declared: Declared) -> None:
    found = declared(
        """
        extern int counter;
        extern const char *const banner;
        extern const char version[];
        extern struct { int x, y; } position;
        """
    )
    assert notation(found["counter"].type) == "int"
    assert notation(found["banner"].type) == "const *const char"
    assert notation(found["version"].type) == "[]const char"
    assert notation(found["position"].type) == "struct @x"


def test_types_beyond_c_are_opaque(declared: Declared) -> None:
    found = declared(
        """
        typedef float vec __attribute__((vector_size(16)));
        vec add(vec a, vec b);
        __int128 wide(unsigned __int128 x);
        struct holds { char c; __int128 i; vec v; long double _Complex z; };
        _Complex double rotate(_Complex double z);
        _Atomic int counter;
        """
    )
    assert isinstance(found["vec"].type, ir.Opaque) and found["vec"].type.kind == "vector"
    assert found["wide"].result.kind == "int128"
    holds = found["holds"]
    assert holds.size == 80 and not holds.unsupported
    assert [f.offset for f in holds.fields] == [0, 16, 32, 48]
    assert notation(found["rotate"].result) == "double complex"
    assert found["counter"].type == ir.Qualified(ir.Scalar("int"), atomic=True)


def test_declarations_of_one_thing_are_one(declared: Declared) -> None:
    found = declared(
        """
        int f(int);
        /** Does it. */
        int f(int number);
        struct s;
        struct s { int x; };
        typedef struct s s;
        extern int v; extern int v;
        """
    )
    assert found["f"].doc == "Does it." and found["f"].parameters[0].name == "number"
    assert [type(d).__name__ for d in found.values()].count("Variable") == 1


def test_positions_are_those_of_the_header_as_one_includes_it(parse: Parse) -> None:
    binding = parse("\n\n  int f(void);\n#include <stdlib.h>\nint g(div_t d);\n")
    found = {d.name: d for d in binding.declarations}
    assert str(found["f"].position) == "made.h:3:7"
    assert found["div_t"].position.file == "stdlib.h"


def test_only_the_own_headers_are_taken(header: Callable[..., Path]) -> None:
    header("int inside(void);", "inc/part.h")
    header("int other(void);", "elsewhere/other.h")
    main = header('#include "inc/part.h"\n#include <other.h>\n#include <stdio.h>\nint own(void);', "main.h")
    folder = str(main.parent / "elsewhere")
    found = discovery.parse(main, include_dirs=[folder], cache=False)
    assert {"own", "inside", "other"} <= {f.name for f in found.functions} and "printf" not in {
        f.name for f in found.functions
    }
    only = discovery.parse(main, include_dirs=[folder], headers="main.h", cache=False)
    assert [f.name for f in only.functions] == ["own"]
    everything = discovery.parse(main, include_dirs=[folder], headers="*", cache=False)
    assert "printf" in {f.name for f in everything.functions}


def test_defines_and_standards_reach_the_compiler(declared: Declared) -> None:
    text = "#ifdef ON\nint on(int x[ON]);\n#endif\n#if __STDC_VERSION__ < 201112L\nint old(void);\n#endif\n"
    assert "on" in declared(text, defines=["ON=3"]) and "on" in declared(text, defines={"ON": 3})
    assert "on" not in declared(text)
    assert "old" in declared(text, standard="c99") and "old" not in declared(text, standard="c17")
    assert "old" in declared(text, args=["-std=c99"])


def test_cxx_headers_give_what_has_c_linkage(parse: Parse) -> None:
    text = """
    #ifdef __cplusplus
    extern "C" {
    #endif
    struct point { int x, y; };
    typedef struct { double re; } only_typedef;
    int c_function(const struct point *p, bool flag);
    #ifdef __cplusplus
    }
    #endif
    int mangled(int);
    template <typename T> T generic(T x) { return x; }
    class widget { public: virtual ~widget(); int x; };
    namespace inner { int hidden(int); }
    extern "C" int single(int &reference);
    """
    binding = parse(text, language="c++")
    assert {f.name for f in binding.functions} == {"c_function", "single"}
    assert binding.records["point"].size == 8 and not binding.records["point"].typedef
    assert binding.records["only_typedef"].typedef
    refused = {u.name: u for u in binding.of(ir.Unsupported)}
    assert "C++ linkage" in refused["mangled"].reason
    assert set(refused) == {"mangled", "generic", "widget", "inner"}


def test_several_headers_are_one_binding(header: Callable[..., Path]) -> None:
    one, two = header("int one(void);", "one.h"), header("int two(void);", "two.h")
    binding = discovery.parse([one, two], cache=False)
    assert binding.headers == ("one.h", "two.h")
    assert [f.name for f in binding.functions] == ["one", "two"]


def test_c_text_knows_the_standard_integers() -> None:
    binding = discovery.parse_text("uint8_t f(size_t n, bool b);", cache=False)
    assert [f.name for f in binding.functions] == ["f"] and str(binding.functions[0].position) == "cdef:1:9"
    assert not list(binding.of(ir.Macro))  # the platform's headers are not its own


class TestBadInput:
    """Every error is a HeaderError with the place and the line of the source."""

    def test_an_error_shows_file_line_column_and_source(self, parse: Parse) -> None:
        with pytest.raises(discovery.HeaderError) as raised:
            parse("int ok(void);\nint f(unknown_t x);\n")
        assert "made.h:2:7: error: unknown type name 'unknown_t'" in str(raised.value)
        assert "    int f(unknown_t x);\n          ^" in str(raised.value)
        (only,) = raised.value.diagnostics
        assert (only.line, only.column, only.severity) == (2, 7, "error")
        assert isinstance(raised.value, ValueError)

    def test_of_a_line_without_end_the_part_around_the_error_is_shown(self, parse: Parse) -> None:
        with pytest.raises(discovery.HeaderError) as raised:
            parse("int before(void); " * 2000 + "unknown_t x; " + "int after(void); " * 2000)
        message = str(raised.value)
        shown, mark = message.splitlines()[1:3]
        assert len(message) < 600 and shown[mark.index("^") :].startswith("unknown_t")

    def test_all_errors_are_kept_and_the_first_ones_shown(self, parse: Parse) -> None:
        with pytest.raises(discovery.HeaderError, match=r"\.\.\. and 25 more errors") as raised:
            parse("".join(f"unknown_{i} x{i};\n" for i in range(30)))
        assert len(raised.value.diagnostics) == 30

    def test_a_missing_header_names_the_folders(self, tmp_path: Path) -> None:
        with pytest.raises(
            discovery.HeaderNotFoundError, match=r"no header no/such\.h; searched: .+"
        ) as raised:
            discovery.parse("no/such.h", include_dirs=[tmp_path])
        assert str(tmp_path) in str(raised.value) and isinstance(raised.value, FileNotFoundError)
        with pytest.raises(discovery.HeaderNotFoundError, match="there is no header"):
            discovery.parse(tmp_path / "missing.h")

    def test_a_missing_include_says_where_it_was_asked_for(self, parse: Parse) -> None:
        with pytest.raises(discovery.HeaderNotFoundError, match=r"made\.h:2:10: fatal error: 'gone\.h'"):
            parse("int f(void);\n#include <gone.h>\n")

    def test_an_error_in_an_included_header_names_that(self, header: Callable[..., Path]) -> None:
        header("int f(;\n", "part.h")
        with pytest.raises(discovery.HeaderError, match=r"part\.h:1:7"):
            discovery.parse(header('#include "part.h"\n', "main.h"))

    @pytest.mark.parametrize("name", ["a\nb.h", "x>.h", "nul\0.h"])
    def test_a_name_that_no_include_can_hold_is_refused(self, name: str) -> None:
        with pytest.raises(discovery.HeaderError):
            discovery.parse(name)

    def test_no_header_and_an_unknown_language_are_refused(self) -> None:
        with pytest.raises(discovery.HeaderError, match="no header"):
            discovery.parse([])
        with pytest.raises(ValueError, match="language"):
            discovery.parse("stdio.h", language="fortran")

    def test_binary_rubbish_is_an_error_and_no_crash(self, parse: Parse) -> None:
        with pytest.raises(discovery.HeaderError):
            parse(bytes(range(256)) * 4)
        assert parse(b"/* latin-1: \xe9 */ int f(void); // \xff\n").functions[0].name == "f"

    def test_warnings_are_no_errors(self, parse: Parse) -> None:
        assert parse("#warning careful\n#pragma unknown\nint f(int x) { }\n").functions
