"""A type has one class of pointers and one of arrays, whoever asks first."""

from __future__ import annotations

import threading
from typing import Any

from epsilon.foreign.runtime import TYPES, Pointer, array, make_aggregate


def test_threads_that_ask_at_once_get_the_same_classes() -> None:
    for number in range(20):
        row = make_aggregate(f"row_{number}", {"x": TYPES["int"]})
        start, found = threading.Barrier(4), set[Any]()

        def ask(row: Any = row, start: threading.Barrier = start, found: set[Any] = found) -> None:
            start.wait()
            found.add((Pointer[row], type(array(row, 2))))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 1
