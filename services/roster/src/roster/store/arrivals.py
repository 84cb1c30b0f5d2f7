"""What a child brings along from another board: names, addresses, guardians with their days."""

# Statements are put together from constants of this module; values are always parameters.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import text

from roster.domain.names import DatedName
from roster.domain.people import Address, Guardian
from roster.store.pupils import name_columns


async def keep_names(tx: Transaction, person_id: UUID, names: Sequence[DatedName]) -> None:
    """Former names."""
    if names:
        await tx.execute(
            text("""INSERT INTO former_names (tenant_id, person_id, kind, starts_on, ends_on, family, given, middle)
                VALUES (:tenant, :person, :kind, :starts, :ends, :family, :given, :middle) ON CONFLICT DO NOTHING"""),
            [
                {
                    "tenant": tx.tenant, "person": person_id, "kind": item.kind, "starts": item.period.starts_on,
                    "ends": item.period.ends_on, "family": item.name.family, "given": item.name.given,
                    "middle": item.name.middle,
                }
                for item in names
            ],
        )  # fmt: skip


async def keep_addresses(tx: Transaction, person_id: UUID, addresses: Sequence[Address]) -> None:
    """現住所 with its history; one entered here before ends the day before the one of today begins."""
    current = [item.period.starts_on for item in addresses if item.period.ends_on is None]
    if current:
        await tx.execute(
            text("""UPDATE addresses SET ends_on = :on - 1
                WHERE person_id = :person AND ends_on IS NULL AND starts_on < :on"""),
            {"person": person_id, "on": max(current)},
        )
    if addresses:
        await tx.execute(
            text("""INSERT INTO addresses (tenant_id, person_id, starts_on, ends_on, postal_code, text)
                VALUES (:tenant, :person, :starts, :ends, :code, :text)
                ON CONFLICT (tenant_id, person_id, starts_on) DO UPDATE SET ends_on = excluded.ends_on,
                    postal_code = excluded.postal_code, text = excluded.text"""),
            [
                {
                    "tenant": tx.tenant, "person": person_id, "starts": item.period.starts_on,
                    "ends": item.period.ends_on, "code": item.postal_code, "text": item.text,
                }
                for item in addresses
            ],
        )  # fmt: skip


_SAME_GUARDIAN = (
    "rank", "relationship", "display_family", "display_given", "display_middle", "kana_family", "kana_given",
    "kana_middle", "phone", "address",
)  # fmt: skip


async def keep_guardians(tx: Transaction, pupil_id: UUID, guardians: Sequence[Guardian], since: date) -> None:
    """保護者 of today. Who stands here unchanged stays; others entered before end the day before, at the earliest
    on their own first day."""
    entered = await tx.execute(
        text(f"""SELECT id, {", ".join(_SAME_GUARDIAN)} FROM guardians
            WHERE pupil_id = :pupil AND ends_on IS NULL"""),
        {"pupil": pupil_id},
    )
    known = {tuple(row)[1:]: row.id for row in entered}
    staying, coming = [], []
    for item in guardians:
        values = {
            "tenant_id": tx.tenant, "pupil_id": pupil_id, "id": item.id, "rank": item.rank,
            "relationship": item.relationship, "phone": item.phone, "address": item.address, "starts_on": since,
            **name_columns("display", item.names.display), **name_columns("kana", item.names.kana),
            **name_columns("official", item.names.official),
        }  # fmt: skip
        same = known.get(tuple(values[name] for name in _SAME_GUARDIAN))
        if same is not None:
            staying.append(same)
        else:
            coming.append(values)
    await tx.execute(
        text("""UPDATE guardians SET ends_on = greatest(:on - 1, starts_on)
            WHERE pupil_id = :pupil AND ends_on IS NULL AND NOT id = ANY(:staying)"""),
        {"pupil": pupil_id, "on": since, "staying": staying},
    )
    for values in coming:
        columns, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
        await tx.execute(
            text(f"""INSERT INTO guardians ({columns}) VALUES ({marks})
                ON CONFLICT (tenant_id, pupil_id, id, starts_on) DO UPDATE SET ends_on = NULL"""),
            values,
        )
