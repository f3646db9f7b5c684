"""Immutable values: to type checkers dataclasses, at run time something that is made in a tenth of the time.

`dataclasses` compiles six functions for each class and takes `inspect`, `ast` and `dis` along. Here are more than forty
such classes, and making them was a third of what importing the parser cost. These are as immutable, compare and hash
by their fields, match by position, are copied and pickled by their fields; `dataclasses.replace` and
`dataclasses.fields` work on them.
"""

from __future__ import annotations

from operator import attrgetter

TYPE_CHECKING = False  # as in `typing`, which costs more than all of this
if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass, replace
    from typing import Any
else:

    def dataclass(*, frozen=True, slots=True):
        """As `dataclasses.dataclass`, for classes of immutable fields with immutable defaults."""
        assert frozen, "values do not change"
        return lambda cls: _made(cls, slots)

    def replace(value, /, **changes):
        """As `dataclasses.replace`."""
        for name in value.__match_args__:
            changes.setdefault(name, getattr(value, name))
        return type(value)(**changes)


__all__ = ["dataclass", "defaults", "replace"]


def defaults(cls: Any) -> dict[str, Any]:
    """The defaults of a class's fields, by name."""
    found: dict[str, Any] = cls.__dict__["__dataclass_fields__"].defaults
    return found


def _made(cls: Any, slots: bool) -> Any:
    names = tuple(cls.__annotations__)  # there is no inheritance among these classes
    body = dict(cls.__dict__)
    defaults = {name: body.pop(name) for name in names if name in body}
    for unwanted in ("__dict__", "__weakref__"):
        body.pop(unwanted, None)
    if slots:
        body["__slots__"] = names
    body |= {
        "__match_args__": names,
        "__setattr__": _refuse,
        "__delattr__": _refuse,
        "__repr__": _shown,
        "__reduce__": _reduced,
        "__dataclass_fields__": _Fields(defaults),
    }
    made = type(cls)(cls.__name__, cls.__bases__, body)
    made.__qualname__ = cls.__qualname__
    get = _getter(names)

    def equal(self: Any, other: Any) -> Any:
        return get(self) == get(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: Any) -> int:
        return hash(get(self))

    made.__eq__, made.__hash__, made.__init__ = equal, hashed, _constructor(made, names, defaults, slots)
    return made


def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda self: tuple([getattr(self, name) for name in names])


def _constructor(cls: Any, names: tuple[str, ...], defaults: dict[str, Any], slots: bool) -> Any:
    """``__init__``, compiled: the names are those that the class was written with."""
    parameters = [f"{name}=_default_{name}" if name in defaults else name for name in names]
    scope: dict[str, Any] = {f"_default_{name}": value for name, value in defaults.items()}
    if slots:
        scope |= {f"_set_{name}": cls.__dict__[name].__set__ for name in names}
        lines = [f" _set_{name}(self, {name})" for name in names]
    else:
        lines = [f" self.__dict__[{name!r}] = {name}" for name in names]
    exec(f"def __init__({', '.join(['self', *parameters])}):\n" + "\n".join(lines or [" pass"]), scope)
    return scope["__init__"]


def _refuse(self: Any, name: str, value: Any = None) -> None:
    raise AttributeError(f"{type(self).__name__} is immutable: its {name!r} cannot be changed")


def _shown(self: Any) -> str:
    listed = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
    return f"{type(self).__qualname__}({listed})"


def _reduced(self: Any) -> Any:
    return type(self), tuple(getattr(self, name) for name in self.__match_args__)


class _Fields:
    """What `dataclasses` looks for, made when it does."""

    def __init__(self, defaults: dict[str, Any]) -> None:
        self.defaults = defaults

    def __get__(self, instance: Any, cls: Any) -> Any:
        from dataclasses import field, make_dataclass

        fields: list[Any] = [
            (name, object, field(default=self.defaults[name])) if name in self.defaults else (name, object)
            for name in cls.__match_args__
        ]
        made: Any = make_dataclass(cls.__name__, fields)
        return made.__dataclass_fields__
