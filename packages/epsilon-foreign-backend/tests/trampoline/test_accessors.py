"""Machine code that reads and writes numbers in the memory of objects does what its Python twin does, or calls it."""

from __future__ import annotations

import ctypes
import gc
import struct
import weakref

import pytest
from epsilon.foreign.backend import (
    BOOL,
    DOUBLE,
    FLOAT,
    INT8,
    INT16,
    INT32,
    INT64,
    LIVE,
    OWNER,
    READONLY,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    BackendUnavailableError,
    Kind,
    Memory,
    Owner,
    get_backend,
    with_storage,
)

try:
    ACCESSORS = get_backend("trampoline").accessors
except BackendUnavailableError as error:
    pytest.skip(f"no trampoline here: {error}", allow_module_level=True)
assert ACCESSORS is not None

NUMBERS = [BOOL, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64, FLOAT, DOUBLE]
CODES = dict(zip(NUMBERS, "?bhiqBHIQfd", strict=True))


class Data(Memory):
    __slots__ = ("__weakref__", "_keep", "_owner")


class Cell(Owner):
    """Memory of 64 bytes, and the cell that says that it lives."""

    __slots__ = ("block",)

    def __init__(self) -> None:
        self.block = (ctypes.c_uint8 * 64)()
        self._cell = LIVE

    @property
    def live(self) -> int:
        return id(self) + OWNER.cell


def over(cls, owner, start=0, stop=64, offset=0):
    """An object of `cls` at `offset` bytes of an owner's memory, bounded by start and stop."""
    made = object.__new__(cls)
    base = ctypes.addressof(owner.block)
    made._address, made._lower, made._upper = base + offset, base + start, base + stop
    made._live, made._flags, made._owner, made._keep = owner.live, 0, owner, None
    return made


class Fell(Exception):
    """The Python twin was called."""


def falls(*arguments):
    raise Fell(arguments)


def struct_with(type, offset=8, readonly=False):
    cls = type_(f"With_{type.name}", (Data,), {"__slots__": ()})
    cls.member = ACCESSORS.member(
        cls, "member", type, offset, falls, falls, doc="A number.", readonly=readonly
    )
    return cls


type_ = type


def samples(type):
    if type.kind is Kind.BOOL:
        return [True, False]
    if type.kind is Kind.FLOAT:
        return [0.0, -0.0, 1.5, -2.25, float("inf")]
    low, high = type.bounds
    small = [low, high, 0, 1, low + 1, high - 1]
    return [value for value in small if -(2**30) < value < 2**30]


@pytest.mark.parametrize("type", NUMBERS, ids=lambda type: type.name)
def test_members_are_read_and_written_in_place(type):
    cls, owner = struct_with(type), Cell()
    value = over(cls, owner)
    for sample in samples(type):
        value.member = sample
        assert bytes(owner.block)[8 : 8 + type.size] == struct.pack("<" + CODES[type], sample)
        assert value.member == sample
        assert type_(value.member) is type_(sample)
    assert cls.member.__doc__ == "A number."


@pytest.mark.parametrize("type", [t for t in NUMBERS if t.is_integer], ids=lambda type: type.name)
def test_every_integer_in_memory_is_read_whole(type):
    cls, owner = struct_with(type), Cell()
    value = over(cls, owner)
    for number in (*type.bounds, 2**7, 2**15, 2**31, 2**63):
        if type.bounds[0] <= number <= type.bounds[1]:
            struct.pack_into("<" + CODES[type], owner.block, 8, number)
            assert value.member == number


@pytest.mark.parametrize("type", NUMBERS, ids=lambda type: type.name)
def test_values_that_are_not_plain_go_to_python(type):
    value = over(struct_with(type), Cell())
    odd = [None, "1", 2**70, -(2**70), 1j, [], type_("I", (int,), {})(1)]
    odd += [1.5] if type.kind is not Kind.FLOAT else [1, True]
    odd += [] if type.kind in (Kind.FLOAT, Kind.BOOL) else [True]
    if type.is_integer and type.size < 8:
        odd += [type.bounds[0] - 1, type.bounds[1] + 1]
    for given in odd:
        with pytest.raises(Fell) as caught:
            value.member = given
        assert caught.value.args[0] == (value, given)


def test_dead_memory_and_uninitialised_objects_go_to_python():
    cls, owner = struct_with(INT32), Cell()
    value = over(cls, owner)
    for cell in (0, 2):
        owner._cell = cell
        with pytest.raises(Fell):
            value.member  # the access is the test
        with pytest.raises(Fell):
            value.member = 1
    with pytest.raises(Fell):
        object.__new__(cls).member


def test_const_memory_and_const_members_are_written_by_python_alone():
    owner = Cell()
    value = over(struct_with(INT32), owner)
    value._flags = READONLY
    assert value.member == 0
    with pytest.raises(Fell):
        value.member = 1
    const = over(struct_with(INT32, readonly=True), owner)
    assert const.member == 0
    with pytest.raises(Fell):
        const.member = 1


def test_a_member_cannot_be_deleted():
    value = over(struct_with(INT32), Cell())
    with pytest.raises(TypeError, match="deleted"):
        del value.member


def test_what_the_python_twin_returns_is_returned():
    cls = type("Falling", (Data,), {"__slots__": ()})
    cls.member = ACCESSORS.member(cls, "member", INT32, 0, lambda self: "read", lambda self, value: None)
    owner = Cell()
    owner._cell = 0
    value = over(cls, owner)
    assert value.member == "read"
    value.member = 5


def items_class(type):
    base = type_("Items", (Data,), {"__slots__": (), "__getitem__": falls, "__setitem__": falls})
    return ACCESSORS.items(base, type)


@pytest.mark.parametrize("type", NUMBERS, ids=lambda type: type.name)
def test_elements_are_read_and_written_in_place(type):
    owner = Cell()
    value = over(items_class(type), owner)
    for index in (0, 1, 64 // type.size - 1):
        for sample in samples(type):
            value[index] = sample
            at = index * type.size
            assert bytes(owner.block)[at : at + type.size] == struct.pack("<" + CODES[type], sample)
            assert value[index] == sample


@pytest.mark.parametrize("type", NUMBERS, ids=lambda type: type.name)
def test_an_index_out_of_bounds_goes_to_python(type):
    cls, owner = items_class(type), Cell()
    value = over(cls, owner, start=16, stop=48, offset=16)
    inside = 32 // type.size
    value[inside - 1] = samples(type)[0]
    for index in (-1, inside, inside + 1, 2**29, -(2**29), 2**31, 2**70, True, 1.0, None, slice(0, 1)):
        with pytest.raises(Fell):
            value[index]
        with pytest.raises(Fell):
            value[index] = samples(type)[0]


def test_an_object_without_bounds_goes_to_python():
    value = over(items_class(INT32), Cell())
    value._lower = value._upper = 0
    with pytest.raises(Fell):
        value[0]
    null = over(items_class(INT32), Cell())
    null._address = null._lower = null._upper = 0
    with pytest.raises(Fell):
        null[0]


def test_a_misaligned_address_goes_to_python():
    value = over(items_class(INT32), Cell(), offset=1)
    with pytest.raises(Fell):
        value[0]


def test_elements_of_dead_and_of_const_memory_go_to_python():
    owner = Cell()
    value = over(items_class(DOUBLE), owner)
    value._flags = READONLY
    assert value[0] == 0.0
    with pytest.raises(Fell):
        value[0] = 1.0
    with pytest.raises(TypeError, match="deleted"):
        del value[0]
    owner._cell = 0
    with pytest.raises(Fell):
        value[0]


def constructed(members, size):
    """A class of structs with a constructor in machine code, and what its Python twin was called with."""
    base, inline = with_storage(Data, size)
    template = object.__new__(base)
    keeper = Cell()
    template._address = template._lower = id(template) + inline
    template._upper = template._address + size
    template._live, template._owner, template._keep = keeper.live, None, None
    fallen = []

    def fallback(self, args, kwargs):
        fallen.append((args, kwargs))
        if args == ("raise",):
            raise ValueError("no")

    cls = ACCESSORS.constructor(base, members, template, size, inline, fallback)
    assert cls is not base
    return type("Constructed", (cls,), {"__slots__": ("keeper",)}), fallen, keeper


def test_a_struct_of_numbers_is_constructed_in_place():
    cls, fallen, keeper = constructed([(type, 8 * i) for i, type in enumerate(NUMBERS)], 8 * len(NUMBERS))
    made = cls(True, -1, -2, -3, -4, 1, 2, 3, 4, 0.5, -0.25)
    content = ctypes.string_at(made._address, made._upper - made._lower)
    for i, (type, value) in enumerate(
        zip(NUMBERS, [True, -1, -2, -3, -4, 1, 2, 3, 4, 0.5, -0.25], strict=True)
    ):
        assert struct.unpack_from("<" + CODES[type], content, 8 * i)[0] == value
    assert not fallen
    assert made._owner is None
    assert made._keep is None
    assert made._live == keeper.live
    assert made._lower == made._address


def test_members_that_are_not_given_are_zero():
    cls, fallen, _keeper = constructed([(INT32, 0), (INT32, 4)], 8)
    assert ctypes.string_at(cls()._address, 8) == bytes(8)
    assert ctypes.string_at(cls(7)._address, 8) == struct.pack("<ii", 7, 0)
    assert not fallen


def test_everything_else_is_constructed_by_python():
    cls, fallen, _keeper = constructed([(INT32, 0), (DOUBLE, 8)], 16)
    for args, kwargs in [
        ((1, 2.0, 3), {}),
        ((1,), {"y": 2.0}),
        (("x",), {}),
        ((2**31, 1.0), {}),
        ((1, None), {}),
    ]:
        cls(*args, **kwargs)
        given, named = fallen.pop()
        assert (given, named or {}) == (args, kwargs)
    with pytest.raises(ValueError, match="no"):
        cls("raise")
    made = cls(1, 2.0)
    fallen.clear()
    made.__init__(3, 4.0)
    assert fallen == [((3, 4.0), None)], "an object that is initialised again is Python's business"


def test_constructed_objects_are_freed():
    cls, _fallen, _keeper = constructed([(INT32, 0)], 8)
    made = cls(1)
    reference = weakref.ref(made)
    del made
    gc.collect()
    assert reference() is None


class Pool(Owner):
    """An owner with a block of memory to hand out."""

    __slots__ = ("calls", "memory")

    def __init__(self) -> None:
        self.memory = (ctypes.c_uint8 * 256)()
        self._cell = LIVE
        self._cursor = ctypes.addressof(self.memory)
        self._end = self._cursor + 256
        self.calls = []

    def alloc(self, type, count=1, *, align=None):
        """Memory."""
        self.calls.append((type, count, align))


@pytest.fixture
def pool():
    made = ACCESSORS.allocator(Pool, Pool.alloc, "_owner", ("_keep",), Data)
    if made is None:
        pytest.skip("allocation by machine code needs the GIL")
    python, (Pool.alloc, table) = Pool.alloc, made
    yield Pool(), table
    Pool.alloc = python


class Key:
    """Stands for a type."""


def test_known_types_are_allocated_by_moving_the_cursor(pool):
    owner, table = pool
    key, other = Key(), Key()
    table.learn(key, Data, 4, 4, 0)
    first, second, third = owner.alloc(key), owner.alloc(key, 3), owner.alloc(key, 0)
    start = ctypes.addressof(owner.memory)
    assert [(p._address - start, p._upper - p._lower) for p in (first, second, third)] == [
        (0, 4),
        (4, 12),
        (16, 0),
    ]
    assert first._owner is owner
    assert first._keep is None
    assert first._live == id(owner) + OWNER.cell
    table.learn(other, Data, 16, 16, READONLY)
    aligned = owner.alloc(other)
    assert (aligned._address % 16, aligned._flags) == (0, READONLY)
    assert aligned._address - start >= 17, "an allocation of nothing has an address of its own"
    assert not owner.calls


def test_everything_else_is_allocated_by_python(pool):
    owner, table = pool
    key, stranger = Key(), Key()
    table.learn(key, Data, 4, 4, 0)
    owner.alloc(stranger)
    owner.alloc(key, -1)
    owner.alloc(key, 2, align=8)
    owner.alloc(key, count=2)
    owner.alloc(key, 1000)
    owner.alloc(key, 2**62)
    owner.alloc(key, True)
    assert owner.calls == [
        (stranger, 1, None),
        (key, -1, None),
        (key, 2, 8),
        (key, 2, None),
        (key, 1000, None),
        (key, 2**62, None),
        (key, True, None),
    ]
    for arguments in [(), (key, 1, 2), (key,) * 20]:
        with pytest.raises(TypeError):
            owner.alloc(*arguments)
    with pytest.raises(TypeError):
        owner.alloc(key, wrong=1)
    with pytest.raises(TypeError):
        owner.alloc(*(key,) * 20, **dict.fromkeys("abcdefgh"))
    owner.calls.clear()
    owner._cell = 0
    owner.alloc(key)
    assert owner.calls == [(key, 1, None)]


def test_a_pointer_keeps_its_owner_alive(pool):
    owner, table = pool
    key = Key()
    table.learn(key, Data, 4, 4, 0)
    pointers = [owner.alloc(key) for _ in range(10)]
    address = id(owner)
    del owner
    gc.collect()
    assert all(id(p._owner) == address for p in pointers)
