"""The object whose attributes are what a header declares."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import epsilon.foreign.api as ffi
from epsilon.foreign.runtime import Declaration, Declared, Library, resolve_type

from .. import ir
from ..naming import Constant, Named, public_names
from ..terms import FunctionTerm, Refused, VariableTerm
from .types import Types


class Bindings:
    """What a header declares, as attributes: functions, structs, unions and enums as classes, constants, variables.

    An attribute is made when it is first asked for. Asking for a function that the library does not export raises
    SymbolNotFoundError (an AttributeError), for something that cannot be used from Python
    UnsupportedDeclarationError, which says why. `dir` lists the names of the header itself.
    """

    def __init__(
        self,
        binding: ir.Binding,
        library: Library,
        *,
        release_gil: bool = True,
        checks: Mapping[str, ffi.Check] | None = None,
        distrust: bool = False,
    ) -> None:
        # C may name anything, so nothing here has a name that C would give.
        self.__maker = _Maker(binding, library, release_gil, checks or {}, distrust)

    def __getattr__(self, name: str) -> Any:
        maker = self.__dict__.get("_Bindings__maker")
        if maker is None:  # while it is unpickled, or copied
            raise AttributeError(name)
        try:
            value = maker.make(name)
        except KeyError:
            raise AttributeError(f"{maker.shown} declares no {name!r}", name=name, obj=self) from None
        self.__dict__[name] = value
        return value

    def __dir__(self) -> list[str]:
        return sorted(name for name, found in self.__maker.names.items() if not _is_dependency(found))

    def __contains__(self, name: object) -> bool:
        """Does the header declare something of that name?"""
        return name in self.__maker.names

    def __repr__(self) -> str:
        maker = self.__maker
        return f"<bindings of {maker.shown}: {len(maker.names)} names, {maker.library!r}>"

    def __reduce__(self) -> Any:
        raise TypeError(f"cannot pickle the bindings of {self.__maker.shown}: bind them in the other process")


def library_of(bindings: Bindings) -> Library:
    """The library that the functions of live bindings are looked up in."""
    found: Library = vars(bindings)["_Bindings__maker"].library
    return found


def binding_of(bindings: Bindings) -> ir.Binding:
    """The IR that live bindings are made from."""
    found: ir.Binding = vars(bindings)["_Bindings__maker"].binding
    return found


def _is_dependency(found: Named) -> bool:
    declaration = found.enum if isinstance(found, Constant) else found
    return declaration.dependency


class _Maker:
    """Makes the attributes of one `Bindings`."""

    def __init__(
        self,
        binding: ir.Binding,
        library: Library,
        release_gil: bool,
        checks: Mapping[str, ffi.Check],
        distrust: bool,
    ) -> None:
        self.binding = binding
        self.library = library
        self.release_gil = release_gil
        self.checks = checks
        self.shown = ", ".join(binding.headers) or "the text"
        self.names = public_names(binding)
        self.types = Types(binding, distrust=distrust)

    def make(self, name: str) -> Any:
        """The attribute `name`. Raises KeyError where there is none."""
        found = self.names[name]
        return _MAKERS[type(found)](self, found)

    def function(self, function: ir.Function) -> Any:
        """The function, bound. Raises SymbolNotFoundError, UnsupportedDeclarationError."""
        term = self.types.lowering.function(function)
        if term.reason:
            raise _refused(term.name, term.reason)
        try:
            return self.library.bind_declaration(term.symbol, self._declared(term))
        except ffi.SymbolNotFoundError as error:
            raise _missing(error, term.name, self.shown) from None
        except ffi.UnsupportedSignatureError as error:
            raise _refused(term.name, str(error)) from error

    def _declared(self, term: FunctionTerm) -> Declaration:
        types = self.types
        # A variadic function takes no keywords, so its parameters' names serve its signature only.
        parameters = tuple([Declared(resolve_type(types.parameter(p.term)), p.name) for p in term.parameters])
        return Declaration(
            term.name,
            resolve_type(types.make(term.result)),
            parameters,
            term.variadic,
            self._check(term.name),
            self.release_gil,
            term.convention,
            term.doc or None,
            None,
        )

    def _check(self, name: str) -> ffi.Check | None:
        for pattern, check in self.checks.items():
            if fnmatchcase(name, pattern):
                return check
        return None

    def variable(self, variable: ir.Variable) -> Any:
        """The variable, as `Library.variable` has it."""
        term = self.types.lowering.variable(variable)
        if term.reason:
            raise _refused(term.name, term.reason)
        try:
            return self.library.variable(term.symbol, self._variable_type(term))
        except ffi.SymbolNotFoundError as error:
            raise _missing(error, term.name, self.shown) from None

    def _variable_type(self, term: VariableTerm) -> Any:
        made = self.types.make(term.term)
        if not term.open_ended:
            return made
        # The header leaves the length open; the library's table of symbols knows the size.
        api: Any = ffi  # types are made of values here
        row = resolve_type(made)
        array = api.Array[row, _symbol_size(self.library, term.symbol) // max(row.size, 1) or 1]
        return api.Const[array] if isinstance(made, api.Const) else array

    def record(self, record: ir.Record) -> Any:
        """The class of a struct or union. Raises UnsupportedDeclarationError when it has no layout here."""
        term = self.types.lowering.record(record)
        if term.reason:
            raise _refused(term.name, term.reason)
        return self.types.record(record.name).cls

    def enum(self, enum: ir.Enum) -> Any:
        """The class of an enum; its integer type where the header does not say what is in it."""
        return (
            self.types.enum(enum.name)
            if enum.complete
            else self.types.make(self.types.lowering.type(enum.base))
        )

    def constant(self, constant: Constant) -> Any:
        """A constant: the member of its enum, or a number."""
        if constant.enum.is_plain:
            return constant.enumerator.value
        members = self.types.enum(constant.enum.name)
        return members(constant.enumerator.value)

    def typedef(self, typedef: ir.Typedef) -> Any:
        """The type that a typedef stands for."""
        try:
            term = self.types.lowering.typedef(typedef)
        except Refused as refused:
            raise _refused(typedef.name, str(refused)) from None
        made = self.types.make(term)
        return getattr(made, "cls", None) or made if isinstance(made, ffi.ForeignType) else made

    def macro(self, macro: ir.Macro) -> Any:
        """The value of a macro, or what it is another name for."""
        if macro.alias:
            target = self.names.get(macro.alias) or self._by_c_name(macro.alias)
            return _MAKERS[type(target)](self, target)
        if macro.parameters is not None:
            listed = f"{macro.name}({', '.join(macro.parameters)})"
            raise _refused(listed, f"function-like macros exist in C source only; it is: {macro.text}")
        if macro.value is None or macro.type is None:
            raise _refused(macro.name, f"the macro has no constant value; it is: {macro.text}")
        if isinstance(macro.type, ir.Pointer) and isinstance(macro.value, int):
            row = resolve_type(self.types.make(self.types.lowering.type(macro.type)))
            return ffi.from_foreign(macro.value or None, row)
        return macro.value

    def _by_c_name(self, name: str) -> Any:
        return next(d for d in self.binding.declarations if d.name == name and not isinstance(d, ir.Macro))

    def unsupported(self, found: ir.Unsupported) -> Any:
        """Raises UnsupportedDeclarationError."""
        raise _refused(found.name, found.reason)


_MAKERS: dict[Any, Any] = {
    ir.Function: _Maker.function,
    ir.Variable: _Maker.variable,
    ir.Record: _Maker.record,
    ir.Enum: _Maker.enum,
    ir.Typedef: _Maker.typedef,
    ir.Macro: _Maker.macro,
    ir.Unsupported: _Maker.unsupported,
    Constant: _Maker.constant,
}


def _refused(name: str, reason: str) -> ffi.UnsupportedDeclarationError:
    return ffi.UnsupportedDeclarationError(f"{name}: {reason}")


def _missing(error: Exception, name: str, header: str) -> ffi.SymbolNotFoundError:
    return ffi.SymbolNotFoundError(f"{name}: {header} declares it, but {error}")


def _symbol_size(library: Library, symbol: str) -> int:
    """Bytes that a symbol takes; 0 where nobody can say."""
    from ..symbols import file_of, read_image

    try:
        image = read_image(file_of(library) or "")
    except (OSError, ffi.ForeignError, ImportError):
        return 0
    return next((s.size for s in image.symbols if s.name == symbol), 0)
