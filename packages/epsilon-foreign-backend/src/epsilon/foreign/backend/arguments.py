"""From the arguments of a Python call to canonical values: arity, keywords, defaults, conversion, messages.

This is what every backend runs when its fast path does not apply; a trampoline stub that meets an argument it
does not know ends here too, so all backends raise the same errors with the same words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .binding import Binding, Converter, Parameter
from .convert import converter
from .errors import ArgumentError, ArgumentTypeError

Prepare = Callable[[tuple[Any, ...], dict[str, Any]], "list[Any]"]


def preparer(binding: Binding) -> Prepare:
    """A function ``(args, kwargs) -> canonical values`` for a validated `binding`.

    It raises `ArgumentTypeError` for a wrong number or name of arguments, and whatever the converters raise
    with the function's and the parameter's name in front.
    """
    converters = converters_of(binding)
    count = len(converters)
    order = conversion_order(binding)

    def prepare(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        if kwargs or len(args) != count:
            args = arrange(binding, args, kwargs)
        values = list(args)
        position = 0
        try:
            for position in order:
                values[position] = converters[position](values[position])
        except ArgumentError as error:
            raise located(binding, position, error) from None
        except Exception as error:
            noted(binding, position, error)
            raise
        return values

    return prepare


def conversion_order(binding: Binding) -> list[int]:
    """The positions of a validated `binding`'s parameters in the order of their conversion.

    Those that are lent memory come last: the conversion of another argument may run code that frees it, and what has
    become an address already would be passed all the same.
    """
    return sorted(range(len(binding.parameters)), key=lambda position: lends(binding.parameters[position]))


def lends(parameter: Parameter) -> bool:
    """Is a data object's own memory given to C for this parameter?"""
    return parameter.accept is not None


def converters_of(binding: Binding) -> list[Converter]:
    """The converter of each parameter of a validated `binding`."""
    return [
        p.convert or converter(type, p.marshal)
        for p, type in zip(binding.parameters, binding.signature.parameters, strict=True)
    ]


def located(binding: Binding, position: int, error: ArgumentError) -> ArgumentError:
    """A converter's error with the function's and the parameter's name in front."""
    return type(error)(f"{binding.name}() {describe(binding, position)}: {error}")


def noted(binding: Binding, position: int, error: Exception) -> None:
    """Let another exception from a conversion tell which argument it was."""
    error.add_note(f"while converting {binding.name}() {describe(binding, position)}")


def arrange(binding: Binding, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """Put positional arguments, keywords and defaults into the order of the parameters."""
    parameters = binding.parameters
    if len(args) > len(parameters):
        raise ArgumentTypeError(f"{binding.name}() takes {_arity(binding)}, got {len(args)}")
    ordered = list(args)
    left = dict(kwargs)
    for position, parameter in enumerate(parameters):
        if position < len(args):
            if parameter.name and parameter.name in left:
                raise ArgumentTypeError(f"{binding.name}() got argument {parameter.name!r} twice")
        elif parameter.name and parameter.name in left:
            ordered.append(left.pop(parameter.name))
        elif parameter.default is not Ellipsis:
            ordered.append(parameter.default)
        else:
            missing = " and ".join(
                describe(binding, i)
                for i in range(position, len(parameters))
                if parameters[i].default is Ellipsis
                and (not parameters[i].name or parameters[i].name not in left)
            )
            raise ArgumentTypeError(f"{binding.name}() is missing {missing}: it takes {_arity(binding)}")
    if left:
        raise ArgumentTypeError(f"{binding.name}() has no parameter {next(iter(left))!r}")
    return tuple(ordered)


def describe(binding: Binding, position: int) -> str:
    """A parameter for a message: by name where it has one."""
    name = binding.parameters[position].name
    return f"argument {position + 1} ({name!r})" if name else f"argument {position + 1}"


def _arity(binding: Binding) -> str:
    most = len(binding.parameters)
    least = sum(p.default is Ellipsis for p in binding.parameters)
    count = str(most) if least == most else f"{least} to {most}"
    return f"{count} argument{'' if most == 1 else 's'}" if most else "no arguments"
