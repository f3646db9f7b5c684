"""Functions and callbacks of another calling convention than C's own, by name."""

from __future__ import annotations

import os

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.api import c

pytestmark = pytest.mark.skipif(
    os.uname().machine != "x86_64" or "trampoline" not in ffi.available_backends(),
    reason="the trampoline on x86-64 is the only backend with two conventions",
)
Binary = ffi.Callback[[c.int, c.double], c.double]


def test_a_callback_of_another_convention_is_called_by_it(backend: str) -> None:
    @ffi.callback(convention="ms")
    def scaled(n: c.int, x: c.double) -> c.double:
        return n * x

    assert scaled.type is Binary.with_convention("ms")
    assert Binary.with_convention("ms").from_address(scaled.address)(3, 0.5) == 1.5


def test_a_convention_is_part_of_the_type_of_a_function_pointer(backend: str) -> None:
    ms = Binary.with_convention("ms")
    assert ms is not Binary and ms is Binary.with_convention("ms") and ms.with_convention("c") is Binary
    assert "[ms]" in ms.name
    with (
        ffi.callback(lambda n, x: 0.0, Binary) as plain,
        pytest.raises(ffi.ArgumentTypeError, match=r"\[ms\]"),
    ):
        ms.to_foreign(plain)


def test_a_convention_that_nobody_knows_is_no_supported_signature(backend: str) -> None:
    with pytest.raises(ffi.UnsupportedSignatureError, match="pascal"):
        ffi.callback(lambda n, x: 0.0, Binary, convention="pascal")
