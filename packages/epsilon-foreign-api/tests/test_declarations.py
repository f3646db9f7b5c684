"""`Library.function` and `shared`: annotated Python functions become foreign ones."""

from __future__ import annotations

import ast
import inspect

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.api import c


def test_a_decorated_function_calls_c_and_keeps_what_it_says_about_itself(libm: ffi.Library) -> None:
    @libm.function
    def cos(x: c.double) -> c.double:
        """The cosine of x, in radians."""
        raise AssertionError("the body is never run")

    assert cos(0) == cos(x=0.0) == 1.0
    assert cos.__name__ == "cos"
    assert cos.__doc__ == "The cosine of x, in radians."
    assert cos.__module__ == __name__
    assert list(inspect.signature(cos).parameters) == ["x"]
    assert "cos" in repr(cos)
    assert "cos(x: double) -> double" in repr(getattr(cos, "__self__", cos))


def test_the_c_name_may_be_another(libm: ffi.Library) -> None:
    @libm.function(name="pow")
    def power(base: c.double, exponent: c.double = 2.0) -> c.double: ...

    assert power(3) == 9.0
    assert power(exponent=3, base=2) == 8.0
    assert power.__name__ == "power"
    with pytest.raises(TypeError, match=r"power\(\) argument 1 \('base'\)"):
        power("3")


def test_empty_parentheses_are_allowed(libm: ffi.Library) -> None:
    @libm.function()
    def cos(x: c.double) -> c.double: ...

    assert cos(0) == 1.0


def test_a_check_and_the_gil_are_chosen_at_the_declaration(libc: ffi.Library) -> None:
    @libc.function(check=ffi.check_nonnegative, release_gil=False)
    def access(path: c.string, mode: c.int) -> c.int: ...

    assert access("/", 0) == 0
    with pytest.raises(FileNotFoundError, match=r"access\(\)"):
        access("/no/such/file", 0)


def test_a_void_function_is_annotated_with_none(libc: ffi.Library) -> None:
    @libc.function
    def free(memory: c.pointer) -> None: ...

    assert free(None) is None


def test_stars_make_a_function_variadic(libc: ffi.Library) -> None:
    @libc.function
    def snprintf(out: c.mutable_buffer, size: c.size_t, format: c.string, *args: object) -> c.int: ...

    out = bytearray(100)
    assert snprintf(out, len(out), "%d %s %.2f %c", 42, "grüß", 1.5, c.int(65)) == 16
    assert out.rstrip(b"\0").decode() == "42 grüß 1.50 A"
    assert snprintf(out, len(out), "%lld%%", 2**40) == 14
    assert inspect.signature(snprintf).parameters["args"].kind is inspect.Parameter.VAR_POSITIONAL


def test_type_checkers_and_python_see_the_same_names_in_c() -> None:
    tree = ast.parse(inspect.getsource(c))
    for_checkers = {node.target.id for node in ast.walk(tree) if isinstance(node, ast.AnnAssign)}
    at_run_time = {name for name in dir(c) if isinstance(getattr(c, name), ffi.ForeignType)}
    assert for_checkers == at_run_time
    assert {"int", "double", "string"} <= at_run_time
    assert repr(c.int) == "c.int"


def test_shared_opens_a_library_once_by_name(backend: str) -> None:
    @ffi.shared("m")
    def sin(x: c.double) -> c.double: ...

    @ffi.shared("m", name="pow")
    def power(base: c.double, exponent: c.double) -> c.double: ...

    assert sin(0) == 0.0
    assert power(2, 10) == 1024.0


def test_shared_without_a_name_is_the_process(backend: str) -> None:
    @ffi.shared
    def labs(x: c.long) -> c.long: ...

    @ffi.shared()
    def abs(x: c.int) -> c.int: ...

    assert labs(-7) == abs(-7) == 7


def test_shared_takes_a_check(backend: str) -> None:
    @ffi.shared(check=ffi.check_nonnegative)
    def close(descriptor: c.int) -> c.int: ...

    with pytest.raises(OSError, match=r"close\(\): Bad file descriptor"):
        close(-1)


def test_a_declaration_in_a_class_is_a_plain_function_there(libm: ffi.Library) -> None:
    class Maths:
        @staticmethod
        @libm.function
        def cos(x: c.double) -> c.double: ...

        sin = libm.bind("sin", c.double, [c.double])

    assert Maths.cos(0) == Maths().cos(0) == 1.0
    assert Maths.sin(0) == Maths().sin(0) == 0.0


#: What is wrong -> (the thing to decorate, what the message must contain).
def _no_result(x: c.double): ...


def _no_type(x) -> c.double: ...


def _keyword_only(*, x: c.double) -> c.double: ...


def _keywords(**x: c.double) -> c.double: ...


def _python_type(x: float) -> c.double: ...


def _unknown(x: c.no_such_type) -> c.double: ...  # type: ignore[name-defined]


def _method(self, x: c.double) -> c.double: ...


BAD = {
    "no result": (_no_result, ["_no_result()", "no result type", "-> None"]),
    "no type": (_no_type, ["_no_type()", "'x'", "no C type"]),
    "keyword only": (_keyword_only, ["keyword-only"]),
    "keywords": (_keywords, ["**kwargs"]),
    "Python's type": (_python_type, ["_python_type()", "parameter 'x'", "float is not a C type", "c.double"]),
    "an unknown type": (_unknown, ["_unknown()", "c.no_such_type", "'x'"]),
    "a method": (_method, ["_method()", "'self'", "C has no methods"]),
    "a static method": (staticmethod(_no_type), ["staticmethod", "above the declaration"]),
    "a class": (int, ["got type", "a class is no function"]),
    "a lambda": (lambda x: x, ["lambda", "Library.bind"]),
    "a name": ("cos", ["got str", "name="]),
    "a builtin": (len, ["got builtin_function_or_method"]),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_declaration_is_refused_with_the_reason(libm: ffi.Library, case: str) -> None:
    declared, words = BAD[case]
    with pytest.raises(ffi.DeclarationError) as caught:
        libm.function()(declared)
    for word in words:
        assert word in str(caught.value)
    with pytest.raises(ffi.DeclarationError):
        ffi.shared("m")(declared)


def test_a_function_that_the_library_has_not_is_a_missing_symbol(libm: ffi.Library) -> None:
    with pytest.raises(ffi.SymbolNotFoundError, match="no_such_function"):

        @libm.function
        def no_such_function() -> None: ...

    with pytest.raises(ffi.LibraryError, match="no-such-library"):

        @ffi.shared("no-such-library")
        def cos(x: c.double) -> c.double: ...


def test_a_decorated_function_of_a_closed_library_raises(backend: str) -> None:
    with ffi.Library("m") as libm:

        @libm.function
        def cos(x: c.double) -> c.double: ...

        assert cos(0) == 1.0
    with pytest.raises(ffi.ClosedLibraryError, match=r"cos\(\)"):
        cos(0)
