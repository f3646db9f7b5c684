"""The layout that data objects have in common: raw words, storage in the object, buffers."""

from __future__ import annotations

import ctypes
import gc
import sys
import weakref

import pytest
from epsilon.foreign.backend import (
    DEAD,
    LIVE,
    MEMORY,
    OWNER,
    Exported,
    Memory,
    Owner,
    alloc,
    free,
    window,
    with_storage,
)


class Data(Memory):
    """What upper layers derive: references in slots, words in the base."""

    __slots__ = ("__weakref__", "exports", "owner", "refused", "shape")

    def _export(self, flags: int) -> Exported:
        if self.refused:
            raise ValueError("refused")
        self.exports += 1
        return Exported(self._address, 4, b"i", self.shape, readonly=bool(self._flags))

    def _unexport(self) -> None:
        self.exports -= 1


def data(values: list[int], shape: tuple[int, ...], *, readonly: bool = False) -> Data:
    made = Data()
    made.owner = (ctypes.c_int * len(values))(*values)
    made._address, made._flags = ctypes.addressof(made.owner), int(readonly)
    made.refused, made.exports, made.shape = False, 0, shape
    return made


@pytest.mark.parametrize(("cls", "layout"), [(Memory, MEMORY), (Owner, OWNER)])
def test_words_lie_where_the_layout_says(cls: type, layout: tuple[int, ...]) -> None:
    made = cls()
    for name, offset in layout._asdict().items():
        assert getattr(made, f"_{name}") == 0
        setattr(made, f"_{name}", 2**64 - offset)
        assert ctypes.c_uint64.from_address(id(made) + offset).value == 2**64 - offset
        ctypes.c_uint64.from_address(id(made) + offset).value = offset
        assert getattr(made, f"_{name}") == offset
    assert (DEAD, LIVE) == (0, 1)


def test_words_hold_only_what_fits() -> None:
    with pytest.raises(TypeError):
        Memory()._address = "x"
    with pytest.raises(OverflowError):
        Memory()._address = 2**64


def test_subclasses_are_collected_with_what_they_refer_to() -> None:
    made = data([1], (1,))
    made.owner = made
    alive = weakref.ref(made)
    del made
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("size", [0, 1, 8, 24, 128])
def test_objects_may_end_in_storage_of_their_own(size: int) -> None:
    cls, offset = with_storage(Data, size)
    assert with_storage(Data, size) == (cls, offset) and offset >= Data.__basicsize__ and offset % 8 == 0
    assert cls.__basicsize__ >= offset + size
    many = [cls() for _ in range(50)]
    for made in many:
        assert window.read_bytes(id(made) + offset, size) == bytes(size)
        window.write_bytes(id(made) + offset, b"\xff" * size)
    assert all(made._address == 0 for made in many)
    alive = [weakref.ref(made) for made in many]
    del many, made
    gc.collect()
    assert not any(reference() for reference in alive)


def test_a_subclass_with_storage_may_be_subclassed() -> None:
    cls, offset = with_storage(Data, 16)
    derived = type("derived", (cls,), {"__slots__": ()})
    assert derived.__basicsize__ == cls.__basicsize__ and offset + 16 <= derived.__basicsize__


def test_memory_is_exported_with_shape_and_format() -> None:
    made = data([1, 2, 3, 4, 5, 6], (2, 3))
    view = memoryview(made)
    assert (view.shape, view.strides, view.format, view.itemsize, view.nbytes) == (
        (2, 3),
        (12, 4),
        "i",
        4,
        24,
    )
    assert view.tolist() == [[1, 2, 3], [4, 5, 6]] and not view.readonly and made.exports == 1
    view[1, 2] = 60
    assert made.owner[5] == 60 and bytes(made)[:4] == (1).to_bytes(4, sys.byteorder)
    another = memoryview(view)
    view.release()
    assert made.exports == 1
    another.release()
    assert made.exports == 0


def test_an_export_keeps_the_object_alive() -> None:
    made = data([1, 2], (2,))
    alive = weakref.ref(made)
    view = memoryview(made)
    del made
    gc.collect()
    assert view.tolist() == [1, 2] and alive() is not None
    del view
    gc.collect()
    assert alive() is None


def test_read_only_memory_refuses_writers() -> None:
    made = data([1, 2], (2,), readonly=True)
    assert memoryview(made).readonly
    with pytest.raises((BufferError, TypeError, SystemError)):
        (ctypes.c_int * 2).from_buffer(made)
    gc.collect()
    assert made.exports == 0


def test_a_refused_export_is_an_error_and_leaves_nothing() -> None:
    made = data([1], (1,))
    made.refused = True
    # Before 3.12 no Python code can say why: see `exporting`.
    with pytest.raises(ValueError if sys.version_info >= (3, 12) else SystemError):
        memoryview(made)
    assert made.exports == 0


@pytest.mark.parametrize(
    ("code", "value"), [("b", -5), ("H", 65535), ("i", -7), ("Q", 2**64 - 1), ("d", 0.1)]
)
def test_the_window_reads_and_writes_machine_values(code: str, value: float) -> None:
    address = alloc(64)
    try:
        view, size = window.VIEWS[code], window.VIEWS[code].itemsize
        view[(address + 8 - window.BASE) // size] = value
        assert view[(address + 8 - window.BASE) // size] == value
        window.move_bytes(address, address + 8, size)
        assert window.read_bytes(address, size) == window.read_bytes(address + 8, size)
    finally:
        free(address)
