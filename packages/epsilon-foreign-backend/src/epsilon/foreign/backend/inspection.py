"""How a bound function shows itself: its C prototype for people, its `inspect.Signature` for tools."""

from __future__ import annotations

from keyword import iskeyword
from typing import TYPE_CHECKING

from .binding import Binding, Parameter

if TYPE_CHECKING:
    import inspect


def render(binding: Binding) -> str:
    """The prototype in one line: ``cos(x: double) -> double``."""
    types = binding.signature.parameters
    shown = [
        f"{p.name}: {p.describe or t.name}" if p.name else p.describe or t.name
        for p, t in zip(binding.parameters, types, strict=True)
    ]
    if binding.signature.variadic_from is not None:
        shown.insert(binding.signature.variadic_from, "...")
    return f"{binding.name}({', '.join(shown)}) -> {binding.result_describe or binding.signature.result.name}"


def parameter_names(parameters: tuple[Parameter, ...]) -> list[str]:
    """A distinct Python identifier for every parameter; nameless ones get ``arg1``, ``arg2`` ...

    C names such as ``from`` and ``in`` that are keywords in Python get an underscore: `inspect` takes no
    keyword.
    """
    taken = {p.name for p in parameters}
    names = []
    for position, parameter in enumerate(parameters, 1):
        own = bool(parameter.name) and not iskeyword(parameter.name)
        name = f"{parameter.name}_" if parameter.name else f"arg{position}"
        name = parameter.name if own else name
        while not own and name in taken:
            name = "_" + name
        taken.add(name)
        names.append(name)
    return names


def python_signature(binding: Binding) -> inspect.Signature:
    """The `inspect.Signature`; a nameless parameter, and every one before it, is positional only."""
    import inspect

    parameters = binding.parameters
    last_nameless = max((i for i, p in enumerate(parameters) if not p.name), default=-1)
    made = [
        inspect.Parameter(
            name,
            inspect.Parameter.POSITIONAL_ONLY
            if i <= last_nameless
            else inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=inspect.Parameter.empty if p.default is Ellipsis else p.default,
            annotation=p.describe or type.name,
        )
        for i, (name, p, type) in enumerate(
            zip(parameter_names(parameters), parameters, binding.signature.parameters, strict=True)
        )
    ]
    return inspect.Signature(made, return_annotation=binding.result_describe or binding.signature.result.name)
