"""The libraries that are open in the child: opened again in every fresh one, and their symbols found again."""

from __future__ import annotations

import itertools

from .channel import Kind
from .session import Life, Session

#: Added to an address that stands for another symbol already. No process has memory that far up.
_ELSEWHERE = 1 << 56


class Libraries:
    """Handles are numbers of this process. A symbol's address is that of the first child that it was asked of; where it
    is in a later one says that one's `Life.moved`.

    Each symbol is found by itself: a library's handle finds those of its dependencies too, which move on their own.
    """

    def __init__(self) -> None:
        self._tokens = itertools.count(1)
        self._open: dict[int, tuple[str | None, int | None]] = {}
        #: Address -> the libraries and names that find what is there.
        self._symbols: dict[int, list[tuple[int, str]]] = {}
        self._known: dict[tuple[int, str], int] = {}

    def open(self, session: Session, life: Life, name: str | None, flags: int | None) -> int:
        """Open a library; its handle. Raises OSError, ForeignCrash."""
        handle = session.ask(life, Kind.OPEN, (name, flags), f"dlopen({name!r})")
        token = next(self._tokens)
        life.handles[token] = handle
        self._open[token] = (name, flags)
        return token

    def find(self, session: Session, life: Life, token: int, symbol: str) -> int:
        """The address of a symbol. Raises LookupError, ForeignCrash."""
        way = (token, symbol)
        known = self._known.get(way)
        if known is None:
            known = self._known[way] = self._name(life, self._find(session, life, token, symbol))
            self._symbols.setdefault(known, []).append(way)
        return known

    def _name(self, life: Life, place: int) -> int:
        """The address by which this process knows what is at a place in the child."""
        for address, now in life.moved.items():
            if now == place:
                return address
        if place not in life.moved:
            return place
        # What an earlier child had there is elsewhere now.
        address = place
        while address in self._symbols:
            address += _ELSEWHERE
        life.moved[address] = place
        return address

    def close(self, session: Session, life: Life | None, token: int) -> None:
        """Close a library, where there is a child. Raises OSError for one that is not open."""
        if self._open.pop(token, None) is None:
            raise OSError(f"{token} is no library of the isolated backend")
        for way in [way for way in self._known if way[0] == token]:
            address = self._known.pop(way)
            self._symbols[address].remove(way)
            if not self._symbols[address]:
                del self._symbols[address]
        if life is not None and session.channel.live:
            session.ask(life, Kind.CLOSE, life.handles.pop(token), "dlclose")

    def begin(self, session: Session, life: Life) -> None:
        """Bring a fresh child to where the last one was: open the libraries, in their order, and find the symbols."""
        for token, (name, flags) in self._open.items():
            life.handles[token] = session.ask(life, Kind.OPEN, (name, flags), f"dlopen({name!r})")
        for address, ways in self._symbols.items():
            try:
                place = self._find(session, life, *ways[0])
            except LookupError:  # the file has been replaced: nothing can be called there
                place = 0
            if place != address:
                life.moved[address] = place

    def current(self, life: Life, address: int) -> int:
        """An address that `find` gave, or any other, in the child that there is now."""
        return life.moved.get(address, address)

    @staticmethod
    def _find(session: Session, life: Life, token: int, symbol: str) -> int:
        if token not in life.handles:
            raise LookupError(f"{token} is no library of the isolated backend")
        return session.ask(life, Kind.FIND, (life.handles[token], symbol), f"dlsym({symbol!r})")
