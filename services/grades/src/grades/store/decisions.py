"""The board's decisions with what stood before each, and writing what they say."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import text

from grades.domain.board_rules import BoardRules, Part, Use
from grades.domain.decisions import TERM_KEYS
from grades.domain.terms import TermDates, TermKey, default_terms
from grades.store import board

Content = tuple[TermDates, ...] | BoardRules


class Topic(StrEnum):
    """What is decided on its own, with a version of its own."""

    TERMS = "terms"
    REPORT_CARD = "report_card"


class Kind(StrEnum):
    """How a decision came about."""

    CHANGED = "changed"
    COPIED = "copied"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision as it was made: what stood before and what since."""

    version: int
    kind: Kind
    before: Content
    after: Content
    decided_by: UUID
    decided_at: datetime


async def terms_of(tx: Transaction, school_year: int) -> tuple[TermDates, ...]:
    """学期 of that year in order, without 学年末; where the year is not laid yet, the defaults."""
    rows = await tx.execute(
        text("""
            SELECT term, label, starts_on, ends_on FROM board_terms
             WHERE tenant_id = :tenant AND school_year = :school_year AND term <> 'year' ORDER BY term"""),
        {"tenant": tx.tenant, "school_year": school_year},
    )
    laid = tuple(TermDates(TermKey(row.term), row.label, row.starts_on, row.ends_on) for row in rows)
    return laid or tuple(term for term in default_terms(school_year) if term.key in TERM_KEYS)


async def content(tx: Transaction, topic: Topic, school_year: int) -> Content:
    """What holds in that year."""
    return await (terms_of if topic is Topic.TERMS else board.rules_of)(tx, school_year)


async def closed_terms(tx: Transaction, school_year: int, *, hold: bool) -> Mapping[TermKey, Sequence[str]]:
    """Names of the schools that have closed a term. `hold`: no school closes or reopens until the transaction ends."""
    rows = await tx.execute(
        text(f"""
            SELECT t.term, coalesce(s.name, '') AS name, t.state FROM terms t
              LEFT JOIN schools s ON s.tenant_id = t.tenant_id AND s.school_id = t.school_id
             WHERE t.tenant_id = :tenant AND t.school_year = :school_year
             ORDER BY t.school_id, t.term {"FOR UPDATE OF t" if hold else ""}"""),  # noqa: S608
        {"tenant": tx.tenant, "school_year": school_year},
    )
    found: dict[TermKey, list[str]] = {}
    for row in rows:
        if row.state == "closed":
            found.setdefault(TermKey(row.term), []).append(row.name)
    return {key: sorted(names) for key, names in found.items()}


async def entered_terms(tx: Transaction, school_year: int, terms: Sequence[TermKey]) -> frozenset[TermKey]:
    """Which of `terms` have a filled cell anywhere in the board's year."""
    rows = await tx.execute(
        text("""
            SELECT k.term FROM unnest(CAST(:terms AS text[])) AS k (term)
             WHERE EXISTS (SELECT FROM cells c WHERE c.tenant_id = :tenant AND c.school_year = :school_year
                              AND c.term = k.term AND c.value <> '')"""),
        {"tenant": tx.tenant, "school_year": school_year, "terms": [term.value for term in terms]},
    )
    return frozenset(TermKey(row.term) for row in rows)


async def last(tx: Transaction, topic: Topic, school_year: int) -> Decision | None:
    """The newest decision, or None where nothing was decided."""
    found = await tx.execute(
        text("""
            SELECT version, kind, before, after, decided_by, decided_at FROM board_decisions
             WHERE tenant_id = :tenant AND topic = :topic AND school_year = :school_year
             ORDER BY version DESC LIMIT 1"""),
        {"tenant": tx.tenant, "topic": topic.value, "school_year": school_year},
    )
    row = found.one_or_none()
    if row is None:
        return None
    before, after = (_content(topic, side) for side in (row.before, row.after))
    return Decision(row.version, Kind(row.kind), before, after, row.decided_by, row.decided_at)


async def decide(tx: Transaction, topic: Topic, school_year: int, decision: Decision) -> bool:
    """Write a decision as version `decision.version`; False when that version is there already."""
    kept = await tx.execute(
        text("""
            INSERT INTO board_decisions (tenant_id, topic, school_year, version, kind, before, after, decided_by,
                                         decided_at)
            VALUES (:tenant, :topic, :school_year, :version, :kind, CAST(:before AS jsonb), CAST(:after AS jsonb),
                    :decided_by, :decided_at)
            ON CONFLICT DO NOTHING RETURNING version"""),
        {
            "tenant": tx.tenant,
            "topic": topic.value,
            "school_year": school_year,
            "version": decision.version,
            "kind": decision.kind.value,
            "before": _json(decision.before),
            "after": _json(decision.after),
            "decided_by": decision.decided_by,
            "decided_at": decision.decided_at,
        },
    )
    if kept.one_or_none() is None:
        return False
    await board.lay_defaults(tx, school_year)
    if isinstance(decision.after, BoardRules):
        await board.write_rules(tx, school_year, decision.after)
    else:
        await board.write_terms(tx, school_year, decision.after)
    return True


def _json(side: Content) -> str:
    plain: Any
    if isinstance(side, BoardRules):
        plain = {"uses": side.uses, "limits": [[*column, most] for column, most in side.limits]}
    else:
        plain = [[term.key, term.label, term.starts_on.isoformat(), term.ends_on.isoformat()] for term in side]
    return json.dumps(plain, ensure_ascii=False)


def _content(topic: Topic, side: Any) -> Content:
    plain = json.loads(side) if isinstance(side, str) else side
    if topic is Topic.REPORT_CARD:
        limits = {(column, record): most for column, record, most in plain["limits"]}
        return BoardRules.of({Part(part): Use(use) for part, use in plain["uses"]}, limits)
    return tuple(
        TermDates(TermKey(key), label, date.fromisoformat(starts_on), date.fromisoformat(ends_on))
        for key, label, starts_on, ends_on in plain
    )
