"""The door: every damaged, replayed, foreign or unsigned request is refused with its reason and leaves nothing else."""

import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from dataexchange.domain import http_message, receipts
from dataexchange.domain.states import TransferState
from dataexchange.store import exchange, transfers

from services.dataexchange.tests.service.deployments import Deployment, Pair, a_pair, browser
from services.dataexchange.tests.unit.exchange_world import uuid7


@pytest_asyncio.fixture(loop_scope="session")
async def pair(service_db, authority) -> AsyncIterator[Pair]:
    database = service_db("dataexchange")
    async with a_pair((database.app_url, database.app_url), authority) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def client(authority):
    async with browser(authority) as opened:
        yield opened


async def sealed_package(pair: Pair) -> tuple[str, bytes]:
    transfer = await pair.approve(await pair.draft())
    data = await pair.here.read(transfers.sealed_bytes, transfer.package_id)
    return str(transfer.package_id), data


def signed(side: Deployment, url: str, body: bytes | None, *, method: str = "POST", at=None, **headers: str):
    at = at or side.database.clock()
    nonce = headers.pop("nonce", None) or secrets.token_urlsafe(24)
    given = {"Content-Type": "application/jose"} if body is not None else {}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return http_message.signed_headers(
        method, url, body, given, signing=side.us.keys[side.organisation].signing_key(at), at=at, nonce=nonce
    )


async def send(pair: Pair, client, package_id: str, body: bytes, **how):
    url = f"{pair.there.base_url}/exchange/v1/packages"
    return await client.post(url, content=body, headers=signed(pair.here, url, body, Idempotency_Key=package_id, **how))


def refused(answer, status: int, code: str) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"urn:komu:exchange:{code}"
    assert problem["title"]
    return problem


async def test_taken_with_a_signed_receipt(pair, client):
    package_id, body = await sealed_package(pair)
    answer = await send(pair, client, package_id, body)
    assert answer.status_code == 202
    receipt = receipts.read(answer.json()["receipt"], pair.here.us.held, pair.clock())
    assert receipt.statement.package_id == package_id
    assert receipt.statement.package_sha256 == hashlib.sha256(body).hexdigest()


async def test_same_bytes_again_give_the_same_receipt_other_bytes_a_conflict(pair, client):
    package_id, body = await sealed_package(pair)
    first = await send(pair, client, package_id, body)
    second = await send(pair, client, package_id, body)
    assert first.json() == second.json()
    _, other = await sealed_package(pair)
    refused(await send(pair, client, package_id, other), 409, "package_id_reused")
    assert await pair.there.count("arrivals") == 1


async def test_a_damaged_package_leaves_nothing_but_the_refusal(pair, client):
    package_id, body = await sealed_package(pair)
    for place in (len(body) // 2, len(body) - 30, 400):
        damaged = bytearray(body)
        damaged[place] ^= 4
        if bytes([damaged[place]]) in b".+/=":
            damaged[place] = ord("A")
        answer = await send(pair, client, package_id, bytes(damaged))
        assert answer.status_code in (400, 422), answer.text
        problem = answer.json()
        if "receipt" in problem:
            receipt = receipts.read(problem["receipt"], pair.here.us.held, pair.clock())
            assert receipt.statement.kind == "refused"
    assert await pair.there.count("arrivals") == 0
    assert await pair.there.count("arrival_parts") == 0
    assert await pair.there.count("receipts") == 0
    assert (await send(pair, client, package_id, body)).status_code == 202


async def test_a_package_for_somebody_else_is_refused(pair, client):
    package_id, body = await sealed_package(pair)
    url = f"{pair.here.base_url}/exchange/v1/packages"
    answer = await client.post(url, content=body, headers=signed(pair.there, url, body, Idempotency_Key=package_id))
    refused(answer, 422, "wrong_receiver")


async def test_a_package_sent_by_another_than_its_signer_is_refused(pair, client):
    package_id, body = await sealed_package(pair)
    url = f"{pair.there.base_url}/exchange/v1/packages"
    answer = await client.post(url, content=body, headers=signed(pair.there, url, body, Idempotency_Key=package_id))
    refused(answer, 422, "sender_mismatch")


async def test_the_idempotency_key_is_the_package(pair, client):
    _, body = await sealed_package(pair)
    refused(await send(pair, client, str(uuid7()), body), 422, "idempotency_key_mismatch")
    refused(await send(pair, client, "x", body), 422, "idempotency_key_mismatch")


async def test_expired_package(pair, client):
    package_id, body = await sealed_package(pair)
    pair.clock.advance(timedelta(days=14))
    refused(await send(pair, client, package_id, body), 422, "package_expired")


async def test_unsigned_foreign_and_old_requests(pair, client):
    package_id, body = await sealed_package(pair)
    url = f"{pair.there.base_url}/exchange/v1/packages"
    bare = {"Content-Type": "application/jose", "Idempotency-Key": package_id}
    refused(await client.post(url, content=body, headers=bare), 401, "request_unsigned")
    refused(await send(pair, client, package_id, body, at=pair.clock() - timedelta(minutes=6)), 401, "request_too_old")
    refused(await send(pair, client, package_id, body, at=pair.clock() + timedelta(minutes=6)), 401, "request_too_old")
    for_another = signed(pair.here, f"{pair.here.base_url}/exchange/v1/packages", body, Idempotency_Key=package_id)
    refused(await client.post(url, content=body, headers=for_another), 401, "request_signature_invalid")
    for_receipts = signed(pair.here, f"{pair.there.base_url}/exchange/v1/receipts", body, Idempotency_Key=package_id)
    refused(await client.post(url, content=body, headers=for_receipts), 401, "request_signature_invalid")


async def test_replayed_requests(pair, client):
    package_id, body = await sealed_package(pair)
    url = f"{pair.there.base_url}/exchange/v1/packages"
    headers = signed(pair.here, url, body, Idempotency_Key=package_id)
    assert (await client.post(url, content=body, headers=headers)).status_code == 202
    refused(await client.post(url, content=body, headers=headers), 401, "request_replayed")


@pytest.mark.parametrize("name", ["Content-Digest", "Signature", "Signature-Input", "Idempotency-Key", "Content-Type"])
async def test_changed_headers(pair, client, name):
    package_id, body = await sealed_package(pair)
    url = f"{pair.there.base_url}/exchange/v1/packages"
    headers = signed(pair.here, url, body, Idempotency_Key=package_id)
    without = {key: value for key, value in headers.items() if key != name}
    assert (await client.post(url, content=body, headers=without)).status_code in (401, 422)
    changed = headers | {name: headers[name].replace("a", "b").replace("1", "2").replace("e", "f")}
    assert (await client.post(url, content=body, headers=changed)).status_code in (400, 401, 422)
    assert await pair.there.count("arrivals") == 0


async def test_changed_body_does_not_match_its_digest(pair, client):
    package_id, body = await sealed_package(pair)
    url = f"{pair.there.base_url}/exchange/v1/packages"
    headers = signed(pair.here, url, body, Idempotency_Key=package_id)
    refused(await client.post(url, content=body + b"A", headers=headers), 400, "digest_mismatch")


async def test_too_large_bodies_are_cut_off(pair, client):
    url = f"{pair.there.base_url}/exchange/v1/receipts"

    async def endless():
        for _ in range(100):
            yield b"A" * 4096

    refused(await client.post(url, content=endless(), headers={"Content-Type": "application/jose"}), 413, "too_large")


async def test_a_long_body_of_a_stranger_is_not_even_read(pair, client):
    url = f"{pair.there.base_url}/exchange/v1/packages"
    read = 0

    async def endless():
        nonlocal read
        for _ in range(2000):
            read += 65536
            yield b"A" * 65536

    try:
        answer = await client.post(url, content=endless(), headers={"Content-Type": "application/jose"})
        refused(answer, 401, "request_unsigned")
    except httpx.WriteError:  # it closed the door while we were still talking
        assert read < 2000 * 65536


async def test_receipts_are_for_the_counterpart_only(pair, client):
    transfer = await pair.sent()
    url = f"{pair.there.base_url}/exchange/v1/packages/{transfer.package_id}/receipts"
    answer = await client.get(url, headers=signed(pair.here, url, None, method="GET"))
    assert [
        receipts.read(jws, pair.here.us.held, pair.clock()).statement.kind for jws in answer.json()["receipts"]
    ] == ["received"]
    nobody = f"{pair.there.base_url}/exchange/v1/packages/{uuid7()}/receipts"
    refused(await client.get(nobody, headers=signed(pair.here, nobody, None, method="GET")), 404, "package_unknown")
    refused(await client.get(url), 401, "request_unsigned")


async def push(pair: Pair, client, receipt: receipts.Receipt, by: Deployment | None = None):
    url, body = f"{pair.here.base_url}/exchange/v1/receipts", receipt.jws.encode()
    return await client.post(url, content=body, headers=signed(by or pair.there, url, body))


def statement(pair: Pair, package_id: UUID, sha256: str, kind: str = "received", **more) -> receipts.Statement:
    from dataexchange.domain import instants

    fields = {
        "spec": "1.0", "kind": kind, "package_id": str(package_id), "package_sha256": sha256,
        "organisation": pair.there.organisation, "recipient": pair.here.organisation,
        "at": instants.to_text(pair.clock()),
    } | more  # fmt: skip
    return receipts.Statement(**fields)


def sign(pair: Pair, made: receipts.Statement, side: Deployment | None = None) -> receipts.Receipt:
    side = side or pair.there
    key = side.us.keys[side.organisation].signing_key(pair.clock())
    return receipts.sign(made, key.key, key.kid, int(pair.clock().timestamp()))


async def test_forged_and_misplaced_receipts(pair, client):
    transfer = await pair.approve(await pair.draft())
    package = (await pair.here.read(transfers.packages, [transfer.package_id]))[transfer.package_id]
    good = statement(pair, transfer.package_id, package.sha256)
    refused(await push(pair, client, sign(pair, good, pair.here)), 422, "receipt_invalid")
    other = statement(pair, transfer.package_id, "0" * 64)
    refused(await push(pair, client, sign(pair, other)), 422, "receipt_other_package")
    unknown = statement(pair, uuid7(), package.sha256)
    refused(await push(pair, client, sign(pair, unknown)), 404, "package_unknown")
    early = statement(
        pair, transfer.package_id, package.sha256, "accepted", accepted_on="2026-12-01", previous="1" * 64
    )
    refused(await push(pair, client, sign(pair, early)), 422, "receipt_chain_broken")
    not_ours = statement(pair, transfer.package_id, package.sha256, recipient="board:999999")
    refused(await push(pair, client, sign(pair, not_ours)), 422, "wrong_receiver")
    assert (await pair.here.transfer(transfer.id)).state == TransferState.SEALED
    assert await pair.here.count("receipts") == 0
    receipt = sign(pair, good)
    assert (await push(pair, client, receipt)).status_code == 204
    assert (await push(pair, client, receipt)).status_code == 204
    assert (await pair.here.transfer(transfer.id)).state == TransferState.RECEIVED
    kept = await pair.here.read(exchange.receipts, [transfer.package_id])
    assert [one.jws for one in kept[transfer.package_id]] == [receipt.jws]


async def test_public_documents(pair, client):
    base = pair.there.base_url
    known = (await client.get(f"{base}/.well-known/komu-exchange")).json()
    assert known["versions"] == ["1.0"]
    assert known["organisations"] == [pair.there.organisation]
    directory = await client.get(f"{base}/exchange/v1/directory")
    assert directory.content == pair.there.us.held.raw
    schemas = (await client.get(f"{base}/exchange/v1/schemas")).json()
    assert {"manifest/1.0", "notice/1.0", "learner/1.0", "guidance_record/1.0"} <= set(schemas)
    described = (await client.get(f"{base}/exchange/v1/openapi.json")).json()
    assert set(described["paths"]) >= {
        "/exchange/v1/notices", "/exchange/v1/packages", "/exchange/v1/receipts",
    }  # fmt: skip
    json.dumps(described)


async def test_without_a_directory_nothing_is_taken(pair, client):
    package_id, body = await sealed_package(pair)
    pair.there.us.held = None
    assert (await send(pair, client, package_id, body)).status_code == 503
