"""Comparing two bindings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..errors import DiscoveryError
from ..ir import Binding, Declaration, Enum, Function, Macro, Record, Typedef, Unsupported, Variable
from .change import Change, Effect
from .spelled import Spelled

Found = Iterator[tuple[Effect, str]]


def compare_bindings(old: Binding, new: Binding) -> list[Change]:
    """The changes from `old` to `new`, in the order of the declarations, those that break the ABI first.

    What both take from other libraries' headers is only compared where it is there in both. Raises DiscoveryError for
    bindings of different platforms.
    """
    if old.target != new.target:
        raise DiscoveryError(f"the bindings are for different platforms: {old.target} and {new.target}")
    before, after = _by_key(old), _by_key(new)
    spelled = (Spelled(old), Spelled(new))
    changes: list[Change] = []
    for key, declaration in before.items():
        if key in after:
            changes += _changed(declaration, after[key], spelled)
        elif not declaration.dependency:
            changes.append(Change(_kind(declaration), declaration.name, "removed", _removal(declaration)))
    for key, declaration in after.items():
        if key not in before and not declaration.dependency:
            changes.append(Change(_kind(declaration), declaration.name, "added", Effect.NONE))
    order = list(Effect)
    return sorted(changes, key=lambda change: order.index(change.effect))


def _by_key(binding: Binding) -> dict[tuple[str, str], Declaration]:
    return {(type(d).__name__, d.name): d for d in binding.declarations if not isinstance(d, Unsupported)}


def _kind(declaration: Declaration) -> str:
    if isinstance(declaration, Record):
        return "union" if declaration.union else "struct"
    return type(declaration).__name__.lower()


def _removal(declaration: Declaration) -> Effect:
    if isinstance(declaration, Function) and declaration.uncallable:
        return Effect.SOURCE  # it never was in the library
    return Effect.ABI if isinstance(declaration, (Function, Variable)) else Effect.SOURCE


def _changed(old: Declaration, new: Declaration, spelled: tuple[Spelled, Spelled]) -> Iterator[Change]:
    differences = list(_COMPARERS[type(old)](old, new, spelled))
    if differences:
        order = list(Effect)
        effect = min((effect for effect, _ in differences), key=order.index)
        yield Change(_kind(new), new.name, "changed", effect, tuple(text for _, text in differences))


def _functions(old: Function, new: Function, spelled: tuple[Spelled, Spelled]) -> Found:
    before, after = spelled[0].function(old), spelled[1].function(new)
    if before != after:
        yield Effect.ABI, f"was {before}, is {after}"
    if (old.symbol or old.name) != (new.symbol or new.name):
        yield Effect.ABI, f"its symbol was {old.symbol or old.name}, is {new.symbol or new.name}"
    if old.uncallable != new.uncallable:
        # Into an inline function is out of the library.
        yield (Effect.ABI, new.uncallable) if new.uncallable else (Effect.NONE, "can be called now")
    if new.deprecated and not old.deprecated:
        yield Effect.NONE, f"is deprecated: {new.deprecated}"
    names = [p.name for p in old.parameters], [p.name for p in new.parameters]
    if before == after and names[0] != names[1]:
        yield Effect.SOURCE, f"its parameters were named {', '.join(names[0])}, are {', '.join(names[1])}"


def _variables(old: Variable, new: Variable, spelled: tuple[Spelled, Spelled]) -> Found:
    before, after = spelled[0].type(old.type), spelled[1].type(new.type)
    if before != after:
        yield Effect.ABI, f"was {before}, is {after}"


def _typedefs(old: Typedef, new: Typedef, spelled: tuple[Spelled, Spelled]) -> Found:
    before, after = spelled[0].type(old.type), spelled[1].type(new.type)
    if before != after:
        yield Effect.ABI, f"was {before}, is {after}"


def _records(old: Record, new: Record, spelled: tuple[Spelled, Spelled]) -> Found:
    if old.union != new.union:
        yield (
            Effect.ABI,
            f"was a {'union' if old.union else 'struct'}, is a {'union' if new.union else 'struct'}",
        )
    if old.complete and not new.complete:
        yield Effect.ABI, "its members are hidden now"
        return
    if not old.complete:
        if new.complete:
            yield Effect.NONE, "its members are known now"
        return
    for what in ("size", "align"):
        if getattr(old, what) != getattr(new, what):
            yield Effect.ABI, f"its {what} was {getattr(old, what)} bytes, is {getattr(new, what)}"
    yield from _members(old, new, spelled)


def _members(old: Record, new: Record, spelled: tuple[Spelled, Spelled]) -> Found:
    before = {field.name: field for field in old.fields if field.name}
    after = {field.name: field for field in new.fields if field.name}
    places = {
        (f.offset, f.bit, f.bits, spelled[1].type(f.type)): f.name for f in new.fields if f.name not in before
    }
    for name, field in before.items():
        found = after.get(name)
        if found is None:
            place = (field.offset, field.bit, field.bits, spelled[0].type(field.type))
            if place in places:
                yield Effect.SOURCE, f"member {name} is named {places.pop(place)} now"
            else:
                yield Effect.ABI, f"member {name} is gone"
            continue
        if (field.offset, field.bit, field.bits) != (found.offset, found.bit, found.bits):
            yield Effect.ABI, f"member {name} was at {_place(field)}, is at {_place(found)}"
        types = spelled[0].type(field.type), spelled[1].type(found.type)
        if types[0] != types[1]:
            yield Effect.ABI, f"member {name} was {types[0]}, is {types[1]}"
    for name in after:
        if name not in before and name in places.values():
            # In room that was there already it harms nobody; other room shows in the size.
            yield Effect.NONE, f"member {name} is new"


def _place(field: Any) -> str:
    return f"{field.offset}" if field.bits is None else f"{field.offset}:{field.bit}, {field.bits} bits"


def _enums(old: Enum, new: Enum, spelled: tuple[Spelled, Spelled]) -> Found:
    before, after = spelled[0].type(old.base), spelled[1].type(new.base)
    if before != after and old.complete and new.complete:
        yield Effect.ABI, f"its type was {before}, is {after}"
    values = {each.name: each.value for each in new.enumerators}
    for each in old.enumerators:
        if each.name not in values:
            yield Effect.SOURCE, f"{each.name} is gone"
        elif values[each.name] != each.value:
            yield Effect.ABI, f"{each.name} was {each.value}, is {values[each.name]}"
    known = {each.name for each in old.enumerators}
    yield from ((Effect.NONE, f"{name} is new") for name in values if name not in known)


def _macros(old: Macro, new: Macro, spelled: tuple[Spelled, Spelled]) -> Found:
    if (old.parameters is None) != (new.parameters is None):
        yield Effect.SOURCE, f"is {'an object' if new.parameters is None else 'a function'}-like macro now"
    elif old.parameters is not None and old.parameters != new.parameters:
        yield Effect.SOURCE, f"took ({', '.join(old.parameters)}), takes ({', '.join(new.parameters or ())})"
    elif old.value != new.value:
        # A version's number changes by design; compiled code has the old value, which may be what it should have.
        yield (Effect.SOURCE if new.value is None else Effect.NONE), f"was {old.value!r}, is {new.value!r}"


_COMPARERS: dict[type[Any], Callable[[Any, Any, tuple[Spelled, Spelled]], Found]] = {
    Function: _functions,
    Variable: _variables,
    Typedef: _typedefs,
    Record: _records,
    Enum: _enums,
    Macro: _macros,
}
