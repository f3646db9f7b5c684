"""Which backends there are, which serves, and what is said when one cannot."""

from __future__ import annotations

import asyncio
import importlib.metadata
import sys
import threading
import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from epsilon.foreign.backend import (
    CAPABILITIES,
    COMPLEX_DOUBLE,
    DOUBLE,
    ENTRY_POINTS,
    ENVIRONMENT,
    INT32,
    LONGDOUBLE,
    Backend,
    BackendUnavailableError,
    Field,
    ForeignError,
    Signature,
    UnknownBackendError,
    UnsupportedSignatureError,
    aggregate,
    available_backends,
    backend_names,
    get_backend,
    register_backend,
    registry,
    select_backend,
    unavailable_reason,
    unregister_backend,
    use_backend,
)
from epsilon.foreign.backend.ctypes_backend import CtypesBackend

SIMPLE = Signature(INT32, [INT32])
BY_VALUE = Signature(INT32, [aggregate(8, 4, (Field(0, INT32, 2),))])


class Picky(CtypesBackend):
    """A backend of the tests that supports what it is told."""

    name = "picky"

    def __init__(self, *supported: Signature) -> None:
        super().__init__()
        self.supported = supported

    def supports(self, signature: Signature) -> bool:
        return signature in self.supported


@pytest.fixture(autouse=True)
def same_registry() -> Iterator[None]:
    """Every test leaves the registry as it was."""
    backend_names()  # entry points are read before, not within
    factories, created = dict(registry._factories), dict(registry._created)
    yield
    registry._factories.clear()
    registry._factories.update(factories)
    registry._created.clear()
    registry._created.update(created)


def test_the_built_in_backends_are_registered_in_order_of_preference() -> None:
    assert backend_names()[:3] == ["trampoline", "libffi", "ctypes"]
    assert "ctypes" in available_backends()


def test_every_available_backend_keeps_the_protocol() -> None:
    for name in available_backends():
        backend = get_backend(name)
        assert isinstance(backend, Backend)
        assert backend.name == name
        assert backend.capabilities <= CAPABILITIES
        assert name in repr(backend)
        assert get_backend(name) is backend
        assert unavailable_reason(name) is None


@pytest.mark.parametrize("name", ["warp", "", "CTYPES"])
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    for ask in (get_backend, unavailable_reason, unregister_backend):
        with pytest.raises(UnknownBackendError, match=r"registered: trampoline, libffi, ctypes") as caught:
            ask(name)
        assert isinstance(caught.value, LookupError | ForeignError)
    with pytest.raises(UnknownBackendError), use_backend(name):
        pass


def test_a_registered_backend_is_made_once_on_first_use() -> None:
    made: list[Picky] = []

    def factory() -> Picky:
        made.append(Picky(SIMPLE))
        return made[-1]

    register_backend("picky", factory)
    assert not made
    assert backend_names()[-1] == "picky"
    assert get_backend("picky") is get_backend("picky") is made[0]
    assert len(made) == 1


def test_registering_twice_needs_replace() -> None:
    register_backend("picky", Picky)
    old = get_backend("picky")
    with pytest.raises(ValueError, match="'picky' is registered already"):
        register_backend("picky", Picky)
    with pytest.raises(ValueError, match="'ctypes' is registered already"):
        register_backend("ctypes", Picky)
    register_backend("picky", Picky, replace=True)
    assert get_backend("picky") is not old


def test_unregistering_removes_what_was_added_only() -> None:
    register_backend("picky", Picky)
    unregister_backend("picky")
    with pytest.raises(UnknownBackendError):
        get_backend("picky")
    with pytest.raises(ValueError, match="'ctypes' is built in"):
        unregister_backend("ctypes")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (BackendUnavailableError("no unobtainium here"), "no unobtainium here"),
        (ImportError("no module unobtainium"), "cannot be imported: no module unobtainium"),
        (ZeroDivisionError("oh"), "does not start: ZeroDivisionError: oh"),
    ],
)
def test_a_backend_that_cannot_work_says_why_and_the_next_serves(error: Exception, words: str) -> None:
    asked: list[int] = []

    def factory() -> Backend:
        asked.append(1)
        raise error

    register_backend("broken", factory)
    for _ in range(2):
        with pytest.raises(BackendUnavailableError, match=words):
            get_backend("broken")
    assert len(asked) == 1
    assert words in str(unavailable_reason("broken"))
    assert "broken" not in available_backends()
    assert "broken" in backend_names()
    assert select_backend(SIMPLE).name in available_backends()
    with pytest.raises(BackendUnavailableError, match=words), use_backend("broken"):
        pass


def test_entry_points_add_backends(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []

    def load(name: str) -> Any:
        loaded.append(name)
        return lambda: Picky(SIMPLE)

    points = [SimpleNamespace(name=n, load=lambda n=n: load(n)) for n in ("third", "ctypes")]
    asked: list[dict[str, str]] = []
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **group: asked.append(group) or points)
    monkeypatch.setattr(registry, "_discovered", False)
    assert get_backend("ctypes").name == "ctypes"
    assert not asked  # a built-in name does not read them
    assert "third" in backend_names()
    assert asked == [{"group": ENTRY_POINTS}]
    assert not loaded
    assert isinstance(get_backend("third"), Picky)
    assert not isinstance(get_backend("ctypes"), Picky)
    assert loaded == ["third"]


def test_selection_prefers_the_first_that_supports_the_signature() -> None:
    available = available_backends()
    assert select_backend().name == available[0]
    for signature in (
        SIMPLE,
        BY_VALUE,
        Signature(DOUBLE, [LONGDOUBLE]),
        Signature(COMPLEX_DOUBLE),
        Signature(INT32, [INT32, DOUBLE], variadic_from=1),
    ):
        first = next(name for name in available if get_backend(name).supports(signature))
        assert select_backend(signature).name == first


def test_when_none_can_the_error_names_the_signature_and_who_was_asked() -> None:
    signature = Signature(INT32, [DOUBLE], convention="martian")
    with pytest.raises(UnsupportedSignatureError) as caught:
        select_backend(signature)
    assert str(caught.value) == (
        f"no backend can call <signature int32(double) [martian]>; asked: {', '.join(available_backends())}"
    )


def test_use_backend_takes_names_and_objects_and_nests() -> None:
    outside = select_backend(SIMPLE)
    picky = Picky(SIMPLE)
    with use_backend("ctypes") as chosen:
        assert chosen is select_backend(SIMPLE) is get_backend("ctypes")
        with use_backend(picky) as inner:
            assert inner is picky is select_backend(SIMPLE) is select_backend()
            # What the chosen one cannot do another does.
            assert select_backend(Signature(DOUBLE)) is not picky
        assert select_backend(SIMPLE) is chosen
        with pytest.raises(KeyError), use_backend(picky):
            raise KeyError
        assert select_backend(SIMPLE) is chosen
    assert select_backend(SIMPLE) is outside


def test_the_choice_stays_in_its_thread() -> None:
    picky = Picky(SIMPLE)
    seen: list[Backend] = []
    with use_backend(picky):
        thread = threading.Thread(target=lambda: seen.append(select_backend(SIMPLE)))
        thread.start()
        thread.join()
    # From 3.14 on a thread may begin with the context of the one that starts it.
    inherits = getattr(sys.flags, "thread_inherit_context", 0)
    assert (seen[0] is picky) == bool(inherits)


def test_the_choice_stays_in_its_task() -> None:
    first, second = Picky(SIMPLE), Picky(SIMPLE)

    async def work(backend: Backend) -> list[Backend]:
        seen = []
        with use_backend(backend):
            for _ in range(5):
                seen.append(select_backend(SIMPLE))
                await asyncio.sleep(0)
        return seen

    async def both() -> list[list[Backend]]:
        return list(await asyncio.gather(work(first), work(second)))

    assert asyncio.run(both()) == [[first] * 5, [second] * 5]


def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in available_backends():
        monkeypatch.setenv(ENVIRONMENT, name)
        assert select_backend(SIMPLE).name == name
        with use_backend("ctypes"):
            assert select_backend(SIMPLE).name == "ctypes"
    monkeypatch.setenv(ENVIRONMENT, "")
    assert select_backend(SIMPLE).name == available_backends()[0]


def test_an_unknown_name_in_the_environment_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "warp")
    with pytest.raises(UnknownBackendError, match="'warp'"):
        select_backend(SIMPLE)


def test_an_unavailable_one_in_the_environment_is_passed_over_with_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def factory() -> Backend:
        raise BackendUnavailableError("no unobtainium here")

    register_backend("broken", factory)
    monkeypatch.setenv(ENVIRONMENT, "broken")
    with pytest.warns(RuntimeWarning, match="broken: no unobtainium here; using another backend") as caught:
        assert select_backend(SIMPLE).name == available_backends()[0]
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert available_backends()


def test_many_threads_get_the_same_backend() -> None:
    made: list[Picky] = []
    barrier = threading.Barrier(8)
    got: list[Backend] = []

    def factory() -> Picky:
        made.append(Picky())
        return made[-1]

    register_backend("picky", factory)

    def work() -> None:
        barrier.wait()
        got.append(get_backend("picky"))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert got == made * 8
