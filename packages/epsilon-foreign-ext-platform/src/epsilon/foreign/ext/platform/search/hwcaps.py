"""Which subdirectories of ``glibc-hwcaps`` this processor may use.

ld.so(8), "glibc-hwcaps subdirectories"; the levels of x86-64 are those of the System V psABI
(https://gitlab.com/x86-psABIs/x86-64-ABI, "Micro-Architecture Levels"), in the words of /proc/cpuinfo.
"""

from __future__ import annotations

import functools
import os

_V2 = frozenset({"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"})
_V3 = _V2 | {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"}
_V4 = _V3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
#: From the most special one down, with the flags that each asks for.
_X86_64 = (("x86-64-v4", _V4), ("x86-64-v3", _V3), ("x86-64-v2", _V2))
#: One processor's part of /proc/cpuinfo is shorter; bytes.
_ONE_PROCESSOR = 8192


@functools.cache
def supported(machine: str | None = None) -> tuple[str, ...]:
    """The names of the subdirectories, the first to be searched first; none on processors that have no levels."""
    if (machine or os.uname().machine) != "x86_64":
        return ()
    return levels(_flags())


def levels(flags: frozenset[str]) -> tuple[str, ...]:
    """The levels of x86-64 that a processor with these flags reaches."""
    return tuple(name for name, wanted in _X86_64 if wanted <= flags)


def _flags() -> frozenset[str]:
    """The flags of the first processor; reading them all takes long where there are many."""
    try:
        descriptor = os.open("/proc/cpuinfo", os.O_RDONLY | os.O_CLOEXEC)
        try:
            text = os.read(descriptor, _ONE_PROCESSOR).decode("ascii", "replace")
        finally:
            os.close(descriptor)
    except OSError:
        return frozenset()
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return frozenset(value.split())
    return frozenset()
