"""The projection: aggregates as the register told them, and the OneRoster objects made of them."""

# ruff: noqa: S608  (only a column list of this module is put into a statement, never a value)

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from servicekit.db import Transaction
from servicekit.json import dumps_text

from dataexchange.domain.roster_objects import bodies
from dataexchange.domain.roster_objects.making import Made


class Source(NamedTuple):
    """One aggregate, with the version that was read."""

    kind: str
    id: UUID
    version: int
    facts: dict[str, Any]


class Known(NamedTuple):
    """What others need to know of an object that they hang on."""

    active: bool
    refs: frozenset[str]
    class_id: str | None


async def keep_source(
    tx: Transaction, kind: str, id_: UUID, version: int, facts: Any, refs: Iterable[UUID]
) -> bool:  # fmt: skip
    """Replace an older version. Returns whether it did."""
    found = await tx.execute(
        "INSERT INTO oneroster_sources (tenant_id, kind, id, version, facts, refs) VALUES (current_setting("
        "'komu.tenant'), :kind, :id, :version, CAST(:facts AS jsonb), :refs) ON CONFLICT (tenant_id, kind, id) "
        "DO UPDATE SET version = excluded.version, facts = excluded.facts, refs = excluded.refs, stale = true "
        "WHERE oneroster_sources.version <= excluded.version RETURNING id",
        {"kind": kind, "id": id_, "version": version, "facts": dumps_text(facts), "refs": list(refs)},
    )
    return found.first() is not None


async def refs_of(tx: Transaction, kind: str, id_: UUID) -> list[UUID]:
    found = await tx.scalar("SELECT refs FROM oneroster_sources WHERE kind = :kind AND id = :id",
                            {"kind": kind, "id": id_})  # fmt: skip
    return list(found or ())


async def mark_stale(tx: Transaction, kind: str, ids: Iterable[UUID]) -> None:
    await tx.execute(
        "UPDATE oneroster_sources SET stale = true WHERE kind = :kind AND id = ANY(:ids)",
        {"kind": kind, "ids": list(ids)},
    )


async def stale(tx: Transaction, kind: str, after: UUID | None, limit: int) -> list[Source]:
    """Aggregates whose objects have to be made anew, by id."""
    found = await tx.execute(
        "SELECT kind, id, version, facts FROM oneroster_sources WHERE stale AND kind = :kind "
        "AND (CAST(:after AS uuid) IS NULL OR id > :after) ORDER BY id LIMIT :limit",
        {"kind": kind, "after": after, "limit": limit},
    )
    return [Source(*tuple(row)) for row in found]


async def sources(tx: Transaction, kind: str, ids: Iterable[UUID]) -> list[Source]:
    found = await tx.execute(
        "SELECT kind, id, version, facts FROM oneroster_sources WHERE kind = :kind AND id = ANY(:ids)",
        {"kind": kind, "ids": list(ids)},
    )
    return [Source(*tuple(row)) for row in found]


async def sources_about(tx: Transaction, kind: str, refs: Iterable[UUID]) -> list[Source]:
    """Aggregates that refer to one of these: staff with duties in a class."""
    found = await tx.execute(
        "SELECT kind, id, version, facts FROM oneroster_sources WHERE kind = :kind AND refs && CAST(:refs AS uuid[]) "
        "ORDER BY id",
        {"kind": kind, "refs": list(refs)},
    )
    return [Source(*tuple(row)) for row in found]


async def fresh(tx: Transaction, made_of: Sequence[Source]) -> None:
    """Their objects are made; what was told meanwhile stays stale."""
    await tx.execute(
        "UPDATE oneroster_sources s SET stale = false FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS uuid[]), "
        "CAST(:versions AS bigint[])) AS d(kind, id, version) "
        "WHERE s.kind = d.kind AND s.id = d.id AND s.version = d.version",
        {
            "kinds": [one.kind for one in made_of], "ids": [one.id for one in made_of],
            "versions": [one.version for one in made_of],
        },
    )  # fmt: skip


_PUT = """
WITH rows AS (
    SELECT r.n, r.kind, r.id, r.status, string_to_array(nullif(r.refs, ''), ' ') AS refs, r.source, r.class, r.person,
           r.digest, r.body, o.ordinal
      FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS text[]), CAST(:statuses AS text[]), CAST(:refs AS text[]),
                  CAST(:sources AS uuid[]), CAST(:classes AS text[]), CAST(:people AS text[]),
                  CAST(:digests AS bytea[]),
                  CAST(:bodies AS text[]))
           WITH ORDINALITY AS r(kind, id, status, refs, source, class, person, digest, body, n)
      LEFT JOIN oneroster_objects o ON o.kind = r.kind AND o.sourced_id = r.id
     WHERE (o.digest, o.status, o.refs)
           IS DISTINCT FROM (r.digest, r.status, coalesce(string_to_array(nullif(r.refs, ''), ' '), '{}')))
INSERT INTO oneroster_objects AS o
       (tenant_id, kind, ordinal, sourced_id, status, date_last_modified, refs, source_id, class_id, person_id, digest,
        written_by, body)
SELECT current_setting('komu.tenant'), kind,
       coalesce(ordinal, coalesce(CAST(CAST(:totals AS jsonb) ->> kind AS int), 0)
                         + count(*) FILTER (WHERE ordinal IS NULL) OVER (PARTITION BY kind ORDER BY n)),
       id, status, :now, coalesce(refs, '{}'), source, class, person, digest, :by, body
  FROM rows
ON CONFLICT (tenant_id, kind, sourced_id) DO UPDATE
   SET status = excluded.status, refs = excluded.refs, digest = excluded.digest, written_by = excluded.written_by,
       body = CASE WHEN o.digest = excluded.digest AND o.status = excluded.status THEN o.body ELSE excluded.body END,
       date_last_modified = CASE WHEN o.digest = excluded.digest AND o.status = excluded.status
                                 THEN o.date_last_modified ELSE excluded.date_last_modified END
RETURNING kind, xmax = 0 AS new"""


async def put(
    tx: Transaction, service: str, made: Iterable[Made], *, status: str = bodies.ACTIVE, by: str = ""
) -> int:  # fmt: skip
    """Enter or change objects; what says the same stays as it is. Returns how many were new or changed.

    The row of `oneroster_state` is held until the commit: new objects are counted on without a gap."""
    rows = sorted({(one.kind, one.id): one for one in made}.values(), key=lambda one: (one.kind, one.id))
    if not rows:
        return 0
    now = bodies.to_milliseconds(tx.now)
    held = await tx.execute(
        "INSERT INTO oneroster_state (tenant_id, service) VALUES (current_setting('komu.tenant'), :service) "
        "ON CONFLICT (tenant_id, service) DO UPDATE SET version = oneroster_state.version RETURNING totals",
        {"service": service},
    )
    totals: dict[str, int] = dict(held.scalar() or {})
    found = await tx.execute(
        _PUT,
        {
            "kinds": [one.kind for one in rows], "ids": [one.id for one in rows], "statuses": [status] * len(rows),
            "refs": [" ".join(sorted(one.refs)) for one in rows],
            "sources": [UUID(one.source) if one.source else None for one in rows],
            "classes": [one.class_id for one in rows], "people": [one.person for one in rows],
            "digests": [bodies.digest(one.content) for one in rows],
            "bodies": [bodies.body(one.id, status, now, one.content) for one in rows],
            "totals": dumps_text(totals), "now": now, "by": by,
        },
    )  # fmt: skip
    written = found.all()
    for row in written:
        totals[row.kind] = totals.get(row.kind, 0) + bool(row.new)
    if written:
        await tx.execute(
            "UPDATE oneroster_state SET version = version + 1, totals = CAST(:totals AS jsonb) "
            "WHERE service = :service",
            {"totals": dumps_text(totals), "service": service},
        )
    return len(written)


_MADE = "kind, sourced_id, doc, refs, source_id, class_id, person_id"


async def retire(tx: Transaction, service: str, sources: Sequence[UUID], keep: Sequence[tuple[str, str]]) -> None:
    """Objects made of one of `sources` that are not among `keep` (kind, id) become `tobedeleted`."""
    found = await tx.execute(
        f"SELECT {_MADE} FROM oneroster_objects WHERE status = 'active' AND source_id = ANY(:sources) "
        "AND (kind, sourced_id) NOT IN (SELECT * FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS text[])))",
        {"sources": sources, "kinds": [kind for kind, _ in keep], "ids": [id_ for _, id_ in keep]},
    )
    await _put_gone(tx, service, found)


async def retire_ids(tx: Transaction, service: str, kinds: Sequence[str], ids: Sequence[str]) -> None:
    """These objects become `tobedeleted`, where they are known and active."""
    if not ids:
        return
    found = await tx.execute(
        f"SELECT {_MADE} FROM oneroster_objects WHERE kind = ANY(:kinds) AND sourced_id = ANY(:ids) "
        "AND status = 'active'",
        {"kinds": list(kinds), "ids": list(ids)},
    )
    await _put_gone(tx, service, found)


async def _put_gone(tx: Transaction, service: str, found: Iterable[Any]) -> None:
    gone = [
        Made(
            row.kind, row.sourced_id, bodies.content_of(row.doc), frozenset(row.refs),
            str(row.source_id) if row.source_id else None, row.class_id, row.person_id,
        )
        for row in found
    ]  # fmt: skip
    await put(tx, service, gone, status=bodies.TO_BE_DELETED)


async def homerooms_of(tx: Transaction, people: Iterable[str]) -> list[tuple[str, dict[str, Any], list[str]]]:
    """(pupil, enrolment object, refs) of every time in a homeroom."""
    found = await tx.execute(
        "SELECT person_id, doc, refs FROM oneroster_objects WHERE kind = 'enrollment' AND status = 'active' "
        "AND person_id = ANY(:people) AND refs @> ARRAY['home']",
        {"people": list(people)},
    )
    return [(row.person_id, row.doc, row.refs) for row in found]


async def classes_of(tx: Transaction, people: Iterable[str]) -> list[UUID]:
    """Classes of the register in which one of these is or was."""
    found = await tx.execute(
        "SELECT DISTINCT source_id FROM oneroster_objects WHERE kind = 'enrollment' AND person_id = ANY(:people)",
        {"people": list(people)},
    )
    return [row.source_id for row in found]


async def pupils_in(tx: Transaction, class_ids: Iterable[UUID]) -> list[str]:
    """Who is or was in these homerooms, by the objects made so far."""
    found = await tx.execute(
        "SELECT DISTINCT person_id FROM oneroster_objects WHERE kind = 'enrollment' AND source_id = ANY(:sources) "
        "AND refs @> ARRAY['home']",
        {"sources": list(class_ids)},
    )
    return [row.person_id for row in found]


async def known(tx: Transaction, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Known]:
    """Those of the objects (kind, id) that there are, gone ones included."""
    found = await tx.execute(
        "SELECT kind, sourced_id, status, refs, class_id FROM oneroster_objects WHERE (kind, sourced_id) IN "
        "(SELECT * FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS text[])))",
        {"kinds": [kind for kind, _ in keys], "ids": [id_ for _, id_ in keys]},
    )
    return {
        (row.kind, row.sourced_id): Known(row.status == "active", frozenset(row.refs), row.class_id) for row in found
    }
