"""The hierarchy: every error is a `ForeignError` and the builtin that a Python programmer would catch."""

from __future__ import annotations

import pytest
from epsilon.foreign import runtime
from epsilon.foreign.runtime import ForeignError

BUILTINS = {
    "ArgumentRangeError": OverflowError,
    "ArgumentTypeError": TypeError,
    "ArgumentValueError": ValueError,
    "BackendUnavailableError": RuntimeError,
    "ClosedLibraryError": RuntimeError,
    "DeclarationError": TypeError,
    "ForeignOSError": OSError,
    "LibraryError": OSError,
    "LifetimeError": RuntimeError,
    "SymbolNotFoundError": AttributeError,
    "UnknownBackendError": LookupError,
    "UnknownTypeError": LookupError,
    "UnsupportedSignatureError": NotImplementedError,
}


@pytest.mark.parametrize("name", BUILTINS)
def test_an_error_is_a_foreign_error_and_a_builtin(name: str) -> None:
    assert issubclass(getattr(runtime, name), ForeignError)
    assert issubclass(getattr(runtime, name), BUILTINS[name])


def test_every_public_error_is_a_foreign_error_with_a_docstring() -> None:
    for name in runtime.__all__:
        value = getattr(runtime, name)
        if isinstance(value, type) and issubclass(value, BaseException):
            assert issubclass(value, ForeignError), name
            assert value.__doc__, name


def test_messages_are_not_quoted_as_those_of_key_errors_are() -> None:
    assert (
        str(runtime.UnknownBackendError("no such")) == str(runtime.UnknownTypeError("no such")) == "no such"
    )
