"""Attaching the thread for an upcall, so that it may use Python, and detaching it again.

`PyGILState_Ensure` and `PyGILState_Release` always serve (https://docs.python.org/3/c-api/init.html#c.PyGILState_Ensure),
but both look for the thread's state and count. A thread that Python knows needs neither: one that has the GIL
already, since the downcall kept it, has nothing to do, and one that gave it up takes it back with the state it has.
"""

from __future__ import annotations

from typing import NamedTuple

from ..assembler import IntRegister, Label
from ..machine import Cond, Machine
from .target import Target

#: What the state register says beside PyGILState_Ensure's own answers, 0 and 1.
_ATTACHED, _RESTORED = 2, 3


class Attaching(NamedTuple):
    """Writes the code for one stub; `state` is a preserved register."""

    target: Target
    machine: Machine
    state: IntRegister

    def write_attach(self) -> None:
        """This thread may use Python from here on."""
        m = self.machine
        attached, unknown, done = m.label(), m.label(), m.label()
        if self.target.own_state is not None:
            self._write_known(attached, unknown)
            m.mov(m.ENTRY[0], m.RESULT)
            self._call("PyEval_RestoreThread")
            m.mov_imm(self.state, _RESTORED)
            m.jump(done)
            m.bind(attached)
            m.mov_imm(self.state, _ATTACHED)
            m.jump(done)
        m.bind(unknown)
        self._call("PyGILState_Ensure")
        m.mov(self.state, m.RESULT)
        m.bind(done)

    def _write_known(self, attached: Label, unknown: Label) -> None:
        """RESULT = the state of this thread, which has not the GIL; else to one of the labels."""
        m = self.machine
        self._call("PyThreadState_GetUnchecked")
        if self.target.own_state:
            m.branch_nonzero(m.RESULT, attached)
            self._call("PyGILState_GetThisThreadState")
            m.branch_zero(m.RESULT, unknown)
            return
        m.mov(self.state, m.RESULT)
        self._call("PyGILState_GetThisThreadState")
        m.branch_zero(m.RESULT, unknown)
        m.compare(m.RESULT, self.state)
        m.branch(Cond.EQ, attached)

    def write_detach(self) -> None:
        """As before `write_attach`."""
        m, ensured, done = self.machine, self.machine.label(), self.machine.label()
        if self.target.own_state is not None:
            m.compare_imm(self.state, _ATTACHED)
            m.branch(Cond.EQ, done)
            m.branch(Cond.B, ensured)
            self._call("PyEval_SaveThread")
            m.jump(done)
        m.bind(ensured)
        m.mov(m.ENTRY[0], self.state)
        self._call("PyGILState_Release")
        m.bind(done)

    def _call(self, name: str) -> None:
        self.machine.call_literal(self.target.address(name))
