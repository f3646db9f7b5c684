"""The libraries that are open in the child: opened again in every fresh one, and found where they were."""

from __future__ import annotations

import itertools

from .channel import Kind
from .session import Life, Session


class Libraries:
    """Handles are numbers of this process. Addresses are those of the first child that they were asked of."""

    def __init__(self) -> None:
        self._tokens = itertools.count(1)
        self._open: dict[int, tuple[str | None, int | None]] = {}
        self._symbols: dict[int, tuple[int, str]] = {}
        #: Of each library, a symbol and its address: where it lies tells whether the library has moved.
        self._anchors: dict[int, tuple[str, int]] = {}

    def open(self, session: Session, life: Life, name: str | None, flags: int | None) -> int:
        """Open a library; its handle. Raises OSError, ForeignCrash."""
        handle = session.ask(life, Kind.OPEN, (name, flags), f"dlopen({name!r})")
        token = next(self._tokens)
        life.handles[token] = handle
        self._open[token] = (name, flags)
        return token

    def find(self, session: Session, life: Life, token: int, symbol: str) -> int:
        """The address of a symbol. Raises LookupError, ForeignCrash."""
        address = self._find(session, life, token, symbol) - life.moved.get(token, 0)
        self._symbols.setdefault(address, (token, symbol))
        self._anchors.setdefault(token, (symbol, address))
        return address

    def close(self, session: Session, life: Life | None, token: int) -> None:
        """Close a library, where there is a child. Raises OSError for one that is not open."""
        if self._open.pop(token, None) is None:
            raise OSError(f"{token} is no library of the isolated backend")
        self._anchors.pop(token, None)
        self._symbols = {address: found for address, found in self._symbols.items() if found[0] != token}
        if life is not None and session.channel.live:
            session.ask(life, Kind.CLOSE, life.handles.pop(token), "dlclose")

    def begin(self, session: Session, life: Life) -> None:
        """Bring a fresh child to where the last one was: open the libraries, in the same order."""
        for token, (name, flags) in self._open.items():
            life.handles[token] = session.ask(life, Kind.OPEN, (name, flags), f"dlopen({name!r})")
        for token, (symbol, address) in self._anchors.items():
            # Children are forked from one process, so libraries are where they were, as a rule.
            distance = self._find(session, life, token, symbol) - address
            if distance:
                life.moved[token] = distance

    def current(self, life: Life, address: int) -> int:
        """An address that `find` gave, or any other, in the child that there is now."""
        if not life.moved:
            return address
        found = self._symbols.get(address)
        return address if found is None else address + life.moved.get(found[0], 0)

    @staticmethod
    def _find(session: Session, life: Life, token: int, symbol: str) -> int:
        if token not in life.handles:
            raise LookupError(f"{token} is no library of the isolated backend")
        return session.ask(life, Kind.FIND, (life.handles[token], symbol), f"dlsym({symbol!r})")
