"""J7 in small: draft, approve, send, match, accept; and every way it can end otherwise."""

import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
from dataexchange.__main__ import main
from dataexchange.domain import instants, receipts
from dataexchange.domain.commands import Admission, Draft, PupilFacts
from dataexchange.domain.states import ArrivalState, TransferState, check_new_to_us
from dataexchange.store import arrivals as arrival_store
from dataexchange.store import exchange, transfers
from dataexchange.usecases import arrivals, departures
from servicekit.errors import Conflict, Invalid, Refused, Unseen

from services.dataexchange.tests.service.deployments import LEFT_ON, Pair, a_pair

ACCEPTED_ON = date(2026, 11, 24)


@pytest_asyncio.fixture(loop_scope="session")
async def pair(service_db, authority) -> AsyncIterator[Pair]:
    database = service_db("dataexchange")
    async with a_pair((database.app_url, database.app_url), authority) as opened:
        yield opened


def admission(pair: Pair, arrival, accepted_on: date = ACCEPTED_ON) -> Admission:
    return Admission(arrival.id, pair.there.school_id, accepted_on, "P3", arrival.version)


async def accepted(pair: Pair):
    transfer = await pair.sent()
    arrival = await pair.matched(transfer)
    view = await pair.there.run(arrivals.accept_arrival, pair.there.us, pair.there.served, admission(pair, arrival))
    await pair.there.deliver()
    return await pair.here.transfer(transfer.id), view.arrival


async def test_a_child_moves(pair):
    transfer = await pair.draft()
    assert transfer.state == TransferState.DRAFTED
    transfer = await pair.approve(transfer)
    assert transfer.state == TransferState.SEALED
    assert await pair.here.deliver() == 1
    transfer = await pair.here.transfer(transfer.id)
    assert transfer.state == TransferState.RECEIVED
    arrival = await pair.there.arrival(transfer.package_id)
    assert arrival.state == ArrivalState.VERIFIED
    arrival = await pair.matched(transfer)
    assert arrival.matched_pupil_id == transfer.pupil_id
    await pair.there.run(arrivals.accept_arrival, pair.there.us, pair.there.served, admission(pair, arrival))
    assert await pair.there.deliver() == 1
    transfer = await pair.here.transfer(transfer.id)
    assert (transfer.state, transfer.accepted_on) == (TransferState.CLOSED, ACCEPTED_ON)
    history = (await pair.here.read(transfers.history, [transfer.id]))[transfer.id]
    assert [change.state for change in history] == [
        "drafted", "approved", "sealed", "sent", "received", "accepted", "closed",
    ]  # fmt: skip
    assert await pair.here.subjects_told() == ["transfer_sent", "transfer_accepted"]
    assert await pair.there.subjects_told() == ["arrival_accepted"]


@pytest.mark.parametrize(
    ("class_id", "enrolled", "what_now"),
    [(None, True, "先に名簿の画面で学級を決めてください"), (uuid4(), False, "その日になってから起案してください")],
)
async def test_a_child_whose_papers_cannot_be_made_yet_is_not_drafted(pair, class_id, enrolled, what_now):
    facts = PupilFacts(uuid4(), pair.here.school_id, class_id, enrolled, False, 1)
    asked = Draft(facts.id, pair.there.organisation, pair.there.school_code, LEFT_ON, "転居")
    with pytest.raises(Invalid, match=what_now):
        await pair.here.run(
            departures.draft_transfer, pair.here.us, pair.here.served, facts, asked, roles=("office",)
        )


def test_a_known_child_is_not_new_to_us():
    check_new_to_us(False)
    with pytest.raises(Invalid, match="その児童生徒として照合"):
        check_new_to_us(True)


async def test_both_sides_hold_the_same_receipts(pair):
    transfer, arrival = await accepted(pair)
    ours = (await pair.here.read(exchange.receipts, [transfer.package_id]))[transfer.package_id]
    theirs = (await pair.there.read(exchange.receipts, [arrival.id]))[arrival.id]
    assert [receipt.jws for receipt in ours] == [receipt.jws for receipt in theirs]
    assert [receipt.kind for receipt in ours] == ["received", "accepted"]
    checked = [receipts.read(receipt.jws, pair.here.us.held, pair.clock()) for receipt in ours]
    receipts.check_chain(checked)
    assert checked[1].statement.accepted_on == ACCEPTED_ON.isoformat()


async def test_what_was_received_can_be_checked_by_anyone(pair, tmp_path, capsys):
    _, arrival = await accepted(pair)
    for name in ("package.zip", "receipts.json"):
        _, data = await pair.there.run(arrivals.read_part, pair.there.served, arrival.id, name)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "directory.json").write_bytes(pair.there.us.held.raw)
    (tmp_path / "operator.public.json").write_text(json.dumps(pair.operator.as_dict(private=False)))
    common = ["--directory", str(tmp_path / "directory.json"), "--at", instants.to_text(pair.clock())]
    checked = main(["verify", str(tmp_path / "package.zip"), "--receipts", str(tmp_path / "receipts.json"), *common])
    assert checked == 0, capsys.readouterr().out
    assert "すべて確かめられました。" in capsys.readouterr().out


async def test_received_papers_are_kept_and_travel_on(pair):
    """施行規則 24条3項: at the next 転学 the 写し of the former school goes with the new one, unchanged."""
    _, arrival = await accepted(pair)
    kept = await pair.there.run(
        arrivals.received_documents, pair.there.served, arrival.pupil_id, pair.there.school_id, None
    )
    assert {(part.role, basis) for _, part, basis in kept} == {
        ("guidance_record_form_1", "卒業の日から20年(様式1の写し)"),
        ("guidance_record_form_2", "卒業の日から5年(様式2の写し)"),
    }
    assert await pair.there.count("custody") == 2
    back = Pair(pair.there, pair.here, pair.clock, pair.operator)
    again = await back.approve(await back.draft(pupil_id=arrival.pupil_id))
    await back.here.deliver()
    again = await back.here.transfer(again.id)
    assert again.state == TransferState.RECEIVED
    parts = (await back.there.read(arrival_store.parts, [again.package_id]))[again.package_id]
    received = [part.path for part in parts if part.role == "received_copy"]
    assert f"received/{arrival.id}/manifest.jws" in received
    assert f"received/{arrival.id}/documents/guidance-record-form-1.pdf" in received


async def test_the_office_refuses_and_nothing_of_the_child_stays(pair):
    transfer = await pair.sent()
    arrival = await pair.there.arrival(transfer.package_id)
    await pair.there.run(
        arrivals.refuse_arrival, pair.there.us, pair.there.served, arrival.id, "not_our_pupil", "宛先違いです。",
        arrival.version,
    )  # fmt: skip
    assert await pair.there.count("arrival_parts") == 0
    assert await pair.there.deliver() == 2  # the receipt, and the package of kind `return`
    transfer = await pair.here.transfer(transfer.id)
    assert (transfer.state, transfer.last_error) == (TransferState.REFUSED, "宛先違いです。")
    kinds = (await pair.here.read(exchange.receipts, [transfer.package_id]))[transfer.package_id]
    assert [receipt.kind for receipt in kinds] == ["received", "refused"]
    assert "transfer_ended" in await pair.here.subjects_told()
    assert await pair.here.read(transfers.sealed_bytes, transfer.package_id) is None


async def test_a_withdrawn_package_is_forgotten_there(pair):
    transfer = await pair.sent()
    await pair.here.run(
        departures.withdraw_transfer, pair.here.us, pair.here.served, transfer.id, transfer.version, "転居の取りやめ"
    )
    await pair.here.deliver()
    arrival = await pair.there.arrival(transfer.package_id)
    assert arrival.state == ArrivalState.WITHDRAWN
    assert await pair.there.count("arrival_parts") == 0
    with pytest.raises(Conflict):
        await pair.there.run(arrivals.match_arrival, pair.there.served, arrival.id, None, arrival.version)


async def test_withdrawn_before_it_was_sent_never_arrives(pair):
    transfer = await pair.approve(await pair.draft())
    await pair.here.run(
        departures.withdraw_transfer, pair.here.us, pair.here.served, transfer.id, transfer.version, "誤り"
    )
    await pair.here.deliver()
    assert await pair.there.arrival(transfer.package_id) is None


async def test_the_line_is_down_for_a_while(pair):
    transfer = await pair.approve(await pair.draft())
    port, server = pair.there.server.port, pair.there.server
    await server.stop()
    await pair.here.deliver()
    waiting = await pair.here.transfer(transfer.id)
    assert waiting.state == TransferState.SEALED
    assert waiting.last_error.startswith("相手に接続できません。")
    assert await pair.here.deliver() == 0
    config = server._server.config
    from servicekit.http import HttpServer

    pair.there.server = HttpServer(config.app, f"localhost:{port}", cert=config.ssl_certfile, key=config.ssl_keyfile)
    await pair.there.server.start()
    pair.clock.advance(timedelta(seconds=10))
    assert await pair.here.deliver() == 1
    assert (await pair.here.transfer(transfer.id)).state == TransferState.RECEIVED


async def test_after_seven_days_a_person_is_told(pair):
    transfer = await pair.approve(await pair.draft())
    pair.clock.advance(timedelta(days=7))
    pair.publish()
    await pair.here.deliver()
    expired = await pair.here.transfer(transfer.id)
    assert expired.state == TransferState.EXPIRED
    assert expired.last_error.startswith("7日間送信できませんでした。")
    assert "transfer_ended" in await pair.here.subjects_told()


async def test_a_lost_answer_is_asked_for_again_and_gives_the_same_receipt(pair):
    transfer = await pair.approve(await pair.draft())
    await pair.here.deliver()
    first = (await pair.here.read(exchange.receipts, [transfer.package_id]))[transfer.package_id]
    async with pair.here.database.transaction(pair.here.tenant) as tx:
        await exchange.add_delivery(
            tx, "package", transfer.package_id, pair.here.organisation, pair.there.organisation,
            tx.now + timedelta(days=7),
        )  # fmt: skip
    await pair.here.deliver()
    second = (await pair.here.read(exchange.receipts, [transfer.package_id]))[transfer.package_id]
    assert [receipt.jws for receipt in first] == [receipt.jws for receipt in second]
    assert (await pair.here.transfer(transfer.id)).state == TransferState.RECEIVED


async def test_a_revoked_sender_is_refused_at_the_door(pair):
    transfer = await pair.approve(await pair.draft())
    key = pair.here.organisation.replace(":", "_")
    pair.clock.advance(timedelta(minutes=1))
    pair.publish(**{key: {"revoked_at": instants.to_text(pair.clock())}})
    await pair.here.deliver()
    assert (await pair.here.transfer(transfer.id)).state == TransferState.REFUSED
    assert await pair.there.arrival(transfer.package_id) is None


async def test_one_open_transfer_per_child(pair):
    transfer = await pair.draft()
    with pytest.raises(Conflict) as caught:
        await pair.draft(pupil_id=transfer.pupil_id)
    assert caught.value.reason == "ALREADY_DRAFTED"


async def test_two_dates_do_not_overlap(pair):
    transfer = await pair.sent()
    arrival = await pair.matched(transfer)
    with pytest.raises(Invalid) as caught:
        await pair.there.run(
            arrivals.look_for_acceptance, pair.there.served, admission(pair, arrival, date(2026, 11, 20))
        )
    assert "より後" in caught.value.message


async def test_not_accepted_before_matched(pair):
    transfer = await pair.sent()
    arrival = await pair.there.arrival(transfer.package_id)
    with pytest.raises(Conflict):
        await pair.there.run(arrivals.accept_arrival, pair.there.us, pair.there.served, admission(pair, arrival))


async def test_two_people_at_once(pair):
    transfer = await pair.sent()
    arrival = await pair.matched(transfer)
    with pytest.raises(Conflict):
        await pair.there.run(arrivals.match_arrival, pair.there.served, arrival.id, None, arrival.version - 1)


# ── who may ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_only_the_principal_approves(pair):
    transfer = await pair.draft()
    with pytest.raises(Refused) as caught:
        await pair.here.run(
            departures.look_for_approval, pair.here.served, transfer.id, transfer.version, roles=("office",)
        )
    assert "校長" in caught.value.message


async def test_another_school_does_not_even_see_it(pair):
    transfer = await pair.sent()
    stranger = pair.there.served
    with pytest.raises(Unseen):
        await pair.here.run(departures.get_transfer, stranger, transfer.id)
    with pytest.raises(Unseen):
        await pair.there.run(arrivals.get_arrival, pair.here.served, transfer.package_id)


async def test_a_teacher_sees_nothing_before_the_acceptance(pair):
    transfer = await pair.sent()
    with pytest.raises(Refused):
        await pair.there.run(arrivals.get_arrival, pair.there.served, transfer.package_id, roles=("teacher",))
    with pytest.raises(Unseen):
        await pair.there.run(arrivals.find_accepted, transfer.package_id, roles=("teacher",))


async def test_another_board_does_not_see_it(pair):
    transfer = await pair.sent()
    with pytest.raises(Unseen):
        await pair.there.transfer(transfer.id)
    assert await pair.here.arrival(transfer.package_id) is None
