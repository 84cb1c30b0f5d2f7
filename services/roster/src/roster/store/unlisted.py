"""名簿にない児童生徒: who is on the roll and missing from the files, and the decisions about them."""

# Statements are put together from constants of this module; values are always parameters.
# ruff: noqa: S608
from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import text

from roster.domain.enrolment import Enrolment
from roster.domain.people import Pupil
from roster.domain.unlisted import Decided, Membership, Place, Unlisted
from roster.store import rows
from roster.store.rows import PUPIL


async def note(tx: Transaction, import_id: UUID, on: date) -> None:
    """After a file: keep for each undecided child since which file it is missing; forget it of those listed again."""
    await tx.execute("UPDATE enrolments SET missing_import_id = NULL, missing_on = NULL "
                     "WHERE missing_on IS NOT NULL AND state = 'active'")  # fmt: skip
    await tx.execute(
        text("UPDATE enrolments SET missing_import_id = :id, missing_on = :on "
             "WHERE state = 'undecided' AND missing_on IS NULL"),
        {"id": import_id, "on": on},
    )  # fmt: skip


_ORDER = (
    "s.code, coalesce(m.school_grade, e.school_grade), coalesce(m.name, ''), coalesce(m.number, 0), p.sort_key, p.id"
)
_LAST_CLASS = """LEFT JOIN LATERAL (
        SELECT m.class_id, m.number, c.name, c.school_grade FROM class_members m JOIN classes c ON c.id = m.class_id
        WHERE m.pupil_id = p.id AND c.school_id = e.school_id AND c.kind <> 'course'
        ORDER BY c.school_year DESC, m.starts_on DESC LIMIT 1) m ON true"""
_CHILD = f"""{PUPIL}, e.school_id, coalesce(nullif(e.school_grade, ''), m.school_grade, '') AS school_grade,
    m.class_id, coalesce(m.name, '') AS class_name, coalesce(m.number, 0) AS number"""
_UNLISTED = f"""SELECT {_CHILD}, e.version AS roll_version, coalesce(e.missing_on, p.gone_on) AS missing_on,
        e.missing_import_id, coalesce(i.source, '') AS source, p.source_id, s.code,
        coalesce(m.school_grade, e.school_grade) AS in_grade
    FROM enrolments e JOIN persons p ON p.id = e.pupil_id JOIN schools s ON s.id = e.school_id
    LEFT JOIN imports i ON i.id = e.missing_import_id {_LAST_CLASS}
    WHERE e.state = 'undecided'"""


def _pupil(row: Any, *, enrolled: bool) -> Pupil:
    return rows.pupil(
        row, school_id=row.school_id, class_id=row.class_id, school_grade=row.school_grade, number=row.number,
        enrolled=enrolled,
    )  # fmt: skip


def _unlisted(row: Any) -> Unlisted:
    return Unlisted(
        _pupil(row, enrolled=True), row.roll_version, row.missing_on, row.missing_import_id, row.source, row.source_id
    )


def _scope(school_ids: Collection[UUID] | None, import_id: UUID | None) -> tuple[str, dict[str, Any]]:
    where, parameters = "", dict[str, Any]()
    if school_ids is not None:
        where += " AND e.school_id = ANY(:schools)"
        parameters["schools"] = list(school_ids)
    if import_id is not None:
        where += " AND e.missing_import_id = :import"
        parameters["import"] = import_id
    return where, parameters


async def page(
    tx: Transaction, school_ids: Collection[UUID] | None, import_id: UUID | None, after: Place | None, limit: int
) -> tuple[list[Unlisted], list[Place]]:
    """Undecided children by school, class and 出席番号; beside each the place where a next page would begin."""
    where, parameters = _scope(school_ids, import_id)
    if after is not None:
        marks = ", ".join(f":a{number}" for number in range(len(after)))
        where += f" AND ({_ORDER}) > ({marks})"
        parameters |= {f"a{number}": value for number, value in enumerate(after)}
    query = text(f"{_UNLISTED}{where} ORDER BY {_ORDER} LIMIT :limit")
    found = (await tx.execute(query, {**parameters, "limit": limit})).all()
    places = [Place(row.code, row.in_grade, row.class_name, row.number, row.sort_key, row.id) for row in found]
    return [_unlisted(row) for row in found], places


async def count(tx: Transaction, school_ids: Collection[UUID] | None, import_id: UUID | None) -> int:
    """How many there are in all."""
    where, parameters = _scope(school_ids, import_id)
    query = text(f"SELECT count(*) AS number FROM enrolments e WHERE e.state = 'undecided'{where}")
    number: int = (await tx.execute(query, parameters)).scalar_one()
    return number


async def of_pupils(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, Unlisted]:
    """Those of the children who are undecided."""
    found = await tx.execute(text(f"{_UNLISTED} AND e.pupil_id = ANY(:ids)"), {"ids": list(ids)})
    return {row.id: _unlisted(row) for row in found}


async def lock_rolls(tx: Transaction, pupil_ids: Sequence[UUID]) -> None:
    """A file that is being applied and a decision do not change one roll at once."""
    query = text("SELECT id FROM enrolments WHERE pupil_id = ANY(:ids) ORDER BY id FOR UPDATE")
    await tx.execute(query, {"ids": list(pupil_ids)})


async def memberships(tx: Transaction, rolls: Sequence[Enrolment]) -> list[Membership]:
    """Classes of the children at the schools of those rolls."""
    found = await tx.execute(
        text("""SELECT m.class_id, m.pupil_id, m.starts_on, m.ends_on, c.school_year
            FROM unnest(CAST(:pupils AS uuid[]), CAST(:schools AS uuid[])) AS w (pupil_id, school_id)
            JOIN class_members m ON m.pupil_id = w.pupil_id
            JOIN classes c ON c.id = m.class_id AND c.school_id = w.school_id AND c.withdrawn_on IS NULL"""),
        {"pupils": [roll.pupil_id for roll in rolls], "schools": [roll.school_id for roll in rolls]},
    )
    return [Membership(row.class_id, row.pupil_id, row.starts_on, row.ends_on, row.school_year) for row in found]


async def save_memberships(tx: Transaction, changed: Sequence[Membership]) -> set[UUID]:
    """Write the last days; counts the classes' versions on and tells which."""
    if not changed:
        return set()
    await tx.execute(
        text("""UPDATE class_members SET ends_on = :ends
            WHERE class_id = :class AND pupil_id = :pupil AND starts_on = :starts"""),
        [
            {"class": one.class_id, "pupil": one.pupil_id, "starts": one.starts_on, "ends": one.ends_on}
            for one in changed
        ],
    )
    classes = {one.class_id for one in changed}
    await tx.execute(text("UPDATE classes SET version = version + 1 WHERE id = ANY(:ids)"), {"ids": list(classes)})
    return classes


async def save_rolls(tx: Transaction, rolls: Sequence[Enrolment]) -> None:
    """Write decided rolls, each with its newest event where it has ended."""
    await tx.execute(
        text("""UPDATE enrolments SET ends_on = :ends, state = :state, left_by = :left_by, version = :version
            WHERE id = :id"""),
        [
            {
                "id": roll.id, "ends": roll.period.ends_on, "state": roll.state, "left_by": roll.left_by,
                "version": roll.version,
            }
            for roll in rolls
        ],
    )  # fmt: skip
    entered = [roll.events[-1] for roll in rolls if roll.left_by]
    if entered:
        await tx.execute(
            text("""INSERT INTO enrolment_events (tenant_id, id, enrolment_id, pupil_id, kind, school_id, effective_on,
                    left_on, school_grade, reason, recorded_at, recorded_by)
                VALUES (:tenant, :id, :roll, :pupil, :kind, :school, :on, :left, :grade, :reason, :at, :by)"""),
            [
                {
                    "tenant": tx.tenant, "id": event.id, "roll": event.enrolment_id, "pupil": event.pupil_id,
                    "kind": event.kind, "school": event.school_id, "on": event.effective_on, "left": event.left_on,
                    "grade": event.school_grade, "reason": event.reason, "at": event.recorded_at,
                    "by": event.recorded_by,
                }
                for event in entered
            ],
        )  # fmt: skip


async def forget_source_ids(tx: Transaction, pupil_ids: Sequence[UUID]) -> None:
    """Children kept on the roll belong to no file until one lists them again: no file misses them (`imports.enrol`)."""
    await tx.execute(text("UPDATE persons SET source_id = '' WHERE id = ANY(:ids)"), {"ids": list(pupil_ids)})


async def restore(tx: Transaction, decided: Decided, before: Before) -> None:
    """The child is missing as before: since which file, and under which id the files know it."""
    await tx.execute(
        text("UPDATE enrolments SET missing_import_id = :import, missing_on = :on WHERE id = :id"),
        {"id": decided.enrolment_id, "import": before.import_id, "on": before.missing_on},
    )
    await tx.execute(
        text("UPDATE persons SET source_id = :source WHERE id = :id"),
        {"id": decided.pupil_id, "source": before.source_id},
    )


class Before(NamedTuple):
    """What a decision changes beside the roll, as it was: for taking it back."""

    source_id: str
    missing_on: date | None
    import_id: UUID | None
    memberships: Sequence[Membership]


async def keep_decisions(tx: Transaction, decided: Sequence[tuple[Decided, Before]]) -> None:
    """Keep the decisions."""
    await tx.execute(
        text("""INSERT INTO unlisted_decisions (tenant_id, id, enrolment_id, pupil_id, school_id, kind, effective_on,
                reason, decided_at, decided_by, before)
            VALUES (:tenant, :id, :roll, :pupil, :school, :kind, :on, :reason, :at, :by, CAST(:before AS jsonb))"""),
        [
            {
                "tenant": tx.tenant, "id": one.id, "roll": one.enrolment_id, "pupil": one.pupil_id,
                "school": one.school_id, "kind": one.kind, "on": one.effective_on, "reason": one.reason,
                "at": one.decided_at, "by": one.decided_by, "before": _written(before),
            }
            for one, before in decided
        ],
    )  # fmt: skip


def _written(before: Before) -> str:
    """As JSON; days as ISO 8601."""
    return json.dumps(before._asdict() | {"memberships": [asdict(one) for one in before.memberships]}, default=str)


def _read(before: Mapping[str, Any]) -> Before:
    def day(value: str | None) -> date | None:
        return date.fromisoformat(value) if value else None

    memberships = [
        Membership(
            UUID(one["class_id"]), UUID(one["pupil_id"]), date.fromisoformat(one["starts_on"]), day(one["ends_on"]),
            one["school_year"],
        )
        for one in before["memberships"]
    ]  # fmt: skip
    import_id = UUID(before["import_id"]) if before["import_id"] else None
    return Before(before["source_id"], day(before["missing_on"]), import_id, memberships)


_DECIDED = """SELECT d.id AS decision_id, d.enrolment_id, d.pupil_id, d.school_id AS of_school, d.kind,
    d.effective_on, d.reason, d.decided_at, d.decided_by, d.taken_back_at, d.taken_back_reason"""


def _decided(row: Any) -> Decided:
    return Decided(
        row.decision_id, row.enrolment_id, row.pupil_id, row.of_school, row.kind, row.effective_on, row.reason,
        row.decided_at, row.decided_by, row.taken_back_at is not None, row.taken_back_reason,
    )  # fmt: skip


async def decision(tx: Transaction, decision_id: UUID) -> tuple[Decided, Before, bool] | None:
    """A decision, how things were before it, and whether it is overtaken: decided anew, or listed again by a file."""
    query = text(f"""{_DECIDED}, d.before, d.kind = 'keep' AND p.source_id <> '' OR EXISTS (
            SELECT FROM unlisted_decisions n WHERE n.enrolment_id = d.enrolment_id AND n.id > d.id) AS overtaken
        FROM unlisted_decisions d JOIN persons p ON p.id = d.pupil_id WHERE d.id = :id FOR UPDATE OF d""")
    row = (await tx.execute(query, {"id": decision_id})).one_or_none()
    return None if row is None else (_decided(row), _read(row.before), row.overtaken)


async def decisions(
    tx: Transaction, school_ids: Collection[UUID] | None, before: UUID | None, limit: int
) -> list[tuple[Decided, Pupil]]:
    """Decisions with their children, newest first."""
    where = "WHERE true"
    parameters: dict[str, Any] = {"limit": limit}
    if school_ids is not None:
        where += " AND d.school_id = ANY(:schools)"
        parameters["schools"] = list(school_ids)
    if before is not None:
        where += " AND d.id < :before"
        parameters["before"] = before
    query = f"""{_DECIDED}, {_CHILD}, e.state FROM unlisted_decisions d
        JOIN enrolments e ON e.id = d.enrolment_id JOIN persons p ON p.id = d.pupil_id {_LAST_CLASS}
        {where} ORDER BY d.id DESC LIMIT :limit"""
    found = await tx.execute(text(query), parameters)
    return [(_decided(row), _pupil(row, enrolled=row.state != "ended")) for row in found]


async def mark_taken_back(tx: Transaction, decision_id: UUID, reason: str, by: UUID | None) -> None:
    """The decision no longer stands; it stays readable."""
    await tx.execute(
        text("""UPDATE unlisted_decisions SET taken_back_at = :at, taken_back_by = :by, taken_back_reason = :reason
            WHERE id = :id"""),
        {"id": decision_id, "at": tx.now, "by": by, "reason": reason},
    )
