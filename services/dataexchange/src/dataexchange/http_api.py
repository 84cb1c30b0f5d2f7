"""The exchange as other municipalities see it: HTTPS, requests signed by organisations (docs/api/exchange.md)."""

import hashlib
import json
from typing import Any, Final
from uuid import UUID

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from servicekit.db import Database
from servicekit.errors import KomuError
from servicekit.http import SecurityHeaders, problem

from dataexchange.domain import http_message, instants, jose
from dataexchange.domain import notices as notice_format
from dataexchange.domain.http_message import Speaker
from dataexchange.domain.ourselves import Ourselves
from dataexchange.domain.package import archive, records
from dataexchange.domain.package.manifest import PACKAGE_CTY, PACKAGE_TYP, SPEC, Manifest
from dataexchange.domain.receipts import TYP as RECEIPT_TYP
from dataexchange.domain.refusals import Code, Refusal
from dataexchange.domain.transfers import DEPLOYMENT
from dataexchange.usecases import notices, receiving

MAX_RECEIPT_BYTES: Final = 64 * 1024
JOSE: Final = "application/jose"
DIRECTORY: Final = "application/jose+json"


class Problem(BaseModel):
    """RFC 9457. `type`: `urn:komu:exchange:` and the refusal's code; `receipt`: a signed refusal, where it exists."""

    model_config = ConfigDict(title="Problem")
    type: str
    title: str
    status: int
    detail: str = ""
    receipt: str | None = Field(default=None, description="receipt of kind `refused` (compact JWS)")


class Taken(BaseModel):
    """The package is here, opened, verified and kept; a person decides about it."""

    receipt: str = Field(description="receipt of kind `received` (compact JWS)")


class Noticed(BaseModel):
    """The notice is here. Nothing else: whether the child is known is decided by people and never told by this call."""

    notice_id: str
    received_at: str


class Receipts(BaseModel):
    receipts: list[str]


class WellKnown(BaseModel):
    versions: list[str]
    kinds: list[str]
    limits: dict[str, int]
    algorithms: dict[str, list[str]]
    endpoints: dict[str, str]
    organisations: list[str]


def _problem(refusal: Refusal, receipt: str | None = None) -> JSONResponse:
    body: dict[str, Any] = {
        "type": f"urn:komu:exchange:{refusal.code}", "title": refusal.say(), "status": refusal.status,
        "detail": refusal.say("en"),
    }  # fmt: skip
    if receipt is not None:
        body["receipt"] = receipt
    headers = {"Retry-After": "60"} if refusal.status == 503 else None
    return JSONResponse(body, refusal.status, headers=headers, media_type="application/problem+json")


_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": Problem, "content": {"application/problem+json": {}}, "description": words}
    for status, words in (
        (400, "malformed"), (401, "not signed, not in the window, or seen before"), (404, "no such package"),
        (409, "another content under this id"), (413, "too large"), (415, "wrong media type"),
        (422, "refused, with the reason"), (503, "not now"),
    )
}  # fmt: skip


def exchange_app(database: Database, us: Ourselves) -> FastAPI:
    """The ASGI application; it reads `us` at every request, so keys and directory may change under it."""
    app = FastAPI(
        title="Komu exchange", version=SPEC, docs_url=None, redoc_url=None, openapi_url="/exchange/v1/openapi.json",
        description="児童生徒の転学の書類を、教育委員会の間で署名・封緘して渡すためのインターフェース。",
    )  # fmt: skip
    app.add_middleware(SecurityHeaders)

    @app.exception_handler(Refusal)
    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        return _problem(error)

    @app.exception_handler(KomuError)
    async def not_now(_: Request, error: Exception) -> Response:
        assert isinstance(error, KomuError)
        return problem(error)

    async def speaker_of(request: Request, body: bytes | None) -> Speaker:
        """Who speaks; the nonce is spent with it. The target is the address our organisation has in the directory."""
        now = database.clock()
        digest = hashlib.sha256(body).digest() if body is not None else None
        directory = us.directory(now)
        found = Refusal(Code.REQUEST_SIGNATURE_INVALID)
        for base in _bases(us, directory):
            url = f"{base}{request.url.path}" + (f"?{request.url.query}" if request.url.query else "")
            try:
                speaker = http_message.check(request.method, url, request.headers.items(), digest, directory, now)
                break
            except Refusal as refusal:
                found = refusal
        else:
            raise found
        async with database.transaction(DEPLOYMENT) as tx:
            await receiving.spend_nonce(tx, speaker)
        return speaker

    @app.get("/.well-known/komu-exchange", response_model=WellKnown, tags=["public"])
    async def well_known() -> WellKnown:
        """Versions, limits, endpoints."""
        return WellKnown(
            versions=[SPEC], kinds=["transfer", "return"],
            limits={
                "archive_bytes": archive.MAX_ARCHIVE_BYTES, "sealed_bytes": jose.MAX_SEALED_BYTES,
                "parts": archive.MAX_PARTS, "ratio": archive.MAX_RATIO,
                "window_seconds": int(http_message.WINDOW.total_seconds()),
            },
            algorithms={
                "sign": sorted(jose.SIGNING), "seal": [jose.SEALING_KEY], "content": [jose.SEALING_CONTENT],
                "request": ["ecdsa-p256-sha256", "ed25519"],
            },
            endpoints={
                "directory": "/exchange/v1/directory", "notices": "/exchange/v1/notices",
                "packages": "/exchange/v1/packages",
                "receipts": "/exchange/v1/receipts", "schemas": "/exchange/v1/schemas",
                "openapi": "/exchange/v1/openapi.json",
            },
            organisations=sorted(us.keys),
        )  # fmt: skip

    @app.get("/exchange/v1/directory", tags=["public"], response_class=Response, responses={503: _ANSWERS[503]})
    async def directory() -> Response:
        """The signed directory this side uses, byte by byte."""
        held = us.directory(database.clock())
        return Response(held.raw, media_type=DIRECTORY, headers={"ETag": f'"{held.sha256}"'})

    @app.get("/exchange/v1/schemas", tags=["public"])
    async def schemas() -> dict[str, Any]:
        """JSON Schemas of the manifest and of every record."""
        return {
            "manifest/1.0": Manifest.model_json_schema(by_alias=True),
            "notice/1.0": notice_format.Document.model_json_schema(by_alias=True), **records.json_schemas(),
        }  # fmt: skip

    @app.post(
        "/exchange/v1/notices", status_code=202, response_model=Noticed, responses=_ANSWERS, tags=["exchange"],
        openapi_extra=_body("a sealed notice, `notice/1.0` (compact JWE)", idempotent=True),
    )  # fmt: skip
    async def take_notice(request: Request) -> Noticed:
        """A child is expected there, its record is asked for. The same bytes again get the same answer."""
        http_message.knock(request.headers.items(), us.directory(database.clock()), database.clock())
        sealed = await _read(request, notice_format.MAX_BYTES)
        speaker = await speaker_of(request, sealed)
        looked = jose.look_at_sealed(sealed, typ=notice_format.TYP, cty=notice_format.CTY)
        owner, _ = us.directory(database.clock()).key(looked.kid, "enc")
        notice_id = request.headers.get("idempotency-key", "").strip('"')
        sha256 = hashlib.sha256(sealed).hexdigest()
        async with database.transaction(us.tenant_of(owner.id)) as tx:
            taken = await notices.take_notice(tx, us, owner.id, speaker, notice_id, sealed, sha256)
        return Noticed(notice_id=str(taken.id), received_at=instants.to_text(taken.created_at))

    @app.post(
        "/exchange/v1/packages", status_code=202, response_model=Taken, responses=_ANSWERS, tags=["exchange"],
        openapi_extra=_body("a sealed package (compact JWE)", idempotent=True),
    )  # fmt: skip
    async def take_package(request: Request) -> Response:
        """Take a sealed package. The same bytes again get the same receipt."""
        http_message.knock(request.headers.items(), us.directory(database.clock()), database.clock())
        sealed = await _read(request, jose.MAX_SEALED_BYTES)
        speaker = await speaker_of(request, sealed)
        looked = jose.look_at_sealed(sealed, typ=PACKAGE_TYP, cty=PACKAGE_CTY)
        owner, _ = us.directory(database.clock()).key(looked.kid, "enc")
        tenant = us.tenant_of(owner.id)
        package_id = request.headers.get("idempotency-key", "").strip('"')
        async with database.transaction(tenant) as tx:
            answer = await receiving.take_package(tx, us, owner.id, speaker, package_id, sealed)
        if answer.refusal is not None:
            return _problem(answer.refusal, answer.receipt)
        return JSONResponse({"receipt": answer.receipt}, 202)

    @app.get(
        "/exchange/v1/packages/{package_id}/receipts", response_model=Receipts, responses=_ANSWERS, tags=["exchange"]
    )
    async def receipts(package_id: UUID, request: Request) -> Receipts:
        """All receipts so far, for the other party of that package."""
        speaker = await speaker_of(request, None)
        found = Refusal(Code.PACKAGE_UNKNOWN, str(package_id))
        for tenant in sorted(set(us.tenants.values())):
            async with database.reading(tenant) as tx:
                try:
                    return Receipts(receipts=await receiving.receipts_of(tx, package_id, speaker))
                except Refusal as refusal:
                    found = refusal
        raise found

    @app.post(
        "/exchange/v1/receipts", status_code=204, responses=_ANSWERS, tags=["exchange"],
        openapi_extra=_body("a receipt (compact JWS)"),
    )  # fmt: skip
    async def take_receipt(request: Request) -> Response:
        """Take a receipt: received, accepted, refused, withdrawn, superseded."""
        body = await _read(request, MAX_RECEIPT_BYTES)
        speaker = await speaker_of(request, body)
        tenant = us.tenant_of(_recipient(body))
        async with database.transaction(tenant) as tx:
            await receiving.take_receipt(tx, us, speaker, body.decode("ascii", "replace"))
        return Response(status_code=204)

    return app


def _bases(us: Ourselves, directory: Any) -> list[str]:
    """The addresses under which others know the organisations of this deployment."""
    bases: dict[str, None] = {}
    for organisation in us.keys:
        try:
            bases[directory.organisation(organisation).base_url] = None
        except Refusal:
            continue
    return list(bases)


def _recipient(body: bytes) -> str:
    """For whom a receipt is, as it claims; its signature is checked with everything else inside."""
    signed = jose.take_apart(body, typ=RECEIPT_TYP, malformed=Code.RECEIPT_INVALID)
    value = jose.parse_json(signed.payload, Code.RECEIPT_INVALID, "payload")
    return str(value.get("recipient")) if isinstance(value, dict) else ""


async def _read(request: Request, limit: int) -> bytes:
    """The body, refused as soon as it is too long. Raises: Refusal."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != JOSE:
        raise Refusal(Code.TYPE_WRONG, "Content-Type")
    if request.headers.get("content-encoding"):
        raise Refusal(Code.TYPE_WRONG, "Content-Encoding")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise Refusal(Code.TOO_LARGE)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise Refusal(Code.TOO_LARGE)
        chunks.append(chunk)
    return b"".join(chunks)


def _body(description: str, *, idempotent: bool = False) -> dict[str, Any]:
    headers = ["Signature", "Signature-Input", "Content-Digest", *(["Idempotency-Key"] if idempotent else [])]
    return {
        "requestBody": {
            "required": True, "description": description, "content": {JOSE: {"schema": {"type": "string"}}},
        },
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": {"type": "string"}} for name in headers
        ],
    }  # fmt: skip


def openapi(database: Database | None = None) -> str:
    """The published description, as text for the docs."""
    return json.dumps(exchange_app(database, Ourselves()).openapi(), ensure_ascii=False, indent=1)  # type: ignore[arg-type]
