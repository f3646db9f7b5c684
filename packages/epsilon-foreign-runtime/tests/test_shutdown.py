"""Objects that outlive the modules they come from: the interpreter ends without a word.

At its end the interpreter sets what modules contain to None, in the order in which they were imported from the
last one on (``finalize_modules`` in Python/pylifecycle.c). What a module that was imported earlier refers to
dies after that; so does, in free-threaded builds, much that only the garbage collector finds.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, sys
from epsilon.foreign.runtime import *

T = TYPES
process = Library(None)
strdup = process.bind("strdup", Owned[Pointer[T["char"]], "free"], [T["string"]])
strlen = process.bind("strlen", T["size_t"], [T["string"]])
pair = make_aggregate("pair", {"a": T["int"], "b": T["double"]})
arena = Arena()
large = new(Array[T["int"], 4000])
negated = ForeignCallback(lambda number: -number, callback_type((T["int"],), T["int"]))
Text = Callback[[T["string"]], T["string"]]
shout = ForeignCallback(lambda text: text.upper(), Text, onerror=print)
hooks = make_aggregate("hooks", {"one": Text, "other": Callback[[Pointer[pair]], None]})
hooked = hooks(shout, lambda at: None)
assert hooked.one("kept") == "KEPT"
# `os` is older than all of these, and `sys`, which is the last to go, keeps the modules.
os.kept = {
    "blocks": [alloc(T["int"], 1000), alloc(T["double"], 3, align=64), large, pair(1, 2.0)],
    "arena": [arena, arena.alloc(T["int"], 5)],
    "buffers": [memoryview(large), memoryview(arena.alloc(T["int"], 3))],
    "lent": to_foreign(bytearray(b"lent"), T["buffer"]),
    "gift": strdup("given away by C"),
    "functions": [process, strdup, strlen, negated, shout, hooked.one],
    "hooks": [hooked],
}
sys.kept = [os, *(module for name, module in sys.modules.items() if name.startswith("epsilon."))]
print("ran")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="strdup and free have one name on POSIX systems")
@pytest.mark.parametrize("debug", ["0", "1"], ids=["", "debug"])
def test_the_interpreter_ends_without_a_word_about_objects_that_outlive_modules(backend, debug) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "EPSILON_FOREIGN_BACKEND": backend, "EPSILON_FOREIGN_DEBUG": debug},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "ran\n", "")
