"""Closing a term: what is missing, the lock, reopening, what others are told."""

import asyncio

import pytest
from google.protobuf.json_format import MessageToDict
from komu.grades.v1 import events_pb2
from komu.grades.v1 import grades_pb2 as pb
from servicekit.errors import Conflict, Invalid, Refused

SAVED, LOCKED = pb.CellResult.OUTCOME_SAVED, pb.CellResult.OUTCOME_LOCKED


async def close(world, **more: object) -> pb.Term:
    asked = world.term() | {"version": 0, "accept_missing": True, "reason": "長期欠席のため評価できない"} | more
    return await world.as_("principal").CloseTerm(pb.CloseTermRequest(**asked))


async def events_of(world) -> list[tuple[str, bytes]]:
    async with world.running.database.transaction(world.tenant) as tx:
        rows = await tx.execute("SELECT type, payload FROM outbox ORDER BY id")
        return [(row.type, bytes(row.payload)) for row in rows]


async def test_what_is_missing_is_told_by_class_and_subject(world) -> None:
    teacher, hana = world.as_("homeroom"), world.pupils[0]
    before = await world.as_("vice").GetClosing(pb.GetClosingRequest(**world.term()))
    subjects = {entry.subject: entry for entry in before.missing}
    # 小3: 7 教科 × (3 観点 + 評定) × 4 pupils, and 通知表所見 × 4; what is optional is not missing.
    assert before.missing_total == 7 * 4 * 4 + 4
    assert subjects["japanese"].cells == 16
    assert subjects["remarks"].subject_label == "所見"
    assert [entry.subject_label for entry in before.missing][:3] == ["国語", "社会", "算数"]
    assert "moral" not in subjects
    edits = [(hana, f"viewpoint.{name}", "B", 0) for name in ("knowledge", "thinking", "attitude")]
    await teacher.SaveCells(world.save(*edits, (hana, "rating", "2", 0)))
    after = await world.as_("principal").GetClosing(pb.GetClosingRequest(**world.term()))
    assert after.missing_total == before.missing_total - 4
    japanese = next(entry for entry in after.missing if entry.subject == "japanese")
    assert str(hana) not in japanese.pupil_ids


async def test_only_the_principal_closes(world) -> None:
    for who in ("homeroom", "vice"):
        with pytest.raises(Refused):
            await world.as_(who).CloseTerm(pb.CloseTermRequest(**world.term(), accept_missing=True, reason="x"))
    with pytest.raises(Refused, match="校長"):
        await world.as_("jh principal").CloseTerm(pb.CloseTermRequest(**world.term(), accept_missing=True, reason="x"))


async def test_gaps_need_a_yes_and_a_reason(world) -> None:
    with pytest.raises(Invalid, match="未入力が116件"):
        await close(world, accept_missing=False)
    with pytest.raises(Invalid, match="理由"):
        await close(world, reason=" ")


async def test_a_closed_term_locks_every_entry_and_says_why_since_when_and_who(world) -> None:
    closed = await close(world)
    assert closed.state == pb.TERM_STATE_CLOSED
    teacher = world.as_("homeroom")
    sheet = await teacher.GetSheet(world.sheet())
    assert not sheet.writable
    assert sheet.locked_reason == "2026-11-21に校長が締めました。再開できるのは校長です。"
    answer = await teacher.SaveCells(world.save((world.pupils[0], "rating", "3", 0), key="late"))
    assert (answer.results[0].outcome, answer.results[0].message) == (LOCKED, sheet.locked_reason)
    assert not (await teacher.GetSheet(world.sheet())).cells
    other = await teacher.SaveCells(world.save((world.pupils[0], "rating", "3", 0), term="3"))
    assert other.results[0].outcome == SAVED
    reopened = await world.as_("principal").ReopenTerm(
        pb.ReopenTermRequest(**world.term(), version=1, reason="評定の誤りが見つかった")
    )
    assert reopened.state == pb.TERM_STATE_OPEN
    retried = await teacher.SaveCells(world.save((world.pupils[0], "rating", "3", 0), key="late"))
    assert retried.results[0].outcome == SAVED
    corrected = await world.as_("vice").SaveCells(world.save((world.pupils[0], "rating", "2", 1)))
    assert corrected.results[0].outcome == SAVED


async def test_the_history_tells_who_and_why(world) -> None:
    await close(world)
    with pytest.raises(Invalid):
        await world.as_("principal").ReopenTerm(pb.ReopenTermRequest(**world.term(), version=1, reason=""))
    await world.as_("principal").ReopenTerm(pb.ReopenTermRequest(**world.term(), version=1, reason="誤り"))
    found = await world.as_("principal").GetClosing(pb.GetClosingRequest(**world.term()))
    assert [(change.state, change.reason) for change in found.history] == [
        (pb.TERM_STATE_OPEN, "誤り"),
        (pb.TERM_STATE_CLOSED, "長期欠席のため評価できない"),
    ]
    assert found.history[0].actor_id == str(world.people["principal"][0])


async def test_two_closings_at_once_are_one(world) -> None:
    answers = await asyncio.gather(close(world), close(world), return_exceptions=True)
    assert sum(isinstance(answer, Conflict) for answer in answers) == 1
    with pytest.raises(Conflict):
        await close(world)
    with pytest.raises(Conflict, match="すでに"):
        await close(world, version=1)


async def test_saves_under_way_and_closing_do_not_overlap(world) -> None:
    """Whatever the order, nothing is written after the state says closed."""
    teacher = world.as_("homeroom")
    saves = [teacher.SaveCells(world.save((pupil, "rating", "3", 0))) for pupil in world.pupils]
    *answers, closed = await asyncio.gather(*saves, close(world))
    written = sum(answer.results[0].outcome == SAVED for answer in answers)
    sheet = await teacher.GetSheet(world.sheet())
    assert len(sheet.cells) == written
    assert all(cell.updated_at.ToDatetime() <= closed.closed_at.ToDatetime() for cell in sheet.cells)


async def test_others_are_told_without_values(world) -> None:
    await world.as_("homeroom").SaveCells(world.save((world.pupils[0], "rating", "3", 0)))
    await close(world)
    await world.as_("principal").ReopenTerm(pb.ReopenTermRequest(**world.term(), version=1, reason="誤り"))
    told = await events_of(world)
    assert [name.rpartition(".")[2] for name, _ in told] == ["MarksRecorded", "TermClosed", "TermReopened"]
    recorded = events_pb2.MarksRecorded.FromString(told[0][1])
    assert (recorded.class_id, list(recorded.pupil_ids)) == (str(world.class31), [str(world.pupils[0])])
    assert "value" not in MessageToDict(recorded)
    closed = events_pb2.TermClosed.FromString(told[1][1])
    assert (closed.starts_on, closed.ends_on, closed.meta.aggregate_id) == (
        "2026-09-01", "2026-12-31", str(world.school),
    )  # fmt: skip


async def test_terms_of_the_school_are_listed_for_everybody_there(world) -> None:
    listed = await world.as_("free").ListTerms(pb.ListTermsRequest(school_id=str(world.school), school_year=2026))
    assert [term.key for term in listed.terms] == ["1", "2", "3", "year"]
    with pytest.raises(Refused):
        await world.as_("jh maths").ListTerms(pb.ListTermsRequest(school_id=str(world.school), school_year=2026))
