"""What a bound function is to Python besides a callable: its names, its signature, weak references, no
pickling.

A function may be a built-in function object that is bound to a record: then address and signature stand
there, and `describe` finds them.
"""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import weakref

import pytest
from backend_support.native import Library, Native
from epsilon.foreign.backend import (
    DOUBLE,
    INT32,
    INT64,
    POINTER,
    Backend,
    Binding,
    ClosedLibraryError,
    Marshal,
    NullFunctionError,
    Parameter,
    Signature,
    UnsupportedSignatureError,
    describe,
    python_signature,
    render,
)

ADD = Signature(INT64, [INT64, INT64])
NAMED = (Parameter("a", describe="long"), Parameter("b", default=2))


def test_it_is_callable_and_named(native: Native) -> None:
    add = native("add", INT64, [INT64, INT64], *NAMED, doc="Adds.\n\nTwo numbers.")
    assert callable(add)
    assert add.__name__ == "add"
    assert add.__doc__ == "Adds.\n\nTwo numbers."


def test_a_function_without_documentation_has_none(native: Native) -> None:
    assert not native("add", INT64, [INT64, INT64]).__doc__


def test_inspect_knows_its_parameters(native: Native) -> None:
    add = native("add", INT64, [INT64, INT64], *NAMED)
    parameters = inspect.signature(add).parameters
    assert list(parameters) == ["a", "b"]
    assert parameters["a"].default is inspect.Parameter.empty
    assert parameters["b"].default == 2
    inspect.signature(add).bind(1, b=2)
    with pytest.raises(TypeError):
        inspect.signature(add).bind(1, 2, 3)


def test_inspect_shows_nameless_parameters_as_positional(native: Native) -> None:
    add = native("add", INT64, [INT64, INT64])
    kinds = [p.kind for p in inspect.signature(add).parameters.values()]
    assert kinds == [inspect.Parameter.POSITIONAL_ONLY] * 2
    assert not inspect.signature(native("nothing")).parameters


def test_parameters_named_like_keywords_of_python_can_be_shown(native: Native) -> None:
    add = native("add", INT64, [INT64, INT64], Parameter("from"), Parameter("in"))
    assert add(**{"from": 1, "in": 2}) == 3
    assert len(inspect.signature(add).parameters) == 2


def test_its_data_say_what_it_calls(native: Native) -> None:
    add = native("add", INT64, [INT64, INT64])
    assert describe(add).address == native.address("add")
    assert describe(add).signature == ADD


def test_its_repr_names_it(native: Native) -> None:
    assert "add" in repr(native("add", INT64, [INT64, INT64]))


def test_prototypes_are_rendered_in_one_line() -> None:
    binding = Binding(
        Signature(DOUBLE, [POINTER, INT64], variadic_from=1), "f", (Parameter("text"), Parameter())
    )
    assert render(binding) == "f(text: pointer, ..., int64) -> double"
    shown = python_signature(Binding(ADD, "f", NAMED))
    assert str(shown) == "(a: 'long', b: 'int64' = 2) -> 'int64'"


def test_it_takes_weak_references_and_dies(native: Native) -> None:
    add = native("add", INT64, [INT64, INT64])
    gone: list[str] = []
    weak = weakref.ref(add, lambda _: gone.append("gone"))
    assert weak() is add
    del add
    gc.collect()
    assert weak() is None
    assert gone == ["gone"]


def test_what_its_binding_refers_to_dies_with_it(native: Native) -> None:
    def finish(result: object) -> object:
        return result

    add = native("add", INT64, [INT64, INT64], finish=finish, guard=Binding(ADD).guard)
    weak = weakref.ref(finish)
    del finish
    assert weak() is not None
    del add
    gc.collect()
    assert weak() is None


def test_a_cycle_through_a_function_is_collected(native: Native) -> None:
    class Holder:
        function: object

        def finish(self, result: object) -> object:
            return result

    holder = Holder()
    holder.function = native("add", INT64, [INT64, INT64], finish=holder.finish)
    weak = weakref.ref(holder)
    del holder
    gc.collect()
    assert weak() is None


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_is_refused(native: Native, protocol: int) -> None:
    with pytest.raises(
        TypeError, match=r"cannot pickle foreign function 'add'.*declare the function there again"
    ):
        pickle.dumps(native("add", INT64, [INT64, INT64]), protocol)


def test_a_copy_is_the_same_function_or_refused(native: Native) -> None:
    add = native("add", INT64, [INT64, INT64])
    for make in (copy.copy, copy.deepcopy):
        try:
            assert make(add)(40, 2) == 42
        except TypeError as error:
            assert "cannot pickle" in str(error)


def test_signatures_and_types_are_pickled_by_value() -> None:
    signature = Signature(DOUBLE, [POINTER, INT32], variadic_from=1)
    again = pickle.loads(pickle.dumps(signature))
    assert again == signature
    assert hash(again) == hash(signature)
    assert copy.deepcopy(DOUBLE) == DOUBLE


def test_redirecting_changes_what_is_called(native: Native) -> None:
    backend = native.backend
    first = native("errno_on_entry", INT32, finish=lambda r: ("finished", r))
    backend.redirect(first, native.address("whole_register_true"))
    assert first() == ("finished", -889262079)
    assert describe(first).address == native.address("whole_register_true")


@pytest.mark.parametrize("capture_errno", [False, True])
def test_a_closed_function_raises_until_it_is_redirected(native: Native, capture_errno: bool) -> None:
    backend = native.backend
    finish = (lambda r, e: r) if capture_errno else None
    add = native("add", INT64, [INT64, INT64], capture_errno=capture_errno, finish=finish)
    for _ in range(2):
        assert add(40, 2) == 42
        backend.redirect(add, None)
        for args in ((40, 2), (), ("x", 1), (1, 2, 3)):
            with pytest.raises(ClosedLibraryError, match=r"add\(\) was called, but its library is closed"):
                add(*args)
        backend.redirect(add, native.address("add"))


@pytest.mark.parametrize("other", [len, lambda: 1, None, 5])
def test_only_functions_of_a_backend_are_redirected(backend: Backend, other: object) -> None:
    with pytest.raises(TypeError):
        backend.redirect(other, 1)  # type: ignore[arg-type]


def test_no_function_is_at_null(backend: Backend) -> None:
    with pytest.raises(NullFunctionError, match="f: the address of the function is NULL"):
        backend.bind(0, Binding(ADD, "f"))


@pytest.mark.parametrize("address", [-1, 2**64, 2**70])
def test_an_address_has_its_bounds(backend: Backend, address: int) -> None:
    with pytest.raises(ValueError, match="no address"):
        backend.bind(address, ADD)


@pytest.mark.parametrize("address", ["add", None, 1.0])
def test_an_address_is_an_int(backend: Backend, address: object) -> None:
    with pytest.raises(TypeError, match="is an int"):
        backend.bind(address, ADD)  # type: ignore[arg-type]


def test_an_unsupported_signature_is_named(backend: Backend) -> None:
    signature = Signature(INT32, [INT32], convention="martian")
    assert not backend.supports(signature)
    with pytest.raises(UnsupportedSignatureError, match=rf"{backend.name}.*int32\(int32\) \[martian\]"):
        backend.bind(1, signature)
    with pytest.raises(NotImplementedError):
        backend.bind(1, signature)
    with pytest.raises(UnsupportedSignatureError, match="callback"):
        backend.callback(print, signature)


@pytest.mark.parametrize(
    ("binding", "words"),
    [
        (Binding(ADD, "f", (Parameter("a"),) * 3), "f: 3 parameters for"),
        (Binding(ADD, "f", (Parameter("a"), Parameter("a"))), "'a' is repeated"),
        (Binding(ADD, "f", (Parameter("a", default=1), Parameter("b"))), "has no default but follows"),
        (Binding(ADD, "f", (Parameter("a", Marshal.STRING),)), "int64 cannot be marshalled as string"),
        (Binding(ADD, "f", (Parameter("a b"),)), "'a b' cannot name a parameter"),
        (Binding(ADD, "f", result_marshal=Marshal.STRING), "result of int64 cannot be marshalled as string"),
        (Binding(Signature(POINTER), "f", result_marshal=Marshal.BUFFER), "a result cannot be a buffer"),
    ],
)
def test_a_binding_that_contradicts_its_signature_is_refused(
    backend: Backend, binding: Binding, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        backend.bind(1, binding)


def test_attributes_survive_many_functions_of_one_signature(backend: Backend, library: Library) -> None:
    functions = [
        backend.bind(library.address(symbol), Binding(ADD, f"{symbol}_{i}", doc=f"number {i}"))
        for i in range(100)
        for symbol in ("add",)
    ]
    assert [f.__name__ for f in functions] == [f"add_{i}" for i in range(100)]
    assert [f.__doc__ for f in functions] == [f"number {i}" for i in range(100)]
    assert [f(i, 1) for i, f in enumerate(functions)] == list(range(1, 101))


def test_a_name_may_be_anything_printable(native: Native) -> None:
    for name in ("\xe9t\xe9", "a.b", "\u51fd\u6570", "operator+"):
        function = native("add", INT64, [INT64, INT64], name=name)
        assert function.__name__ == name
        with pytest.raises(TypeError, match=r"takes 2 arguments, got 0|is missing"):
            function()


def test_a_method_call_passes_no_self(native: Native) -> None:
    """A function kept as a class attribute must say what it does: built-in functions are no methods."""
    add = native("add", INT64, [INT64, INT64])
    holder = type("Holder", (), {"add": staticmethod(add)})
    assert holder().add(40, 2) == 42


def test_a_function_may_be_closed_while_its_arguments_are_converted(native: Native) -> None:
    add = native("add", INT64, [INT64, INT64])
    assert add(1, 2) == 3

    class Closing:
        def __index__(self) -> int:
            native.backend.redirect(add, None)
            return 1

    with pytest.raises(ClosedLibraryError):
        add(1, Closing())
    native.backend.redirect(add, native.address("add"))
    assert add(1, 2) == 3
