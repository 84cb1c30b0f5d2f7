"""転入の予定: one side asks over HTTPS, the other side's office sees it; who is asked for is never confirmed."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from dataexchange.domain.commands import Draft, PupilFacts
from dataexchange.domain.notices import Asked, Child, Notice, NoticeState
from dataexchange.domain.package.records import Name
from dataexchange.store import notices as store
from dataexchange.usecases import departures, notices
from servicekit.errors import Conflict, Invalid, Refused, Unseen

from services.dataexchange.tests.service.deployments import LEFT_ON, PUPIL_NAMES, Deployment, Pair, a_pair, browser
from services.dataexchange.tests.service.test_exchange_http import refused, signed
from services.dataexchange.tests.unit.exchange_world import uuid7

EXPECTED_ON = date(2026, 12, 1)


@pytest_asyncio.fixture(loop_scope="session")
async def pair(service_db, authority) -> AsyncIterator[Pair]:
    database = service_db("dataexchange")
    async with a_pair((database.app_url, database.app_url), authority) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def client(authority):
    async with browser(authority) as opened:
        yield opened


def named(born_on: str = "2018-01-15") -> Child:
    return Child(name=Name(**PUPIL_NAMES["display"]), kana=Name(**PUPIL_NAMES["kana"]), born_on=born_on)


async def asked(pair: Pair, child: Child | None = None, **changed) -> Notice:
    """The office of `there` expects a child from the school of `here`."""
    facts = {
        "from_school_id": pair.there.school_id, "organisation": pair.here.organisation,
        "school_code": pair.here.school_code, "child": child or named(), "expected_on": EXPECTED_ON,
        "not_protected": True,
    } | changed  # fmt: skip
    view = await pair.there.run(
        notices.send_notice, pair.there.us, pair.there.served, Asked(**facts), roles=("office",)
    )
    return view.notice


async def kept(side: Deployment, notice: Notice) -> Notice | None:
    return await side.read(store.find, notice.id)


async def sealed(pair: Pair, notice: Notice) -> bytes:
    return await pair.there.read(store.sealed_bytes, notice.id)


async def bring(pair: Pair, client, notice_id: object, body: bytes, by: Deployment | None = None, **how):
    url = f"{pair.here.base_url}/exchange/v1/notices"
    headers = signed(by or pair.there, url, body, Idempotency_Key=str(notice_id), **how)
    return await client.post(url, content=body, headers=headers)


def draft_of(pair: Pair, notice: Notice, pupil_id: UUID, **changed) -> Draft:
    facts = {
        "pupil_id": pupil_id, "organisation": pair.there.organisation, "school_code": pair.there.school_code,
        "left_on": LEFT_ON, "reason": "転居", "notice_id": notice.id,
    } | changed  # fmt: skip
    return Draft(**facts)


async def drafted(pair: Pair, draft: Draft, *, protected: bool = False):
    facts = PupilFacts(draft.pupil_id, pair.here.school_id, uuid4(), True, protected, 1)
    view = await pair.here.run(
        departures.draft_transfer, pair.here.us, pair.here.served, facts, draft, roles=("office",)
    )
    return view.transfer


async def test_asked_received_and_answered_by_the_package(pair):
    notice = await asked(pair)
    assert notice.state == NoticeState.SENT
    assert await pair.there.deliver() == 1
    assert (await kept(pair.there, notice)).state == NoticeState.RECEIVED
    found, _ = await pair.here.run(
        notices.list_notices, pair.here.served, "in", "received", None, 50, roles=("office",)
    )
    assert [(one.id, one.state, one.expected_on) for one in found] == [(notice.id, NoticeState.RECEIVED, EXPECTED_ON)]
    assert (found[0].school_code, found[0].child) == (pair.there.school_code, named())
    transfer = await drafted(pair, draft_of(pair, notice, uuid4()))
    here = await kept(pair.here, notice)
    assert (here.state, here.transfer_id, here.document) == (NoticeState.ANSWERED, transfer.id, None)
    assert (await kept(pair.there, notice)).state == NoticeState.RECEIVED  # a draft tells the asker nothing
    await pair.approve(transfer)
    await pair.here.deliver()
    there = await kept(pair.there, notice)
    assert (there.state, there.transfer_id, there.document) == (NoticeState.ANSWERED, transfer.id, None)


async def test_only_the_package_of_that_child_answers(pair):
    other, same = await asked(pair, named("2018-01-16")), uuid4()
    by_uuid = await asked(pair, Child(person_id=str(same)))
    await pair.there.deliver()
    await pair.approve(await pair.draft(pupil_id=same))
    await pair.here.deliver()
    assert (await kept(pair.there, other)).state == NoticeState.RECEIVED
    assert (await kept(pair.there, by_uuid)).state == NoticeState.ANSWERED


async def test_the_answer_never_says_whether_the_child_exists(pair, client):
    answers = []
    known = uuid4()
    await pair.draft(pupil_id=known)
    for child in (Child(person_id=str(known)), Child(person_id=str(uuid4())), named()):
        notice = await asked(pair, child)
        answer = await bring(pair, client, notice.id, await sealed(pair, notice))
        body = answer.json()
        assert body.pop("notice_id") == str(notice.id)
        answers.append((answer.status_code, body))
    assert answers[0] == answers[1] == answers[2]
    assert (answers[0][0], set(answers[0][1])) == (202, {"received_at"})


async def test_a_protected_child_is_not_drafted_and_the_asker_learns_nothing(pair):
    notice = await asked(pair)
    await pair.there.deliver()
    with pytest.raises(Invalid) as error:
        await drafted(pair, draft_of(pair, notice, uuid4()), protected=True)
    assert error.value.reason == "PROTECTED"
    here = await kept(pair.here, notice)
    await pair.here.run(
        notices.refuse_notice, pair.here.served, notice.id, "教育委員会で対応する", here.version, roles=("office",)
    )
    here = await kept(pair.here, notice)
    assert (here.state, here.document) == (NoticeState.REFUSED, None)
    assert await pair.here.deliver() == 0
    assert (await kept(pair.there, notice)).state == NoticeState.RECEIVED


async def test_the_asking_office_confirms_that_the_child_is_not_protected(pair):
    with pytest.raises(Invalid) as error:
        await asked(pair, not_protected=False)
    assert error.value.reason == "PROTECTION_UNCHECKED"
    assert await pair.there.count("deliveries") == 0


async def test_same_bytes_same_answer_other_bytes_a_conflict(pair, client):
    notice, other = await asked(pair), await asked(pair)
    body = await sealed(pair, notice)
    first = await bring(pair, client, notice.id, body)
    pair.clock.advance(timedelta(minutes=1))
    second = await bring(pair, client, notice.id, body)
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    refused(await bring(pair, client, notice.id, await sealed(pair, other)), 422, "idempotency_key_mismatch")
    again = await pair.there.read(store.get, notice.id)
    from dataexchange.domain import notices as form
    from dataexchange.domain.package import building

    key = pair.there.us.directory(pair.clock()).key_for(pair.here.organisation, "enc", pair.clock())
    resealed = building.seal(again.document, key, typ=form.TYP, cty=form.CTY).sealed
    refused(await bring(pair, client, notice.id, resealed), 409, "notice_id_reused")
    assert await pair.here.count("notices") == 1


async def test_foreign_replayed_tampered_unsigned(pair, client):
    notice = await asked(pair)
    body = await sealed(pair, notice)
    url = f"{pair.here.base_url}/exchange/v1/notices"
    refused(await bring(pair, client, notice.id, body, by=pair.here), 422, "sender_mismatch")
    bare = {"Content-Type": "application/jose", "Idempotency-Key": str(notice.id)}
    refused(await client.post(url, content=body, headers=bare), 401, "request_unsigned")
    old = pair.clock() - timedelta(minutes=6)
    refused(await bring(pair, client, notice.id, body, at=old), 401, "request_too_old")
    headers = signed(pair.there, url, body, Idempotency_Key=str(notice.id))
    refused(await client.post(url, content=body + b"A", headers=headers), 400, "digest_mismatch")
    damaged = bytearray(body)
    damaged[len(body) // 2] ^= 1
    answer = await bring(pair, client, notice.id, bytes(damaged))
    assert answer.status_code in (400, 422)
    refused(await bring(pair, client, uuid7(), body), 422, "idempotency_key_mismatch")
    elsewhere = f"{pair.there.base_url}/exchange/v1/notices"
    misled = signed(pair.there, elsewhere, body, Idempotency_Key=str(notice.id))
    refused(await client.post(elsewhere, content=body, headers=misled), 422, "wrong_receiver")
    assert await pair.here.count("notices") == 0
    headers = signed(pair.there, url, body, Idempotency_Key=str(notice.id))
    assert (await client.post(url, content=body, headers=headers)).status_code == 202
    refused(await client.post(url, content=body, headers=headers), 401, "request_replayed")


async def test_an_unknown_organisation(pair, client):
    notice = await asked(pair)
    body = await sealed(pair, notice)
    pair.publish(**{pair.there.organisation.replace(":", "_"): {"kid": "A" * 43}})
    refused(await bring(pair, client, notice.id, body), 422, "key_unknown")
    with pytest.raises(Invalid):
        await asked(pair, organisation="board:000000")
    assert await pair.here.count("notices") == 0


async def test_nobody_answers_it_is_tried_for_a_week_then_a_person_is_told(pair):
    notice = await asked(pair)
    await pair.here.server.stop()
    await pair.there.deliver()
    waiting = await kept(pair.there, notice)
    assert waiting.state == NoticeState.SENT
    assert "接続できません" in waiting.last_error
    pair.clock.advance(timedelta(days=7, minutes=5))
    await pair.there.deliver()
    assert (await kept(pair.there, notice)).state == NoticeState.EXPIRED


async def test_who_may(pair):
    notice = await asked(pair)
    await pair.there.deliver()
    with pytest.raises(Refused):
        await pair.here.run(notices.get_notice, pair.here.served, notice.id, roles=("teacher",))
    elsewhere = pair.there.served
    with pytest.raises(Unseen):
        await pair.here.run(notices.get_notice, elsewhere, notice.id)
    assert (await pair.here.run(notices.list_notices, elsewhere, "in", "", None, 50))[0] == []
    with pytest.raises(Unseen):
        await asked(pair, from_school_id=uuid4())


async def test_answered_once_and_only_to_the_asker(pair):
    notice = await asked(pair)
    await pair.there.deliver()
    with pytest.raises(Conflict):
        await pair.here.run(notices.refuse_notice, pair.here.served, notice.id, "重複", 7)
    await drafted(pair, draft_of(pair, notice, uuid4()))
    with pytest.raises(Conflict):
        await drafted(pair, draft_of(pair, notice, uuid4()))
