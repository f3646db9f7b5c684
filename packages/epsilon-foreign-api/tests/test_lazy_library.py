"""Modules whose declarations are made when they are first used."""

import copy
import importlib.util
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.api import c

HEAD = """
from __future__ import annotations
import enum
import epsilon.foreign.api as ffi
from epsilon.foreign.api import c
lib = ffi.LazyLibrary({library!r})
"""
TAIL = "\n__getattr__, __dir__ = lib.module_hooks()\n"
Make = Callable[..., ModuleType]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """A module of some declarations, imported."""
    names = []

    def make(text: str, library: str | None = "m") -> ModuleType:
        name = f"lazy_{len(names)}_{tmp_path.name}"
        path = tmp_path / f"{name}.py"
        path.write_text(HEAD.format(library=library) + textwrap.dedent(text) + TAIL)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        names.append(name)
        spec.loader.exec_module(module)
        return module

    yield make
    for name in names:
        del sys.modules[name]


def test_a_function_is_bound_when_the_module_is_asked_for_it(make: Make) -> None:
    module = make(
        '''
        @lib.function
        def cos(x: c.double) -> c.double:
            """The cosine."""
        @lib.function(name="pow")
        def power(base: c.double, exponent: c.double = 2.0) -> c.double: ...
        cosine = cos
        '''
    )
    assert "cos" not in vars(module) and {"cos", "power", "cosine"} <= set(dir(module))
    assert "not opened" in repr(module.lib)
    assert module.cos(0) == 1.0 and module.cos.__doc__ == "The cosine." and module.power(3) == 9.0
    assert module.cosine is module.cos and vars(module)["cos"] is module.cos
    assert module.cos.__module__ == module.__name__ and "open" in repr(module.lib)


def test_a_library_that_is_not_there_is_missed_by_the_first_call_of_a_function_only(make: Make) -> None:
    module = make("@lib.function\ndef f() -> None: ...\nANSWER = 42", library="no-such-library")
    assert module.ANSWER == 42
    with pytest.raises(OSError, match="no-such-library"):
        _ = module.f
    module.lib.name = "m"
    with pytest.raises(AttributeError, match="no symbol 'f'"):
        _ = module.f
    with pytest.raises(RuntimeError, match="open already"):
        module.lib.name = "c"


def test_a_missing_symbol_raises_when_it_is_asked_for_and_a_star_goes_without(make: Make) -> None:
    module = make(
        """
        @lib.function
        def cos(x: c.double) -> c.double: ...
        @lib.function
        def no_such_function() -> None: ...
        LIMIT = 3
        """
    )
    with pytest.raises(ffi.SymbolNotFoundError, match="no_such_function"):
        _ = module.no_such_function
    names: dict[str, object] = {}
    exec(f"from {module.__name__} import *", names)
    assert {"cos", "LIMIT"} <= set(names) and not {"no_such_function", "lib", "c", "ffi"} & set(names)


def test_what_cannot_be_used_says_why(make: Make) -> None:
    module = make('lib.unsupported("fast_path", "static inline: no library has it")')
    with pytest.raises(ffi.UnsupportedDeclarationError, match=r"fast_path: static inline"):
        _ = module.fast_path
    with pytest.raises(NotImplementedError, match="static inline"):
        exec(f"from {module.__name__} import fast_path")
    with pytest.raises(AttributeError, match="no attribute 'unknown'"):
        _ = module.unknown


def test_structs_refer_to_each_other_in_circles_and_are_laid_out_when_needed(make: Make) -> None:
    module = make(
        """
        @lib.struct
        class node:
            "A node."
            name: c.string
            next: ffi.Pointer[node]
            tree: ffi.Pointer[tree]
            visit: ffi.Callback[[ffi.Pointer[tree], node], c.int]
        @lib.struct
        class tree:
            root: node
            count: ffi.Bits[c.uint, 3]
        @lib.union
        class number:
            i: c.int32
            f: c.float
        @lib.struct(pack=1)
        class packed:
            kind: c.char
            value: c.int
        class other(enum.IntEnum):
            ONE = 1
        @lib.struct
        class opaque: ...
        """
    )
    tree = module.tree(count=5)
    tree.root = module.node("root")
    tree.root.tree = tree
    assert tree.root.tree[0].root.name == "root" and tree.count == 5
    assert copy.copy(tree).root.name == "root" and module.node.__doc__ == "A node."
    assert ffi.sizeof(module.packed) == 5 and module.number(f=1.0).i == 0x3F800000
    assert ffi.Pointer[module.node] is type(tree.root.next)
    with pytest.raises(TypeError, match="incomplete"):
        module.opaque()


def test_members_may_begin_with_two_underscores(make: Make) -> None:
    module = make("@lib.struct\nclass _place:\n    __x: c.int\n    __y_: c.int")
    assert getattr(module._place(__x=3), "__x") == 3 and ffi.offsetof(module._place, "__y_") == 4


def test_a_text_that_is_a_type_alias_becomes_the_type(make: Make) -> None:
    module = make(
        """
        binary: TypeAlias = "ffi.Callback[[number, ffi.Pointer[pair]], c.int]"
        number: TypeAlias = "c.int"
        pair: TypeAlias = "_pair"
        triple: TypeAlias = "ffi.Array[c.int, Literal[3]]"
        text: TypeAlias = "not a type"
        plain = "c.int"
        @lib.struct
        class _pair:
            a: number
        """
    )
    assert module.number is c.int and module.pair is module._pair and module.plain == "c.int"
    assert module.binary == ffi.Callback[[c.int, ffi.Pointer[module.pair]], c.int]
    assert ffi.sizeof(module.triple) == 12
    with pytest.raises(TypeError, match="text: cannot evaluate 'not a type'"):
        _ = module.text


def test_variables_are_declared_like_functions_without_parameters(make: Make) -> None:
    module = make(
        """
        @lib.variable
        def daylight() -> c.int: ...
        @lib.variable(name="timezone")
        def offset() -> c.long: ...
        @lib.variable
        def untyped(): ...
        """,
        library=None,
    )
    module.daylight.value = 1
    assert module.daylight.value == 1 and isinstance(module.offset.value, int)
    with pytest.raises(TypeError, match="untyped: a variable needs a type"):
        _ = module.untyped


def test_pointers_that_c_writes_as_numbers_have_a_type(make: Make) -> None:
    module = make(
        """
        @lib.struct
        class item:
            x: c.int
        @lib.constant(0)
        def NOTHING() -> ffi.Pointer[item]: ...
        @lib.constant(2**64 - 1)
        def FAILED() -> ffi.Pointer[item]: ...
        @lib.constant(0)
        def STATIC() -> ffi.Callback[[c.pointer], None]: ...
        """,
        library="no-such-library",
    )
    assert not module.NOTHING and module.FAILED.address == 2**64 - 1 and module.STATIC is None
    assert type(module.NOTHING) is ffi.Pointer[module.item]


def test_a_declaration_that_is_wrong_says_so_where_it_is_asked_for(make: Make) -> None:
    module = make(
        """
        @lib.function
        def cos(x: c.dubble) -> c.double: ...
        @lib.struct
        class broken:
            x: c.int
            x_too: nothing
        @lib.struct
        class around:
            inside: broken
        @lib.function
        def sin(at: ffi.ByRef[around]) -> c.double: ...
        """
    )
    with pytest.raises(TypeError, match="cos: x: cannot evaluate"):
        _ = module.cos
    for _ in range(2):  # a second question is answered as the first
        with pytest.raises(TypeError, match="broken: x_too: cannot evaluate 'nothing'"):
            _ = module.broken
    with pytest.raises(TypeError, match="broken: x_too"):
        _ = module.sin
    with pytest.raises(TypeError, match="expected a class"):
        module.lib.struct(3)
    with pytest.raises(TypeError, match="expected an annotated function"):
        module.lib.function(3)


def test_threads_that_meet_at_a_struct_get_the_same_class(make: Make) -> None:
    members = "\n".join(f"    m{i}: ffi.Pointer[s{(i * 7) % 20}]" for i in range(20))
    module = make("\n".join(f"@lib.struct\nclass s{i}:\n{members}\n    own: c.int" for i in range(20)))
    barrier = threading.Barrier(8)
    seen: list[list[object]] = []

    def ask() -> None:
        barrier.wait()
        classes = [getattr(module, f"s{i}") for i in range(20)]
        for made in classes:
            assert made(own=3).own == 3
        seen.append(classes)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8 and all(classes == seen[0] for classes in seen)


def test_a_struct_can_be_deferred_without_a_module() -> None:
    asked = []

    def members() -> dict[str, object]:
        asked.append("list")
        return {"next": ffi.Pointer[items], "value": c.int}

    items = ffi.defer_struct("items", members, doc="A list.")
    pointer = ffi.Pointer[items]
    assert not asked and pointer.from_address(8).address == 8
    one = items.cls(value=1)
    one.next = one
    assert one.next[0].value == 1 and asked == ["list"] and items.cls.__doc__ == "A list."
    assert ffi.defer_struct("hidden", lambda: None).complete is False


def test_qualifiers_for_checkers_are_the_types_that_they_qualify() -> None:
    assert ffi.ByRef[c.int] is ffi.Elements[c.int] is ffi.Pointer[c.int]
    assert repr(ffi.Array[c.int, ffi.Flexible]) == repr(ffi.Array[c.int, ...])
    assert ffi.Nullable[c.int] is c.int and ffi.AnyPointer is ffi.Pointer
    count = ffi.shared_call("strnlen", c.size_t, [ffi.AnyConstPointer, c.size_t], b"bytes", 9)
    assert count == 5


def test_a_library_says_whether_its_functions_release_the_lock(make: Make) -> None:
    module = make(
        """
        lib = ffi.LazyLibrary("m", release_gil=False)
        @lib.function
        def cos(x: c.double) -> c.double: ...
        @lib.function(release_gil=True)
        def sin(x: c.double) -> c.double: ...
        """
    )
    assert not ffi.describe(module.cos).binding.release_gil
    assert ffi.describe(module.sin).binding.release_gil
