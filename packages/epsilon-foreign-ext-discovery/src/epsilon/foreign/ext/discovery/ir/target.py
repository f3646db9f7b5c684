"""The platform that a header was parsed for: layouts and constants hold there and nowhere else."""

from __future__ import annotations

import sys

from ..values import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """Processor, system and data model; sizes in bytes.

    `environment` tells C libraries apart (``gnu``, ``musl``, ``msvc``), empty where a system has but one.
    """

    arch: str
    system: str
    environment: str = ""
    pointer: int = 8
    long: int = 8
    wchar: int = 4

    def __str__(self) -> str:
        name = "-".join(part for part in (self.arch, self.system, self.environment) if part)
        return f"{name} (pointers of {self.pointer} bytes, long of {self.long}, wchar_t of {self.wchar})"

    @classmethod
    def host(cls) -> Target:
        """The platform of this interpreter."""
        import ctypes
        import platform

        machine = platform.machine().lower()
        pointer = ctypes.sizeof(ctypes.c_void_p)
        arch = _ARCHITECTURES.get(machine, machine)
        if pointer == 4:  # a 32-bit interpreter on a 64-bit kernel
            arch = _NARROW.get(arch, arch)
        system = next((s for prefix, s in _SYSTEMS.items() if sys.platform.startswith(prefix)), sys.platform)
        return cls(
            arch,
            system,
            _environment(system),
            pointer,
            ctypes.sizeof(ctypes.c_long),
            ctypes.sizeof(ctypes.c_wchar),
        )


_ARCHITECTURES = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64", "i386": "i686", "i586": "i686"}
_NARROW = {"x86_64": "i686", "aarch64": "arm"}
_SYSTEMS = {
    "linux": "linux",
    "darwin": "darwin",
    "win32": "windows",
    "cygwin": "cygwin",
    "freebsd": "freebsd",
}


def _environment(system: str) -> str:
    if system == "windows":
        return "gnu" if "GCC" in sys.version else "msvc"
    if system != "linux":
        return ""
    multiarch: str = getattr(sys.implementation, "_multiarch", "")
    return "musl" if "musl" in multiarch else "gnu"
