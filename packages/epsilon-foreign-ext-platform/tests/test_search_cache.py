"""``ld.so.cache`` in both formats, and what is wrong with a corrupted one."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from epsilon.foreign.ext.platform import CacheError, explain_search, find_library
from epsilon.foreign.ext.platform.search import situation
from epsilon.foreign.ext.platform.search.cache import PATH, LoaderCache
from epsilon.foreign.ext.platform.search.linux import Search
from epsilon.foreign.ext.platform.search.names import file_names
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.once
MARK = 1 << 62
ENTRIES = [
    ("libz.so.1", "/lib/libz.so.1", 0),
    ("libm.so.6", "/lib/glibc-hwcaps/x86-64-v2/libm.so.6", MARK),
    ("libm.so.6", "/lib/libm.so.6", 0),
    ("libm.so", "/lib/libm.so", 0),
]


def new_format(entries=ENTRIES, hwcaps=("x86-64-v2",), start: int = 0) -> bytes:
    """A cache as the C library writes it since 2.32; `start` is what stands before it in the file."""
    at = 48 + 24 * len(entries)
    strings, rows = b"", b""
    for name, path, hwcap in entries:
        rows += struct.pack("=iIIIQ", 0x303, at + len(strings), at + len(strings) + len(name) + 1, 0, hwcap)
        strings += f"{name}\0{path}\0".encode()
    names = []
    for level in hwcaps:
        names.append(at + len(strings))
        strings += f"{level}\0".encode()
    strings += b"\0" * (-(at + len(strings)) % 4)
    extensions = at + len(strings)
    header = struct.pack("=20sIIB3xI12x", b"glibc-ld.so.cache1.1", len(entries), len(strings), 2, extensions)
    directory = struct.pack("=II4I", 0xEAA42174, 1, 1, 0, extensions + 24, 4 * len(names))
    return header + rows + strings + directory + struct.pack(f"={len(names)}I", *names)


def old_format(entries=ENTRIES) -> bytes:
    """A cache of the format before, whose strings are counted from the end of the table."""
    strings, rows = b"", b""
    for name, path, _ in entries:
        rows += struct.pack("=iII", 3, len(strings), len(strings) + len(name) + 1)
        strings += f"{name}\0{path}\0".encode()
    return struct.pack("=12sI", b"ld.so-1.7.0\0", len(entries)) + rows + strings


def both_formats() -> bytes:
    """The old header and table, then a whole new cache, whose strings serve both."""
    head = struct.pack("=12sI", b"ld.so-1.7.0\0", 1) + struct.pack("=iII", 3, 0, 0)
    return head + b"\0" * (-len(head) % 8) + new_format()


@pytest.mark.parametrize("data", [new_format(), old_format(), both_formats()], ids=["new", "old", "both"])
def test_every_format_gives_the_entries_with_their_paths(data: bytes) -> None:
    cache = LoaderCache(data)
    assert len(cache) == 4
    assert [(entry.name, entry.path) for entry in cache.entries()] == [row[:2] for row in ENTRIES]
    names = file_names("m")
    found = [entry.path for entry in cache.matching(names.stems, names.among)]
    assert found == ["/lib/libm.so", "/lib/glibc-hwcaps/x86-64-v2/libm.so.6", "/lib/libm.so.6"]


def test_an_entry_says_for_which_processors_it_is() -> None:
    assert [entry.hwcaps for entry in LoaderCache(new_format()).entries()] == [None, "x86-64-v2", None, None]
    legacy = new_format([("libz.so.1", "/lib/haswell/libz.so.1", 4)])
    assert LoaderCache(legacy).entries()[0].hwcaps == "legacy"


@pytest.mark.skipif(not os.path.exists(PATH), reason=f"there is no {PATH}")
def test_the_cache_of_this_machine_is_read_whole() -> None:
    cache = LoaderCache.read()
    entries = cache.entries()
    assert len(entries) == len(cache) > 0
    for entry in entries:
        assert entry.path.endswith(f"/{entry.name}") and entry.path.startswith("/")


BROKEN = {
    "empty": b"",
    "text": b"/usr/lib\n",
    "a header alone": new_format()[:30],
    "a table cut off": new_format()[:60],
    "strings cut off": new_format()[:150],
    "too many entries": new_format()[:20] + b"\xff\xff\xff\x7f" + new_format()[24:],
    "the other byte order": new_format()[:28] + b"\x03" + new_format()[29:],
    "extensions nowhere": new_format()[:32] + b"\xff\xff\xff\x00" + new_format()[36:],
    "extensions elsewhere": new_format()[:32] + b"\x30\0\0\0" + new_format()[36:],
    "an old table cut off": old_format()[:30],
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_corrupted_cache_is_refused_with_what_is_wrong(case: str) -> None:
    with pytest.raises(CacheError, match=r"the cache|truncated|no extensions|byte order|no cache"):
        LoaderCache(BROKEN[case], "the cache")


def test_a_string_beyond_the_end_is_refused_when_it_is_asked_for() -> None:
    data = bytearray(new_format())
    struct.pack_into("=I", data, 48 + 8, 1 << 24)  # the path of the first entry
    names = file_names("z")
    with pytest.raises(CacheError, match="beyond its end"):
        LoaderCache(bytes(data)).matching(names.stems, names.among)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([new_format(), old_format(), both_formats()]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6),
    st.integers(0, 400),
)
def test_whatever_the_bytes_are_there_is_a_cache_or_a_cache_error(data: bytes, changes, end: int) -> None:
    mutable = bytearray(data[: max(end, 20)])
    for at, value in changes:
        if at < len(mutable):
            mutable[at] = value
    try:
        cache = LoaderCache(bytes(mutable))
        names = file_names("m")
        cache.matching(names.stems, names.among)
        cache.entries()
    except CacheError:
        pass


@pytest.mark.parametrize(
    "covered", [True, False], ids=["a folder that ldconfig has seen", "one that has changed since"]
)
def test_a_folder_that_the_cache_covers_is_not_listed(compile_library, tmp_path: Path, covered: bool) -> None:
    folder = tmp_path / "lib"
    folder.mkdir()
    plain = compile_library("int one;", "libplain-one.so", folder=folder)
    compile_library("int one;", "libunseen-one.so.3", folder=folder)
    path = tmp_path / "ld.so.cache"
    path.write_bytes(new_format([("libother.so.1", f"{folder}/libother.so.1", 0)]))
    os.utime(path, (1_000_000, 2_000_000 if covered else 1_000_000))
    os.utime(folder, (1_500_000, 1_500_000))
    here = situation.present()._replace(cache_path=str(path), defaults=lambda: (str(folder),))
    quick, thorough = Search(here, thorough=False), Search(here)
    assert list(quick.steps("plain-one"))[-1].path == str(plain)
    unseen = list(quick.steps("unseen-one"))[-1].path
    assert unseen == (None if covered else str(folder / "libunseen-one.so.3"))
    assert list(thorough.steps("unseen-one"))[-1].accepted


def test_a_corrupted_cache_is_passed_over_with_a_word_and_the_search_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "ld.so.cache"
    broken.write_bytes(new_format()[:60])
    monkeypatch.setattr(situation.cache, "PATH", str(broken))
    explanation = explain_search("no-such-library")
    assert any(step.where == str(broken) and "truncated" in step.reason for step in explanation.steps)
    assert any(step.place == "default directories" for step in explanation.steps)
    # What the cache would have led to is in the default directories too.
    assert find_library("c") is not None
