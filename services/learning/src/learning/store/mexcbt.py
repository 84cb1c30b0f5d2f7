"""MEXCBT利用申込 in the database: the founder, the 受付, applications with their steps, and what counts are made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from servicekit.db import Transaction
from servicekit.json import dumps_text
from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError

from learning.domain.mexcbt import Application, Contact, Done, Founder, FounderKind, Intake, State, Step
from learning.domain.mexcbt_counts import ClassCount, Counts, PostCount
from learning.domain.register import Post


async def founder(tx: Transaction) -> Founder:
    """What the board saved; an empty one (`version` 0) before that."""
    row = (
        await tx.execute(text("SELECT * FROM mexcbt_founders WHERE tenant_id = :tenant"), {"tenant": tx.tenant})
    ).one_or_none()
    if row is None:
        return Founder()
    return Founder(
        FounderKind(row.kind),
        row.name,
        row.code,
        row.department,
        Contact(row.contact_name, row.mail, row.phone),
        row.wants_authoring,
        row.applied_before,
        row.notes_read_on,
        row.registered_on,
        row.version,
    )


class MailTaken(Exception):
    """Another founder has this mail address."""


async def save_founder(tx: Transaction, changed: Founder) -> bool:
    """Writes over the version before; False when somebody was faster. Raises: MailTaken."""
    try:
        saved = await tx.execute(
            text("""
                INSERT INTO mexcbt_founders AS old (tenant_id, kind, name, code, department, contact_name, mail, phone,
                       wants_authoring, applied_before, notes_read_on, registered_on, version)
                VALUES (:tenant, :kind, :name, :code, :department, :contact_name, :mail, :phone,
                       :wants_authoring, :applied_before, :notes_read_on, :registered_on, :version)
                ON CONFLICT (tenant_id) DO UPDATE
                   SET kind = excluded.kind, name = excluded.name, code = excluded.code,
                       department = excluded.department, contact_name = excluded.contact_name, mail = excluded.mail,
                       phone = excluded.phone, wants_authoring = excluded.wants_authoring,
                       applied_before = excluded.applied_before, notes_read_on = excluded.notes_read_on,
                       registered_on = excluded.registered_on, version = excluded.version
                 WHERE old.version = excluded.version - 1 RETURNING 1"""),
            {
                "tenant": tx.tenant,
                "kind": changed.kind.value,
                "name": changed.name,
                "code": changed.code,
                "department": changed.department,
                "contact_name": changed.contact.name,
                "mail": changed.contact.mail,
                "phone": changed.contact.phone,
                "wants_authoring": changed.wants_authoring,
                "applied_before": changed.applied_before,
                "notes_read_on": changed.notes_read_on,
                "registered_on": changed.registered_on,
                "version": changed.version,
            },
        )
    except IntegrityError as error:
        if "mexcbt_founders_mail" in str(error.orig):
            raise MailTaken from error
        raise
    return saved.one_or_none() is not None


async def intake(tx: Transaction, school_year: int) -> Intake | None:
    """What the board entered for that year."""
    row = (
        await tx.execute(
            text("SELECT * FROM mexcbt_intakes WHERE tenant_id = :tenant AND school_year = :school_year"),
            {"tenant": tx.tenant, "school_year": school_year},
        )
    ).one_or_none()
    return Intake(row.school_year, row.opens_on, row.closes_on, row.source, row.version) if row else None


async def save_intake(tx: Transaction, changed: Intake) -> bool:
    """Writes over the version before; False when somebody was faster."""
    saved = await tx.execute(
        text("""
            INSERT INTO mexcbt_intakes AS old (tenant_id, school_year, opens_on, closes_on, source, version)
            VALUES (:tenant, :school_year, :opens_on, :closes_on, :source, :version)
            ON CONFLICT (tenant_id, school_year) DO UPDATE
               SET opens_on = excluded.opens_on, closes_on = excluded.closes_on, source = excluded.source,
                   version = excluded.version
             WHERE old.version = excluded.version - 1 RETURNING 1"""),
        {
            "tenant": tx.tenant,
            "school_year": changed.school_year,
            "opens_on": changed.opens_on,
            "closes_on": changed.closes_on,
            "source": changed.source,
            "version": changed.version,
        },
    )
    return saved.one_or_none() is not None


_APPLICATIONS = """
    SELECT id, school_id, school_year, portal, contact_name, mail, phone, state, counts, version
      FROM mexcbt_applications WHERE tenant_id = :tenant"""


async def applications(tx: Transaction, school_ids: Sequence[UUID] | None = None) -> list[Application]:
    """Every application of the board, oldest first; with ids those of these schools."""
    rows = await tx.execute(
        text(_APPLICATIONS + " AND (CAST(:ids AS uuid[]) IS NULL OR school_id = ANY(:ids)) ORDER BY id"),
        {"tenant": tx.tenant, "ids": None if school_ids is None else list(school_ids)},
    )
    return [_application(row) for row in rows]


async def application(tx: Transaction, application_id: UUID) -> Application | None:
    """One application, or None where this board has none with that id."""
    row = (
        await tx.execute(text(_APPLICATIONS + " AND id = :id"), {"tenant": tx.tenant, "id": application_id})
    ).one_or_none()
    return _application(row) if row else None


async def add(tx: Transaction, added: Sequence[Application]) -> int:
    """Lists schools; how many of them. A school whose application is open already is left out."""
    rows = await tx.execute(
        text("""
            INSERT INTO mexcbt_applications (tenant_id, id, school_id, school_year, portal, contact_name, mail, phone,
                                             state, version)
            SELECT :tenant, a.*, 'listed', 1 FROM unnest(
                CAST(:ids AS uuid[]), CAST(:schools AS uuid[]), CAST(:years AS smallint[]), CAST(:portals AS text[]),
                CAST(:names AS text[]), CAST(:mails AS text[]), CAST(:phones AS text[])) AS a
            ON CONFLICT DO NOTHING RETURNING id"""),
        {
            "tenant": tx.tenant,
            "ids": [one.id for one in added],
            "schools": [one.school_id for one in added],
            "years": [one.school_year for one in added],
            "portals": [one.portal for one in added],
            "names": [one.contact.name for one in added],
            "mails": [one.contact.mail for one in added],
            "phones": [one.contact.phone for one in added],
        },
    )
    return len(rows.all())


async def change(tx: Transaction, changed: Application) -> bool:
    """Writes over the version before; False when somebody was faster, or when the school has another open one."""
    try:
        saved = await tx.execute(
            text("""
                UPDATE mexcbt_applications
                   SET school_year = :school_year, portal = :portal, contact_name = :name, mail = :mail, phone = :phone,
                       state = :state, counts = CAST(:counts AS jsonb), version = :version
                 WHERE tenant_id = :tenant AND id = :id AND version = :version - 1 RETURNING 1"""),
            {
                "tenant": tx.tenant,
                "id": changed.id,
                "school_year": changed.school_year,
                "portal": changed.portal,
                "name": changed.contact.name,
                "mail": changed.contact.mail,
                "phone": changed.contact.phone,
                "state": changed.state.value,
                "counts": _json(changed.counts),
                "version": changed.version,
            },
        )
    except IntegrityError as error:
        if "mexcbt_applications_open" in str(error.orig):
            return False
        raise
    return saved.one_or_none() is not None


async def note(tx: Transaction, steps: Sequence[tuple[UUID, Done]]) -> None:
    """Adds to the history: (application, step)."""
    await tx.execute(
        text("""
            INSERT INTO mexcbt_steps (tenant_id, application_id, id, step, before, after, on_day, actor_id, at, reason,
                                      counts)
            SELECT :tenant, s.* FROM unnest(
                CAST(:applications AS uuid[]), CAST(:ids AS uuid[]), CAST(:steps AS text[]), CAST(:befores AS text[]),
                CAST(:afters AS text[]), CAST(:days AS date[]), CAST(:actors AS uuid[]),
                CAST(:ats AS timestamptz[]), CAST(:reasons AS text[]), CAST(:counts AS jsonb[])) AS s"""),
        {
            "tenant": tx.tenant,
            "applications": [application_id for application_id, _ in steps],
            "ids": [done.id for _, done in steps],
            "steps": [done.step.value for _, done in steps],
            "befores": [done.before.value for _, done in steps],
            "afters": [done.after.value for _, done in steps],
            "days": [done.on_day for _, done in steps],
            "actors": [done.by for _, done in steps],
            "ats": [done.at for _, done in steps],
            "reasons": [done.reason for _, done in steps],
            "counts": [_json(done.counts) for _, done in steps],
        },
    )


async def history(tx: Transaction, application_id: UUID) -> list[Done]:
    """Everything that was done with one application, oldest first."""
    rows = await tx.execute(
        text("SELECT * FROM mexcbt_steps WHERE tenant_id = :tenant AND application_id = :id ORDER BY id"),
        {"tenant": tx.tenant, "id": application_id},
    )
    return [_step(row) for row in rows]


async def class_counts(tx: Transaction, school_id: UUID, school_year: int, day: date) -> list[ClassCount]:
    """Children of the school's 学級 (not 講座) on that day, by class and the child's own 学年."""
    rows = await tx.execute(
        text("""
            SELECT c.class_id, c.name, coalesce(nullif(m.school_grade, ''), c.school_grade) AS own,
                   count(DISTINCT m.pupil_id) AS pupils
              FROM classes c JOIN class_members m ON m.tenant_id = c.tenant_id AND m.class_id = c.class_id
             WHERE c.tenant_id = :tenant AND c.school_id = :school_id AND c.school_year = :school_year
               AND c.kind <> 'course' AND m.starts_on <= :day AND (m.ends_on IS NULL OR m.ends_on >= :day)
             GROUP BY c.class_id, c.name, own
             ORDER BY own, c.name COLLATE "C", c.class_id"""),
        {"tenant": tx.tenant, "school_id": school_id, "school_year": school_year, "day": day},
    )
    return [ClassCount(row.class_id, row.name, row.own, row.pupils) for row in rows]


async def post_counts(tx: Transaction, school_id: UUID, day: date) -> list[PostCount]:
    """Staff of the school on that day; who holds two posts is counted under the higher one."""
    rows = await tx.execute(
        text("""
            SELECT post, count(*) AS people FROM (
              SELECT DISTINCT ON (staff_id) staff_id, post FROM appointments
               WHERE tenant_id = :tenant AND school_id = :school_id
                 AND starts_on <= :day AND (ends_on IS NULL OR ends_on >= :day)
               ORDER BY staff_id, array_position(CAST(:posts AS text[]), post)) held
             GROUP BY post ORDER BY array_position(CAST(:posts AS text[]), post)"""),
        {"tenant": tx.tenant, "school_id": school_id, "day": day, "posts": [post.value for post in Post]},
    )
    return [PostCount(Post(row.post), row.people) for row in rows]


def _application(row: Row[tuple[Any, ...]]) -> Application:
    return Application(
        row.id,
        row.school_id,
        row.school_year,
        row.portal,
        Contact(row.contact_name, row.mail, row.phone),
        State(row.state),
        _counts(row.counts),
        row.version,
    )


def _step(row: Row[tuple[Any, ...]]) -> Done:
    return Done(
        row.id,
        Step(row.step),
        State(row.before),
        State(row.after),
        row.on_day,
        row.actor_id,
        row.at,
        row.reason,
        _counts(row.counts),
    )


def _json(counts: Counts | None) -> str | None:
    return None if counts is None else dumps_text(counts)


def _counts(kept: Any) -> Counts | None:
    if kept is None:
        return None
    return Counts(
        kept["school_year"],
        date.fromisoformat(kept["taken_on"]),
        tuple(kept["school_grades"]),
        tuple(
            ClassCount(UUID(row["class_id"]), row["class_name"], row["school_grade"], row["pupils"])
            for row in kept["classes"]
        ),
        tuple(PostCount(Post(row["post"]), row["people"]) for row in kept["posts"]),
    )
