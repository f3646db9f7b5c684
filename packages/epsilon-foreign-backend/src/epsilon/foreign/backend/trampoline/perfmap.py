"""A map of stubs for Linux `perf`, which otherwise shows time spent in them as bare addresses.

``/tmp/perf-<pid>.map`` holds a line ``START SIZE name`` for each piece of code, numbers in hexadecimal
(https://github.com/torvalds/linux/blob/master/tools/perf/Documentation/jit-interface.txt). CPython's own
``-X perf`` writes to the same file; both append whole lines.
"""

from __future__ import annotations

import os
import warnings

from ..locks import ProcessLock
from .memory import Block, CodeHeap

#: Set to a non-empty value other than ``0`` to write the map from the start.
ENVIRONMENT = "EPSILON_FOREIGN_PERF_MAP"
_FOLDER = "/tmp"


class PerfMap:
    """Writes every block of one heap, old and new, to the running process's map. Make one, call `enable`."""

    def __init__(self, heap: CodeHeap, folder: str | None = None) -> None:
        self._heap = heap
        self._folder = folder or _FOLDER
        self._pid = 0
        self._lock = ProcessLock()
        self._written: set[int] = set()
        self._enabled = False

    @property
    def path(self) -> str:
        """The file of the running process."""
        return os.path.join(self._folder, f"perf-{os.getpid()}.map")

    def enable(self) -> str:
        """Write what is there and whatever comes; returns the path. Enabling twice does nothing more.

        Raises OSError when the file cannot be written.
        """
        if not self._enabled:
            self._write(self._heap.blocks)
            self._heap.subscribe(self._add)
            self._enabled = True
        return self.path

    def disable(self) -> None:
        """Write no more. The file stays: perf reads it after the process ended."""
        if self._enabled:
            self._heap.unsubscribe(self._add)
            self._enabled = False

    def _add(self, block: Block) -> None:
        # A forked child runs its parent's stubs too, but perf looks for them in the child's own file.
        blocks = (block,) if self._pid == os.getpid() else self._heap.blocks
        try:
            self._write(blocks)
        except OSError:
            # A full disk must not fail the call that made the stub; the map is an aid.
            self.disable()

    def _write(self, blocks: tuple[Block, ...]) -> None:
        if self._pid != os.getpid():
            self._pid, self._written = os.getpid(), set()
        with self._lock:
            fresh = [b for b in blocks if b.address not in self._written]
            if not fresh and self._written:
                return
            text = "".join(map(line, fresh)).encode("utf-8", "replace")
            # The folder is everybody's: never follow a link that somebody else put there.
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self.path, flags, 0o600)
            try:
                os.write(descriptor, text)
            finally:
                os.close(descriptor)
            self._written.update(b.address for b in fresh)


def line(block: Block) -> str:
    """One line of the map. A name is everything up to the end of the line, so it must not contain one."""
    return f"{block.address:x} {block.size:x} epsilon.foreign:{' '.join(block.name.split())}\n"


def wanted() -> bool:
    """Does the environment ask for a map?"""
    return os.environ.get(ENVIRONMENT, "0") not in ("", "0")


_maps: dict[int, PerfMap] = {}


def enable_perf_map(heap: CodeHeap) -> str:
    """Start writing the map of `heap`'s code and return the file's path. Raises OSError."""
    return _maps.setdefault(id(heap), PerfMap(heap)).enable()


def enable_if_wanted(heap: CodeHeap) -> None:
    """Start the map if the environment asks for it; where the file cannot be written, warn and go on."""
    if not wanted():
        return
    try:
        enable_perf_map(heap)
    except OSError as error:
        warnings.warn(f"{ENVIRONMENT}: no map is written: {error}", RuntimeWarning, stacklevel=2)
