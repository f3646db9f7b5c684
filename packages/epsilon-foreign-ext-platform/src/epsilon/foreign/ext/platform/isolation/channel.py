"""The channel between the two processes: one message box for each direction, in the memory that they share.

A message is a kind and some bytes; the kind is written last, so that whoever is killed while writing has written
nothing. Longer ones go in several pieces, each answered by an empty message. Whoever waits
looks at the semaphore for a while before it sleeps, as long as that has paid: a call takes a few microseconds when
both processes run, and waking one takes longer than that.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Callable

from epsilon.foreign.backend import window

from .semaphore import SIZE, Semaphore


class Kind(enum.IntEnum):
    """What a message is; 0 is none."""

    # To the child.
    CALL = 1
    RETURN = 2  # of a callback: its result
    FAIL = 3  # of a callback: an exception, which is kept in the parent
    DEFINE = 4  # a function
    CALLBACK = 5  # define a callback
    OPEN = 6
    FIND = 7
    CLOSE = 8
    LEAVE = 9
    # From the child.
    RESULT = 20
    RAISED = 21  # an exception of the child's own
    KEPT = 22  # the exception that a callback was answered with
    UPCALL = 23
    # A piece, and the wish for the next one.
    PIECE = 40
    NEXT = 41


#: A message: its kind, and how many bytes follow.
HEADER = struct.Struct("=IQ")
#: Bytes of a message box, its header included.
BOX = 64 * 1024
ROOM = BOX - HEADER.size
#: Up to so many bytes, a message is taken without ado.
SHORT = 256
_PIECE = int(Kind.PIECE)
#: Semaphores and state come first, then the two boxes.
STATE = 3 * SIZE
_BOXES = 4096
LENGTH = _BOXES + 2 * BOX
DEAD, LIVE = 0, 1

#: How often a semaphore is looked at before sleeping, at most and at least. One look takes about 60 ns.
MOST_LOOKS, LEAST_LOOKS = 1024, 16
#: After so many times that it did not pay, looking for long is tried again.
RETRY = 16

Wait = Callable[[], None]


class Channel:
    """One end of the channel whose memory begins at `address`: the parent's, or the child's."""

    def __init__(self, address: int, *, parent: bool) -> None:
        self.address = address
        semaphores = Semaphore(address), Semaphore(address + SIZE)
        boxes = address + _BOXES, address + _BOXES + BOX
        if not parent:
            semaphores, boxes = semaphores[::-1], boxes[::-1]
        self._theirs, self._own = semaphores
        start = boxes[0] - window.BASE
        #: What goes out, and what has come in.
        self.outbox: memoryview = window.BYTES[start : start + BOX]
        start = boxes[1] - window.BASE
        self.inbox: memoryview = window.BYTES[start : start + BOX]
        self._post, self._their_address = self._theirs.post, self._theirs.address
        self._take, self._own_address = self._own.take, self._own.address
        self._looks = MOST_LOOKS
        self._vain = 0
        self._state = (address + STATE - window.BASE) >> 3

    def reset(self) -> None:
        """Make everything as it is at the start of a child."""
        self._own.reset()
        self._theirs.reset()
        HEADER.pack_into(self.inbox, 0, 0, 0)
        HEADER.pack_into(self.outbox, 0, 0, 0)
        window.VIEWS["Q"][self._state] = LIVE

    def end(self) -> None:
        """Say that the child is dead, and wake the parent."""
        window.VIEWS["Q"][self._state] = DEAD
        self._post(self._their_address)

    @property
    def live(self) -> bool:
        """Has nobody said that the child is dead?"""
        return bool(window.VIEWS["Q"][self._state] == LIVE)

    def post(self) -> None:
        """Send what lies in `outbox`."""
        self._post(self._their_address)

    def look(self) -> bool:
        """Look for a message for a while; True when there is one, which lies in `inbox`."""
        take, address = self._take, self._own_address
        left = looks = self._looks
        while left:
            if not take(address):
                if looks < MOST_LOOKS:
                    self._looks = looks * 2
                return True
            left -= 1
        self._vain += 1
        if self._vain % RETRY == 0:
            self._looks = MOST_LOOKS
        elif looks > LEAST_LOOKS:
            self._looks = looks // 2
        return False

    def sleep(self, seconds: float) -> bool:
        """Sleep until there is a message, a signal, or the time is over; True when there is a message."""
        return self._own.wait_for(seconds)

    def wait(self) -> None:
        """Wait for a message for ever: the child's way."""
        if not self.look():
            self._own.wait()

    def send(self, kind: Kind, content: bytes | bytearray | memoryview, wait: Wait) -> None:
        """Send a message of any length; `wait` waits for the other side's answers in between."""
        view = memoryview(content)
        while len(view) > ROOM:
            self._put(Kind.PIECE, view[:ROOM])
            view = view[ROOM:]
            wait()
            self._expect(Kind.NEXT)
        self._put(kind, view)

    def _put(self, kind: int, content: memoryview) -> None:
        box = self.outbox
        box[HEADER.size : HEADER.size + len(content)] = content
        HEADER.pack_into(box, 0, 0, len(content))
        box[0] = kind
        self._post(self._their_address)

    def _expect(self, kind: Kind) -> None:
        found, _ = HEADER.unpack_from(self.inbox)
        HEADER.pack_into(self.inbox, 0, 0, 0)
        if found != kind:
            raise ProtocolError(f"a message of kind {found} instead of {kind}")

    @property
    def arrived(self) -> bool:
        """Does a message lie in `inbox`? The semaphore alone can be up because the child is dead."""
        return self.inbox[0] != 0

    def take(self) -> tuple[int, bytes] | None:
        """The message that has come, when it is a short one, as nearly all are."""
        box = self.inbox
        kind, size = HEADER.unpack_from(box)
        if size > SHORT or kind == _PIECE:
            return None
        box[0] = 0
        return kind, bytes(box[HEADER.size : HEADER.size + size])

    def receive(self, wait: Wait) -> tuple[int, bytes]:
        """The message that has come, in one piece."""
        pieces = []
        while True:
            kind, size = HEADER.unpack_from(self.inbox)
            HEADER.pack_into(self.inbox, 0, 0, 0)
            if size > ROOM:
                raise ProtocolError(f"a message of {size} bytes")
            content = bytes(self.inbox[HEADER.size : HEADER.size + size])
            if kind != Kind.PIECE:
                pieces.append(content)
                return kind, b"".join(pieces) if len(pieces) > 1 else content
            pieces.append(content)
            self._put(Kind.NEXT, memoryview(b""))
            wait()


class ProtocolError(Exception):
    """The other side said something that has no meaning here: its memory has been damaged."""
