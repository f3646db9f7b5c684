"""Random aggregates of up to 64 bytes by value, first, last and in the middle of random parameters, and as
results.

C sums up every bit of a value that arrived and returns a changed copy. EPSILON_FOREIGN_BY_VALUE is how many
aggregates (200 by default), EPSILON_FOREIGN_BY_VALUE_SEED the first seed. A backend may refuse a signature
(`supports`); a wrong answer is shown with the C declarations that it happened with. C also calls callbacks of the
same types, with values from memory, and stores what they return.
"""

from __future__ import annotations

import ctypes
import os
import random
import struct
from collections.abc import Callable
from typing import Any

import pytest
from by_value import SLOT, ByValueLibrary, Described, Prototype, checksum, compiled
from epsilon.foreign.backend import (
    POINTER,
    UINT64,
    VOID,
    AbiType,
    Backend,
    Kind,
    Signature,
    UnsupportedSignatureError,
)
from random_types import SCALARS, definitions

MOST_BYTES = 64
#: Under user-mode emulation everything takes far longer.
COUNT = int(os.environ.get("EPSILON_FOREIGN_BY_VALUE") or (24 if "QEMU_LD_PREFIX" in os.environ else 200))
SEED = int(os.environ.get("EPSILON_FOREIGN_BY_VALUE_SEED") or 1)
CALLS = 2
#: Names of conventions -> how C says it. Only compilers for x86-64 know more than their own.
CONVENTIONS = {"c": "", "ms": "__attribute__((ms_abi))"} if os.uname().machine == "x86_64" else {"c": ""}


@pytest.fixture(scope="module", params=CONVENTIONS)
def convention(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def by_value(tmp_path_factory: pytest.TempPathFactory, convention: str) -> ByValueLibrary:
    count = COUNT if convention == "c" else COUNT // 3
    found = compiled(tmp_path_factory.mktemp("by_value"), count, SEED, CONVENTIONS[convention])
    if isinstance(found, str):
        pytest.skip(found)
    return found


def signature_of(prototype: Prototype, described: Described, convention: str) -> Signature:
    return Signature(
        described.abi if prototype.returns_aggregate else UINT64,
        [described.abi if p is None else SCALARS[p] for p in prototype.parameters],
        convention=convention,
    )


def has_empty(type: AbiType) -> bool:
    return any(field.type.size == 0 or has_empty(field.type) for field in type.fields)


def supported(
    backend: Backend, by_value: ByValueLibrary, convention: str
) -> list[tuple[Prototype, Described, Signature]]:
    if "aggregates" not in backend.capabilities:
        pytest.skip(f"the {backend.name} backend does not have the capability 'aggregates'")
    if not backend.supports(Signature(UINT64, convention=convention)):
        pytest.skip(f"the {backend.name} backend does not have the convention {convention!r}")
    found = []
    for prototype in by_value.prototypes:
        described = by_value.described(prototype)
        # What C compilers make of a member without a size they do not agree on.
        if not 0 < described.abi.size <= MOST_BYTES or has_empty(described.abi):
            continue
        signature = signature_of(prototype, described, convention)
        if backend.supports(signature):
            found.append((prototype, described, signature))
    return found


def argument(name: str, dice: random.Random) -> int | float:
    type = SCALARS[name]
    if type.kind is Kind.FLOAT:
        return dice.randint(-9999, 9999) / 8
    return dice.randint(*type.bounds) if type.kind is not Kind.POINTER else dice.randint(1, (1 << 47) - 1)


def fault(
    function: Callable[..., Any],
    by_value: ByValueLibrary,
    prototype: Prototype,
    described: Described,
    dice: random.Random,
) -> str | None:
    """What is wrong with one call, or None."""
    arguments = [
        described.random_value(dice) if p is None else argument(p, dice) for p in prototype.parameters
    ]
    by_value.prepare(described)
    result = function(*arguments)
    expected = checksum(described.values_of(a) if isinstance(a, bytes) else a for a in arguments)
    if by_value.sum != expected:
        return f"the arguments did not arrive: {arguments}"
    if not prototype.returns_aggregate:
        return None if result == expected else f"returned {result:#x} for {expected:#x}"
    wanted = described.changed([a for a in arguments if isinstance(a, bytes)][-1])
    got = described.values_of(result)
    return None if got == wanted else f"returned {got.hex(' ')} for {wanted.hex(' ')}"


def test_random_aggregates_travel_by_value_as_in_c(
    backend: Backend, by_value: ByValueLibrary, convention: str
) -> None:
    wrong = []
    for prototype, described, signature in supported(backend, by_value, convention):
        function = backend.bind(by_value.address_of(prototype.name), signature)
        dice = random.Random(prototype.name)
        for _ in range(CALLS):
            found = fault(function, by_value, prototype, described, dice)
            if found:
                wrong.append(shown(prototype, described, found))
                break
    assert not wrong, summary(wrong)


def called_back_fault(
    backend: Backend,
    by_value: ByValueLibrary,
    prototype: Prototype,
    described: Described,
    signature: Signature,
    dice: random.Random,
) -> str | None:
    """What is wrong when C calls a callback, or None."""
    arguments = [
        described.random_value(dice) if p is None else argument(p, dice) for p in prototype.parameters
    ]
    wanted = described.random_value(dice) if prototype.returns_aggregate else dice.randrange(1 << 64)
    seen: list[Any] = []

    def function(*values: Any) -> Any:
        seen.extend(values)
        return wanted

    handle = backend.callback(function, signature)
    memory = b"".join(
        stored(a, SCALARS[p] if p else described.abi).ljust(SLOT, b"\0")
        for a, p in zip(arguments, prototype.parameters, strict=True)
    )
    given = ctypes.create_string_buffer(memory)
    out = ctypes.create_string_buffer(b"\xee" * (SLOT + 16))
    caller = by_value.address_of(f"call_{prototype.name}")
    backend.bind(caller, Signature(VOID, [POINTER, POINTER, POINTER]))(
        handle.address, ctypes.addressof(given), ctypes.addressof(out)
    )
    handle.release()
    size = signature.result.size
    arrived = [described.values_of(v) if isinstance(v, bytes) else v or 0 for v in seen]
    if arrived != [described.values_of(a) if isinstance(a, bytes) else a for a in arguments]:
        return f"the arguments did not arrive: {arguments}, but {seen}"
    result = described.values_of(out.raw[:size]) if isinstance(wanted, bytes) else out.raw[:size]
    expected = described.values_of(wanted) if isinstance(wanted, bytes) else wanted.to_bytes(8, "little")
    if result != expected or out.raw[size : size + 16] != b"\xee" * 16:
        return f"C got {out.raw[: size + 16].hex(' ')} for {expected.hex(' ')}"
    return None


def test_random_aggregates_travel_through_callbacks(
    backend: Backend, by_value: ByValueLibrary, convention: str
) -> None:
    if "callbacks" not in backend.capabilities:
        pytest.skip(f"the {backend.name} backend does not have the capability 'callbacks'")
    wrong, made = [], 0
    for prototype, described, signature in supported(backend, by_value, convention):
        try:
            found = called_back_fault(
                backend, by_value, prototype, described, signature, random.Random(prototype.name)
            )
        except UnsupportedSignatureError:
            continue
        made += 1
        if found:
            wrong.append(shown(prototype, described, found))
    assert not wrong, summary(wrong)
    assert made > len(by_value.prototypes) // 6


def stored(value: Any, type: AbiType) -> bytes:
    """A value as it lies in memory."""
    if type.kind is Kind.FLOAT:
        return struct.pack("=d" if type.size == 8 else "=f", value)
    return value if isinstance(value, bytes) else (value % (1 << 8 * type.size)).to_bytes(type.size, "little")


def shown(prototype: Prototype, described: Described, fault: str) -> str:
    return f"{definitions(prototype.type)}{prototype};\n{described.abi.fields}\n{fault}"


def summary(wrong: list[str]) -> str:
    most = "\n\n".join(wrong[:5])
    return f"seeds from {SEED}: {len(wrong)} functions answer wrongly; the first are\n\n{most}"


def test_most_random_aggregates_are_supported(
    backend: Backend, by_value: ByValueLibrary, convention: str
) -> None:
    # The trampoline refuses nothing but what an x87 register returns.
    least = 3 if backend.name != "trampoline" else 1.25
    whole = [p for p in by_value.prototypes if 0 < by_value.described(p).abi.size <= MOST_BYTES]
    assert len(supported(backend, by_value, convention)) > len(whole) // least
