"""Versions, headers, the other spelling of requests, who is let in, what is turned away."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from komu.learning.v1 import tool_clients_pb2 as pb
from learning.domain.xapi.wrong import Wrong
from learning.http_api.xapi.door import REMEMBERED_S, Door
from servicekit.clock import now

from services.learning.tests.service.record_store import VOIDED, Board, Tool, a_statement

FORM = {"content-type": "application/x-www-form-urlencoded"}
TEACHER = {"objectType": "Agent", "mbox": "mailto:t@school.example"}


async def test_answers_speak_the_version_that_was_asked(tool: Tool):
    for version, status, answered in (
        ("1.0", 200, "1.0.3"), ("1.0.0", 200, "1.0.3"), ("2.0.0", 200, "2.0.0"), ("2.0", 200, "2.0.0"),
        ("1.1.0", 400, "1.0.3"), ("0.95", 400, "1.0.3"), ("2.1.0", 400, "2.0.0"), ("3.0.0", 400, "2.0.0"),
    ):  # fmt: skip
        tool.version = version
        answer = await tool.ask("GET", "statements")
        assert (answer.status_code, answer.headers["x-experience-api-version"]) == (status, answered), version
    about = await tool.http.get("/xapi/about")
    assert {"1.0.3", "2.0.0"} <= set(about.json()["version"])
    assert "x-experience-api-version" in about.headers


async def test_a_reader_of_1_0_3_gets_no_2_0_properties(tool: Tool):
    agents = [{"objectType": "contextAgent", "agent": TEACHER, "relevantTypes": ["https://e.example/t"]}]
    sent = a_statement(context={"contextAgents": agents})
    assert (await tool.post(sent)).status_code == 400
    assert (await tool.post(sent, version="2.0.0")).status_code == 200
    [old] = await tool.find()
    assert old["version"] == "1.0.3"
    assert "contextAgents" not in old["context"]
    tool.version = "2.0.0"
    [new] = await tool.find(agent=orjson.dumps(TEACHER).decode(), related_agents="true")
    assert new["version"] == "2.0.0"
    assert new["context"]["contextAgents"] == agents


async def test_the_alternate_syntax_in_1_0_3_only(tool: Tool):
    statement_id = str(uuid4())
    form = {"statementId": statement_id, "content": orjson.dumps(a_statement()).decode(), **tool.headers()}
    put = await tool.http.post("/xapi/statements?method=PUT", content=urlencode(form), headers=FORM)
    assert put.status_code == 204, put.text
    form = {"limit": "1", **tool.headers()}
    got = await tool.http.post("/xapi/statements?method=GET", content=urlencode(form), headers=FORM)
    assert [one["id"] for one in got.json()["statements"]] == [statement_id]
    for url, more in (
        (f"/xapi/statements?method=PUT&statementId={uuid4()}", {"content": "{}"}),
        ("/xapi/statements?method=PUT", {"statementId": str(uuid4())}),
        ("/xapi/statements?method=PATCH", {"content": "{}"}),
    ):
        answer = await tool.http.post(url, content=urlencode({**tool.headers(), **more}), headers=FORM)
        assert answer.status_code == 400
    tool.version = "2.0.0"
    answer = await tool.http.post("/xapi/statements?method=GET", content=urlencode(tool.headers()), headers=FORM)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "params",
    [
        {"Verb": "http://a.example/v"}, {"verb": "no-iri"}, {"limit": "-1"}, {"limit": "x"}, {"since": "yesterday"},
        {"format": "Exact"}, {"agent": "{"}, {"agent": '{"mbox": "a@b.example"}'}, {"registration": "1"},
        {"agent": '{"objectType": "Group", "member": [{"mbox": "mailto:a@b.example"}]}'}, {"ascending": "True"},
        {"statementId": str(uuid4()), "verb": "http://a.example/v"}, {"cursor": "x"}, {"statementId": "1"},
        {"statementId": str(uuid4()), "voidedStatementId": str(uuid4())}, {"verb": "http://a.example/\0"},
    ],
)  # fmt: skip
async def test_wrong_parameters_are_named(tool: Tool, params: dict[str, str]):
    answer = await tool.ask("GET", "statements", params)
    assert answer.status_code == 400
    assert "parameter" in answer.text


async def test_who_is_not_known_stays_out(board: Board):
    tool = await board.tool()
    wrong = f"Basic {base64.b64encode(f'{tool.key}:guess'.encode()).decode()}"
    for authorization in ("", "Basic x", "Bearer x.y.z", "Digest a", wrong):
        answer = await tool.ask("GET", "statements", headers={"authorization": authorization})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic")
    forged = f"{board.tenant}-x.{tool.key.partition('.')[2]}"
    basic = f"Basic {base64.b64encode(f'{forged}:{tool.secret}'.encode()).decode()}"
    assert (await tool.ask("GET", "statements", headers={"authorization": basic})).status_code == 401


async def test_a_closed_client_is_turned_away_within_seconds(board: Board):
    tool = await board.tool()
    assert await tool.find() == []
    await board.rpc.DisableToolClient(pb.ChangeToolClientRequest(client_id=tool.client.id, version=1))
    store: Any = board.http._transport.app.routes[0].app.app  # type: ignore[attr-defined]
    assert store._door._remembered.ttl == REMEMBERED_S <= 2
    store._door._remembered.clear()
    assert (await tool.ask("GET", "statements")).status_code == 401


async def test_tokens_outlive_a_new_key_of_the_deployment_and_end_with_the_last_one(board: Board, tool: Tool):
    before = Door(board.running.database, "old")
    token = await before.token_for(tool.key, tool.secret)
    assert (await Door(board.running.database, "new, old").caller_of(f"Bearer {token}")).client.id
    for keys in ("new", ""):
        with pytest.raises(Wrong, match="not known"):
            await Door(board.running.database, keys).caller_of(f"Bearer {token}")
    with pytest.raises(Wrong, match="Basic"):
        await Door(board.running.database, "").token_for(tool.key, tool.secret)


async def test_a_token_opens_as_the_secret_does(board: Board):
    tool, other = await board.tool(), await board.tool()

    async def token(secret: str) -> httpx.Response:
        form = {"grant_type": "client_credentials", "client_id": tool.key, "client_secret": secret}
        return await tool.http.post("/oauth2/token", content=urlencode(form), headers=FORM)

    issued = (await token(tool.secret)).json()
    assert issued["token_type"] == "Bearer"
    bearer = {"authorization": f"Bearer {issued['access_token']}"}
    assert (await tool.ask("GET", "statements", headers=bearer)).status_code == 200
    assert (await token("guess")).status_code == 401
    head, body, signature = issued["access_token"].split(".")
    forged = base64.urlsafe_b64encode(
        orjson.dumps({"alg": "HS256", "kid": other.key, "typ": "JWT"})
    ).decode().rstrip("=")  # fmt: skip
    none = base64.urlsafe_b64encode(orjson.dumps({"alg": "none", "kid": tool.key})).decode().rstrip("=")
    for fake in (f"{forged}.{body}.{signature}", f"{none}.{body}.", f"{head}.{body}.{signature[:-2]}AA"):
        answer = await tool.ask("GET", "statements", headers={"authorization": f"Bearer {fake}"})
        assert answer.status_code == 401


def mixed(statement: Any, *parts: tuple[str, bytes], boundary: str = "b") -> tuple[bytes, dict[str, str]]:
    pieces = [b"Content-Type: application/json\r\n\r\n" + orjson.dumps(statement)]
    for digest, content in parts:
        head = f"Content-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: {digest}"
        pieces.append(head.encode() + b"\r\n\r\n" + content)
    body = b"".join(b"--b\r\n" + piece + b"\r\n" for piece in pieces) + b"--b--\r\n"
    return body, {"content-type": f"multipart/mixed; boundary={boundary}"}


def an_attachment(content: bytes, **more: Any) -> dict[str, Any]:
    return {
        "usageType": "http://example.com/essay", "display": {"ja": "作文"}, "contentType": "text/plain",
        "length": len(content), "sha2": hashlib.sha256(content).hexdigest(), **more,
    }  # fmt: skip


async def test_attachments_travel_beside_statements(tool: Tool):
    content = b"\r\n--b-- is not the end\r\n\r\n\x00\xff"
    attachment = an_attachment(content)
    statement = a_statement(attachments=[attachment])
    assert (await tool.post(statement)).status_code == 400  # its content is missing
    elsewhere = {**attachment, "fileUrl": "https://e.example/f"}
    assert (await tool.post(a_statement(attachments=[elsewhere]))).status_code == 200
    body, headers = mixed(statement, ("0" * 64, content))
    assert (await tool.ask("POST", "statements", content=body, headers=headers)).status_code == 400
    stray = b"nobody speaks of me"
    body, headers = mixed(statement, (attachment["sha2"], content), (hashlib.sha256(stray).hexdigest(), stray))
    assert (await tool.ask("POST", "statements", content=body, headers=headers)).status_code == 400
    content = b"\x00\xff essay\r\n"
    statement = a_statement(attachments=[an_attachment(content)])
    body, headers = mixed(statement, (an_attachment(content)["sha2"], content))
    posted = await tool.ask("POST", "statements", content=body, headers=headers)
    assert posted.status_code == 200, posted.text
    body, headers = mixed(statement, (an_attachment(content)["sha2"], content.decode("latin-1").encode()))
    assert (await tool.ask("POST", "statements", content=body, headers=headers)).status_code == 200
    found = await tool.ask("GET", "statements", {"attachments": "true", "limit": "1"})
    assert found.headers["content-type"].startswith("multipart/mixed")
    assert content in found.content
    assert an_attachment(content)["sha2"].encode() in found.content
    plain = await tool.ask("GET", "statements", {"limit": "1"})
    assert plain.headers["content-type"] == "application/json"


def signed(statement: dict[str, Any], key: rsa.RSAPrivateKey, x5c: list[str], alg: str = "RS256") -> bytes:
    def b64(raw: bytes) -> bytes:
        return base64.urlsafe_b64encode(raw).rstrip(b"=")

    what = b64(orjson.dumps({"alg": alg, "x5c": x5c})) + b"." + b64(orjson.dumps(statement))
    algorithm = {"RS256": hashes.SHA256(), "RS512": hashes.SHA512()}.get(alg, hashes.SHA256())
    return what + b"." + b64(key.sign(what, padding.PKCS1v15(), algorithm))


def with_signature(statement: dict[str, Any], signature: bytes) -> tuple[bytes, dict[str, str]]:
    usage = "http://adlnet.gov/expapi/attachments/signature"
    attachment = an_attachment(signature, usageType=usage, contentType="application/octet-stream")
    return mixed({**statement, "attachments": [attachment]}, (attachment["sha2"], signature))


async def test_signatures_are_checked(tool: Tool):
    key, other = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tool")])
    at = now().replace(tzinfo=None)
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, at, at)
    der = built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    x5c = [base64.b64encode(der).decode()]
    statement = a_statement(id=str(uuid4()))
    elsewhere = {**statement, "verb": {"id": "http://example.com/other"}}
    for signature, status in (
        (signed(statement, other, x5c), 400), (signed(elsewhere, key, x5c), 400), (b"a.b", 400),
        (signed(statement, key, x5c, "HS256"), 400), (signed(statement, key, x5c, "RS512"), 200),
    ):  # fmt: skip
        body, headers = with_signature(statement, signature)
        answer = await tool.ask("POST", "statements", content=body, headers=headers)
        assert answer.status_code == status, answer.text


async def test_canonical_and_ids(tool: Tool):
    statement = a_statement()
    iri = statement["object"]["id"]
    assert (await tool.post(statement)).status_code == 200
    later = {"id": iri, "definition": {"name": {"de": "F1"}, "type": "http://adlnet.gov/expapi/activities/question"}}
    assert (await tool.post(a_statement(context={"contextActivities": {"other": later}}))).status_code == 200
    whole = (await tool.ask("GET", "activities", {"activityId": iri})).json()
    assert whole["definition"]["name"] == {"ja-JP": "問1", "en": "Q1", "de": "F1"}
    wanted = {"accept-language": "fr;q=0.9, ja;q=0.8"}
    answer = await tool.ask("GET", "statements", {"format": "canonical", "activity": iri}, headers=wanted)
    [shown] = answer.json()["statements"]
    assert shown["object"]["definition"]["name"] == {"ja-JP": "問1"}
    assert shown["object"]["definition"]["type"].endswith("question")
    assert shown["verb"]["display"] == {"ja-JP": "解答した"}
    [short] = await tool.find(format="ids", activity=iri)
    assert short["object"] == {"id": iri}
    assert short["verb"] == {"id": statement["verb"]["id"]}


async def test_a_person_is_its_identifier_and_the_names_it_acted_under(tool: Tool):
    agent = {"mbox": "mailto:n@school.example"}
    for name in ("青空 花子", "青空 はなこ"):
        await tool.post(a_statement(actor={**agent, "name": name}))
    person = (await tool.ask("GET", "agents", {"agent": orjson.dumps(agent).decode()})).json()
    assert person == {"objectType": "Person", "mbox": [agent["mbox"]], "name": ["青空 はなこ", "青空 花子"]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "JSON"), (b'{"actor": 1, "actor": 2}', "twice"), (b'{"a": "\xff"}', "JSON"), (b"[1]", "$[0]"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "JSON"), (b'"text"', "$"), (b"[" * 100_000, "JSON"), (b"", "JSON"),
        (orjson.dumps(a_statement(result={"score": {"scaled": 1.2}})), "$.result.score.scaled"),
        (orjson.dumps(a_statement(verb={"id": VOIDED})), "$.object"), (b'{"a": NaN}', "JSON"),
    ],
)  # fmt: skip
async def test_bad_bodies_are_turned_away_with_the_place(tool: Tool, content: bytes, words: str):
    json = {"content-type": "application/json"}
    answer = await tool.ask("POST", "statements", content=content, headers=json)
    assert answer.status_code == 400
    assert words in answer.text


async def test_what_is_too_long_or_of_no_known_kind(tool: Tool):
    json = {"content-type": "application/json"}
    answer = await tool.ask("POST", "statements", content=b" " * (1024 * 1024 + 1), headers=json)
    assert answer.status_code == 413
    assert (await tool.ask("POST", "statements", content=b"x", headers={"content-type": "text/xml"})).status_code == 400
    assert (await tool.ask("DELETE", "statements", headers={"authorization": ""})).status_code == 405
    assert (await tool.ask("GET", "nothing")).status_code == 404
