"""The Python code that functions of an interpreting backend run: compiled from tables, once for each shape.

A loop over parameters and converters takes several times as long as the call that it is for. So functions
whose parameters and results are treated alike, a *shape*, share code that is compiled for them: it tests each
argument for the plain case where it stands and asks the parameter's converter only about the rest. What is
compiled consists of the texts in this module and of numbers; no name or text of a user gets into it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from . import pending
from .abi import AbiType, Kind
from .arguments import arrange, conversion_order, located, noted
from .binding import Binding, Guard, Marshal
from .errors import ArgumentError

#: What a parameter takes at once, as conditions and canonical values in Python: `a` is the argument; `low`,
#: `high` and `size` are its type's. The converters of `convert` come to the same.
Plain = tuple[tuple[str, str], ...]

_INTEGER: Plain = (("type({a}) is int and {low} <= {a} <= {high}", "{a}"),)
_VALUES: dict[Kind, Plain] = {
    Kind.BOOL: (("{a} is True or {a} is False", "{a}"),),
    Kind.SIGNED: _INTEGER,
    Kind.UNSIGNED: _INTEGER,
    Kind.FLOAT: (("type({a}) is float", "{a}"),),
    Kind.COMPLEX: (("type({a}) is complex", "{a}"),),
    Kind.POINTER: (*_INTEGER, ("{a} is None", "0")),
    Kind.AGGREGATE: (("type({a}) is bytes and len({a}) == {size}", "{a}"),),
}
_MARSHALS: dict[Marshal, Plain] = {
    Marshal.STRING: (
        # Only what is ASCII is sure to be encodable.
        ("type({a}) is str and {a}.isascii() and '\\0' not in {a}", "{a}.encode()"),
        ("{a} is None or type({a}) is bytes and 0 not in {a}", "{a}"),
    ),
    Marshal.BYTES: (("{a} is None or type({a}) is bytes", "{a}"),),
}

#: When a result is returned as it is.
_PASSES: dict[Guard, str] = {
    Guard.NEGATIVE: "not result < 0",
    Guard.NONZERO: "result is None or result == 0",
    # A NULL pointer is None here, and so is a NULL string.
    Guard.ZERO: "result is not None and result != 0",
}

_CALL = """
def __call__(self, {parameters}/, *more, **named):
    if not self.address:
        raise self.closed()
    if {incomplete}more or named:
        {unpacked}arrange(self.binding, given(({names})) + more, named)
    try:
{conversions}
    except ArgumentError as error:
        raise located(self.binding, at, error) from None
    except Exception as error:
        noted(self.binding, at, error)
        raise
    # Looked up again: the library may have been closed while the arguments were converted.
    result = self._invoke({names})
    if kept:
        collect()
{finish}
"""

_COMPOSED = """
def compose(inner, after, steps):
    [{steps}] = steps
    def call({names}):
        return {call}
    return call
"""


class _Missing:
    """Stands for arguments that were not given."""


_MISSING = _Missing()


def _given(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value for value in values if value is not _MISSING)


def caller(binding: Binding) -> Callable[..., Any]:
    """The ``__call__`` for functions of the shape of a validated `binding`.

    It uses their attributes ``binding``, ``address`` (0: call ``closed()`` and raise what it returns),
    ``_converters`` (one a parameter), ``_finish``, and ``_invoke``, which takes canonical values and returns
    the natural result, or that and errno when the binding captures it.
    """
    parameters = tuple(
        (plain(type, parameter.marshal), type.bounds if type.kind in _BOUNDED else (0, 0), type.size)
        for type, parameter in zip(binding.signature.parameters, binding.parameters, strict=True)
    )
    order = tuple(conversion_order(binding))
    passes = _PASSES.get(binding.guard)
    return _compiled(parameters, order, binding.finish is not None, passes, binding.capture_errno)


_BOUNDED = frozenset((Kind.SIGNED, Kind.UNSIGNED, Kind.POINTER))


def plain(type: AbiType, marshal: Marshal) -> Plain:
    """What a parameter takes at once; nothing where only its converter knows."""
    return _VALUES.get(type.kind, ()) if marshal is Marshal.VALUE else _MARSHALS.get(marshal, ())


@functools.lru_cache(maxsize=1024)
def _compiled(
    parameters: tuple[tuple[Plain, tuple[int, int], int], ...],
    order: tuple[int, ...],
    finish: bool,
    passes: str | None,
    errno: bool,
) -> Callable[..., Any]:
    names = [f"a{i}" for i in range(len(parameters))]
    listed = "".join(f"{name}, " for name in names)
    code = _CALL.format(
        parameters="".join(f"{name}=missing, " for name in names),
        incomplete=f"{names[-1]} is missing or " if names else "",
        unpacked=f"{listed}= " if names else "",
        names=listed,
        conversions="\n".join(_conversion(i, *parameters[i]) for i in order) or "        pass",
        finish=_finish(finish, passes, errno),
    )
    return _made(code, "__call__", _GLOBALS)


#: What the code of `_CALL` names. `kept` is a list that never becomes another one.
_GLOBALS: dict[str, Any] = {
    "ArgumentError": ArgumentError,
    "arrange": arrange,
    "collect": pending.collect,
    "given": _given,
    "kept": pending.kept,
    "located": located,
    "missing": _MISSING,
    "noted": noted,
}


def _conversion(position: int, plain: Plain, bounds: tuple[int, int], size: int) -> str:
    """The lines that make argument `position` canonical; `at` tells the ``except`` clauses where they are."""
    name = f"a{position}"
    words = {"a": name, "low": bounds[0], "high": bounds[1], "size": size}
    ask = [f"at = {position}", f"{name} = self._converters[{position}]({name})"]
    if not plain:
        return "\n".join(" " * 8 + line for line in ask)
    lines = []
    for word, (condition, value) in zip(("if", *["elif"] * len(plain)), plain, strict=False):
        lines += [f"{word} {condition}:", f"    {{a}} = {value}" if value != "{a}" else "    pass"]
    lines = [line.format(**words) for line in lines]
    lines += ["else:", *("    " + line for line in ask)]
    return "\n".join(" " * 8 + line for line in lines)


def _finish(finish: bool, passes: str | None, errno: bool) -> str:
    """The lines that make the value to return out of `result`."""
    lines = ["result, errno = result"] if errno else []
    if finish and passes:
        lines += [f"if {passes}:", "    return result"]
    given = "result, errno" if errno else "result"
    lines += [f"return self._finish({given})" if finish else "return result"]
    return "\n".join(" " * 4 + line for line in lines)


def composed(
    inner: Callable[..., Any],
    steps: Sequence[Callable[[Any], Any] | None],
    after: Callable[[Any], Any] | None,
) -> Callable[..., Any]:
    """`inner` with a step before it for each argument that has one, and one after it; `inner` itself where
    there is nothing to do."""
    if after is None and not any(steps):
        return inner
    make = _composer(tuple([step is not None for step in steps]), after is not None)
    call: Callable[..., Any] = make(inner, after, [step for step in steps if step is not None])
    return call


@functools.lru_cache(maxsize=1024)
def _composer(stepped: tuple[bool, ...], after: bool) -> Callable[..., Any]:
    given = ", ".join(f"s{i}(a{i})" if step else f"a{i}" for i, step in enumerate(stepped))
    code = _COMPOSED.format(
        steps=", ".join(f"s{i}" for i, step in enumerate(stepped) if step),
        names=", ".join(f"a{i}" for i in range(len(stepped))),
        call=f"after(inner({given}))" if after else f"inner({given})",
    )
    return _made(code, "compose", {})


def _made(code: str, name: str, names: dict[str, Any]) -> Callable[..., Any]:
    """The function called `name` of some code, which uses the global `names`."""
    scope = {**names, "__name__": __name__}
    exec(compile(code, "<foreign call>", "exec"), scope)
    made: Callable[..., Any] = scope[name]
    return made
