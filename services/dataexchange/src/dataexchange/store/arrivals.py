"""転入学: packages that came in, their parts, what was refused at the door."""

# ruff: noqa: S608  (only names and column lists of this module are put into a statement, never a value)

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from servicekit.db import Transaction, lost_race
from servicekit.errors import Unseen
from servicekit.ids import uuid7
from sqlalchemy import Row

from dataexchange.domain.package.opening import Opened
from dataexchange.domain.refusals import Refusal
from dataexchange.domain.states import ArrivalState
from dataexchange.domain.transfers import Arrival, ArrivalPart
from dataexchange.store.transfers import note_state

_COLUMNS = (
    "id, transfer_id, kind, from_organisation, from_organisation_name, from_school_name, from_school_address, "
    "to_organisation, to_school_code, state, sha256, received_at, version, left_on, matched_pupil_id, pupil_id, "
    "school_id, accepted_on, refusal_code, refusal_text"
)


def _arrival(row: Row[Any]) -> Arrival:
    fields = dict(row._mapping)
    return Arrival(**{**fields, "state": ArrivalState(fields["state"])})


async def add(tx: Transaction, arrival: Arrival, opened: Opened) -> None:
    """The arrival and every file of it, the signed manifest included: it is the proof of what came."""
    await tx.execute(
        "INSERT INTO arrivals (tenant_id, id, transfer_id, kind, from_organisation, from_organisation_name, "
        "from_school_name, from_school_address, to_organisation, to_school_code, state, sha256, received_at, left_on) "
        "VALUES (current_setting('komu.tenant'), :id, :transfer_id, :kind, :from_organisation, "
        ":from_organisation_name, :from_school_name, :from_school_address, :to_organisation, :to_school_code, :state, "
        ":sha256, :received_at, :left_on)",
        {
            name: getattr(arrival, name)
            for name in (
                "id", "transfer_id", "kind", "from_organisation", "from_organisation_name", "from_school_name",
                "from_school_address", "to_organisation", "to_school_code", "state", "sha256", "received_at", "left_on",
            )
        },
    )  # fmt: skip
    await note_state(tx, arrival.id, ArrivalState.RECEIVED)
    await note_state(tx, arrival.id, ArrivalState.VERIFIED)
    listed = {part.path: part for part in opened.manifest.parts}
    rows = []
    for position, (path, data) in enumerate(opened.entries.items()):
        part = listed.get(path)
        rows.append({
            "arrival": arrival.id, "position": position, "path": path,
            "media_type": part.media_type if part else "application/json",
            "role": part.role if part else "", "title": part.title if part else "目録",
            "class": part.information_class if part else 1, "custody": part.custody if part else "copy",
            "sha256": part.sha256 if part else "", "bytes": len(data), "data": data,
        })  # fmt: skip
    await tx.execute(
        "INSERT INTO arrival_parts (tenant_id, arrival_id, position, path, media_type, role, title, information_class, "
        "custody, sha256, bytes, data) VALUES (current_setting('komu.tenant'), :arrival, :position, :path, "
        ":media_type, :role, :title, :class, :custody, :sha256, :bytes, :data)",
        rows,
    )


async def find(tx: Transaction, arrival_id: UUID, *, lock: bool = False) -> Arrival | None:
    found = await tx.execute(
        f"SELECT {_COLUMNS} FROM arrivals WHERE id = :id" + (" FOR UPDATE" if lock else ""),
        {"id": arrival_id},
    )
    row = found.first()
    return _arrival(row) if row else None


async def get(tx: Transaction, arrival_id: UUID, *, lock: bool = False) -> Arrival:
    """Raises: Unseen."""
    arrival = await find(tx, arrival_id, lock=lock)
    if arrival is None:
        raise Unseen
    return arrival


async def page(
    tx: Transaction, school_codes: Sequence[str] | None, state: str, before: UUID | None, limit: int
) -> list[Arrival]:
    """Newest first. `school_codes`: None for every school of the board."""
    where, params = ["kind <> 'return'"], {"limit": limit}
    if school_codes is not None:
        where.append("to_school_code = ANY(:codes)")
        params["codes"] = list(school_codes)  # type: ignore[assignment]
    if state:
        where.append("state = :state")
        params["state"] = state  # type: ignore[assignment]
    if before is not None:
        where.append("id < :before")
        params["before"] = before  # type: ignore[assignment]
    found = await tx.execute(
        f"SELECT {_COLUMNS} FROM arrivals WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT :limit",
        params,
    )
    return [_arrival(row) for row in found]


async def move(
    tx: Transaction, arrival: Arrival, state: ArrivalState, *, reason: str = "", matched_pupil_id: UUID | None = None,
    pupil_id: UUID | None = None, school_id: UUID | None = None, accepted_on: date | None = None, code: str = "",
) -> Arrival:  # fmt: skip
    """Write the new state and its line of history. Raises: Conflict, when someone was faster."""
    found = await tx.execute(
        "UPDATE arrivals SET state = :state, version = version + 1, updated_at = :now, updated_by = :actor, "
        "matched_pupil_id = :matched, pupil_id = :pupil, school_id = :school, accepted_on = :accepted_on, "
        f"refusal_code = :code, refusal_text = :text WHERE id = :id AND version = :version RETURNING {_COLUMNS}",
        {
            "state": state, "now": tx.now, "actor": tx.actor.person_id if tx.actor else None,
            "matched": matched_pupil_id or arrival.matched_pupil_id, "pupil": pupil_id or arrival.pupil_id,
            "school": school_id or arrival.school_id, "accepted_on": accepted_on or arrival.accepted_on,
            "code": code, "text": reason if code else "", "id": arrival.id, "version": arrival.version,
        },
    )  # fmt: skip
    row = found.first()
    if row is None:
        current = await tx.execute(
            "SELECT version, updated_at, updated_by FROM arrivals WHERE id = :id", {"id": arrival.id}
        )
        now = current.first()
        if now is None:
            raise Unseen
        raise lost_race(now.version, now.updated_at, now.updated_by)
    await note_state(tx, arrival.id, state, reason)
    return _arrival(row)


async def parts(tx: Transaction, arrival_ids: Sequence[UUID]) -> dict[UUID, list[ArrivalPart]]:
    """Of each arrival, in the package's order, without the bytes."""
    found = await tx.execute(
        "SELECT arrival_id, path, media_type, role, title, information_class, custody, sha256, bytes "
        "FROM arrival_parts WHERE arrival_id = ANY(:ids) AND role <> '' ORDER BY arrival_id, position",
        {"ids": list(arrival_ids)},
    )
    result: dict[UUID, list[ArrivalPart]] = {arrival_id: [] for arrival_id in arrival_ids}
    for row in found:
        result[row.arrival_id].append(ArrivalPart(*tuple(row)[1:]))
    return result


async def part_bytes(tx: Transaction, arrival_id: UUID, path: str) -> tuple[ArrivalPart, bytes]:
    """Raises: Unseen."""
    found = await tx.execute(
        "SELECT path, media_type, role, title, information_class, custody, sha256, bytes, data FROM arrival_parts "
        "WHERE arrival_id = :id AND path = :path",
        {"id": arrival_id, "path": path},
    )
    row = found.first()
    if row is None:
        raise Unseen
    *fields, data = tuple(row)
    return ArrivalPart(*fields), bytes(data)


async def records(tx: Transaction, arrival_ids: Sequence[UUID], roles: Sequence[str]) -> dict[UUID, dict[str, bytes]]:
    """The bytes of the parts with these roles, by arrival and role; the role of the manifest is empty."""
    found = await tx.execute(
        "SELECT arrival_id, role, data FROM arrival_parts WHERE arrival_id = ANY(:ids) AND role = ANY(:roles) "
        "AND path NOT LIKE '%.jws'",
        {"ids": list(arrival_ids), "roles": list(roles)},
    )
    result: dict[UUID, dict[str, bytes]] = {arrival_id: {} for arrival_id in arrival_ids}
    for row in found:
        result[row.arrival_id][row.role] = bytes(row.data)
    return result


async def forget_parts(tx: Transaction, arrival_id: UUID) -> None:
    """After a refusal or a withdrawal nothing of the child stays here."""
    await tx.execute("DELETE FROM arrival_parts WHERE arrival_id = :id", {"id": arrival_id})
    await tx.execute(
        "UPDATE arrivals SET matched_pupil_id = NULL, from_school_address = '' WHERE id = :id", {"id": arrival_id}
    )


async def accepted_of_pupil(tx: Transaction, pupil_id: UUID) -> list[Arrival]:
    """What was received with the child, oldest first: it travels on unchanged (施行規則 24条3項)."""
    found = await tx.execute(
        f"SELECT {_COLUMNS} FROM arrivals WHERE pupil_id = :pupil AND state = 'accepted' ORDER BY id",
        {"pupil": pupil_id},
    )
    return [_arrival(row) for row in found]


async def all_bytes(tx: Transaction, arrival_id: UUID) -> dict[str, bytes]:
    """Every file of the package by path, the manifest and its signature first."""
    found = await tx.execute(
        "SELECT path, data FROM arrival_parts WHERE arrival_id = :id ORDER BY position", {"id": arrival_id}
    )
    return {row.path: bytes(row.data) for row in found}


async def note_refusal(tx: Transaction, organisation: str, package_id: str, sha256: str, refusal: Refusal) -> None:
    await tx.execute(
        "INSERT INTO refusals (tenant_id, id, organisation, package_id, sha256, code, detail, at) VALUES "
        "(current_setting('komu.tenant'), :id, :organisation, :package, :sha256, :code, :detail, :at)",
        {
            "id": uuid7(), "organisation": organisation, "package": package_id[:64], "sha256": sha256,
            "code": str(refusal.code), "detail": refusal.detail[:200], "at": tx.now,
        },
    )  # fmt: skip


async def keep_custody(
    tx: Transaction, arrival: Arrival, parts_: Sequence[ArrivalPart], pupil_id: UUID, basis: dict[str, str], since: date
) -> None:
    """The lines of the 保管簿 for what was received with the child."""
    rows = [
        {
            "id": uuid7(), "pupil": pupil_id, "package": arrival.id, "path": part.path, "title": part.title,
            "custody": part.custody, "counterpart": arrival.from_organisation, "since": since,
            "basis": basis[part.path],
        }
        for part in parts_
    ]  # fmt: skip
    if rows:
        await tx.execute(
            "INSERT INTO custody (tenant_id, id, pupil_id, package_id, path, title, custody, counterpart, direction, "
            "held_since, basis) VALUES (current_setting('komu.tenant'), :id, :pupil, :package, :path, :title, "
            ":custody, :counterpart, 'received', :since, :basis)",
            rows,
        )
