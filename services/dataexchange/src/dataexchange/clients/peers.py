"""Other deployments over HTTP: signed requests, one answer read with a limit."""

import json
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from dataexchange.domain.http_message import signed_headers
from dataexchange.domain.package.building import SigningKey
from dataexchange.domain.refusals import Code

MAX_ANSWER_BYTES: Final = 1024 * 1024
TIMEOUT: Final = httpx.Timeout(60.0, connect=10.0)

# Refusals that may be over when we try again: their directory is older than ours, their clock or ours is off.
PASSING: Final = frozenset({
    Code.REQUEST_TOO_OLD, Code.REQUEST_REPLAYED, Code.KEY_UNKNOWN, Code.KEY_NOT_YET_VALID, Code.ORGANISATION_UNKNOWN,
    Code.DIRECTORY_EXPIRED, Code.SIGNED_IN_FUTURE, Code.DIGEST_MISMATCH, Code.REQUEST_SIGNATURE_INVALID,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reply:
    """What the other side answered. `code` is empty when it took it; `passing` when trying again makes sense."""

    status: int
    code: str = ""
    text: str = ""
    receipt: str | None = None

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300

    @property
    def passing(self) -> bool:
        return self.status in (0, 408, 425, 429) or self.status >= 500 or self.code in PASSING


class Peers:
    """One HTTP client for all other deployments. TLS by the authorities in `ca` (PEM), or the system's."""

    def __init__(self, ca: Path | None) -> None:
        self._ca = ca
        self._read_at = self._changed_at()
        self._http = self._client()

    def _changed_at(self) -> int:
        return self._ca.stat().st_mtime_ns if self._ca else 0

    def _client(self) -> httpx.AsyncClient:
        context = ssl.create_default_context(cafile=str(self._ca) if self._ca else None)
        return httpx.AsyncClient(verify=context, timeout=TIMEOUT, follow_redirects=False, trust_env=False)

    async def _refresh(self) -> None:
        """A new authority needs no restart."""
        changed_at = self._changed_at()
        if changed_at != self._read_at:
            before, self._http, self._read_at = self._http, self._client(), changed_at
            await before.aclose()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], signing: SigningKey, at: Any) -> Reply:
        """Never raises for what the network does: status 0 says that nobody answered."""
        signed = signed_headers("POST", url, body, headers, signing=signing, at=at, nonce=secrets.token_urlsafe(24))
        await self._refresh()
        try:
            async with self._http.stream("POST", url, content=body, headers=signed) as answer:
                data = b""
                async for chunk in answer.aiter_bytes():
                    data += chunk
                    if len(data) > MAX_ANSWER_BYTES:
                        return Reply(0, "answer_too_large", "相手の応答が大きすぎます。")
                return _reply(answer.status_code, data)
        except httpx.HTTPError as error:
            return Reply(0, "unreachable", f"相手に接続できません。({type(error).__name__})")

    async def fetch(self, url: str) -> bytes:
        """A public document. Raises: OSError."""
        await self._refresh()
        try:
            answer = await self._http.get(url)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise OSError(f"{url}: {type(error).__name__}") from error
        return answer.content

    async def close(self) -> None:
        await self._http.aclose()


def _reply(status: int, data: bytes) -> Reply:
    try:
        value = json.loads(data) if data else {}
    except ValueError:
        value = {}
    if not isinstance(value, dict):
        value = {}
    kind = str(value.get("type", ""))
    code = (
        kind.rsplit(":", 1)[-1]
        if kind.startswith("urn:komu:exchange:")
        else ""
        if 200 <= status < 300
        else f"http_{status}"
    )
    receipt = value.get("receipt")
    text = str(value.get("title", "")) or (f"HTTP {status}" if code else "")
    return Reply(status, code, text[:500], receipt if isinstance(receipt, str) else None)
