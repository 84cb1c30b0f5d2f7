"""Nothing damaged is ever accepted: every bit region, every part, every trick we know."""

import dataclasses
import io
import json
import random
import struct
import zipfile
import zlib
from datetime import timedelta

import pytest
import rfc8785
from dataexchange.domain import instants, jose
from dataexchange.domain.package import archive, manifest, opening
from dataexchange.domain.refusals import Code, Refusal
from hypothesis import given, settings
from hypothesis import strategies as st

from services.dataexchange.tests.unit.exchange_world import (
    NOW,
    RECEIVER,
    SENDER,
    STRANGER,
    World,
    a_package,
    document,
    identifiers,
    sealed,
    uuid7,
    world,
)

BUILT = a_package(document(data=b"%PDF-1.7\n" + bytes(range(256)) * 8), identifiers())
SEALED = sealed(BUILT)


def receive(data: bytes, *, at=NOW, directory=None, receiver: str = RECEIVER) -> opening.Opened:
    """What the receiving side does with bytes from the wire."""
    trusted = directory or world().directory
    package = opening.open_sealed(data, world().own(receiver).opening, trusted, at, receiver)
    return opening.accept(package, trusted, at, receiver=receiver)


def refused(code: Code, data: bytes, **how) -> None:
    with pytest.raises(Refusal) as caught:
        receive(data, **how)
    assert caught.value.code == code, caught.value


def flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)


def reseal(package: bytes, receiver: str = RECEIVER) -> bytes:
    """A thief who can seal for the receiver (the key is public) but cannot sign for the sender."""
    return sealed(dataclasses.replace(BUILT, archive=package), receiver)


def repack(changed: dict[str, bytes], without: tuple[str, ...] = ()) -> bytes:
    entries = {path: data for path, data in (archive.read(BUILT.archive) | changed).items() if path not in without}
    return reseal(archive.write(entries))


def resign(world_: World = world(), by: str = SENDER, at=NOW, **changed) -> bytes:
    """The manifest rewritten and honestly signed by `by`."""
    fields = BUILT.manifest.model_dump(by_alias=True, exclude_none=True) | changed
    raw = rfc8785.dumps({name: value for name, value in fields.items() if value is not None})
    key = world_.own(by).signing_key(NOW)
    jws = jose.sign(raw, key.key, kid=key.kid, iat=int(at.timestamp()), typ=manifest.MANIFEST_TYP, detached=True)
    return repack({archive.MANIFEST: raw, archive.SIGNATURE: jws.encode()})


def test_good_package_is_accepted():
    opened = receive(SEALED)
    assert opened.manifest.package_id == BUILT.manifest.package_id
    assert set(opened.entries) == set(archive.read(BUILT.archive))


def test_every_region_of_the_sealed_file_refuses_every_flipped_bit():
    """Header, wrapped key, IV and tag: every bit. Ciphertext: its first and last bytes and 300 places between."""
    pieces = SEALED.split(b".")
    start, bits = 0, []
    for index, piece in enumerate(pieces):
        region = range(start * 8, (start + len(piece)) * 8)
        small = index != 3
        chosen = region if small else [*region[:64], *region[-64:], *random.Random(1).sample(region, 300)]
        bits += list(chosen)
        start += len(piece) + 1
    bits += [bit for dot in _places(SEALED, b".") for bit in range(dot * 8, dot * 8 + 8)]
    accepted = [bit for bit in bits if _accepted(flip(SEALED, bit))]
    assert accepted == []


def _places(data: bytes, what: bytes) -> list[int]:
    return [index for index in range(len(data)) if data[index : index + 1] == what]


def _accepted(data: bytes) -> bool:
    try:
        receive(data)
    except Refusal:
        return False
    return True


def test_every_bit_of_the_opened_archive_counts():
    """Even without the seal, no byte of the ZIP can be changed: names, times, attributes, sizes, data, end record."""
    package, trusted = BUILT.archive, world().directory
    for bit in range(len(package) * 8):
        _, exam = opening.examine(flip(package, bit), trusted, NOW, receiver=RECEIVER, arriving=True)
        assert exam.first_refusal is not None, f"bit {bit} of byte {bit // 8} does not count"


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_cut_insertion_or_overwriting_is_refused(data):
    kind = data.draw(st.sampled_from(["cut", "insert", "overwrite", "swap"]))
    at = data.draw(st.integers(0, len(SEALED) - 1))
    size = data.draw(st.integers(1, 64))
    if kind == "cut":
        damaged = SEALED[:at] + SEALED[at + size :]
    elif kind == "insert":
        damaged = SEALED[:at] + data.draw(st.binary(min_size=1, max_size=64)) + SEALED[at:]
    elif kind == "overwrite":
        damaged = (SEALED[:at] + data.draw(st.binary(min_size=1, max_size=64)) + SEALED[at + size :])[: len(SEALED)]
    else:
        other = data.draw(st.integers(0, len(SEALED) - 1))
        changed = bytearray(SEALED)
        changed[at], changed[other] = changed[other], changed[at]
        damaged = bytes(changed)
    assert damaged == SEALED or not _accepted(damaged)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_noise_is_refused_and_never_crashes(noise):
    assert not _accepted(noise)
    _, exam = opening.examine(noise, world().directory, NOW)
    assert exam.first_refusal is not None


def test_changed_part_is_refused():
    refused(Code.PART_DAMAGED, repack({"documents/form-1.pdf": b"%PDF-1.7\nanother child"}))


def test_swapped_parts_are_refused():
    first, second = document("documents/a.pdf"), document("documents/b.pdf")
    built = a_package(first, second)
    entries = archive.read(built.archive)
    entries["documents/a.pdf"], entries["documents/b.pdf"] = entries["documents/b.pdf"], entries["documents/a.pdf"]
    refused(Code.PART_DAMAGED, reseal(archive.write(entries)))


def test_missing_and_added_parts_are_refused():
    refused(Code.PART_MISSING, repack({}, without=("record/identifiers.json",)))
    refused(Code.PART_UNLISTED, repack({"documents/extra.pdf": b"%PDF-1.7"}))


def test_without_manifest_or_signature_is_refused():
    refused(Code.MANIFEST_MISSING, repack({}, without=(archive.MANIFEST,)))
    refused(Code.MANIFEST_MISSING, repack({}, without=(archive.SIGNATURE,)))


def test_changed_manifest_needs_a_new_signature():
    raw = BUILT.manifest_bytes.replace("髙﨑 𠮷子".encode(), "高崎 吉子".encode())
    assert raw != BUILT.manifest_bytes
    refused(Code.SIGNATURE_INVALID, repack({archive.MANIFEST: raw}))


def test_signature_of_another_package_is_refused():
    refused(Code.SIGNATURE_INVALID, repack({archive.SIGNATURE: a_package().manifest_jws}))


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"spec": "2.0"}, Code.VERSION_UNSUPPORTED),
        ({"kind": "gift"}, Code.MANIFEST_INVALID),
        ({"extra": 1}, Code.MANIFEST_INVALID),
        ({"package_id": "not-a-uuid"}, Code.MANIFEST_INVALID),
        ({"package_id": "5f1c1ddc-4b0e-4d6c-9f0b-2f6f3a3f7a11"}, Code.MANIFEST_INVALID),
        ({"created_at": "2026-11-21T12:00:00+09:00"}, Code.MANIFEST_INVALID),
        ({"expires_at": "2026-11-20T00:00:00Z"}, Code.MANIFEST_INVALID),
        ({"parts": []}, Code.PART_UNLISTED),
        ({"supersedes": str(uuid7())}, Code.MANIFEST_INVALID),
    ],
)
def test_signed_but_wrong_manifests_are_refused(changed, code):
    refused(code, resign(**changed))


def test_manifest_that_is_not_canonical_is_refused():
    raw = json.dumps(json.loads(BUILT.manifest_bytes), ensure_ascii=False, indent=1).encode()
    key = world().own(SENDER).signing_key(NOW)
    jws = jose.sign(raw, key.key, kid=key.kid, iat=int(NOW.timestamp()), typ=manifest.MANIFEST_TYP, detached=True)
    refused(Code.MANIFEST_INVALID, repack({archive.MANIFEST: raw, archive.SIGNATURE: jws.encode()}))


def test_manifest_with_a_name_twice_is_refused():
    raw = b'{"spec":"1.0",' + BUILT.manifest_bytes[1:]
    key = world().own(SENDER).signing_key(NOW)
    jws = jose.sign(raw, key.key, kid=key.kid, iat=int(NOW.timestamp()), typ=manifest.MANIFEST_TYP, detached=True)
    refused(Code.MANIFEST_INVALID, repack({archive.MANIFEST: raw, archive.SIGNATURE: jws.encode()}))


def test_sender_must_be_the_signer():
    refused(Code.SENDER_MISMATCH, resign(by=STRANGER))


def test_manifest_for_another_receiver_is_refused_even_if_sealed_for_us():
    refused(Code.WRONG_RECEIVER, sealed(a_package(receiver=STRANGER), RECEIVER))


def test_package_sealed_for_another_is_refused():
    refused(Code.WRONG_RECEIVER, sealed(a_package(receiver=STRANGER), STRANGER))
    refused(Code.WRONG_RECEIVER, SEALED, receiver=STRANGER)


def test_expired_package_is_refused():
    refused(Code.PACKAGE_EXPIRED, SEALED, at=NOW + timedelta(days=14))
    receive(SEALED, at=NOW + timedelta(days=13))


def test_package_from_the_future_is_refused():
    refused(Code.SIGNED_IN_FUTURE, SEALED, at=NOW - timedelta(minutes=6))


def test_expired_revoked_and_unborn_signing_keys_are_refused():
    revoked = world().with_keys(SENDER, "sig", revoked_at=instants.to_text(NOW + timedelta(hours=1)))
    refused(Code.KEY_REVOKED, SEALED, at=NOW + timedelta(hours=2), directory=revoked)
    receive(SEALED, at=NOW + timedelta(minutes=30), directory=revoked)
    expired = world().with_keys(SENDER, "sig", valid_until=instants.to_text(NOW))
    refused(Code.KEY_EXPIRED, SEALED, directory=expired)
    unborn = world().with_keys(SENDER, "sig", valid_from=instants.to_text(NOW + timedelta(seconds=1)))
    refused(Code.KEY_NOT_YET_VALID, SEALED, directory=unborn)


def test_a_thief_cannot_date_a_signature_back_before_the_revocation():
    """The signature's own date is the signer's word: the key must be good at the instant of arrival, too."""
    revoked = world().with_keys(SENDER, "sig", revoked_at=instants.to_text(NOW - timedelta(hours=1)))
    backdated = sealed(a_package(at=NOW - timedelta(hours=2), signing=world().own(SENDER).signing_key(NOW)))
    refused(Code.KEY_REVOKED, backdated, directory=revoked)


def test_what_was_received_before_the_revocation_stays_verifiable():
    later = world().with_keys(SENDER, "sig", revoked_at=instants.to_text(NOW + timedelta(days=100)))
    _, exam = opening.examine(BUILT.archive, later, NOW, receiver=RECEIVER)
    assert exam.first_refusal is None
    _, exam = opening.examine(BUILT.archive, later, NOW + timedelta(days=101))
    assert exam.first_refusal is not None
    assert exam.first_refusal.code == Code.KEY_REVOKED


def test_expired_sealing_key_is_refused():
    expired = world().with_keys(RECEIVER, "enc", valid_until=instants.to_text(NOW))
    refused(Code.KEY_EXPIRED, SEALED, directory=expired)


def test_record_outside_its_schema_is_refused():
    for value in (b"{}", b'{"schema":"identifiers/1.0"}', b"[1", b'{"schema":"identifiers/9.9","person_id":"x"}'):
        line = manifest.part(
            "record/identifiers.json", value, role="identifiers", title="記録", information_class=1, custody="copy",
            schema="identifiers/1.0",
        )  # fmt: skip
        refused(Code.RECORD_INVALID, sealed(a_package(type(document())(line, value))))


def test_document_that_is_no_pdf_is_refused():
    refused(Code.PART_DAMAGED, sealed(a_package(document(data=b"<html>"))))


def test_return_holds_nothing_but_its_reason():
    refused(Code.MANIFEST_INVALID, sealed(a_package(document(), kind="return")))


# ── JOSE: refused before any key is touched ──────────────────────────────────────────────────────────────────────────


def with_header(compact: bytes, **changed) -> bytes:
    pieces = compact.split(b".")
    header = json.loads(jose.decode(pieces[0], Code.SEALED_MALFORMED)) | changed
    header = {name: value for name, value in header.items() if value is not None}
    return b".".join([jose.encode(json.dumps(header).encode()).encode(), *pieces[1:]])


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"alg": "none"}, Code.ALGORITHM_NOT_ALLOWED),
        ({"alg": "dir"}, Code.ALGORITHM_NOT_ALLOWED),
        ({"alg": "RSA1_5"}, Code.ALGORITHM_NOT_ALLOWED),
        ({"alg": "ECDH-ES"}, Code.ALGORITHM_NOT_ALLOWED),
        ({"alg": ["ECDH-ES+A256KW"]}, Code.ALGORITHM_NOT_ALLOWED),
        ({"enc": "A128CBC-HS256"}, Code.ALGORITHM_NOT_ALLOWED),
        ({"zip": "DEF"}, Code.HEADER_NOT_ALLOWED),
        ({"jku": "https://evil.example/keys"}, Code.HEADER_NOT_ALLOWED),
        ({"jwk": {}}, Code.HEADER_NOT_ALLOWED),
        ({"x5u": "https://evil.example"}, Code.HEADER_NOT_ALLOWED),
        ({"x5c": []}, Code.HEADER_NOT_ALLOWED),
        ({"crit": ["exp"], "exp": 1}, Code.HEADER_NOT_ALLOWED),
        ({"apu": "AA"}, Code.HEADER_NOT_ALLOWED),
        ({"typ": "JWT"}, Code.TYPE_WRONG),
        ({"cty": "text/html"}, Code.TYPE_WRONG),
        ({"kid": None}, Code.HEADER_NOT_ALLOWED),
        ({"epk": None}, Code.HEADER_NOT_ALLOWED),
        ({"epk": {"kty": "EC", "crv": "P-521", "x": "", "y": ""}}, Code.ALGORITHM_NOT_ALLOWED),
        ({"epk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}, Code.CANNOT_OPEN),
        ({"kid": "nobody"}, Code.KEY_UNKNOWN),
    ],
)
def test_sealed_headers_outside_the_list_are_refused(changed, code):
    refused(code, with_header(SEALED, **changed))


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"alg": "none"}, Code.ALGORITHM_NOT_ALLOWED),
        ({"alg": "HS256"}, Code.ALGORITHM_NOT_ALLOWED),
        ({"alg": "RS256"}, Code.ALGORITHM_NOT_ALLOWED),
        ({"alg": "EdDSA"}, Code.ALGORITHM_NOT_ALLOWED),
        ({"jku": "https://evil.example/keys"}, Code.HEADER_NOT_ALLOWED),
        ({"jwk": {"kty": "EC"}}, Code.HEADER_NOT_ALLOWED),
        ({"x5c": ["AA"]}, Code.HEADER_NOT_ALLOWED),
        ({"crit": None}, Code.HEADER_NOT_ALLOWED),
        ({"crit": []}, Code.HEADER_NOT_ALLOWED),
        ({"crit": ["iat", "b64"], "b64": False}, Code.HEADER_NOT_ALLOWED),
        ({"crit": ["iat", "iat"]}, Code.HEADER_NOT_ALLOWED),
        ({"iat": None}, Code.HEADER_NOT_ALLOWED),
        ({"iat": True}, Code.HEADER_NOT_ALLOWED),
        ({"iat": -1}, Code.SIGNATURE_INVALID),
        ({"typ": "komu-receipt+jws"}, Code.TYPE_WRONG),
        ({"kid": "nobody"}, Code.KEY_UNKNOWN),
        ({"iat": 1}, Code.SIGNATURE_INVALID),
    ],
)
def test_signature_headers_outside_the_list_are_refused(changed, code):
    refused(code, repack({archive.SIGNATURE: with_header(BUILT.manifest_jws, **changed)}))


def test_attached_payload_in_a_detached_signature_is_refused():
    head, _, tail = BUILT.manifest_jws.split(b".")
    refused(Code.SIGNATURE_INVALID, repack({archive.SIGNATURE: head + b".e30." + tail}))


def test_base64_with_loose_bits_is_refused():
    """The last character of a 16-byte tag has four unused bits: another spelling would be another file."""
    for spelling in (b"=", b"\n", b"+", b" "):
        refused(Code.SEALED_MALFORMED, SEALED + spelling)
    last = SEALED[-1:]
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = alphabet[alphabet.index(last) ^ 1 : (alphabet.index(last) ^ 1) + 1]
    refused(Code.SEALED_MALFORMED, SEALED[:-1] + other)


# ── ZIP tricks ───────────────────────────────────────────────────────────────────────────────────────────────────────


def zipped(entries: dict[str, bytes], method: int = zipfile.ZIP_STORED, **info) -> bytes:
    """A ZIP by the standard library, made canonical unless `info` says otherwise."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for path, data in entries.items():
            line = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            line.create_system, line.external_attr, line.compress_type = 0, 0, method
            for name, value in info.items():
                setattr(line, name, value)
            file.writestr(line, data)
            line.external_attr = info.get("external_attr", 0)
    return out.getvalue()


ENTRIES = archive.read(BUILT.archive)


def test_the_standard_library_writes_the_same_archive():
    assert zipped(ENTRIES) == BUILT.archive
    deflated = zipped(ENTRIES, zipfile.ZIP_DEFLATED)
    assert archive.read(deflated) == ENTRIES
    receive(reseal(deflated))


@pytest.mark.parametrize(
    "path",
    [
        "../evil.pdf", "/etc/passwd", "documents/../../evil.pdf", "documents\\evil.pdf", "C:/evil.pdf", "documents/",
        "evil.pdf", "documents/evil.exe", "documents/evil.pdf.exe", "record/.hidden.json", "record/a.pdf",
        "Documents/a.pdf", "documents/a b.pdf", "documents/名前.pdf", "documents/a\x00.pdf",
        "documents/a/b/c/d/e/f.pdf", "received/x.json",
        "documents/inner.zip", "record/con.json/", "META-INF/manifest.json",
    ],
)  # fmt: skip
def test_forbidden_names_are_refused(path):
    with pytest.raises(Refusal) as caught:
        archive.read(zipped(ENTRIES | {path: b"x"}))
    assert caught.value.code in (Code.ARCHIVE_ENTRY_FORBIDDEN, Code.ARCHIVE_MALFORMED)


@pytest.mark.parametrize(
    "info",
    [
        {"external_attr": 0o120777 << 16},  # a symbolic link
        {"external_attr": 0x10},  # a directory
        {"create_system": 3},
        {"extra": b"\x01\x00\x00\x00"},
        {"comment": b"hello"},
        {"date_time": (2026, 11, 21, 0, 0, 0)},
        {"internal_attr": 1},
    ],
)
def test_anything_not_canonical_is_refused(info):
    with pytest.raises(Refusal) as caught:
        archive.read(zipped(ENTRIES, **info))
    assert caught.value.code == Code.ARCHIVE_MALFORMED


def malformed(package: bytes, *codes: Code) -> None:
    with pytest.raises(Refusal) as caught:
        archive.read(package)
    assert caught.value.code in (codes or (Code.ARCHIVE_MALFORMED,)), caught.value


def test_data_before_between_and_after_is_refused():
    package = BUILT.archive
    central_at = struct.unpack_from("<L", package, len(package) - 6)[0]
    malformed(b"MZ" + package)
    malformed(package + b"x")
    malformed(package[:central_at] + b"gap" + package[central_at:])
    malformed(package[:-2] + b"\x03\x00abc")  # an archive comment
    malformed(package + package)


def test_two_entries_of_one_name_are_refused():
    package = bytearray(zipped({"record/a.json": b"1", "record/b.json": b"2"}))
    malformed(bytes(package).replace(b"record/b.json", b"record/a.json"), Code.ARCHIVE_ENTRY_FORBIDDEN)


def test_encrypted_entries_and_data_descriptors_are_refused():
    for flag in (0x1, 0x8, 0x40, 0x800):
        package = bytearray(BUILT.archive)
        central_at = struct.unpack_from("<L", package, len(package) - 6)[0]
        struct.pack_into("<H", package, 6, flag)
        struct.pack_into("<H", package, central_at + 8, flag)
        malformed(bytes(package))


def test_bombs_are_refused_before_they_grow():
    bomb = zipped({"record/bomb.json": bytes(20_000_000)}, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 30_000
    malformed(bomb, Code.RATIO_TOO_HIGH)
    package = bytearray(bomb)
    central_at = struct.unpack_from("<L", package, len(package) - 6)[0]
    for at in (22, central_at + 24):  # a lie about the size: told small, grows large
        struct.pack_into("<L", package, at, 1000)
    malformed(bytes(package))


def test_sums_of_sizes_are_limited():
    lies = bytearray(zipped({f"record/{i}.json": b"x" * 900_000 for i in range(2)}))
    assert archive.read(bytes(lies))
    with pytest.raises(Refusal) as caught:
        archive.write({f"documents/{i}.pdf": bytes(9_000_000) for i in range(8)})
    assert caught.value.code == Code.TOO_LARGE


def test_too_many_parts_are_refused():
    package = zipped({f"record/{i}.json": b"" for i in range(501)})
    malformed(package, Code.TOO_MANY_PARTS)


def test_overlapping_entries_are_refused():
    """Two central entries that point at the same data (the quoted-overlap bomb)."""
    package = bytearray(zipped({"record/a.json": b"x" * 50, "record/b.json": b"x" * 50}))
    central_at = struct.unpack_from("<L", package, len(package) - 6)[0]
    struct.pack_into("<L", package, central_at + 46 + len("record/a.json") + 42, 0)
    malformed(bytes(package))


def test_loose_bits_and_bytes_of_a_deflate_stream_are_refused():
    data = b"The quick brown fox jumps over the lazy dog. " * 30
    packed = zlib.compress(data, wbits=-15)
    good = deflated_entry(data, packed)
    assert archive.read(good) == {"record/a.json": data}
    refused_bits = 0
    for bit in range(8):
        changed = packed[:-1] + bytes([packed[-1] ^ (1 << bit)])
        try:
            assert archive.read(deflated_entry(data, changed)) != {"record/a.json": data}
        except Refusal:
            refused_bits += 1
    assert refused_bits == 8
    malformed(deflated_entry(data, packed + b"\x00"))
    malformed(deflated_entry(data, packed[:-1]))


def deflated_entry(data: bytes, packed: bytes) -> bytes:
    name = b"record/a.json"
    head = (20, 0, 8, 0, 0x21, zlib.crc32(data), len(packed), len(data), len(name), 0)
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", *head) + name + packed
    central = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, *head, 0, 0, 0, 0, 0) + name
    return local + central + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(local), 0)


# ── copies of former schools ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_former_schools_copy_travels_on_with_its_own_signature():
    former = a_package(document(), sender=STRANGER, receiver=SENDER, at=NOW - timedelta(days=20))
    contents = [document("documents/own.pdf"), *received_parts(former)]
    receive(sealed(a_package(*contents)))
    damaged = [*contents[:-1], document(contents[-1].part.path, "received_copy", data=b"%PDF-1.7 other")]
    refused(Code.PART_DAMAGED, sealed(a_package(*damaged)))
    refused(Code.PART_MISSING, sealed(a_package(*contents[:-1])))
    refused(Code.MANIFEST_MISSING, sealed(a_package(*[c for c in contents if not c.part.path.endswith(".jws")])))


def received_parts(former) -> list:
    prefix = f"received/{former.manifest.package_id}/"
    return [document(prefix + path, "received_copy", data=data) for path, data in archive.read(former.archive).items()]
