"""A compiler, and how its programs are run."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from epsilon.foreign.runtime.layout import AAPCS64, SYSTEM_V, Rules, native_rules

RULES = {"sysv": SYSTEM_V, "aapcs64": AAPCS64}


@dataclass(frozen=True)
class Target:
    """`compiler` and `runner` are commands; `named` is a key of `RULES`, or None for the running machine."""

    compiler: tuple[str, ...] = (os.environ.get("CC") or "cc",)
    runner: tuple[str, ...] = ()
    named: str | None = None

    @property
    def rules(self) -> Rules:
        """The layout rules of what the compiler compiles for."""
        return RULES[self.named] if self.named else native_rules()

    @property
    def convention(self) -> str:
        """A key of `RULES`."""
        return self.named or ("aapcs64" if platform.machine().lower() in ("aarch64", "arm64") else "sysv")

    @property
    def long_double(self) -> bytes:
        """The bytes that C writes for 1.5L: x87's 80 bits, or IEEE binary128."""
        return bytes.fromhex("00000000000000c0ff3f" if self.convention == "sysv" else "00" * 13 + "80ff3f")

    @property
    def exists(self) -> bool:
        """Is the compiler installed?"""
        return shutil.which(self.compiler[0]) is not None

    def output(self, source: str) -> bytes:
        """What the C program `source` writes. Raises RuntimeError with the compiler's words."""
        with tempfile.TemporaryDirectory() as folder:
            text, program = Path(folder, "types.c"), Path(folder, "types")
            text.write_text(source)
            static = ("-static",) if self.runner else ()
            done = subprocess.run(
                [*self.compiler, "-std=gnu11", "-O0", "-w", *static, "-o", str(program), str(text)],
                stdin=subprocess.DEVNULL, capture_output=True, text=True,
            )  # fmt: skip
            if done.returncode:
                raise RuntimeError(f"{' '.join(self.compiler)} failed:\n{done.stderr[:4000]}")
            return subprocess.run(
                [*self.runner, str(program)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True
            ).stdout
