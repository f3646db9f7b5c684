"""What discovery finds in a case's headers, how much of it works, and what gcc says of the same."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import epsilon.foreign.api as ffi
from epsilon.foreign.ext import discovery
from epsilon.foreign.ext.discovery import Binding
from epsilon.foreign.ext.discovery.ir import Function, Macro, Record

from .catalogue import Case
from .gcc import functions, layouts, macros


@dataclass
class Survey:
    """One case. `reasons` says of each function that is not bound why; `differences` what gcc sees otherwise."""

    case: Case
    binding: Binding
    library: Any
    seconds: float
    bound: int = 0
    reasons: dict[str, str] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)

    def own(self, kind: type) -> list[Any]:
        """The library's own declarations of one kind."""
        return [each for each in self.binding.of(kind) if not each.dependency]

    @property
    def own_records(self) -> list[Record]:
        """The library's own structs and unions with members."""
        return [record for record in self.own(Record) if record.complete]

    @cached_property
    def verification(self) -> discovery.Verification:
        """What the program says that discovery writes and a compiler compiles."""
        return discovery.verify_layouts(self.binding)


def survey(case: Case) -> Survey:
    """Parse, touch everything, compare with gcc."""
    began = time.process_time()
    binding = parse(case)
    library = discovery.bind(binding, library=case.library)
    seconds = time.process_time() - began
    found = Survey(case, binding, library, seconds)
    _touch_functions(found)
    _compare_functions(found)
    _compare_layouts(found)
    _compare_macros(found)
    return found


def parse(case: Case) -> Binding:
    """The case's headers as a user would name them."""
    return discovery.parse(list(case.headers), include_dirs=case.include, cache=False)


def _touch_functions(found: Survey) -> None:
    for function in found.own(Function):
        try:
            bound = getattr(found.library, function.python_name or function.name)
        except (discovery.UnsupportedDeclarationError, ffi.SymbolNotFoundError) as error:
            found.reasons[function.name] = str(error)
        else:
            assert callable(bound), function.name
            found.bound += 1


def _compare_functions(found: Survey) -> None:
    declared = functions.declared(found.case)
    ours = {function.name for function in found.own(Function)}
    found.differences += [f"not found: {declared[name]}" for name in sorted(declared.keys() - ours)]
    found.differences += [f"gcc knows no function {name}" for name in sorted(ours - declared.keys())]


def _compare_layouts(found: Survey) -> None:
    theirs = layouts.found(found.case)
    ours = found.binding.records
    for name, layout in theirs.records.items():
        record = ours.get(name)
        if record is None:
            found.differences.append(f"not found: {layout.keyword} {name}")
            continue
        members = dict(members_of(record, found.binding, 0))
        if (record.size, members) != (layout.size, layout.members):
            found.differences.append(
                f"{layout.keyword} {name}: {record.size} bytes {members}; in C {layout.size} {layout.members}"
            )
    enums = found.binding.enums
    for name, values in theirs.enums.items():
        enum = enums.get(name)
        mine = {each.name: each.value for each in enum.enumerators} if enum else None
        if not name.startswith("(") and mine != values:
            found.differences.append(f"enum {name}: {mine}; in C {values}")


def members_of(record: Record, binding: Binding, base: int) -> Any:
    """The members by name with their offsets in bits and widths; those of anonymous members among them."""
    for member in record.fields:
        offset = base + 8 * member.offset + member.bit
        if member.name:
            yield member.name, (offset, member.bits)
        elif member.bits is None:
            inner = binding.records[member.type.name]  # an anonymous member is a record
            yield from members_of(inner, binding, offset)


def _compare_macros(found: Survey) -> None:
    everything = macros.defined(found.case)
    theirs = {name: each for name, each in everything.items() if each.own and name not in found.case.gcc_only}
    ours = {macro.name: macro for macro in found.own(Macro)}
    for name in sorted(theirs.keys() - ours.keys()):
        found.differences.append(f"not found: #define {name} {theirs[name].text}")
    for name in sorted(ours.keys() - everything.keys()):
        found.differences.append(f"gcc knows no macro {name}")
    for name in sorted(theirs.keys() & ours.keys()):
        if theirs[name].function_like != (ours[name].parameters is not None):
            found.differences.append(f"{name}: only one of us sees parameters")
    plain = [name for name, macro in theirs.items() if not macro.function_like and macro.text != "__LINE__"]
    for name in sorted(macros.integers(found.case, plain) & ours.keys()):
        if not isinstance(ours[name].value, int | float):
            found.differences.append(f"{name} is a number to gcc: {theirs[name].text}")
