"""Making ``bindings.py`` anew from libclang's own header, by this package: ``python -m ...regenerate FOLDER``.

FOLDER is the one that ``clang-c/Index.h`` is in (``/usr/lib/llvm-19/include`` of Debian's libclang-19-dev). Only the
functions that the parser calls are taken, without their documentation and without the constants of enums, which have
names of our own in `parser.kinds`: that keeps the module small and its import quick.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from .. import ir
from ..values import replace

HERE = Path(__file__).parent
_CALLED = re.compile(r"\bclang_\w+")


def main(folder: str) -> None:
    """Write ``bindings.py``."""
    from ..emit import write_module

    write_module(declarations(folder), HERE / "bindings.py", library="clang", release_gil=False)


def declarations(folder: str) -> ir.Binding:
    """What the parser needs of the header."""
    from ..parser import parse

    binding = parse("clang-c/Index.h", include_dirs=[folder], allow=sorted(called()), cache=False)
    return replace(binding, declarations=tuple([_bare(d) for d in binding.declarations]))


def called() -> set[str]:
    """The functions of libclang that this package names."""
    sources = [*HERE.parent.glob("parser/*.py"), HERE / "load.py"]
    return {name for path in sources for name in _CALLED.findall(path.read_text(encoding="utf-8"))}


def _bare(declaration: Any) -> Any:
    if isinstance(declaration, ir.Enum):
        return replace(declaration, enumerators=(), complete=False, doc="")
    if isinstance(declaration, ir.Record):
        fields = tuple([replace(field, doc="") for field in declaration.fields])
        return replace(declaration, fields=fields, doc="")
    return replace(declaration, doc="")


if __name__ == "__main__":
    main(sys.argv[1])
