"""C's types by name, for annotations: ``def cos(x: c.double) -> c.double``.

At run time each name is the row of the type table (sizes in bytes: ``ffi.sizeof(c.long)``), and calling it
makes a typed value for the variadic part of a call: ``printf(b"%d", c.int(3))``. To a type checker each is
the Python type that its values have, so a declared function keeps ordinary Python parameters and result.

`string` is a NUL-terminated UTF-8 ``char *``, `bytes` the same as bytes, `buffer` the memory of any object
with the buffer protocol (`mutable_buffer`: a writable one), `pointer` a ``void *`` as an integer address.
None is NULL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import builtins
    from typing import Any, TypeAlias

    from typing_extensions import Buffer

    bool: TypeAlias = builtins.bool
    char: TypeAlias = builtins.bytes
    wchar: TypeAlias = builtins.str
    schar: TypeAlias = builtins.int
    uchar: TypeAlias = builtins.int
    short: TypeAlias = builtins.int
    ushort: TypeAlias = builtins.int
    int: TypeAlias = builtins.int
    uint: TypeAlias = builtins.int
    long: TypeAlias = builtins.int
    ulong: TypeAlias = builtins.int
    longlong: TypeAlias = builtins.int
    ulonglong: TypeAlias = builtins.int
    int8: TypeAlias = builtins.int
    int16: TypeAlias = builtins.int
    int32: TypeAlias = builtins.int
    int64: TypeAlias = builtins.int
    uint8: TypeAlias = builtins.int
    uint16: TypeAlias = builtins.int
    uint32: TypeAlias = builtins.int
    uint64: TypeAlias = builtins.int
    size_t: TypeAlias = builtins.int
    ssize_t: TypeAlias = builtins.int
    ptrdiff_t: TypeAlias = builtins.int
    intptr_t: TypeAlias = builtins.int
    uintptr_t: TypeAlias = builtins.int
    float: TypeAlias = builtins.float
    double: TypeAlias = builtins.float
    longdouble: TypeAlias = builtins.float
    float_complex: TypeAlias = builtins.complex
    double_complex: TypeAlias = builtins.complex
    # A result is str or None. As an argument it takes bytes too; a checker that is to allow them wants
    # `bytes`.
    string: TypeAlias = builtins.str | None
    bytes: TypeAlias = builtins.bytes | None
    buffer: TypeAlias = Buffer | None
    mutable_buffer: TypeAlias = Buffer | None
    # What void * is to a C compiler: any pointer goes in, and what comes out goes anywhere.
    pointer: TypeAlias = Any
else:
    from epsilon.foreign.runtime import TYPES as _TYPES

    # The table's own types; rows that users add are theirs to name.
    globals().update((name, row) for name, row in _TYPES.items() if name != "void")

    def __dir__() -> list[str]:
        return sorted(name for name in globals() if not name.startswith("_"))
