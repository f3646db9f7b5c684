"""Function pointers in every position: parameters, members, elements, results; how they are declared and shown."""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import weakref
from functools import partial

import pytest
from epsilon.foreign.runtime import (
    TYPES,
    ArgumentError,
    ArgumentTypeError,
    Array,
    Callback,
    Const,
    DeclarationError,
    ForeignCallback,
    InOut,
    Library,
    LifetimeError,
    Out,
    Owned,
    Pointer,
    alignof,
    array,
    callback_type,
    describe,
    make_aggregate,
    offsetof,
    sizeof,
)

T = TYPES
make_struct = partial(make_aggregate, module=__name__)
Int = Callback[[T["int"]], T["int"]]
Binary = Callback[[T["int"], T["int"]], T["int"]]
operations = make_struct("operations", {"name": T["string"], "apply": Binary, "spare": Binary})
table = make_struct("table", {"count": T["int"], "items": Array[Binary, 3]})


@pytest.fixture
def apply(callbacks: Library):
    return callbacks.bind("apply", T["int"], [Binary, T["int"], T["int"]])


@pytest.fixture
def get_operation(callbacks: Library):
    """0: add, 1: subtract, 2: multiply, 3: NULL."""
    return callbacks.bind("get_operation", Binary, [T["int"]])


# Parameters


def test_a_plain_function_lives_for_the_call_and_no_longer(apply) -> None:
    class Function:
        def __call__(self, a: int, b: int) -> int:
            gc.collect()
            return a * b

    function = Function()
    assert apply(function, 6, 7) == 42
    assert apply(function, 6, 7) == 42


def test_a_callback_object_serves_many_calls_and_remains_a_function(apply) -> None:
    def power(base: int, exponent: int = 2) -> int:
        return base**exponent

    callback = ForeignCallback(power, Binary)
    assert [apply(callback, base, 3) for base in (2, 3)] == [8, 27]
    assert callback(5) == 25
    assert callback(exponent=3, base=2) == 8


def test_none_is_null(apply, callbacks: Library) -> None:
    assert apply(None, 1, 2) == -1
    assert callbacks.bind("same_function", Binary, [Binary])(None) is None


@pytest.mark.parametrize(
    ("value", "shown"), [(5.0, "float"), (True, "bool"), ("text", "str"), (b"", "bytes"), ([], "list")]
)
def test_what_cannot_be_called_is_refused(apply, value: object, shown: str) -> None:
    with pytest.raises(
        ArgumentTypeError,
        match=rf"^apply\(\) argument 1: expected a function for {Binary.name}, got {shown}$".replace(
            "[", r"\["
        ),
    ):
        apply(value, 1, 2)


def test_a_number_is_an_address_that_c_gives_a_meaning_of_its_own(callbacks: Library) -> None:
    """Such as ``SIG_IGN``; C does not call it."""
    same = callbacks.bind("same_function", T["pointer"], [Binary])
    assert (same(1), same(2**64 - 1), same(0)) == (1, 2**64 - 1, None)
    for wrong in (-1, 2**64):
        with pytest.raises(ArgumentError, match="is no address"):
            same(wrong)


def test_a_callback_of_another_type_is_refused(callbacks: Library) -> None:
    times = callbacks.bind("sum_times", T["int"], [Int, T["int"]])
    with pytest.raises(
        ArgumentTypeError, match=r"expected Callback.*, got a callback of type Callback\[\[int, int"
    ):
        times(ForeignCallback(max, Binary), 3)


def test_a_callback_is_also_an_untyped_pointer(callbacks: Library) -> None:
    callback = ForeignCallback(max, Binary)
    for kind in (T["pointer"], Pointer):
        same = callbacks.bind("same_function", T["pointer"], [kind])
        assert same(callback) == callback.address


# Function pointers from C


def test_a_function_pointer_from_c_is_a_typed_callable(get_operation) -> None:
    add = get_operation(0)
    assert add(2, 3) == 5
    assert add is get_operation(0)
    assert get_operation(3) is None
    with pytest.raises(ArgumentTypeError, match="argument 2: expected an integer for int, got str"):
        add(2, "3")
    with pytest.raises(ArgumentTypeError, match="missing argument 2"):
        add(2)
    assert describe(add).address == int(describe(add).name.removeprefix("function_"), 16)
    assert len(inspect.signature(add).parameters) == 2


def test_it_goes_back_to_c_as_the_pointer_it_was(callbacks: Library, apply, get_operation) -> None:
    is_add = callbacks.bind("is_add", T["bool"], [Binary])
    assert is_add(get_operation(0)) is True
    assert is_add(get_operation(1)) is False
    assert is_add(lambda a, b: a + b) is False
    assert apply(get_operation(2), 6, 7) == 42
    same = callbacks.bind("same_function", Binary, [Binary])
    assert same(get_operation(1)) is get_operation(1)


def test_pythons_own_function_comes_back_as_one_of_cs(callbacks: Library) -> None:
    same = callbacks.bind("same_function", Binary, [Binary])
    callback = ForeignCallback(lambda a, b: a - b, Binary)
    found = same(callback)
    assert found(9, 4) == 5
    assert describe(found).address == callback.address


def test_a_declared_foreign_function_may_be_called_back(callbacks: Library, apply) -> None:
    subtract = callbacks.bind("call_kept", T["int"], [T["int"], T["int"]])
    kept = ForeignCallback(lambda a, b: a - b, Binary)
    callbacks.bind("keep", None, [Binary])(kept)
    assert apply(subtract, 50, 8) == 42


def test_callbacks_take_and_return_function_pointers(callbacks: Library, get_operation) -> None:
    pick = callbacks.bind("pick", Binary, [Callback[[T["int"]], Binary], T["int"]])
    assert pick(get_operation, 2)(6, 7) == 42
    mine = ForeignCallback(lambda a, b: a - b, Binary)
    assert pick(lambda which: mine, 0)(5, 3) == 2
    assert pick(lambda which: None, 0) is None
    call = callbacks.bind("with_function", T["int"], [Callback[[Binary, T["int"]], T["int"]], T["int"]])
    assert call(lambda function, value: function(value, 5), 2) == 7


# Members and elements


def test_a_struct_keeps_the_functions_stored_in_it(callbacks: Library) -> None:
    class Function:
        def __call__(self, a: int, b: int) -> int:
            return a * b

    function = Function()
    gone = weakref.ref(function)
    held = operations("mine", function)
    del function
    gc.collect()
    call = callbacks.bind("apply_struct", T["int"], [Pointer[Const[operations]], T["int"], T["int"]])
    assert call(held, 6, 7) == 42
    assert held.apply(2, 3) == 6
    assert held.spare is None
    assert gone() is not None
    with pytest.raises(ArgumentTypeError, match=r"^operations\.apply: expected a function"):
        held.apply = 5.0


def test_a_struct_with_functions_goes_by_value(callbacks: Library, get_operation) -> None:
    call = callbacks.bind("apply_by_value", T["int"], [operations, T["int"], T["int"]])
    assert call(operations("mine", lambda a, b: a * b), 6, 7) == 42
    assert call(operations("c's", get_operation(0)), 6, 7) == 13


def test_an_array_keeps_its_functions(callbacks: Library, get_operation) -> None:
    call = callbacks.bind("apply_array", T["int"], [Pointer[Const[Binary]], T["size_t"], T["int"]])
    mine = ForeignCallback(lambda a, b: a * b, Binary)
    functions = array(Binary, [lambda a, b: a + b, mine, get_operation(1)])
    del mine
    gc.collect()
    assert call(functions, 3, 10) == (10 + 1) * 2 - 3
    assert [function(6, 3) for function in functions] == [9, 18, 3]
    functions[0] = get_operation(2)
    assert call(functions, 1, 10) == 10


def test_a_copy_of_a_struct_keeps_them_too(callbacks: Library) -> None:
    held = table(2, [lambda a, b: a + b, lambda a, b: a * b, None])
    copied = copy.copy(held)
    del held
    gc.collect()
    assert callbacks.bind("apply_table", T["int"], [Pointer[table], T["int"]])(copied, 10) == 22
    assert copied.items[2] is None


def test_functions_that_c_stores_are_callables(callbacks: Library, get_operation) -> None:
    filled = table()
    callbacks.bind("get_table", None, [Pointer[table]])(filled)
    assert filled.items[0] is get_operation(0)
    assert filled.items[1](6, 7) == 42
    assert filled.items[2] is None


def test_a_struct_may_hold_functions_that_take_it() -> None:
    node = make_struct("node", {"value": T["int"], "visit": Callback[[Pointer["node"]], T["int"]]})
    given = node(7, lambda at: at[0].value)
    assert given.visit(given) == 7


def test_it_has_the_size_of_a_pointer() -> None:
    assert (sizeof(Binary), alignof(Binary)) == (sizeof(T["pointer"]), alignof(T["pointer"]))
    assert offsetof(operations, "spare") == 2 * sizeof(T["pointer"])


# Declarations


def test_equal_types_are_one_object() -> None:
    assert Callback[(T["int"], T["int"]), T["int"]] is Binary
    assert callback_type((T["int"], T["int"]), T["int"]) is Binary
    assert Binary.name == "Callback[[int, int], int]"
    assert Callback[[], None].name == "Callback[[], void]"


opaque = make_struct("opaque", None)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (T["int"], "Callback takes a list of types and a result"),
        (([T["int"]],), "Callback takes a list of types and a result"),
        ((T["int"], T["int"]), "Callback takes a list of types and a result"),
        (("int", T["int"]), "Callback takes a list of types and a result"),
        ((..., T["int"]), "Callback takes a list of types and a result"),
        (([int], T["int"]), "int is not a C type; did you mean"),
        (([T["int"], None], T["int"]), "parameter 2 cannot be void"),
        (([opaque], None), "parameter 1 is the incomplete opaque; only pointers"),
        (([T["buffer"]], None), "parameter 1 is a buffer, of which C tells no length"),
        (([T["mutable_buffer"]], None), "parameter 1 is a mutable_buffer"),
        (([Out[T["int"]]], None), r"parameter 1 is where C wants a value: say Pointer\[\.\.\.\]"),
        (([InOut[T["int"]]], None), "parameter 1 is where C wants a value"),
        (([], T["buffer"]), "a buffer cannot be the result; say c.pointer"),
        (([], opaque), "C gets no opaque by value"),
        (([], Array[T["int"], 3]), r"C gets no Array\[int, 3\] by value"),
        (([], Owned[T["string"], "free"]), "what Python returns stays Python's; say string"),
    ],
    ids=str,
)
def test_what_c_has_no_meaning_for_is_refused_at_the_declaration(declared, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        Callback[declared]


def test_an_array_parameter_is_a_pointer() -> None:
    assert Callback[[Array[T["int"], 3]], None] is Callback[[Pointer[T["int"]]], None]


def test_the_type_itself_makes_no_objects() -> None:
    with pytest.raises(TypeError, match="Callback is a type"):
        Callback()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"error": "text"}, "expected an integer for int, got str"),
        ({"error": 2**31}, "2147483648 does not fit int"),
        ({"onerror": 5}, "expected a function of one exception for onerror, got int"),
    ],
)
def test_a_wrong_error_value_or_handler_is_refused_at_once(backend: str, more, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        ForeignCallback(max, Binary, **more)


def test_what_is_no_function_makes_no_callback(backend: str) -> None:
    for more in ({}, {"error": 1}):
        with pytest.raises(ArgumentTypeError, match=r"expected a function for .*, got int"):
            ForeignCallback(5, Binary, **more)


# What it shows of itself


def test_it_shows_its_name_type_and_address(backend: str) -> None:
    callback = ForeignCallback(max, Binary)
    assert repr(callback) == f"<foreign callback max: Callback[[int, int], int] at {callback.address:#x}>"
    callback.release()
    assert repr(callback) == "<foreign callback max: Callback[[int, int], int] released>"


def test_its_signature_is_the_functions(backend: str) -> None:
    def function(a: int, b: int = 5) -> int:
        return a + b

    callback = ForeignCallback(function, Binary)
    assert inspect.signature(callback) == inspect.signature(function)
    assert (callback.__name__, callback.__wrapped__) == ("function", function)
    assert ForeignCallback(partial(max, 1), Binary).__name__ == "functools.partial"


def test_it_cannot_be_pickled_and_is_its_own_copy(backend: str) -> None:
    callback = ForeignCallback(max, Binary)
    with pytest.raises(TypeError, match="cannot pickle callback 'max'"):
        pickle.dumps(callback)
    assert copy.copy(callback) is copy.deepcopy(callback) is callback


# Lifetime


def test_a_released_callback_is_refused_everywhere(callbacks: Library, apply) -> None:
    with ForeignCallback(max, Binary) as callback:
        assert apply(callback, 3, 4) == 4
        assert not callback.released
    assert callback.released
    callback.release()
    same = callbacks.bind("same_function", T["pointer"], [T["pointer"]])
    uses = [
        lambda: apply(callback, 1, 2),
        lambda: same(callback),
        lambda: operations("mine", callback),
        lambda: array(Binary, [callback]),
        lambda: callback.address,
    ]
    for use in uses:
        with pytest.raises(LifetimeError, match="callback max was used after it was released"):
            use()
    assert callback(3, 4) == 4  # Python may


def test_c_keeps_a_callback_as_long_as_its_object_lives(callbacks: Library) -> None:
    keep, call_kept = (
        callbacks.bind("keep", None, [Binary]),
        callbacks.bind("call_kept", T["int"], [T["int"]] * 2),
    )
    callback = ForeignCallback(lambda a, b: a * b, Binary)
    keep(callback)
    for _ in range(3):
        gc.collect()
        assert call_kept(6, 7) == 42
    gone = weakref.ref(callback)
    del callback
    gc.collect()
    assert gone() is None
