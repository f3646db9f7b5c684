"""From a library's header to work done by it, through what discovery generates and nothing declared by hand.

The modules are made by the command, and imported as a user imports them.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.api import c

sys.path.insert(0, str(Path(__file__).resolve().parent))

from headers.catalogue import CASES

Generate = Callable[..., ModuleType]
_CASES = {case.name: case for case in CASES}


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Generate:
    """Make a module of a case's header with the command, and import it."""
    folder = tmp_path_factory.mktemp("generated")

    @functools.cache
    def generate(name: str, *options: str) -> ModuleType:
        case = _CASES[name]
        if case.missing:
            pytest.skip(f"{name}: {case.missing}")
        path = folder / f"{name.split()[0].lower()}_bindings.py"
        command = [sys.executable, "-m", "epsilon.foreign.ext.discovery", "bind", *case.headers]
        done = subprocess.run(
            [*command, "--library", str(case.library), "--output", str(path), *options],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stderr
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return generate


def test_zlib_compresses(generated: Generate) -> None:
    z = generated("zlib")
    text = b"from a header to a library " * 100
    size = ffi.array(c.ulong, [z.compressBound(len(text))])
    packed = ffi.array(c.uchar, size[0])
    assert z.compress(packed, size, text, len(text)) == z.Z_OK
    assert zlib.decompress(bytes(packed[: size[0]])) == text
    assert z.zlibVersion() == z.ZLIB_VERSION


def test_zlib_streams_through_its_struct(generated: Generate) -> None:
    z = generated("zlib")
    text = bytes(range(256)) * 20
    packed, out = zlib.compress(text), ffi.array(c.uchar, len(text))
    source = ffi.array(c.uchar, packed)
    stream = z.z_stream(next_in=source, avail_in=len(source), next_out=out, avail_out=len(out))
    assert z.inflateInit_(stream, z.ZLIB_VERSION, ffi.sizeof(z.z_stream)) == z.Z_OK
    assert z.inflate(stream, z.Z_FINISH) == z.Z_STREAM_END
    assert (stream.total_in, stream.total_out) == (len(packed), len(text)) and bytes(out) == text
    assert z.inflateEnd(stream) == z.Z_OK


def test_sqlite_is_queried(generated: Generate) -> None:
    s = generated("sqlite3")
    handle = ffi.array(ffi.Pointer[s.sqlite3], 1)
    assert s.sqlite3_open(":memory:", handle) == s.SQLITE_OK
    db = handle[0]
    rows = []

    def row(context: object, count: int, values: ffi.Pointer, names: ffi.Pointer) -> int:
        rows.append([ffi.string_at(values.bounded(count)[i]) for i in range(count)])
        return 0

    script = (
        "create table t(a, b); insert into t values (1, 'one'), (2, 'two'); select b, a from t order by a;"
    )
    assert s.sqlite3_exec(db, script, row, None, None) == s.SQLITE_OK
    assert rows == [["one", "1"], ["two", "2"]]
    statement = ffi.array(ffi.Pointer[s.sqlite3_stmt], 1)
    query = "select b, a * 1.5 from t where b = ?"
    assert s.sqlite3_prepare_v2(db, query, -1, statement, None) == s.SQLITE_OK
    found = statement[0]
    assert s.sqlite3_bind_text(found, 1, "two", -1, s.SQLITE_TRANSIENT) == s.SQLITE_OK
    assert s.sqlite3_step(found) == s.SQLITE_ROW
    assert ffi.string_at(s.sqlite3_column_text(found, 0)) == "two"
    assert s.sqlite3_column_double(found, 1) == 3.0
    assert s.sqlite3_step(found) == s.SQLITE_DONE and s.sqlite3_finalize(found) == s.SQLITE_OK
    assert s.sqlite3_prepare_v2(db, "nonsense", -1, statement, None) == s.SQLITE_ERROR
    assert "nonsense" in s.sqlite3_errmsg(db)
    assert s.sqlite3_close(db) == s.SQLITE_OK


def test_libpng_reads_a_header(generated: Generate) -> None:
    png = generated("libpng")
    image = png.png_image(version=png.PNG_IMAGE_VERSION)
    data = picture(7, 5)
    assert png.png_image_begin_read_from_memory(image, data, len(data)) == 1, image.message.value
    assert (image.width, image.height, image.format) == (7, 5, png.PNG_FORMAT_RGB)
    png.png_image_free(image)
    assert png.png_image_begin_read_from_memory(image, b"no picture", 10) == 0
    assert image.message.value == b"Not a PNG file"


def test_openssl_hashes(generated: Generate) -> None:
    e = generated("OpenSSL evp.h", "--allow", "EVP_*")
    context = e.EVP_MD_CTX_new()
    assert context and e.EVP_DigestInit_ex(context, e.EVP_sha256(), None) == 1
    for part in (b"from a header ", b"to a library"):
        assert e.EVP_DigestUpdate(context, part, len(part)) == 1
    digest, size = ffi.array(c.uchar, e.EVP_MAX_MD_SIZE), ffi.array(c.uint, 1)
    assert e.EVP_DigestFinal_ex(context, digest, size) == 1
    e.EVP_MD_CTX_free(context)
    assert bytes(digest[: size[0]]) == hashlib.sha256(b"from a header to a library").digest()


def picture(width: int, height: int) -> bytes:
    """A black picture of 8-bit colours in the PNG format (https://www.w3.org/TR/png-3/)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    lines = zlib.compress(bytes(height * (1 + 3 * width)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")
