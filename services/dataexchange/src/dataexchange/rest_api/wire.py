"""Requests and answers on the ASGI wire."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

import orjson
from servicekit.json import dumps
from starlette.types import Receive, Scope, Send

from dataexchange.domain.rest.answers import Declined, Minor, status_info

Header = tuple[bytes, bytes]
_JSON: Header = (b"content-type", b"application/json")
_ALWAYS: tuple[Header, ...] = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


def header(scope: Scope, name: bytes) -> str:
    """The value, empty where there is none."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return ""


def parameters(scope: Scope) -> dict[str, str]:
    """Of the query; the last of several counts. Raises: Declined."""
    raw = scope["query_string"]
    if not raw:
        return {}
    try:
        return dict(parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50))
    except (UnicodeDecodeError, ValueError):
        raise Declined(Minor.INVALID_DATA, "the query is not percent-encoded UTF-8") from None


async def body(scope: Scope, receive: Receive, most: int) -> bytes:
    """Raises: Declined, as soon as it is too long."""
    declared = header(scope, b"content-length")
    too_large = Declined(Minor.INVALID_DATA, f"a body has at most {most} bytes", 413)
    if declared.isdigit() and int(declared) > most:
        raise too_large
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Declined(Minor.INVALID_DATA, "the body broke off")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise too_large
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


async def json_body(scope: Scope, receive: Receive, most: int) -> Any:
    """Raises: Declined."""
    kind = header(scope, b"content-type").split(";")[0].strip().lower()
    if kind != "application/json":
        raise Declined(Minor.INVALID_DATA, "Content-Type is application/json", 415)
    try:
        return orjson.loads(await body(scope, receive, most))
    except orjson.JSONDecodeError:
        raise Declined(Minor.INVALID_DATA, "the body is not JSON in UTF-8") from None


async def answer(send: Send, status: int, content: bytes, headers: Iterable[Header] = ()) -> None:
    length = (b"content-length", str(len(content)).encode())
    kind = (_JSON,) if content else ()
    await send({"type": "http.response.start", "status": status, "headers": [*kind, length, *_ALWAYS, *headers]})
    await send({"type": "http.response.body", "body": content})


async def answer_json(send: Send, status: int, value: Any, headers: Iterable[Header] = ()) -> None:
    await answer(send, status, dumps(value), headers)


async def decline(send: Send, declined: Declined, headers: Iterable[Header] = ()) -> None:
    """imsx_StatusInfo; a refused token says how to come (RFC 6750)."""
    extra = list(headers)
    if declined.status == 401:
        extra.append((b"www-authenticate", b'Bearer realm="OneRoster", error="invalid_token"'))
    elif declined.minor is Minor.FORBIDDEN:
        extra.append((b"www-authenticate", b'Bearer realm="OneRoster", error="insufficient_scope"'))
    await answer_json(send, declined.status, status_info(declined.minor, declined.description), extra)
