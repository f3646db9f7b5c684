"""Function records and the built-in functions over them: calls, attributes, lifetime, redirection."""

from __future__ import annotations

import copy
import ctypes
import gc
import inspect
import os
import pickle
import sys
import threading
import weakref
from types import BuiltinFunctionType
from typing import Any

import pytest
from epsilon.foreign.backend import DOUBLE, INT32, POINTER, Binding, Marshal, Parameter, Signature
from epsilon.foreign.backend.binding import validate
from epsilon.foreign.backend.trampoline.memory import CodeHeap
from epsilon.foreign.backend.trampoline.record import (
    RECORD,
    ForeignFunction,
    make_function,
    record_of,
    redirect,
)
from epsilon.foreign.backend.trampoline.text_signature import text_signature
from hand_stubs import call_target, constant, forward

HEAP = CodeHeap()
FORWARD = HEAP.allocate(forward())
CALL_TARGET = HEAP.allocate(call_target())
CLOSED = HEAP.allocate(forward(RECORD.finish))

POWER = validate(
    Binding(
        Signature(DOUBLE, [DOUBLE, INT32]),
        "power",
        (Parameter("base"), Parameter("exponent", default=2)),
        doc="Base to the exponent.\n\nSlowly.",
        module="sums",
    )
)


def echo(*args: Any, **kwargs: Any) -> Any:
    return args, kwargs


def builtin(
    fallback: Any = echo, *, binding: Binding = POWER, stub: int = FORWARD, address: int = 0x1234, **more: Any
) -> Any:
    record = ForeignFunction(binding, address, fallback, **more)
    return make_function(record, stub, binding.name, binding.doc, text_signature(binding), binding.module)


def test_the_stub_finds_the_fallback_in_the_record() -> None:
    function = builtin()
    assert function() == ((), {})
    assert function(1, "two") == ((1, "two"), {})
    assert function(1, exponent=3) == ((1,), {"exponent": 3})
    assert function(*range(20)) == (tuple(range(20)), {})
    arguments = {"base": 2}
    assert function(*[1], **arguments) == ((1,), arguments)


def test_a_call_in_a_hot_loop_is_the_same_call() -> None:
    function = builtin(lambda x: x)
    assert [function(i) for i in range(5000)] == list(range(5000))


def test_exceptions_of_the_fallback_pass_through() -> None:
    with pytest.raises(ZeroDivisionError):
        builtin(lambda x: 1 / x)(0)


def test_the_stub_reads_the_target_from_the_record() -> None:
    function = builtin(stub=CALL_TARGET, address=HEAP.allocate(constant(42)))
    assert function() == 42


def test_the_callable_is_a_builtin_function_with_its_record_behind_it() -> None:
    function = builtin()
    assert type(function) is BuiltinFunctionType
    assert function.__name__ == "power"
    assert function.__qualname__ == "ForeignFunction.power"
    assert function.__module__ == "sums"
    assert function.__doc__ == "Base to the exponent.\n\nSlowly."
    assert "built-in method power of ForeignFunction object" in repr(function)
    record = function.__self__
    assert record is record_of(function)
    assert (record.address, record.binding, record.backend) == (0x1234, POWER, "trampoline")
    assert record.signature is POWER.signature
    assert repr(record) == (
        "<foreign function power(base: double, exponent: int32) -> double at 0x1234 [trampoline]>"
    )


def test_the_signature_has_names_and_defaults() -> None:
    assert str(inspect.signature(builtin())) == "(base, exponent=2)"
    inspect.signature(builtin()).bind(1.0, exponent=3)
    # Text signatures have no annotations; the record has the full one.
    assert str(record_of(builtin()).__signature__) == "(base: 'double', exponent: 'int32' = 2) -> 'double'"


ALL_KINDS: list[tuple[list[Parameter], str]] = [
    ([], "(arg1, arg2, arg3, /)"),
    ([Parameter("x"), Parameter(), Parameter("z", default=None)], "(x, arg2, /, z=None)"),
    ([Parameter("class"), Parameter("b"), Parameter("c")], "(arg1, /, b, c)"),
    ([Parameter("a", default=True), Parameter("b", default=-5), Parameter("c", default=1.5)],
     "(a=True, b=-5, c=1.5)"),
    ([Parameter("a"), Parameter("b", default="it's\n"), Parameter("c", default=b"\0")],
     r"""(a, b="it's\n", c=b'\x00')"""),
    # What is no literal is shown as `...`, which inspect evaluates.
    ([Parameter("a", default=float("nan")), Parameter("b", default=0), Parameter("c", default=[])],
     "(a=Ellipsis, b=0, c=Ellipsis)"),
]  # fmt: skip


@pytest.mark.parametrize(("parameters", "shown"), ALL_KINDS)
def test_inspect_reads_every_kind_of_parameter(parameters: list[Parameter], shown: str) -> None:
    binding = validate(Binding(Signature(DOUBLE, [POINTER] * 3), "f", tuple(parameters)))
    assert str(inspect.signature(builtin(binding=binding))) == shown


def test_nothing_to_say_is_none() -> None:
    plain = make_function(ForeignFunction(POWER, 1, echo), FORWARD, "f", None, None, None)
    assert (plain.__doc__, plain.__text_signature__, plain.__module__) == (None, None, None)
    with pytest.raises(ValueError, match="no signature"):
        inspect.signature(plain)
    assert builtin(binding=POWER._replace(doc=None)).__doc__ is None


def test_names_and_documentation_may_be_any_text() -> None:
    binding = POWER._replace(name="größe", doc="Höhe mal Breite.\n--\n\n\u20ac")
    function = builtin(binding=binding)
    assert (function.__name__, function.__doc__) == ("größe", binding.doc)
    assert str(inspect.signature(function)) == "(base, exponent=2)"
    with pytest.raises(ValueError, match="cannot be called"):
        builtin(binding=POWER._replace(name="a\0b"))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_is_refused(protocol: int) -> None:
    with pytest.raises(TypeError, match="cannot pickle foreign function 'power'"):
        pickle.dumps(builtin(), protocol)
    with pytest.raises(TypeError, match="cannot pickle foreign function 'power'"):
        pickle._dumps(builtin(), protocol)  # type: ignore[attr-defined]


def test_copies_of_a_function_are_the_function() -> None:
    function = builtin()
    assert copy.copy(function) is copy.deepcopy(function) is function
    with pytest.raises(TypeError, match="cannot pickle"):
        copy.copy(function.__self__)


def test_a_function_takes_weak_references_and_dies() -> None:
    function = builtin(finish=(kept := Thing()))
    gone = weakref.ref(function)
    left = weakref.ref(kept)
    del kept
    assert gone() is function
    assert left() is not None
    del function
    gc.collect()
    assert (gone(), left()) == (None, None)


def test_cycles_through_the_record_are_collected() -> None:
    thing = Thing()
    thing.function = builtin(thing.method, finish=[thing])
    gone = weakref.ref(thing)
    record = weakref.ref(record_of(thing.function))
    del thing
    gc.collect()
    assert (gone(), record()) == (None, None)


def test_the_name_outlives_the_texts_it_was_made_from() -> None:
    name = "".join(["na", "me"])
    function = make_function(ForeignFunction(POWER, 1, echo), FORWARD, name, "".join(["do", "c"]), "(x)", "m")
    del name
    gc.collect()
    junk = [bytes(50) for _ in range(10_000)]
    assert (function.__name__, function.__doc__, len(junk)) == ("name", "doc", 10_000)


def test_a_bound_method_outlives_its_function_in_a_call() -> None:
    holder: list[Any] = []

    def drop(*args: Any) -> str:
        holder.clear()
        gc.collect()
        return "alive"

    holder.append(builtin(drop))
    assert holder[0](1) == "alive"


def test_creating_and_dropping_functions_leaks_nothing() -> None:
    def round(count: int) -> None:
        for _ in range(count):
            builtin(finish=marker)()

    marker = Thing()
    round(1000)
    gc.collect()
    references, types, before = sys.getrefcount(marker), sys.getrefcount(ForeignFunction), resident()
    round(150_000)
    gc.collect()
    assert sys.getrefcount(marker) == references
    assert abs(sys.getrefcount(ForeignFunction) - types) <= 2
    assert resident() - before < 2 * 1024 * 1024


def test_redirecting_changes_the_target_of_the_next_call() -> None:
    first, second = HEAP.allocate(constant(1)), HEAP.allocate(constant(2))
    function = builtin(stub=CALL_TARGET, address=first)

    def call() -> Any:
        return function()

    assert [call() for _ in range(100)] == [1] * 100
    redirect(function, second, CLOSED)
    assert [call() for _ in range(100)] == [2] * 100
    assert record_of(function).address == second


def test_a_closed_function_reaches_the_closed_stub_and_can_be_opened_again() -> None:
    def closed(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("closed")

    first, second = HEAP.allocate(constant(1)), HEAP.allocate(constant(2))
    function = builtin(stub=CALL_TARGET, address=first, finish=closed)
    redirect(function, None, CLOSED)
    for _ in range(100):
        with pytest.raises(RuntimeError, match="closed"):
            function(1, x=2)
    assert record_of(function).address == 0
    assert "closed [trampoline]" in repr(record_of(function))
    redirect(function, second, CLOSED)
    assert function() == 2


def test_only_functions_of_this_backend_have_a_record() -> None:
    for other in (len, print, test_only_functions_of_this_backend_have_a_record, 3):
        with pytest.raises(TypeError, match="no foreign function of this backend"):
            record_of(other)


def test_words_and_references_are_where_the_layout_says() -> None:
    record = ForeignFunction(POWER, 0x1111, echo, finish=(finish := Thing()))
    record._entry = 2**64 - 1

    def at(offset: int) -> int:
        return ctypes.c_uint64.from_address(id(record) + offset).value

    assert (at(RECORD.target), at(RECORD.entry)) == (0x1111, 2**64 - 1)
    assert (at(RECORD.fallback), at(RECORD.finish)) == (id(echo), id(finish))


def test_many_threads_call_make_drop_and_redirect_at_once() -> None:
    first, second = HEAP.allocate(constant(1)), HEAP.allocate(constant(2))
    shared = builtin(stub=CALL_TARGET, address=first, finish=lambda: 3)
    wrong: list[Any] = []
    barrier = threading.Barrier(8)

    def work(k: int) -> None:
        barrier.wait()
        for i in range(1500):
            if k == 0:
                redirect(shared, (first, second, None)[i % 3], CLOSED)
            if (result := shared()) not in (1, 2, 3):
                wrong.append(result)
            own = builtin(lambda x: x)
            if (result := own((k, i))) != (k, i):
                wrong.append(result)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_marshals_do_not_matter_to_text() -> None:
    binding = validate(
        Binding(Signature(INT32, [POINTER]), "length", (Parameter("text", Marshal.STRING, describe="str"),))
    )
    assert text_signature(binding) == "(text)"


class Thing:
    """Something with an identity, attributes and weak references."""

    function: Any

    def method(self) -> None:
        """Only its reference to self matters."""


def resident() -> int:
    """Resident memory of this process in bytes (Linux: /proc/self/statm)."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
