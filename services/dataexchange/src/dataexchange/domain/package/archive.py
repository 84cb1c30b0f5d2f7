"""The ZIP of a package, read and written in one canonical form so that no byte of it is without meaning.

A general ZIP reader forgives: data before the archive, gaps, comments, two headers that disagree, a second central
directory. Each of these is a place where a changed file looks unchanged. Here every byte is accounted for: entries
follow each other from offset 0, the central directory repeats them, the end record closes the file; times, attributes,
extra fields and comments are fixed. Writing is `stored` (PDF does not shrink); reading also takes `deflated`.
"""

import re
import struct
import zlib
from collections.abc import Mapping
from typing import Final

from dataexchange.domain.refusals import Code, Refusal

MAX_ARCHIVE_BYTES: Final = 64 * 1024 * 1024
MAX_PARTS: Final = 500
MAX_RATIO: Final = 100

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.jws"
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}"
_FORBIDDEN_ENDING = re.compile(r"\.(zip|gz|exe|js|html?|svg|xml)$", re.IGNORECASE)
PART_PATHS: Final = {
    "record": re.compile(rf"record(?:/{_NAME}){{1,4}}\.json"),
    "documents": re.compile(rf"documents(?:/{_NAME}){{1,4}}\.pdf"),
    "learning": re.compile(rf"learning(?:/{_NAME}){{1,4}}\.jsonl"),
    # a former school's package travels on unchanged, file by file (施行規則 24条3項)
    "received": re.compile(
        rf"received/{_NAME}/(?:manifest\.json|manifest\.jws|(?:record|documents|learning)(?:/{_NAME}){{1,4}})"
    ),
}

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_VERSION: Final = 20
_DATE: Final = 0x0021  # 1980-01-01, the epoch of ZIP
_STORED: Final = 0
_DEFLATED: Final = 8


def path_allowed(path: str) -> bool:
    """True for the two manifest entries and for parts inside the published folders; no `..`, no absolute path."""
    if path in (MANIFEST, SIGNATURE):
        return True
    if ".." in path or _FORBIDDEN_ENDING.search(path):
        return False
    return any(pattern.fullmatch(path) for pattern in PART_PATHS.values())


def write(entries: Mapping[str, bytes]) -> bytes:
    """The canonical archive of these entries, in the order given.

    Raises: Refusal, when a limit or a name does not hold: what we would refuse we do not build.
    """
    if len(entries) > MAX_PARTS:
        raise Refusal(Code.TOO_MANY_PARTS, str(len(entries)))
    pieces: list[bytes] = []
    central: list[bytes] = []
    offset = 0
    for path, data in entries.items():
        if not path_allowed(path):
            raise Refusal(Code.ARCHIVE_ENTRY_FORBIDDEN, path[:80])
        name = path.encode("ascii")
        crc = zlib.crc32(data)
        head = (_VERSION, 0, _STORED, 0, _DATE, crc, len(data), len(data), len(name), 0)
        local = _LOCAL.pack(b"PK\x03\x04", *head)
        pieces += [local, name, data]
        central += [_CENTRAL.pack(b"PK\x01\x02", _VERSION, *head, 0, 0, 0, 0, offset), name]
        offset += len(local) + len(name) + len(data)
        if offset > MAX_ARCHIVE_BYTES:
            raise Refusal(Code.TOO_LARGE)
    directory = b"".join(central)
    end = _END.pack(b"PK\x05\x06", 0, 0, len(entries), len(entries), len(directory), offset, 0)
    return b"".join([*pieces, directory, end])


def read(archive: bytes) -> dict[str, bytes]:
    """All entries by path, in their order. Raises: Refusal."""
    if len(archive) > MAX_ARCHIVE_BYTES:
        raise Refusal(Code.TOO_LARGE)
    try:
        return _read(memoryview(archive))
    except (struct.error, IndexError, zlib.error, UnicodeDecodeError):
        raise Refusal(Code.ARCHIVE_MALFORMED) from None


def _malformed(where: str) -> Refusal:
    return Refusal(Code.ARCHIVE_MALFORMED, where)


def _read(archive: memoryview) -> dict[str, bytes]:
    end_at = len(archive) - _END.size
    if end_at < 0:
        raise _malformed("end record")
    magic, disk, start_disk, here, total, size, central_at, comment = _END.unpack_from(archive, end_at)
    if magic != b"PK\x05\x06" or disk or start_disk or comment or here != total or central_at + size != end_at:
        raise _malformed("end record")
    if total > MAX_PARTS:
        raise Refusal(Code.TOO_MANY_PARTS, str(total))
    entries: dict[str, bytes] = {}
    at, local_at, budget = central_at, 0, MAX_ARCHIVE_BYTES
    for _ in range(total):
        magic, made_by, *head, disk, internal, external, local_offset = _CENTRAL.unpack_from(archive, at)
        needed, flags, method, time, date, crc, packed, plain, name_length, extra, comment = head
        name = bytes(archive[at + _CENTRAL.size : at + _CENTRAL.size + name_length])
        at += _CENTRAL.size + name_length
        path = name.decode("ascii")
        if not path_allowed(path):
            raise Refusal(Code.ARCHIVE_ENTRY_FORBIDDEN, path[:80])
        if path in entries:
            raise Refusal(Code.ARCHIVE_ENTRY_FORBIDDEN, f"twice: {path}")
        fixed = (made_by, needed, flags, time, date, extra, comment, disk, internal, external)
        if (
            magic != b"PK\x01\x02"
            or fixed != (_VERSION, _VERSION, 0, 0, _DATE, 0, 0, 0, 0, 0)
            or local_offset != local_at
        ):
            raise _malformed(path)
        local = _LOCAL.pack(b"PK\x03\x04", *head[:-1])
        data_at = local_at + len(local) + name_length
        if (
            bytes(archive[local_at : local_at + len(local)]) != local
            or bytes(archive[data_at - name_length : data_at]) != name
        ):
            raise _malformed(path)
        local_at = data_at + packed
        if local_at > central_at:
            raise _malformed(path)
        if plain > budget:
            raise Refusal(Code.TOO_LARGE, path)
        data = _unpack(archive[data_at:local_at], method, plain, path)
        if zlib.crc32(data) != crc:
            raise Refusal(Code.PART_DAMAGED, path)
        budget -= plain
        entries[path] = data
    if local_at != central_at or at != end_at:
        raise _malformed("gap")
    return entries


def _unpack(packed: memoryview, method: int, plain: int, path: str) -> bytes:
    if method == _STORED:
        if len(packed) != plain:
            raise _malformed(path)
        return bytes(packed)
    if method != _DEFLATED or not packed:
        raise _malformed(path)
    if plain > MAX_RATIO * len(packed):
        raise Refusal(Code.RATIO_TOO_HIGH, path)
    stream = zlib.decompressobj(-15)
    data = stream.decompress(packed[:-1], plain + 1)
    if stream.eof or stream.unconsumed_tail:
        raise _malformed(path)
    before_last = stream.copy()
    data += stream.decompress(packed[-1:], plain + 1 - len(data))
    if not stream.eof or stream.unused_data or len(data) != plain:
        raise _malformed(path)
    _refuse_loose_bits(before_last, packed[-1], data, path)
    return data


def _refuse_loose_bits(before_last: "zlib._Decompress", last: int, data: bytes, path: str) -> None:
    """The bits after the end of a deflate stream in its last byte must be zero: otherwise they could be anything."""
    for bit in range(8):
        if not last & (1 << bit):
            continue
        trial = before_last.copy()
        try:
            tail = trial.decompress(bytes([last & ~(1 << bit)]))
        except zlib.error:
            continue
        if trial.eof and data.endswith(tail) and not trial.unused_data:
            same_length = len(tail) == len(before_last.copy().decompress(bytes([last])))
            if same_length:
                raise _malformed(path)
