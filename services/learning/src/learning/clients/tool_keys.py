"""Public keys of tools, fetched from the address they registered: bounded, remembered, never from our own network."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import time
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from learning.domain.lti import jose
from learning.domain.lti.refusals import LtiRefusal, invalid_client

LARGEST_ANSWER: Final = 64 * 1024
WITHIN_S: Final = 5.0
REMEMBERED_S: Final = 600.0
NOT_AGAIN_FOR_S: Final = 30.0
"""A key that is not in the set makes us look again, but not for every forged message."""
_MOST_REMEMBERED: Final = 5_000


class ToolKeys:
    """One per process. `private`: whether tools may live at private addresses (a stack on one machine)."""

    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._http = httpx.AsyncClient(timeout=WITHIN_S, follow_redirects=False, trust_env=False)
        self._known: dict[str, tuple[float, list[dict[str, Any]]]] = {}

    async def of(self, url: str, kid: str) -> list[dict[str, Any]]:
        """The key set at `url`; read again when it is old or lacks `kid`. Raises: LtiRefusal."""
        read_at, keys = self._known.get(url, (0.0, []))
        age = time.monotonic() - read_at if read_at else REMEMBERED_S
        lacking = not any(key.get("kid") in (None, kid) for key in keys)
        if age < (NOT_AGAIN_FOR_S if lacking else REMEMBERED_S):
            return keys
        try:
            async with asyncio.timeout(WITHIN_S):
                keys = await self._fetch(url)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RecursionError) as error:
            raise invalid_client(
                f"ツールの公開鍵を取得できません({type(error).__name__})。公開鍵のURLを確かめてください。"
            ) from error
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[url] = (time.monotonic(), keys)
        return keys

    async def _fetch(self, url: str) -> list[dict[str, Any]]:
        parts = urlsplit(url)
        host = parts.hostname or ""
        address = await self._address_of(host, parts.port or (443 if parts.scheme == "https" else 80))
        pinned = httpx.URL(url).copy_with(host=address)  # what was looked at is what is asked: no second look-up
        async with self._http.stream(
            "GET",
            pinned,
            headers={"host": parts.netloc, "accept": "application/json"},
            extensions={"sni_hostname": host},
        ) as answer:
            if answer.status_code != 200:
                raise ValueError(f"HTTP {answer.status_code}")
            body = b""
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise ValueError("too large")
        return jose.public_keys(json.loads(body))

    async def _address_of(self, host: str, port: int) -> str:
        """The first address of `host`, refused when any of them is not public. Raises: LtiRefusal, OSError."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        if not self._private and not are_public(addresses):
            raise LtiRefusal("invalid_client", "ツールの公開鍵のURLが、公開されたネットワークにありません。", 401)
        return addresses[0]

    async def close(self) -> None:
        await self._http.aclose()


def are_public(addresses: Sequence[str]) -> bool:
    """Whether there are addresses and every one is reachable from the whole Internet."""
    return bool(addresses) and all(
        (address := ipaddress.ip_address(one.partition("%")[0])).is_global and not address.is_multicast
        for one in addresses
    )
