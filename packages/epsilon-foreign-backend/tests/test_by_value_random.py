"""Random aggregates of up to 64 bytes by value, first, last and in the middle of random parameters, and as
results.

C sums up every bit of a value that arrived and returns a changed copy. EPSILON_FOREIGN_BY_VALUE is how many
aggregates (200 by default), EPSILON_FOREIGN_BY_VALUE_SEED the first seed. A backend may refuse a signature
(`supports`); a wrong answer is shown with the C declarations that it happened with.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

import pytest
from by_value import ByValueLibrary, Described, Prototype, checksum, compiled
from epsilon.foreign.backend import UINT64, AbiType, Backend, Kind, Signature
from random_types import SCALARS, definitions

MOST_BYTES = 64
#: Under user-mode emulation everything takes far longer.
COUNT = int(os.environ.get("EPSILON_FOREIGN_BY_VALUE") or (24 if "QEMU_LD_PREFIX" in os.environ else 200))
SEED = int(os.environ.get("EPSILON_FOREIGN_BY_VALUE_SEED") or 1)
CALLS = 2


@pytest.fixture(scope="module")
def by_value(tmp_path_factory: pytest.TempPathFactory) -> ByValueLibrary:
    found = compiled(tmp_path_factory.mktemp("by_value"), COUNT, SEED)
    if isinstance(found, str):
        pytest.skip(found)
    return found


def signature_of(prototype: Prototype, described: Described) -> Signature:
    return Signature(
        described.abi if prototype.returns_aggregate else UINT64,
        [described.abi if p is None else SCALARS[p] for p in prototype.parameters],
    )


def has_empty(type: AbiType) -> bool:
    return any(field.type.size == 0 or has_empty(field.type) for field in type.fields)


def supported(backend: Backend, by_value: ByValueLibrary) -> list[tuple[Prototype, Described, Signature]]:
    found = []
    for prototype in by_value.prototypes:
        described = by_value.described(prototype)
        # What C compilers make of a member without a size they do not agree on.
        if not 0 < described.abi.size <= MOST_BYTES or has_empty(described.abi):
            continue
        signature = signature_of(prototype, described)
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


def test_random_aggregates_travel_by_value_as_in_c(backend: Backend, by_value: ByValueLibrary) -> None:
    if "aggregates" not in backend.capabilities:
        pytest.skip(f"the {backend.name} backend does not have the capability 'aggregates'")
    wrong = []
    for prototype, described, signature in supported(backend, by_value):
        function = backend.bind(by_value.address_of(prototype.name), signature)
        dice = random.Random(prototype.name)
        for _ in range(CALLS):
            found = fault(function, by_value, prototype, described, dice)
            if found:
                wrong.append(f"{definitions(prototype.type)}{prototype};\n{described.abi.fields}\n{found}")
                break
    shown = "\n\n".join(wrong[:5])
    assert not wrong, f"seeds from {SEED}: {len(wrong)} functions answer wrongly; the first are\n\n{shown}"


def test_most_random_aggregates_are_supported(backend: Backend, by_value: ByValueLibrary) -> None:
    if "aggregates" not in backend.capabilities:
        pytest.skip(f"the {backend.name} backend does not have the capability 'aggregates'")
    assert len(supported(backend, by_value)) > len(by_value.prototypes) // 3
