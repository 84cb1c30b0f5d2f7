"""OneRoster 1.2 REST over the real database: what a partner reads and writes, and what it is refused."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from dataexchange.domain.rest.routes import OPERATIONS
from dataexchange.policy import Served
from dataexchange.store import roster_objects as store
from dataexchange.usecases import access_log, partners
from servicekit.audit import AuditQuestion
from servicekit.db import Database
from servicekit.testing import an_actor

from services.dataexchange.tests.service.rest_world import (
    GRADEBOOK,
    RESOURCES,
    ROSTERING,
    Partner,
    World,
    a_partner,
    fill,
    http,
    id_of,
)

WORLD = World(pupils=5)
CLASS, SCHOOL = WORLD.classes[0], WORLD.schools[0]


@pytest_asyncio.fixture(loop_scope="session")
async def client(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with http(database) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def partner(database: Database, tenant: str, client: httpx.AsyncClient) -> Partner:
    await fill(database, tenant, WORLD)
    return await a_partner(database, tenant, client)


def told(answer: httpx.Response, status: int, minor: str) -> None:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["imsx_codeMajor"] in ("failure", "unsupported")
    assert body["imsx_CodeMinor"]["imsx_codeMinorField"][0]["imsx_codeMinorFieldValue"] == minor


def ids(answer: httpx.Response, name: str) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["sourcedId"] for one in answer.json()[name]]


async def test_a_page_of_users_with_its_count_and_its_links(partner: Partner):
    first = await partner.get("/users", limit=3)
    assert first.headers["x-total-count"] == "8"
    relations = dict(re.findall(r'<([^>]+)>; rel="(\w+)"', first.headers["link"]))
    assert set(relations.values()) == {"next", "first", "last"}
    seen = ids(first, "users")
    address = next(url for url, relation in relations.items() if relation == "next")
    assert address.startswith("https://exchange.test/")
    while address:
        page = await partner.send("GET", address, base="")
        seen += ids(page, "users")
        links = re.findall(r'<([^>]+)>; rel="(\w+)"', page.headers["link"])
        address = next((url for url, to in links if to == "next"), "")
    assert len(seen) == len(set(seen)) == 8


@pytest.mark.parametrize(
    ("path", "name", "count"),
    [
        ("/students", "users", 7), ("/teachers", "users", 1), ("/schools", "orgs", 2), ("/orgs", "orgs", 3),
        ("/terms", "academicSessions", 0), ("/gradingPeriods", "academicSessions", 0), ("/classes", "classes", 2),
        ("/academicSessions", "academicSessions", 1), ("/courses", "courses", 2), ("/enrollments", "enrollments", 8),
        ("/demographics", "demographics", 7), (f"/classes/{CLASS.id}/students", "users", 5),
        (f"/classes/{CLASS.id}/teachers", "users", 1), (f"/schools/{SCHOOL.id}/classes", "classes", 1),
        (f"/schools/{SCHOOL.id}/courses", "courses", 1), (f"/schools/{SCHOOL.id}/enrollments", "enrollments", 6),
        (f"/schools/{SCHOOL.id}/students", "users", 5), (f"/schools/{SCHOOL.id}/teachers", "users", 1),
        (f"/schools/{SCHOOL.id}/terms", "academicSessions", 0), (f"/students/{id_of(1)}/classes", "classes", 1),
        (f"/teachers/{WORLD.teacher}/classes", "classes", 1), (f"/users/{id_of(1)}/classes", "classes", 1),
        (f"/schools/{SCHOOL.id}/classes/{CLASS.id}/enrollments", "enrollments", 6),
        (f"/schools/{SCHOOL.id}/classes/{CLASS.id}/students", "users", 5),
        (f"/schools/{SCHOOL.id}/classes/{CLASS.id}/teachers", "users", 1),
    ],
)  # fmt: skip
async def test_every_list_has_what_belongs_there(partner: Partner, path: str, name: str, count: int):
    answer = await partner.get(path)
    assert len(ids(answer, name)) == count
    assert answer.headers["x-total-count"] == str(count)


async def test_lists_that_hang_on_other_lists(partner: Partner):
    course = (await partner.get(f"/schools/{SCHOOL.id}/courses")).json()["courses"][0]["sourcedId"]
    session = ids(await partner.get("/academicSessions"), "academicSessions")[0]
    assert ids(await partner.get(f"/courses/{course}/classes"), "classes") == [CLASS.id]
    assert len(ids(await partner.get(f"/terms/{session}/classes"), "classes")) == 2
    assert ids(await partner.get(f"/terms/{session}/gradingPeriods"), "academicSessions") == []
    for kind, id_ in (("classes", CLASS.id), ("courses", course), ("users", id_of(1))):
        assert ids(await partner.get(f"/{kind}/{id_}/resources", RESOURCES), "resources") == []
    assert sum(one.method == "GET" and one.service == "rostering" for one in OPERATIONS) == 41


async def test_one_user(partner: Partner):
    user = (await partner.get(f"/students/{id_of(1)}")).json()["user"]
    assert user["preferredLastName"] == "青空0001"
    assert user["enabledUser"] == "true"
    assert user["grades"] == ["P3"]
    assert user["roles"][0]["org"] == {
        "href": f"https://exchange.test/ims/oneroster/rostering/v1p2/orgs/{SCHOOL.id}", "sourcedId": SCHOOL.id,
        "type": "org",
    }  # fmt: skip
    told(await partner.get(f"/teachers/{id_of(1)}"), 404, "unknownobject")
    assert set((await partner.get(f"/users/{id_of(1)}", fields="familyName,status")).json()["user"]) == {
        "familyName", "status",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ("familyName='青空0001'", 1), ("familyName!='青空0001'", 7), ("familyName~'青空'", 7), ("familyName~'%'", 0),
        ("roles.role='teacher'", 1), ("roles.org.sourcedId='" + SCHOOL.id + "'", 6), ("grades='P3'", 5),
        ("metadata.jp.kanaFamilyName='アオゾラ' AND grades='J1'", 2), ("grades='J1' OR roles.role='teacher'", 3),
        ("dateLastModified>'2020-01-01'", 8), ("dateLastModified>='2999-01-01T00:00:00.000Z'", 0),
        ("status='active'", 8), ("familyName>='青空1001'", 2), ("userIds.identifier='" + id_of(2) + "'", 1),
    ],
)  # fmt: skip
async def test_filters(partner: Partner, wanted: str, count: int):
    answer = await partner.get("/users", filter=wanted)
    assert len(ids(answer, "users")) == count
    assert answer.headers["x-total-count"] == str(count)


async def test_a_number_is_compared_as_one(partner: Partner):
    found = await partner.get("/enrollments", filter="metadata.jp.shussekiNo>'3' AND metadata.jp.publicFlg='true'")
    assert [one["metadata"]["jp.shussekiNo"] for one in found.json()["enrollments"]] == [4, 5]


async def test_sorting_and_paging_by_what_was_sorted(partner: Partner):
    asked = {"sort": "familyName", "orderBy": "desc", "limit": 2}
    first, second = await partner.get("/users", **asked), await partner.get("/users", **asked, offset=2)
    names = [one["familyName"] for page in (first, second) for one in page.json()["users"]]
    assert names == sorted(names, reverse=True)
    assert len(ids(await partner.get("/users", offset=100), "users")) == 0
    assert len(ids(await partner.get("/users", offset=10**15, limit=10**15), "users")) == 0


@pytest.mark.parametrize(
    ("parameters", "minor"),
    [
        ({"limit": "0"}, "invaliddata"), ({"limit": "-1"}, "invaliddata"), ({"limit": "ten"}, "invaliddata"),
        ({"offset": "-1"}, "invaliddata"), ({"offset": "1e3"}, "invaliddata"), ({"orderBy": "up"}, "invaliddata"),
        ({"sort": "shoeSize"}, "invalid_sort_field"), ({"fields": "status,shoeSize"}, "invalid_selection_field"),
        ({"filter": "shoeSize='1'"}, "invalid_filter_field"), ({"filter": "status=active"}, "invalid_filter_field"),
        ({"filter": "status='a' AND status='b' AND status='c'"}, "invalid_filter_field"),
        ({"filter": "dateLastModified>'yesterday'"}, "invalid_filter_field"),
        ({"filter": "status='\x00'"}, "invalid_filter_field"),
        ({"filter": "'; DROP TABLE x --"}, "invalid_filter_field"),
    ],
)  # fmt: skip
async def test_malformed_questions_are_declined(partner: Partner, parameters: dict[str, str], minor: str):
    told(await partner.get("/users", **parameters), 400, minor)


async def test_a_token_opens_what_its_scopes_say(database: Database, tenant: str, client, partner: Partner):
    core = await a_partner(database, tenant, client, ["roster-core.readonly"])
    assert (await core.get("/users")).status_code == 200
    for path, base in (
        (f"/schools/{SCHOOL.id}/students", ROSTERING), ("/demographics", ROSTERING), ("/results", GRADEBOOK),
        ("/resources", RESOURCES),
    ):  # fmt: skip
        told(await core.get(path, base), 403, "forbidden")
    prefix = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
    narrowed = await partner.sign_in(scope=f"{prefix}roster-core.readonly")
    assert narrowed.json()["scope"] == f"{prefix}roster-core.readonly"
    told(await partner.get("/demographics"), 403, "forbidden")
    refused = await core.sign_in(scope=f"{prefix}gradebook.delete")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")


async def test_who_may_not_come(client: httpx.AsyncClient, partner: Partner):
    for authorization in ("", "Bearer", "Bearer x", f"Basic {partner.token}", f"Bearer {partner.token}x"):
        answer = await client.get(f"{ROSTERING}/users", headers={"Authorization": authorization})
        told(answer, 401, "unauthorisedrequest")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    for how in ({"auth": (partner.client_id, "wrong")}, {"auth": ("nobody", "x")}, {}):
        answer = await client.post("/oauth/token", data={"grant_type": "client_credentials"}, **how)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    in_form = {"client_id": partner.client_id, "client_secret": partner.secret}
    answer = await client.post("/oauth/token", data={"grant_type": "client_credentials", **in_form})
    assert answer.json()["token_type"] == "Bearer"
    answer = await client.post("/oauth/token", data={"grant_type": "password", **in_form})
    assert answer.json()["error"] == "unsupported_grant_type"


async def test_shutting_a_partner_out_counts_at_once(database: Database, tenant: str, partner: Partner):
    assert (await partner.get("/orgs")).status_code == 200
    board = an_actor(tenant, "board_admin")
    async with database.transaction(tenant, board) as tx:
        await partners.disable(tx, board, partner.id, disabled=True)
    for path in ("/orgs", f"/orgs/{SCHOOL.id}", f"/schools/{SCHOOL.id}/classes"):
        told(await partner.get(path), 401, "unauthorisedrequest")
    told(await partner.send("DELETE", "/results/x"), 401, "unauthorisedrequest")
    assert (await partner.sign_in()).status_code == 401
    async with database.transaction(tenant, board) as tx:
        await partners.disable(tx, board, partner.id, disabled=False)
        _, partner.secret = await partners.renew_secret(tx, board, partner.id)
    assert (await partner.sign_in()).status_code == 200
    assert (await partner.get("/orgs")).status_code == 200


async def test_what_is_remembered_is_given_out_only_as_long_as_it_is_true(
    database: Database, tenant: str, client, partner: Partner
):
    """Many ask at once while the roster changes and while one of them is shut out."""
    other = await a_partner(database, tenant, client, ["roster.readonly"])
    for one in (partner, other):
        await one.get("/users", limit=1)
    board = an_actor(tenant, "board_admin")

    async def change() -> None:
        async with database.transaction(tenant, board) as tx:
            await store.retire_ids(tx, "rostering", ("user",), [id_of(1)])
            await partners.disable(tx, board, other.id, disabled=True)

    await asyncio.gather(change(), *(partner.get("/users", limit=1) for _ in range(20)))
    gone = "status='tobedeleted'"
    answers = await asyncio.gather(
        *(partner.get("/users", filter=gone) for _ in range(10)), *(other.get("/users", limit=1) for _ in range(10))
    )
    assert [answer.headers.get("x-total-count") for answer in answers[:10]] == ["1"] * 10
    assert [answer.status_code for answer in answers[10:]] == [401] * 10


async def test_a_partner_of_one_school_sees_that_school(database: Database, tenant: str, client, partner: Partner):
    other = WORLD.schools[1]
    limited = await a_partner(database, tenant, client, school_ids=[other.id])
    assert ids(await limited.get("/users"), "users") == [id_of(1001), id_of(1002)]
    assert len(ids(await limited.get("/orgs"), "orgs")) == 2
    told(await limited.get(f"/users/{id_of(1)}"), 404, "unknownobject")
    told(await limited.get(f"/schools/{SCHOOL.id}/classes"), 404, "unknownobject")
    told(await limited.send("PUT", "/lineItems/l9", json={"lineItem": line_item()}), 400, "invaliddata")


async def test_another_boards_object_is_not_there(database: Database, client, partner: Partner):
    stranger = await a_partner(database, f"{partner.client_id.split('.')[0]}-2", client)
    told(await stranger.get(f"/users/{id_of(1)}"), 404, "unknownobject")
    assert ids(await stranger.get("/users"), "users") == []


async def test_who_is_gone_is_told_by_the_deletion_feed(database: Database, tenant: str, partner: Partner):
    before = (await partner.get("/users", filter="status='tobedeleted'")).headers["x-total-count"]
    async with database.transaction(tenant) as tx:
        await store.retire_ids(tx, "rostering", ("user",), [id_of(3)])
    gone = await partner.get("/users", filter="status='tobedeleted' AND dateLastModified>'2020-01-01'")
    assert (before, ids(gone, "users")) == ("0", [id_of(3)])
    assert (await partner.get("/users")).headers["x-total-count"] == "8"


def line_item(**changes: Any) -> dict[str, Any]:
    return {
        "title": "分数のテスト", "assignDate": "2026-06-01", "dueDate": "2026-06-08T00:00:00+09:00",
        "class": {"sourcedId": CLASS.id}, "school": SCHOOL.id, "category": {"sourcedId": "c1"}, "resultValueMax": "100",
    } | changes  # fmt: skip


async def test_what_a_partner_writes_it_reads_again_and_the_board_sees(
    database: Database, tenant: str, partner: Partner
):
    assert (await partner.send("PUT", "/categories/c1", json={"category": {"title": "テスト"}})).status_code == 201
    put = await partner.send("PUT", "/lineItems/l1", json={"lineItem": line_item(sourcedId="l1", status="active")})
    assert (put.status_code, put.content) == (201, b"")
    assert (await partner.send("PUT", "/lineItems/l1", json=line_item(title="分数"))).status_code == 200
    found = (await partner.get("/lineItems/l1", GRADEBOOK)).json()["lineItem"]
    assert found["title"] == "分数"
    assert found["dueDate"] == "2026-06-07T15:00:00.000Z"
    assert found["class"]["type"] == "class"
    assert found["resultValueMax"] == 100
    result = {
        "lineItem": {"sourcedId": "l1"}, "student": {"sourcedId": id_of(1)}, "scoreStatus": "fully graded",
        "score": 80, "scoreDate": "2026-06-08T09:00:00Z", "late": False,
    }  # fmt: skip
    assert (await partner.send("PUT", "/results/r1", json={"result": result})).status_code == 201
    found = (await partner.get("/results/r1", GRADEBOOK)).json()["result"]
    assert (found["scoreDate"], found["late"]) == ("2026-06-08", "false")
    posted = await partner.send("POST", "/lineItems/l1/results", json={"results": [{**result, "sourcedId": "mine"}]})
    pair = posted.json()["sourcedIdPairs"][0]
    assert (posted.status_code, pair["suppliedSourcedId"]) == (201, "mine")
    of_class = f"/classes/{CLASS.id}"
    for path, name, count in (
        (f"{of_class}/results", "results", 2), (f"{of_class}/lineItems", "lineItems", 1),
        (f"{of_class}/categories", "categories", 1), (f"{of_class}/lineItems/l1/results", "results", 2),
        (f"{of_class}/students/{id_of(1)}/results", "results", 2), (f"{of_class}/scoreScales", "scoreScales", 0),
        (f"/schools/{SCHOOL.id}/scoreScales", "scoreScales", 0), ("/results", "results", 2),
    ):  # fmt: skip
        assert len(ids(await partner.get(path, GRADEBOOK), name)) == count, path
    assert (await partner.send("DELETE", "/results/r1")).status_code == 204
    assert (await partner.get("/results/r1", GRADEBOOK)).json()["result"]["status"] == "tobedeleted"
    told(await partner.send("DELETE", "/results/r1"), 404, "unknownobject")
    async with database.reading(tenant) as tx:
        seen, more = await partners.line_items(tx, an_actor(tenant, "board_admin"), 0, 10)
    assert [(one.title, one.class_name, one.school_name, one.partner_name, one.results) for one in seen] == [
        ("分数", "3年1組", "あおぞら小学校", "みらい学習eポータル", 1)
    ]
    assert not more
    without_school = line_item(sourcedId="theirs")
    del without_school["school"]
    posted = await partner.send("POST", f"{of_class}/lineItems", json={"lineItems": [without_school]})
    allocated = posted.json()["sourcedIdPairs"][0]["allocatedSourcedId"]
    found = (await partner.get(f"/lineItems/{allocated}", GRADEBOOK)).json()["lineItem"]
    assert found["school"]["sourcedId"] == SCHOOL.id
    above = {"assessmentLineItem": {"title": "県の学力調査"}}
    assert (await partner.send("PUT", "/assessmentLineItems/a1", json=above)).status_code == 201
    one = {**result, "assessmentLineItem": "a1"}
    assert (await partner.send("PUT", "/assessmentResults/b1", json={"assessmentResult": one})).status_code == 201


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"json": {"lineItem": line_item(title=None)}}, 400), ({"json": []}, 400), ({"json": None}, 400),
        ({"json": {"lineItem": line_item(sourcedId="other")}}, 400), ({"content": b"{", }, 400),
        ({"json": {"lineItem": line_item(resultValueMax="many")}}, 400),
        ({"json": {"lineItem": line_item(dueDate="tomorrow")}}, 400),
        ({"json": {"lineItem": line_item(metadata={"x": "\x00"})}}, 400),
        ({"json": {"lineItem": line_item(**{"class": "nowhere"})}}, 400),
        ({"content": b"x" * 1_100_000}, 413), ({"content": b"a=b", "headers": {"Content-Type": "text/plain"}}, 415),
    ],
)  # fmt: skip
async def test_a_body_that_cannot_be_is_declined(partner: Partner, how: dict[str, Any], status: int):
    how = {**how, "headers": {"Content-Type": "application/json", **how.get("headers", {})}}
    told(await partner.send("PUT", "/lineItems/l1", **how), status, "invaliddata")


async def test_other_methods_and_paths(partner: Partner, client: httpx.AsyncClient):
    answer = await partner.send("POST", "/users", ROSTERING, json={})
    told(answer, 405, "unsupported")
    assert answer.headers["allow"] == "GET"
    told(await partner.get("/shoes"), 404, "unknownobject")
    told(await partner.get("/users/a b"), 404, "unknownobject")
    told(await client.get("/ims/oneroster/v1p1/users"), 404, "unknownobject")
    assert (await client.get("/elsewhere")).text == "elsewhere"


@pytest.mark.parametrize(("name", "word"), [("rostering", "rosters"), ("gradebook",) * 2, ("resources",) * 2])
async def test_the_contract_is_published(client: httpx.AsyncClient, name: str, word: str):
    path = f"/ims/oneroster/{name}/v1p2/discovery/onerosterv1p2{word}service_openapi3_v1p0.json"
    document = (await client.get(path)).json()
    assert document["openapi"] == "3.0.3"
    assert document["servers"] == [{"url": f"https://exchange.test/ims/oneroster/{name}/v1p2"}]


async def test_the_school_sees_what_was_written_and_the_board_also_who_was_let_in(
    database: Database, tenant: str, partner: Partner
):
    assert (await partner.send("PUT", "/categories/c1", json={"category": {"title": "テスト"}})).status_code == 201
    await partner.send("PUT", "/lineItems/l1", json=line_item())
    school = UUID(SCHOOL.id)
    asked = AuditQuestion(school, None, None, "change", None, None, None, 50)
    seen: dict[str, list[str]] = {}
    for role in ("principal", "board_admin"):
        at_work = frozenset({school}) if role == "principal" else frozenset()
        served = Served("", at_work, frozenset(), (), frozenset(), board=role == "board_admin")
        actor = an_actor(tenant, role)
        async with database.reading(tenant, actor) as tx:
            seen[role] = [entry.action for entry in (await access_log.read(tx, actor, served, asked)).entries]
    assert seen["principal"] == ["partner.wrote"]
    assert seen["board_admin"] == ["partner.wrote", "partner.wrote", "partner.token_issued", "partner.added"]
