"""Attachments beside statements: multipart/mixed in and out (Communication 1.5.2), found by their SHA-2."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from learning.domain.xapi.statements import Terms
from learning.domain.xapi.wrong import Wrong

BOUNDARY = "komu-xapi-4f1d9c7e0b6a"
_HASHES = {56: hashlib.sha224, 64: hashlib.sha256, 96: hashlib.sha384, 128: hashlib.sha512}
_GAP = re.compile(rb"\r?\n\r?\n")
_BOUNDARY = re.compile(r"""boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))""", re.IGNORECASE)


def split(content_type: str, body: bytes) -> tuple[bytes, dict[str, bytes]]:
    """The JSON of the statements, and contents by hash. Raises: Wrong."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise Wrong("Content-Type: multipart/mixed has a boundary")
    parts = list(_parts(body, (found[1] or found[2]).encode()))
    if not parts:
        raise Wrong("the first part is the statements")
    headers, statements = parts[0]
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Wrong("part 1: the first part is application/json, the statements")
    contents: dict[str, bytes] = {}
    for number, (headers, content) in enumerate(parts[1:], 2):
        digest = headers.get("x-experience-api-hash", "").lower()
        if headers.get("content-transfer-encoding", "").strip().lower() != "binary":
            raise Wrong(f"part {number}: Content-Transfer-Encoding is binary")
        if len(digest) not in _HASHES:
            raise Wrong(f"part {number}: X-Experience-API-Hash is the hexadecimal SHA-2 of the content")
        contents[digest] = _whole(content, digest, number)
    return statements, contents


def _whole(content: bytes, digest: str, number: int) -> bytes:
    """The content of the hash. Some clients read octets as text, then send UTF-8: the hash proves the way back."""
    make = _HASHES[len(digest)]
    if make(content).hexdigest() == digest:
        return content
    try:
        octets = content.decode().encode("latin-1")
    except ValueError:
        octets = b""
    if not octets or make(octets).hexdigest() != digest:
        raise Wrong(f"part {number}: the content has not the hash {digest[:16]}… of X-Experience-API-Hash")
    return octets


def _parts(body: bytes, boundary: bytes) -> Iterable[tuple[dict[str, str], bytes]]:
    mark = b"--" + boundary
    pieces = re.split(rb"(?:^|\r?\n)" + re.escape(mark) + rb"(?=--|[ \t]*\r?\n)", body)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise Wrong("multipart/mixed: the closing boundary is missing")
    for piece in pieces[1:-1]:
        gap = _GAP.search(piece)
        if gap is None:
            raise Wrong("multipart/mixed: a part has no headers")
        headers = {}
        for line in piece[: gap.start()].decode("latin-1").splitlines():
            name, colon, value = line.partition(":")
            if colon:
                headers[name.strip().lower()] = value.strip()
        yield headers, piece[gap.end() :]


def matched(all_terms: Sequence[Terms], contents: Mapping[str, bytes]) -> None:
    """Each content belongs to a statement, each attachment has its content or says where it lies. Raises: Wrong."""
    wanted = set()
    for terms in all_terms:
        for attachment in terms.attachments:
            digest = attachment["sha2"].lower()
            wanted.add(digest)
            if digest not in contents and "fileUrl" not in attachment:
                raise Wrong(f"attachments: the content of {digest[:16]}… is missing, and there is no fileUrl")
    stray = set(contents) - wanted
    if stray:
        raise Wrong(f"attachments: no statement speaks of {min(stray)[:16]}…")


def attachments_of(statement: dict[str, Any]) -> list[dict[str, Any]]:
    """Also those of a SubStatement."""
    inner = statement["object"] if statement["object"].get("objectType") == "SubStatement" else {}
    return [*statement.get("attachments", ()), *inner.get("attachments", ())]


def joined(answer: bytes, statements: Iterable[dict[str, Any]], contents: Mapping[str, bytes]) -> bytes:
    """multipart/mixed of `answer` and the contents of `statements`, each once."""
    mark = f"--{BOUNDARY}\r\n".encode()
    parts = [mark, b"Content-Type: application/json\r\n\r\n", answer, b"\r\n"]
    sent = set()
    for statement in statements:
        for attachment in attachments_of(statement):
            digest = attachment["sha2"].lower()
            if digest in contents and digest not in sent:
                sent.add(digest)
                head = (
                    f"Content-Type: {attachment['contentType']}\r\nContent-Transfer-Encoding: binary\r\n"
                    f"X-Experience-API-Hash: {attachment['sha2']}\r\n\r\n"
                )
                parts += [mark, head.encode(), contents[digest], b"\r\n"]
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])
