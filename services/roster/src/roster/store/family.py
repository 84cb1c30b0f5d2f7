"""Family of a pupil: guardians, contacts, addresses with their days; households; what was struck."""

# Statements are put together from constants of this module; values are always parameters.
# ruff: noqa: S608
from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from servicekit.db import Transaction
from servicekit.ids import uuid7
from sqlalchemy import text

from roster.domain.family import Arrangement, Contact, FamilyGuardian, Struck
from roster.domain.people import Address
from roster.domain.period import Period
from roster.store import rows
from roster.store.pupils import name_columns
from roster.store.rows import NAMES

_NEWEST_LAST = "ORDER BY p.ends_on IS NOT NULL, p.ends_on DESC, p.rank, p.id"


async def guardians(tx: Transaction, pupil_id: UUID) -> list[FamilyGuardian]:
    """保護者 of today by rank, then former ones, latest first."""
    query = f"""SELECT p.id, p.rank, {NAMES}, p.relationship, p.custody, p.cares, p.phone, p.address, p.starts_on,
            p.ends_on
        FROM (SELECT g.*, NULL AS alias_family, NULL AS alias_given, NULL AS alias_middle FROM guardians g) p
        WHERE p.pupil_id = :id AND (p.ends_on IS NULL OR p.ends_on >= p.starts_on) {_NEWEST_LAST}"""
    return [
        FamilyGuardian(
            row.id, row.rank, rows.names(row, official=True), row.relationship, row.custody, row.cares, row.phone,
            row.address, Period(row.starts_on, row.ends_on),
        )
        for row in await tx.execute(text(query), {"id": pupil_id})
    ]  # fmt: skip


async def contacts(tx: Transaction, pupil_id: UUID) -> list[Contact]:
    """連絡先 of today by rank, then former ones, latest first."""
    query = f"SELECT p.* FROM contacts p WHERE p.pupil_id = :id {_NEWEST_LAST}"
    return [
        Contact(row.id, row.rank, row.label, row.phone, row.note, Period(row.starts_on, row.ends_on))
        for row in await tx.execute(text(query), {"id": pupil_id})
    ]


async def struck(tx: Transaction, pupil_id: UUID) -> list[Struck]:
    """Wrong entries, latest first."""
    query = text("""SELECT kind, entry->>'text' AS text, struck_at, struck_by, reason FROM struck_entries
        WHERE pupil_id = :id ORDER BY struck_at DESC, id""")
    return [
        Struck(row.kind, row.text, row.struck_at, row.struck_by, row.reason)
        for row in await tx.execute(query, {"id": pupil_id})
    ]


async def keep_struck(tx: Transaction, pupil_id: UUID, kind: str, words: Sequence[str], by: UUID, reason: str) -> None:
    """Keep wrong entries as they read."""
    if words:
        await tx.execute(
            text("""INSERT INTO struck_entries (tenant_id, id, pupil_id, kind, entry, struck_at, struck_by, reason)
                VALUES (:tenant, :id, :pupil, :kind, CAST(:entry AS jsonb), :at, :by, :reason)"""),
            [
                {
                    "tenant": tx.tenant, "id": uuid7(), "pupil": pupil_id, "kind": kind,
                    "entry": json.dumps({"text": one}, ensure_ascii=False), "at": tx.now, "by": by, "reason": reason,
                }
                for one in words
            ],
        )  # fmt: skip


async def save_guardians(tx: Transaction, pupil_id: UUID, change: Arrangement[FamilyGuardian]) -> None:
    """Write who stands from when."""
    await _make_room(tx, "guardians", pupil_id, change)
    await _insert(
        tx, "guardians",
        [
            {
                "tenant_id": tx.tenant, "pupil_id": pupil_id, "id": one.id, "rank": one.rank,
                "relationship": one.relationship, "custody": one.custody, "cares": one.cares, "phone": one.phone,
                "address": one.address, "starts_on": one.period.starts_on,
                **name_columns("display", one.names.display), **name_columns("kana", one.names.kana),
                **name_columns("official", one.names.official),
            }
            for one in change.started
        ],
    )  # fmt: skip


async def save_contacts(tx: Transaction, pupil_id: UUID, change: Arrangement[Contact]) -> None:
    """Write who is called from when."""
    await _make_room(tx, "contacts", pupil_id, change)
    await _insert(
        tx, "contacts",
        [
            {
                "tenant_id": tx.tenant, "pupil_id": pupil_id, "id": one.id, "rank": one.rank, "label": one.label,
                "phone": one.phone, "note": one.note, "starts_on": one.period.starts_on,
            }
            for one in change.started
        ],
    )  # fmt: skip


async def _make_room(tx: Transaction, table: str, pupil_id: UUID, change: Arrangement[Any]) -> None:
    if change.ended:
        await tx.execute(
            text(f"""UPDATE {table} SET ends_on = :ends WHERE pupil_id = :pupil AND id = :id
                AND starts_on = :starts AND ends_on IS NULL"""),
            [
                {"pupil": pupil_id, "id": one.id, "starts": one.period.starts_on, "ends": one.period.ends_on}
                for one in change.ended
            ],
        )
    if change.struck:
        await tx.execute(
            text(f"DELETE FROM {table} WHERE pupil_id = :pupil AND id = :id AND starts_on = :starts"),
            [{"pupil": pupil_id, "id": one.id, "starts": one.period.starts_on} for one in change.struck],
        )


async def _insert(tx: Transaction, table: str, values: list[dict[str, Any]]) -> None:
    if values:
        columns, marks = ", ".join(values[0]), ", ".join(f":{name}" for name in values[0])
        await tx.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({marks})"), values)


async def save_address(
    tx: Transaction, pupil_id: UUID, ended: Address | None, wrong: Address | None, new: Address
) -> None:
    """Write where the child lives from when."""
    if ended is not None:
        await tx.execute(
            text("UPDATE addresses SET ends_on = :ends WHERE person_id = :pupil AND starts_on = :starts"),
            {"pupil": pupil_id, "starts": ended.period.starts_on, "ends": ended.period.ends_on},
        )
    if wrong is not None:
        await tx.execute(
            text("DELETE FROM addresses WHERE person_id = :pupil AND starts_on = :starts"),
            {"pupil": pupil_id, "starts": wrong.period.starts_on},
        )
    await _insert(
        tx, "addresses",
        [
            {
                "tenant_id": tx.tenant, "person_id": pupil_id, "starts_on": new.period.starts_on,
                "postal_code": new.postal_code, "text": new.text,
            }
        ],
    )  # fmt: skip


async def protect(tx: Transaction, pupil_id: UUID, protected: bool) -> None:
    """Set or lift 支援措置."""
    await tx.execute(
        text("UPDATE persons SET protected_address = :protected, version = version + 1 WHERE id = :id"),
        {"id": pupil_id, "protected": protected},
    )


async def sibling_ids(tx: Transaction, pupil_id: UUID) -> list[UUID]:
    """The other children of the household."""
    query = text("""SELECT o.pupil_id FROM households h
        JOIN households o ON o.household_id = h.household_id AND o.pupil_id <> h.pupil_id WHERE h.pupil_id = :id""")
    return [row.pupil_id for row in await tx.execute(query, {"id": pupil_id})]


async def join_households(tx: Transaction, pupil_id: UUID, sibling_id: UUID) -> None:
    """The two, and the siblings of both, are one household."""
    both = {"one": pupil_id, "other": sibling_id, "fresh": uuid7(), "tenant": tx.tenant}
    await tx.execute(
        text("""UPDATE households SET household_id = :fresh WHERE household_id IN (
            SELECT household_id FROM households WHERE pupil_id IN (:one, :other))"""),
        {name: both[name] for name in ("one", "other", "fresh")},
    )
    await tx.execute(
        text("""INSERT INTO households (tenant_id, pupil_id, household_id)
            VALUES (:tenant, :one, :fresh), (:tenant, :other, :fresh) ON CONFLICT DO NOTHING"""),
        both,
    )


async def leave_household(tx: Transaction, pupil_id: UUID) -> None:
    """The child is no sibling of those it was linked with."""
    await tx.execute(text("DELETE FROM households WHERE pupil_id = :id"), {"id": pupil_id})


async def lock(tx: Transaction, pupil_id: UUID) -> None:
    """One change of a family at a time."""
    await tx.execute(text("SELECT id FROM persons WHERE id = :id FOR UPDATE"), {"id": pupil_id})
