"""Every error of this package is a ForeignError and a builtin."""

from __future__ import annotations

import pytest
from epsilon.foreign.api import ForeignError
from epsilon.foreign.ext import platform

pytestmark = pytest.mark.once
ERRORS = [
    error
    for name in platform.__all__
    if isinstance(error := getattr(platform, name), type) and issubclass(error, Exception)
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_is_a_foreign_error_with_a_docstring(error: type[Exception]) -> None:
    assert issubclass(error, ForeignError)
    assert error.__doc__


def test_what_a_system_lacks_is_not_implemented() -> None:
    assert issubclass(platform.UnsupportedPlatformError, NotImplementedError)
