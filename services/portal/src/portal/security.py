"""What every answer and every request must satisfy, whatever page it is: headers, origin, size."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

KIB = 1024
MIB = 1024 * KIB
BODY_LIMIT = 1 * MIB
_UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
# Called by the identity provider, not by a browser; protected by its signed token.
_SERVER_TO_SERVER = {"/backchannel-logout"}


def content_security_policy(identity_origin: str, *, framed_by: str = "'none'") -> str:
    """No inline script or style, nothing from elsewhere; signing out ends at the identity provider."""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "font-src 'self'",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "frame-src 'self' blob:",
            "manifest-src 'self'",
            f"form-action 'self' {identity_origin}",
            "base-uri 'none'",
            f"frame-ancestors {framed_by}",
        ]
    )


class SecurityHeaders:
    """Adds the security headers to every answer. Pages are never cached; documents may stand in our own frame."""

    def __init__(self, app: ASGIApp, *, identity_origin: str, https: bool) -> None:
        self.app = app
        self._page = content_security_policy(identity_origin)
        self._document = content_security_policy(identity_origin, framed_by="'self'")
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message))
            await send(message)

        await self.app(scope, receive, with_headers)

    def _add(self, headers: MutableHeaders) -> None:
        is_page = headers.get("content-type", "").startswith("text/html")
        headers["Content-Security-Policy"] = self._page if is_page else self._document
        headers["X-Frame-Options"] = "DENY" if is_page else "SAMEORIGIN"
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        # Not COOP same-origin: the step-up window passes through the identity provider and must find its way back.
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
        if self._https:
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        if "cache-control" not in headers:
            headers["Cache-Control"] = "no-store"


class SameOrigin:
    """Refuses changing requests that another site made the browser send, before their body is read."""

    def __init__(self, app: ASGIApp, *, origin: str) -> None:
        self.app = app
        self._origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        changing = scope["type"] == "http" and scope["method"] in _UNSAFE and scope["path"] not in _SERVER_TO_SERVER
        if changing and not self._is_own(Headers(scope=scope)):
            refusal = PlainTextResponse("別のサイトからの操作は受け付けません。", status_code=403)
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _is_own(self, headers: Headers) -> bool:
        site = headers.get("sec-fetch-site")
        if site is not None and site not in {"same-origin", "none"}:
            return False
        claimed = headers.get("origin") or headers.get("referer")
        if claimed is None:
            return site == "same-origin"
        parts = urlsplit(claimed)
        return f"{parts.scheme}://{parts.netloc}" == self._origin


class BodyLimit:
    """Stops reading a request body past its limit: 1 MiB, or what the page's `UPLOADS` allow for its path prefix."""

    def __init__(self, app: ASGIApp, *, uploads: Mapping[str, int]) -> None:
        self.app = app
        self._uploads = dict(uploads)

    def limit_for(self, path: str) -> int:
        return max((n for prefix, n in self._uploads.items() if path.startswith(prefix)), default=BODY_LIMIT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.limit_for(scope["path"])
        announced = Headers(scope=scope).get("content-length", "0")
        read = limit + 1 if not announced.isdecimal() or int(announced) > limit else 0

        async def counted() -> Message:
            nonlocal read
            if read > limit:
                raise _too_large(limit)
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > limit:
                    raise _too_large(limit)
            return message

        await self.app(scope, counted, send)


def _too_large(limit: int) -> HTTPException:
    size = f"{limit // MIB} MB" if limit >= MIB else f"{limit // KIB} KB"
    return HTTPException(413, f"送られた内容が大きすぎます（上限 {size}）。")
