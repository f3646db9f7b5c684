"""Where the names in annotations come from, with and without PEP 563 (this file has it)."""

from __future__ import annotations

import gc
import sys
import textwrap
import typing
import weakref

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.api import c


def test_text_annotations_see_the_module(libm: ffi.Library) -> None:
    @libm.function
    def cos(x: c.double) -> c.double: ...

    assert cos(0) == 1.0


def test_text_annotations_see_the_function_they_are_written_in(libm: ffi.Library) -> None:
    number = c.double

    @libm.function
    def cos(x: number) -> number: ...

    @libm.function(name="sin")
    def sine(x: number) -> number: ...

    @ffi.shared("m")
    def tan(x: number) -> number: ...

    assert (cos(0), sine(0), tan(0)) == (1.0, 0.0, 0.0)


def test_text_annotations_see_the_class_they_are_written_in(libm: ffi.Library) -> None:
    class Maths:
        number = c.double

        @libm.function
        def cos(x: number) -> number: ...

    assert Maths.cos(0) == 1.0


def test_local_names_go_before_global_ones(libc: ffi.Library) -> None:
    class c:
        long = ffi.c.long

    @libc.function
    def labs(x: c.long) -> c.long: ...

    assert labs(-(2**40)) == 2**40


def test_quoted_annotations_work_without_the_future_import(backend: str) -> None:
    program = textwrap.dedent("""
        import epsilon.foreign.api as ffi
        from epsilon.foreign.api import c

        libm = ffi.Library("m")

        @libm.function
        def cos(x: "c.double") -> c.double: ...

        def declare():
            number = c.double

            @libm.function
            def sin(x: "number") -> number: ...

            return sin

        results = cos(0), declare()(0)
    """)
    names: dict[str, object] = {"__name__": "program"}
    exec(compile(program, "program", "exec", dont_inherit=True), names)
    assert names["results"] == (1.0, 0.0)


def test_a_name_that_means_nothing_is_told_with_the_text(libm: ffi.Library) -> None:
    with pytest.raises(
        ffi.DeclarationError, match=r"cos\(\): cannot evaluate annotation 'nonsense'.*'x'"
    ) as caught:

        @libm.function
        def cos(x: nonsense) -> c.double: ...  # type: ignore[name-defined]  # noqa: F821

    assert isinstance(caught.value.__cause__, NameError)


def test_a_declaration_keeps_no_local_alive(libm: ffi.Library) -> None:
    class Thing:
        pass

    def declare():
        thing = Thing()
        number = c.double

        @libm.function()
        def cos(x: number) -> number: ...

        return cos, weakref.ref(thing)

    cos, thing = declare()
    gc.collect()
    assert thing() is None
    assert cos(0) == 1.0


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type statements are new in 3.12")
def test_an_alias_of_a_type_is_the_type(libm: ffi.Library) -> None:
    radians = typing.TypeAliasType("radians", c.double)

    @libm.function
    def cos(x: radians) -> radians: ...

    assert cos(0) == 1.0
