"""学期 of a school: the board's dates with the school's state and its history."""

from collections.abc import Sequence
from uuid import UUID

from servicekit.db import Transaction
from servicekit.errors import Unseen
from sqlalchemy import Row, text

from grades.domain.terms import Term, TermChange, TermDates, TermKey, TermState

_COLUMNS = "b.term, b.label, b.starts_on, b.ends_on, s.state, s.version, s.changed_by, s.changed_at"
_FROM = """
      FROM board_terms b
      LEFT JOIN terms s ON s.tenant_id = b.tenant_id AND s.school_year = b.school_year AND s.term = b.term
                       AND s.school_id = :school_id
     WHERE b.tenant_id = :tenant AND b.school_year = :school_year"""


def _term(row: Row[tuple[object, ...]]) -> Term:
    dates = TermDates(TermKey(row.term), row.label, row.starts_on, row.ends_on)
    if row.state is None:
        return Term(dates)
    return Term(dates, TermState(row.state), row.version, row.changed_by, row.changed_at)


async def of_school(tx: Transaction, school_id: UUID, school_year: int) -> Sequence[Term]:
    """Every 学期 of the year, in order; empty where the board has no such year."""
    statement = text(f"SELECT {_COLUMNS} {_FROM} ORDER BY b.term")
    params = {"tenant": tx.tenant, "school_id": school_id, "school_year": school_year}
    return [_term(row) for row in await tx.execute(statement, params)]


async def one(tx: Transaction, school_id: UUID, school_year: int, key: TermKey) -> Term:
    """Raises: Unseen."""
    statement = text(f"SELECT {_COLUMNS} {_FROM} AND b.term = :term")
    params = {"tenant": tx.tenant, "school_id": school_id, "school_year": school_year, "term": key.value}
    row = (await tx.execute(statement, params)).one_or_none()
    if row is None:
        raise Unseen("この学期は見つかりません。")
    return _term(row)


async def hold(tx: Transaction, school_id: UUID, school_year: int, key: TermKey, *, for_closing: bool) -> None:
    """Keep the state still until the transaction ends: many may save at once, closing waits for them all."""
    params = {"tenant": tx.tenant, "school_id": school_id, "school_year": school_year, "term": key.value}
    await tx.execute(
        text("""
            INSERT INTO terms (tenant_id, school_id, school_year, term)
            VALUES (:tenant, :school_id, :school_year, :term) ON CONFLICT DO NOTHING"""),
        params,
    )
    lock = "FOR UPDATE" if for_closing else "FOR SHARE"
    await tx.execute(
        text(
            "SELECT FROM terms WHERE tenant_id = :tenant AND school_id = :school_id"
            f" AND school_year = :school_year AND term = :term {lock}"
        ),
        params,
    )


async def change(
    tx: Transaction, school_id: UUID, school_year: int, term: Term, state: TermState, *, actor_id: UUID, reason: str
) -> Term:
    """Write the new state on top of `term`'s version (which the caller holds) and keep the step in the history."""
    changed = Term(term.dates, state, term.version + 1, actor_id, tx.now)
    params = {
        "tenant": tx.tenant,
        "school_id": school_id,
        "school_year": school_year,
        "term": term.key.value,
        "state": state.value,
        "version": changed.version,
        "actor_id": actor_id,
        "at": tx.now,
        "reason": reason,
    }
    await tx.execute(
        text("""
            UPDATE terms SET state = :state, version = :version, changed_by = :actor_id, changed_at = :at
             WHERE tenant_id = :tenant AND school_id = :school_id AND school_year = :school_year AND term = :term"""),
        params,
    )
    await tx.execute(
        text("""
            INSERT INTO term_changes (tenant_id, school_id, school_year, term, version, state, reason, actor_id, at)
            VALUES (:tenant, :school_id, :school_year, :term, :version, :state, :reason, :actor_id, :at)"""),
        params,
    )
    return changed


async def history(tx: Transaction, school_id: UUID, school_year: int, key: TermKey) -> Sequence[TermChange]:
    """Closings and reopenings, newest first."""
    statement = text("""
        SELECT at, actor_id, state, reason FROM term_changes
         WHERE tenant_id = :tenant AND school_id = :school_id AND school_year = :school_year AND term = :term
         ORDER BY version DESC""")
    params = {"tenant": tx.tenant, "school_id": school_id, "school_year": school_year, "term": key.value}
    return [
        TermChange(row.at, row.actor_id, TermState(row.state), row.reason)
        for row in await tx.execute(statement, params)
    ]
