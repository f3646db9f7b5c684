"""Structs and pointers in calls: a backend may take and make the objects itself, and nobody can tell."""

from __future__ import annotations

import copy
import gc
import weakref
from pathlib import Path
from typing import Any

import pytest
from epsilon.foreign.runtime import (
    TYPES,
    Arena,
    ArgumentRangeError,
    ArgumentTypeError,
    Array,
    BoundsError,
    Callback,
    Const,
    ConstError,
    Library,
    LifetimeError,
    NullPointerError,
    Pointer,
    array,
    make_aggregate,
    null,
)
from epsilon.foreign.runtime import pointer as pointer_to

INT, DOUBLE = TYPES["int"], TYPES["double"]
Pair = make_aggregate("pair", {"a": INT, "b": INT})
Six = make_aggregate("six", dict.fromkeys("abcdef", DOUBLE))
Node = make_aggregate("node", {"value": INT, "next": Pointer["node"]})

SOURCE = """
typedef struct { int a, b; } pair;
typedef struct { double a, b, c, d, e, f; } six;
typedef struct node { int value; struct node *next; } node;
pair swap(pair x) { pair y = {x.b, x.a}; return y; }
six shift(six x) { six y = {x.f, x.a, x.b, x.c, x.d, x.e}; return y; }
node chained(node *next, int value) { node x = {value, next}; return x; }
int total(const pair *x) { return x ? x->a + x->b : -1; }
void bump(pair *x) { x->a++; }
pair *same(pair *x) { return x; }
pair apply(pair (*function)(pair, pair *), pair x) { return function(x, &x); }
six apply_six(six (*function)(six), six x) { return function(x); }
"""


@pytest.fixture(scope="module")
def path(compile_library: Any) -> Path:
    return compile_library(SOURCE, "libobjects.so")


@pytest.fixture
def data(backend: str, path: Path) -> Library:
    return Library(path)


def test_results_are_structs_of_their_own(data: Library) -> None:
    swap = data.bind("swap", Pair, [Pair])
    results = [swap(Pair(i, -i)) for i in range(20)]
    assert results == [Pair(-i, i) for i in range(20)]
    results[3].a = 99
    assert (results[3].a, results[4].a, swap(results[3]).b) == (99, -4, 99)
    assert copy.copy(results[3]) == results[3]


def test_a_result_replaced_in_its_variable_is_gone(data: Library) -> None:
    swap = data.bind("swap", Pair, [Pair])
    result = swap(Pair(0, 1))
    for i in range(10):
        result = swap(result)
        assert result == (Pair(0, 1) if i % 2 == 0 else Pair(1, 0))


def test_a_view_of_a_result_keeps_it(data: Library) -> None:
    swap = data.bind("swap", Pair, [Pair])
    views = [pointer_to(swap(Pair(i, 0))) for i in range(10)]
    buffers = [memoryview(swap(Pair(i, 0))) for i in range(10)]
    assert [view[0].b for view in views] == list(range(10))
    assert [int.from_bytes(buffer[4:8], "little") for buffer in buffers] == list(range(10))


def test_a_weak_reference_never_shows_another_result(data: Library) -> None:
    swap = data.bind("swap", Pair, [Pair])
    result = swap(Pair(1, 2))
    reference = weakref.ref(result)
    del result
    others = [swap(Pair(3, 4)) for _ in range(4)]
    assert reference() is None or reference() == Pair(2, 1)
    del others
    for _ in range(4):
        swap(Pair(5, 6))
    gc.collect()
    assert reference() is None


def test_what_a_result_keeps_alive_dies_with_it(data: Library) -> None:
    chained = data.bind("chained", Node, [Pointer[Node], INT])
    target = Node(1)
    result = chained(None, 2)
    result.next = target
    reference = weakref.ref(target)
    del target
    assert result.next[0].value == 1
    del result
    gc.collect()
    assert reference() is None


def test_a_result_after_its_with_block_does_not_come_back(data: Library) -> None:
    swap = data.bind("swap", Pair, [Pair])
    for _ in range(4):
        with swap(Pair(1, 2)) as result:
            assert result.a == 2
        with pytest.raises(LifetimeError):
            result.a
        with pytest.raises(LifetimeError):
            swap(result)
        del result
        assert swap(Pair(3, 4)).a == 4


def test_a_large_struct_travels(data: Library) -> None:
    shift = data.bind("shift", Six, [Six])
    assert shift(shift(Six(1, 2, 3, 4, 5, 6))) == Six(5, 6, 1, 2, 3, 4)


def test_a_derived_class_is_passed_by_value(data: Library) -> None:
    class Named(Pair):  # type: ignore[misc, valid-type]  # a class made at run time
        __slots__ = ("name",)

    swap = data.bind("swap", Pair, [Pair])
    named = Named(1, 2)
    named.name = "x"
    assert swap(named) == Pair(2, 1)
    assert type(swap(named)) is Pair


@pytest.mark.parametrize("wrong", [Six(), (1, 2), b"12345678", None, 5, pointer_to(Pair())])
def test_only_the_struct_is_passed_by_value(data: Library, wrong: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="swap\\(\\) argument 1: expected pair"):
        data.bind("swap", Pair, [Pair])(wrong)


def test_whatever_points_to_a_struct_is_lent(data: Library) -> None:
    total = data.bind("total", INT, [Pointer[Const[Pair]]])
    pair, several = Pair(3, 4), array(Pair, [Pair(1, 2), Pair(30, 40)])
    views = [
        pair,
        pointer_to(pair),
        pointer_to(pair).cast(Const[Pair]),
        several,
        several[1],
        pointer_to(several[1]),
    ]
    assert [total(view) for view in views] == [7, 7, 7, 3, 70, 70]
    assert total(None) == total(null(Pair)) == -1


def test_const_is_not_lent_where_c_may_write(data: Library) -> None:
    bump = data.bind("bump", None, [Pointer[Pair]])
    pair = Pair(1, 2)
    bump(pair), bump(pointer_to(pair)), bump(Array[Pair, 1]([pair]))
    assert pair.a == 3
    with pytest.raises(ConstError):
        bump(pointer_to(pair).cast(Const[Pair])[0])
    with pytest.raises(ConstError):
        bump(pointer_to(pair).cast(Const[Pair]))


def test_memory_that_is_gone_is_not_lent(data: Library) -> None:
    total = data.bind("total", INT, [Pointer[Const[Pair]]])
    with Arena() as arena:
        there = arena.new(Pair, 5, 6)
        assert total(there) == 11
    with pytest.raises(LifetimeError):
        total(there)


@pytest.mark.parametrize("wrong", [Six(), 4096, "text", pointer_to(Six()), array(INT, 2)])
def test_other_pointers_are_refused(data: Library, wrong: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="total\\(\\) argument 1"):
        data.bind("total", INT, [Pointer[Const[Pair]]])(wrong)


def test_a_pointer_result_is_bounded_as_its_type_promises(data: Library) -> None:
    pair = Pair(8, 9)
    for _ in range(3):
        unbounded = data.bind("same", Pointer[Pair], [Pointer[Pair]])(pair)
        assert unbounded == pointer_to(pair)
        with pytest.raises(BoundsError):
            unbounded[0]
        same = data.bind("same", Pointer[Pair, 1], [Pointer[Pair]])
        assert same(pair)[0] == pair
        with pytest.raises(BoundsError):
            same(pair)[1]
        empty = same(None)
        assert not empty
        with pytest.raises(NullPointerError):
            empty[0]


def test_a_const_pointer_result_stays_const(data: Library) -> None:
    same = data.bind("same", Pointer[Const[Pair], 1], [Pointer[Pair]])
    pair = Pair(1, 2)
    for _ in range(3):
        with pytest.raises(ConstError):
            same(pair)[0] = Pair(3, 4)
    assert pair == Pair(1, 2)


def test_callbacks_take_and_give_structs(data: Library) -> None:
    seen = []

    def function(value: Any, address: Any) -> Any:
        seen.append((value, address[0].a))
        return Pair(value.b, 10 * value.a)

    apply = data.bind("apply", Pair, [Callback[[Pair, Pointer[Pair]], Pair], Pair])
    assert [apply(function, Pair(i, 2)) for i in range(3)] == [Pair(2, 10 * i) for i in range(3)]
    assert seen == [(Pair(i, 2), i) for i in range(3)]
    six = data.bind("apply_six", Six, [Callback[[Six], Six], Six])
    assert six(lambda x: Six(x.f, 0, 0, 0, 0, x.a), Six(1, 2, 3, 4, 5, 6)) == Six(6, 0, 0, 0, 0, 1)


def test_a_callback_must_give_the_struct(data: Library) -> None:
    apply = data.bind("apply", Pair, [Callback[[Pair, Pointer[Pair]], Pair], Pair])
    with pytest.raises(ArgumentTypeError, match="expected pair"):
        apply(lambda value, address: Six(), Pair())


def test_a_callback_may_say_how_far_its_pointer_reaches() -> None:
    """C passes a pointer to one element of a type, or to the first of many."""
    pairs = Callback[[Pointer[INT], Pointer[INT]], INT]
    qsort = Library(None).bind("qsort", None, [Pointer[INT], TYPES["size_t"], TYPES["size_t"], pairs])
    values = array(INT, [2, 20, 1, 10])
    seen = []

    def ascending(a: Any, b: Any) -> int:
        seen.append(list(a.bounded(2)))
        with pytest.raises(BoundsError):
            a[1]
        with pytest.raises(BoundsError):
            a.bounded(2).bounded(3)
        return int(a[0] - b[0])

    qsort(values, 2, 8, ascending)
    assert list(values) == [1, 10, 2, 20] and seen in ([[2, 20]], [[1, 10]])


def test_a_number_that_c_gives_a_meaning_serves_as_a_function_pointer() -> None:
    """Signals are ignored by the handler ``(void (*)(int))1``."""
    handler = Callback[[INT], None]
    libc = Library(None)
    sigaction = libc.bind("signal", TYPES["pointer"], [INT, handler])
    ignore, unused_signal = 1, 31
    before = sigaction(unused_signal, ignore)
    assert sigaction(unused_signal, before or 0) == ignore
    for wrong in (-1, 1 << 64):
        with pytest.raises(ArgumentRangeError, match="is no address"):
            sigaction(unused_signal, wrong)
    with pytest.raises(ArgumentTypeError):
        sigaction(unused_signal, True)


def test_a_view_may_outlive_what_the_collector_cleared() -> None:
    values = array(INT, 3)
    view = memoryview(values)
    del values._owner  # as the collector does to an object of a cycle, in an order of its own
    view.release()
    del view, values
    gc.collect()  # nothing was raised where nobody could catch it
