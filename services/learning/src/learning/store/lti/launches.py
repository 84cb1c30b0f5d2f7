"""Launches under way, and what may be seen only once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from servicekit.db import Transaction
from servicekit.json import dumps_text
from sqlalchemy import Row, text

from learning.domain.lti.launches import Launch, Message, Person, PersonKind

KEPT = timedelta(days=1)
_COLUMNS = (
    "id, tool_id, deployment_id, class_id, link_id, message, person, opened_at, started_at, answered_at, returned_at"
)


def digest(secret: str) -> bytes:
    """SHA-256: enough for secrets of 256 random bits."""
    return sha256(secret.encode()).digest()


async def add(tx: Transaction, launch: Launch, ticket: str) -> None:
    """Keeps it; launches of yesterday go."""
    await tx.execute(
        text("DELETE FROM lti_launches WHERE tenant_id = :tenant AND opened_at < :before"),
        {"tenant": tx.tenant, "before": launch.opened_at - KEPT},
    )
    person = launch.person
    await tx.execute(
        text("""
            INSERT INTO lti_launches (tenant_id, id, tool_id, deployment_id, class_id, link_id, message, person,
                                      opened_at, ticket_hash)
            VALUES (:tenant, :id, :tool_id, :deployment_id, :class_id, :link_id, :message, CAST(:person AS jsonb),
                    :opened_at, :ticket_hash)"""),
        {
            "tenant": tx.tenant,
            "id": launch.id,
            "tool_id": launch.tool_id,
            "deployment_id": launch.deployment_id,
            "class_id": launch.class_id,
            "link_id": launch.link_id,
            "message": launch.message.value,
            "person": dumps_text(
                {
                    "id": str(person.id),
                    "kind": person.kind.value,
                    "family": person.family,
                    "given": person.given,
                    "school_grade": person.school_grade,
                }
            ),
            "opened_at": launch.opened_at,
            "ticket_hash": digest(ticket),
        },
    )


async def by_ticket(tx: Transaction, launch_id: UUID, ticket: str) -> Launch | None:
    return await _found(tx, "id = :id AND ticket_hash = :hash", {"id": launch_id, "hash": digest(ticket)})


async def by_hint(tx: Transaction, hint: str) -> tuple[Launch, bytes] | None:
    """The launch and the hash of the browser it began in."""
    row = await _row(tx, "hint_hash = :hash AND started_at IS NOT NULL", {"hash": digest(hint)})
    return (_launch(row), bytes(row.browser_hash)) if row else None


async def by_data(tx: Transaction, data: str) -> Launch | None:
    return await _found(tx, "data_hash = :hash", {"hash": digest(data)})


async def start(tx: Transaction, launch_id: UUID, hint: str, browser: str) -> None:
    await _set(tx, launch_id, "started_at", hint_hash=digest(hint), browser_hash=digest(browser))


async def answer(tx: Transaction, launch_id: UUID, data: str) -> None:
    await _set(tx, launch_id, "answered_at", data_hash=digest(data))


async def give_back(tx: Transaction, launch_id: UUID) -> None:
    await _set(tx, launch_id, "returned_at")


async def first_time(tx: Transaction, tool_id: UUID, what: str, until: datetime) -> bool:
    """Whether this tool shows `what` for the first time; remembered until `until` passed."""
    await tx.execute(
        text("DELETE FROM lti_seen WHERE tenant_id = :tenant AND expires_at < :now"),
        {"tenant": tx.tenant, "now": tx.now},
    )
    kept = await tx.execute(
        text("""
            INSERT INTO lti_seen (tenant_id, tool_id, hash, expires_at) VALUES (:tenant, :tool_id, :hash, :until)
            ON CONFLICT DO NOTHING RETURNING hash"""),
        {"tenant": tx.tenant, "tool_id": tool_id, "hash": digest(what), "until": until},
    )
    return kept.one_or_none() is not None


async def _set(tx: Transaction, launch_id: UUID, step: str, **values: bytes) -> None:
    changes = "".join(f", {name} = :{name}" for name in values)
    await tx.execute(
        text(f"UPDATE lti_launches SET {step} = :now{changes} WHERE tenant_id = :tenant AND id = :id"),  # noqa: S608
        {"tenant": tx.tenant, "id": launch_id, "now": tx.now, **values},
    )


async def _found(tx: Transaction, condition: str, params: Mapping[str, Any]) -> Launch | None:
    row = await _row(tx, condition, params)
    return _launch(row) if row else None


async def _row(tx: Transaction, condition: str, params: Mapping[str, Any]) -> Row[tuple[object, ...]] | None:
    """Locked: two answers to one launch come one after the other."""
    found = await tx.execute(
        text(f"""
            SELECT {_COLUMNS}, browser_hash FROM lti_launches
             WHERE tenant_id = :tenant AND {condition} FOR UPDATE"""),  # noqa: S608
        {"tenant": tx.tenant, **params},
    )
    return found.one_or_none()


def _launch(row: Row[tuple[object, ...]]) -> Launch:
    kept: Mapping[str, str] = row.person
    person = Person(UUID(kept["id"]), PersonKind(kept["kind"]), kept["family"], kept["given"], kept["school_grade"])
    return Launch(
        row.id,
        row.tool_id,
        row.deployment_id,
        row.class_id,
        row.link_id,
        Message(row.message),
        person,
        row.opened_at,
        row.started_at,
        row.answered_at,
        row.returned_at,
    )
