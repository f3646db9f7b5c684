"""Which of a process's interpreters this code runs in.

https://docs.python.org/3/c-api/init.html#sub-interpreter-support. Foreign functions work in all of them where
ctypes can be imported. For callbacks there is one more condition: before 3.12, `PyGILState_Ensure` attaches any
thread to the main interpreter, and a callback made in another one would wait for itself for ever.
"""

from __future__ import annotations

import ctypes
import functools
import sys


@functools.cache
def callbacks_work() -> bool:
    """Can C call back into this interpreter?"""
    return sys.version_info >= (3, 12) or sys.implementation.name != "cpython" or _is_main()


def _is_main() -> bool:
    states: list[int] = []
    for name in ("PyInterpreterState_Get", "PyInterpreterState_Main"):
        states.append(ctypes.PYFUNCTYPE(ctypes.c_void_p)((name, ctypes.pythonapi))())
    return bool(states[0] == states[1])
