"""The headers that discovery is tried on, whole: what is included, whose declarations count, what exports them."""

from __future__ import annotations

import sysconfig
from dataclasses import dataclass
from pathlib import Path

INCLUDE = Path("/usr/include")
MULTIARCH = sysconfig.get_config_var("MULTIARCH") or "x86_64-linux-gnu"


@dataclass(frozen=True)
class Case:
    """A library's headers.

    `headers` are included in this order; declarations count when they stand in a file below a folder of `own` or in
    a file of it. `library` exports the functions, or the libraries it is linked with do; None is the process itself.
    `pkg_config` is the package that knows the compiler options.
    """

    name: str
    headers: tuple[str, ...]
    own: tuple[str, ...]
    library: str | None
    package: str
    pkg_config: str = ""
    include: tuple[str, ...] = ()
    #: What gcc is told, because these headers say other things to it than to clang; and macros that only it sees.
    gcc: tuple[str, ...] = ()
    gcc_only: tuple[str, ...] = ()

    @property
    def debian(self) -> bool:
        """Whether `package` is a package of Debian's."""
        return " " not in self.package

    @property
    def text(self) -> str:
        """A C file that includes them."""
        return "".join(f"#include <{header}>\n" for header in self.headers)

    @property
    def missing(self) -> str:
        """Why it cannot be tried here, or nothing."""
        folders = [Path(folder) for folder in (*self.include, INCLUDE, INCLUDE / MULTIARCH)]
        absent = [each for each in self.headers if not any((folder / each).is_file() for folder in folders)]
        return f"{self.package} is not installed: no {', '.join(absent)}" if absent else ""

    def owns(self, file: str) -> bool:
        """Whether a declaration in `file` is the library's own."""
        path = Path(file).resolve()
        return any(path == own or own in path.parents for own in map(_resolved, self.own))


def _resolved(path: str) -> Path:
    return Path(path).resolve()


def _case(name: str, headers: str, own: str, library: str, package: str, **more: str) -> Case:
    """`own` is relative to the system's folder of headers."""
    include = tuple(str(INCLUDE / folder) for folder in more.pop("include", "").split())
    gcc, gcc_only = more.pop("gcc", "").split(), more.pop("gcc_only", "").split()
    folders = (INCLUDE / path for path in own.split())
    return Case(
        name,
        tuple(headers.split()),
        tuple(map(str, folders)),
        library,
        package,
        include=include,
        gcc=tuple(gcc),
        gcc_only=tuple(gcc_only),
        **more,
    )


def _glibc(header: str, library: str = "c", more: str = "", gcc_only: str = "") -> Case:
    folders = (INCLUDE / MULTIARCH / "bits", INCLUDE / MULTIARCH / "asm", INCLUDE / "asm-generic")
    # Its public headers are split over bits/stdio_lim.h, bits/stdio2.h ...
    parts = [path for folder in folders for path in folder.glob(f"{Path(header).stem}*")]
    own = " ".join([header, f"{MULTIARCH}/{header}", more, *map(str, parts)])
    return _case(header, header, own, library, "libc6-dev", gcc_only=gcc_only)


_XML = "c14n catalog HTMLparser HTMLtree SAX2 parser parserInternals tree uri valid xmlIO xmlerror xmlmemory"
_XML += " xmlreader xmlregexp xmlsave xmlschemas xmlstring xmlwriter xpath xpathInternals xinclude relaxng"

PYTHON = Path(sysconfig.get_paths()["include"])

CASES: tuple[Case, ...] = (
    _case("zlib", "zlib.h", f"zlib.h zconf.h {MULTIARCH}/zconf.h", "z", "zlib1g-dev", pkg_config="zlib"),
    _case("sqlite3", "sqlite3.h", "sqlite3.h", "sqlite3", "libsqlite3-dev", pkg_config="sqlite3"),
    _case("libpng", "png.h", "libpng16", "png16", "libpng-dev", pkg_config="libpng"),
    _case(
        "libcurl", "curl/curl.h", f"curl {MULTIARCH}/curl", "curl", "libcurl4-openssl-dev", pkg_config="libcurl",
        gcc="-DCURL_DISABLE_TYPECHECK", gcc_only="__has_declspec_attribute",
    ),
    _case(
        "OpenSSL evp.h", "openssl/evp.h", f"openssl {MULTIARCH}/openssl", "crypto", "libssl-dev",
        pkg_config="libcrypto",
    ),
    _case(
        "OpenSSL ssl.h", "openssl/ssl.h", f"openssl {MULTIARCH}/openssl", "ssl", "libssl-dev",
        pkg_config="libssl",
    ),
    _case("libgit2", "git2.h", "git2.h git2", "git2", "libgit2-dev", pkg_config="libgit2"),
    _case(
        "SDL2", "SDL.h", f"SDL2 {MULTIARCH}/SDL2", "SDL2-2.0", "libsdl2-dev", pkg_config="sdl2", include="SDL2"
    ),
    _case(
        "ncurses", "ncurses.h", "curses.h ncurses.h ncurses_dll.h", "ncurses", "libncurses-dev",
        pkg_config="ncurses",
    ),
    _case(
        "libxml2", " ".join(f"libxml/{each}.h" for each in _XML.split()), "libxml2", "xml2", "libxml2-dev",
        pkg_config="libxml-2.0", include="libxml2",
    ),
    _glibc("stdio.h"),
    _glibc("math.h", "m", gcc_only="__MATH_TG_F32 __MATH_TG_F64X"),
    _glibc("string.h", more="strings.h"),
    _glibc("time.h"),
    _glibc("sys/socket.h"),
    Case(
        "Python.h", ("Python.h",), (str(PYTHON),), None, "CPython's headers", include=(str(PYTHON),),
        gcc_only=("_Py_HOT_FUNCTION",),
    ),
)  # fmt: skip
