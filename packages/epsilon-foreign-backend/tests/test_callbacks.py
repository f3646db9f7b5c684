"""C calls Python: natural values, errors that go to the hook, foreign threads, release."""

from __future__ import annotations

import gc
import sys
import sysconfig
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from backend_support.native import Native
from epsilon.foreign import backend as abi
from epsilon.foreign.backend import (
    BOOL,
    DOUBLE,
    FLOAT,
    INT8,
    INT32,
    INT64,
    POINTER,
    UINT8,
    UINT64,
    VOID,
    AbiType,
    ArgumentError,
    CallbackHandle,
    LifetimeError,
    Marshal,
    Parameter,
    Signature,
    UnsupportedSignatureError,
    Upcall,
    UpcallParameter,
    pending,
)

NUMBER = Signature(INT64, [INT64])
TEXT = Signature(INT32, [POINTER, BOOL])


@pytest.fixture
def unraisable(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What reached `sys.unraisablehook`."""
    caught: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", caught.append)
    yield caught


@pytest.fixture(autouse=True)
def nothing_pending() -> Iterator[None]:
    """No test leaves an exception for a later call to raise."""
    yield
    left = pending.take()  # or every test after this one would fail with it
    assert left is None
    assert not pending.kept


def made(native: Native, function: Callable[..., Any], signature: Signature, **more: Any) -> CallbackHandle:
    """A callback, or a skip that says who cannot make it."""
    native.needs("callbacks")
    try:
        return native.backend.callback(function, Upcall(signature, **more))
    except UnsupportedSignatureError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    ("name", "type", "values"),
    [
        *(
            (t.name, t, [*t.bounds, 0, 1])
            for t in (getattr(abi, f"{s}INT{b}") for s in ("", "U") for b in (8, 16, 32, 64))
        ),
        ("bool", BOOL, [True, False]),
        ("float", FLOAT, [1.5, -0.0, float("inf")]),
        ("double", DOUBLE, [0.1, -0.0, 5e-324]),
        ("longdouble", abi.LONGDOUBLE, [0.1, -2.5]),
        ("pointer", POINTER, [None, 1, 2**64 - 1]),
        ("complex_float", abi.COMPLEX_FLOAT, [1.5 - 2j]),
        ("complex_double", abi.COMPLEX_DOUBLE, [0.1 - 2j]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_scalar_goes_up_and_down(
    native: Native, name: str, type: AbiType, values: list[object]
) -> None:
    seen: list[object] = []

    def function(value: object) -> object:
        seen.append(value)
        return value

    handle = made(native, function, Signature(type, [type]))
    call = native(f"upcall_{name}", type, [POINTER, type])
    assert repr([call(handle.address, value) for value in values]) == repr(values)
    assert repr(seen) == repr(values)
    handle.release()


def test_mixed_arguments_are_natural_values(native: Native) -> None:
    seen: list[object] = []
    handle = made(
        native,
        lambda *args: seen.append(args) or 2.5,
        Signature(DOUBLE, [INT8, DOUBLE, POINTER, UINT64, FLOAT]),
    )
    call = native("call_mixed", DOUBLE, [POINTER, POINTER])
    assert call(handle.address, None) == 2.5
    assert call(handle.address, 4096) == 2.5
    assert seen == [(-5, 0.25, None, 2**64 - 1, 1.5), (-5, 0.25, 4096, 2**64 - 1, 1.5)]


def test_void_gives_nothing_and_ignores_what_is_returned(native: Native, unraisable: list[Any]) -> None:
    seen: list[int] = []
    handle = made(native, lambda: seen.append(1) or "ignored", Signature(VOID))
    native("call_void", VOID, [POINTER])(handle.address)
    assert seen == [1]
    assert not unraisable


@pytest.mark.parametrize("release_gil", [True, False], ids=["releasing", "holding"])
def test_callbacks_nest(native: Native, release_gil: bool) -> None:
    call = native("call_times", INT64, [POINTER, INT64], release_gil=release_gil)
    inner = made(native, lambda i: i, NUMBER)
    outer = made(native, lambda i: call(inner.address, i), NUMBER)
    assert call(outer.address, 5) == sum(sum(range(i)) for i in range(5))


@pytest.mark.parametrize("release_gil", [True, False], ids=["releasing", "holding"])
@pytest.mark.parametrize("capture_errno", [True, False], ids=["errno", "no errno"])
def test_the_foreign_call_raises_what_its_callback_raised(
    native: Native, release_gil: bool, capture_errno: bool
) -> None:
    class OwnError(Exception):
        pass

    calls: list[int] = []

    def function(value: int) -> int:
        calls.append(value)
        if value == 3:
            raise OwnError(f"no {value}")
        return value

    handle = made(native, function, NUMBER)
    call = native("call_times", INT64, [POINTER, INT64], release_gil=release_gil, capture_errno=capture_errno)
    with pytest.raises(OwnError, match=r"^no 3$") as caught:
        call(handle.address, 10)
    assert calls == [0, 1, 2, 3]  # the rest of the foreign call gets the error value at once
    assert any(entry.name == "function" for entry in caught.traceback)
    calls.clear()
    assert call(handle.address, 3) == 3


@pytest.mark.parametrize(
    "error", [SystemExit(3), KeyboardInterrupt()], ids=["SystemExit", "KeyboardInterrupt"]
)
def test_exits_pass_through_c_as_well(native: Native, error: BaseException) -> None:
    def function(value: int) -> int:
        raise error

    handle = made(native, function, NUMBER)
    with pytest.raises(type(error)) as caught:
        native("upcall_int64", INT64, [POINTER, INT64])(handle.address, 5)
    assert caught.value is error


@pytest.mark.parametrize("error", [None, -7])
def test_c_gets_the_error_value_when_the_function_raises(native: Native, error: int | None) -> None:
    def fails(value: int) -> int:
        raise LookupError

    inner = made(native, fails, NUMBER, error=error)
    finished: list[object] = []
    upcall = native("upcall_int64", INT64, [POINTER, INT64], finish=finished.append)
    with pytest.raises(LookupError):
        upcall(inner.address, 5)
    assert not finished  # the call has no result
    thread = made(native, fails_on_thread, Signature(INT32, [INT32]), error=error, onerror=lambda e: None)
    assert native("call_from_thread", INT32, [POINTER, INT32])(thread.address, 5) == (error or 0)


def fails_on_thread(value: int) -> int:
    raise LookupError


@pytest.mark.parametrize("result", ["text", None, 1.5, 2**63, object()], ids=repr)
def test_a_result_that_does_not_fit_raises(native: Native, result: object) -> None:
    def answer(value: int) -> object:
        return result

    handle = made(native, answer, NUMBER, error=9)
    with pytest.raises(ArgumentError, match=r"^the result of callback answer\(\): .*int64"):
        native("upcall_int64", INT64, [POINTER, INT64])(handle.address, 5)


def test_an_argument_that_cannot_be_converted_raises(native: Native) -> None:
    """Text from C that is not UTF-8 is as much an error as one the function raises."""
    text = UpcallParameter(Marshal.STRING)
    handle = made(native, lambda text, flag: len(text), TEXT, parameters=(text,))
    call = native("call_text", INT32, [POINTER, POINTER], Parameter(), Parameter("", Marshal.BYTES))
    assert call(handle.address, b"three") == 5
    with pytest.raises(UnicodeDecodeError):
        call(handle.address, b"\xff")


def test_an_error_value_that_does_not_fit_is_refused_at_once(native: Native) -> None:
    native.needs("callbacks")
    for error in ("text", 2**63, 1.5):
        with pytest.raises(ArgumentError):
            native.backend.callback(print, Upcall(NUMBER, error=error))


def test_a_handler_that_cannot_be_called_is_refused_at_once(native: Native) -> None:
    native.needs("callbacks")
    with pytest.raises(ArgumentError, match="onerror, got int"):
        native.backend.callback(print, Upcall(NUMBER, onerror=5))  # type: ignore[arg-type]


def test_a_failing_conversion_of_a_result_says_whose_it_was(native: Native) -> None:
    def convert(value: object) -> int:
        raise LookupError("no such thing")

    handle = made(
        native, lambda value: value, NUMBER, convert=convert, result_marshal=Marshal.OBJECT, name="f"
    )
    with pytest.raises(LookupError) as caught:
        native("upcall_int64", INT64, [POINTER, INT64])(handle.address, 5)
    assert caught.value.__notes__ == ["while converting the result of callback f()"]


def test_any_byte_but_zero_is_true(native: Native) -> None:
    """C code that was not compiled from C may pass one."""
    seen: list[bool] = []
    handle = made(native, lambda value: seen.append(value) or value, Signature(BOOL, [BOOL]))
    assert native("upcall_bool", BOOL, [POINTER, UINT8])(handle.address, 129) is True
    assert seen == [True]


def test_what_a_result_points_to_lives_until_the_threads_next_call(native: Native) -> None:
    """`convert` gives an address, and only what the function returned keeps the memory."""
    signature = Signature(POINTER, [POINTER])
    alive: list[weakref.ref[Any]] = []

    class Memory(bytearray):
        pass

    def function(value: object) -> Memory:
        memory = Memory(8)
        alive.append(weakref.ref(memory))
        return memory

    handle = made(native, function, signature, convert=lambda memory: 4096, result_marshal=Marshal.OBJECT)
    call = native("upcall_pointer", POINTER, [POINTER, POINTER])
    assert call(handle.address, None) == 4096
    assert alive[0]() is not None
    thread = threading.Thread(target=call, args=(handle.address, None))
    thread.start()
    thread.join()
    assert alive[0]() is not None
    assert call(handle.address, None) == 4096
    gc.collect()
    assert alive[0]() is None
    assert alive[2]() is not None


def test_a_thread_that_python_did_not_make_may_call(native: Native) -> None:
    threads: list[int] = []

    def function(value: int) -> int:
        threads.append(threading.get_ident())
        return value * 2

    handle = made(native, function, Signature(INT32, [INT32]))
    call = native("call_from_thread", INT32, [POINTER, INT32])
    assert [call(handle.address, i) for i in range(20)] == [2 * i for i in range(20)]
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("symbol", ["call_from_thread", "text_from_thread"])
def test_an_exception_in_a_foreign_thread_is_reported(
    native: Native, unraisable: list[Any], symbol: str
) -> None:
    def function(*values: object) -> int:
        raise LookupError(f"no {values}")

    second = POINTER if symbol == "text_from_thread" else INT32
    signature = TEXT if symbol == "text_from_thread" else Signature(INT32, [INT32])
    handle = made(native, function, signature, error=-3, name="finder")
    assert native(symbol, INT32, [POINTER, second])(handle.address, 0) == -3
    assert len(unraisable) == 1
    assert unraisable[0].exc_type is LookupError
    assert unraisable[0].exc_traceback is not None
    assert "finder" in unraisable[0].err_msg
    assert unraisable[0].object is function


def test_the_interpreters_own_hook_can_show_it(native: Native, capsys: pytest.CaptureFixture[str]) -> None:
    handle = made(native, lambda value: 1 // 0, Signature(INT32, [INT32]), name="divider")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "unraisablehook", sys.__unraisablehook__)
        assert native("call_from_thread", INT32, [POINTER, INT32])(handle.address, 5) == 0
    shown = capsys.readouterr().err
    assert "divider" in shown
    assert "ZeroDivisionError" in shown


def test_onerror_takes_the_place_of_the_hook(native: Native, unraisable: list[Any]) -> None:
    seen: list[BaseException] = []
    handle = made(native, lambda value: 1 // 0, Signature(INT32, [INT32]), onerror=seen.append)
    native("call_from_thread", INT32, [POINTER, INT32])(handle.address, 5)
    assert [type(error) for error in seen] == [ZeroDivisionError]
    assert not unraisable


def test_a_call_after_release_is_reported_and_gets_the_error_value(
    native: Native, unraisable: list[Any]
) -> None:
    handle = made(native, lambda value: value, NUMBER, error=-1, name="gone")
    address = handle.address
    handle.release()
    assert native("upcall_int64", INT64, [POINTER, INT64])(address, 5) == -1
    assert issubclass(unraisable[0].exc_type, LifetimeError)
    assert "gone" in str(unraisable[0].exc_value)


def test_releasing_twice_does_nothing(native: Native) -> None:
    handle = made(native, lambda value: value, NUMBER)
    assert handle.address > 0
    handle.release()
    handle.release()


def test_released_code_lets_go_of_the_function(native: Native) -> None:
    if native.backend.name == "trampoline" and sysconfig.get_config_var("Py_GIL_DISABLED"):
        pytest.skip(
            "without a GIL a thread may still be calling: the stub's record keeps its function for a while"
        )

    class Callable_:
        def __call__(self, value: int) -> int:
            return value

    for release in (True, False):
        function = Callable_()
        weak = weakref.ref(function)
        handle: CallbackHandle | None = made(native, function, NUMBER)
        del function
        assert weak() is not None
        if release:
            assert handle is not None
            handle.release()
        handle = None
        gc.collect()
        assert weak() is None


def test_many_calls_back_do_not_pile_up(native: Native) -> None:
    handle = made(native, lambda i: i, NUMBER)
    call = native("call_times", INT64, [POINTER, INT64])
    assert call(handle.address, 50_000) == sum(range(50_000))
