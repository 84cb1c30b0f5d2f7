"""What the board decided for a school year: dates of 学期, parts of 通知表, lengths."""

from collections.abc import Sequence

from servicekit.db import Transaction
from sqlalchemy import text

from grades.domain.board_rules import DEFAULT_LIMITS, DEFAULT_USES, BoardRules, Part, Use
from grades.domain.terms import TermDates, default_terms

_RULES = text("""
    SELECT part AS name, use, NULL::boolean AS guidance_record, NULL::int AS max_characters
      FROM board_parts WHERE tenant_id = :tenant AND school_year = :school_year
    UNION ALL
    SELECT column_key, NULL, guidance_record, max_characters
      FROM board_limits WHERE tenant_id = :tenant AND school_year = :school_year
""")


async def rules_of(tx: Transaction, school_year: int) -> BoardRules:
    """The decisions for that year; where there is none, the default."""
    rows = (await tx.execute(_RULES, {"tenant": tx.tenant, "school_year": school_year})).all()
    return BoardRules.of(
        {Part(row.name): Use(row.use) for row in rows if row.use is not None},
        {(row.name, row.guidance_record): row.max_characters for row in rows if row.use is None},
    )


async def lay_defaults(tx: Transaction, school_year: int) -> None:
    """Rows of a school year the board has not decided yet: last year's would be a guess, so the defaults."""
    year = {"tenant": tx.tenant, "school_year": school_year}
    terms = default_terms(school_year)
    await tx.execute(
        text("""
            INSERT INTO board_terms (tenant_id, school_year, term, label, starts_on, ends_on)
            SELECT :tenant, :school_year, t.* FROM unnest(
                CAST(:terms AS text[]), CAST(:labels AS text[]), CAST(:starts AS date[]), CAST(:ends AS date[])) AS t
             WHERE NOT EXISTS (SELECT FROM board_terms WHERE tenant_id = :tenant AND school_year = :school_year)
            ON CONFLICT DO NOTHING"""),
        year
        | {
            "terms": [term.key.value for term in terms],
            "labels": [term.label for term in terms],
            "starts": [term.starts_on for term in terms],
            "ends": [term.ends_on for term in terms],
        },
    )
    await tx.execute(
        text("""
            INSERT INTO board_parts (tenant_id, school_year, part, use)
            SELECT :tenant, :school_year, p.* FROM unnest(CAST(:parts AS text[]), CAST(:uses AS text[])) AS p
            ON CONFLICT DO NOTHING"""),
        year | {"parts": [p.value for p in DEFAULT_USES], "uses": [u.value for u in DEFAULT_USES.values()]},
    )
    await tx.execute(
        text("""
            INSERT INTO board_limits (tenant_id, school_year, column_key, guidance_record, max_characters)
            SELECT :tenant, :school_year, l.* FROM unnest(
                CAST(:keys AS text[]), CAST(:records AS boolean[]), CAST(:most AS int[])) AS l
            ON CONFLICT DO NOTHING"""),
        year
        | {
            "keys": [key for key, _ in DEFAULT_LIMITS],
            "records": [record for _, record in DEFAULT_LIMITS],
            "most": list(DEFAULT_LIMITS.values()),
        },
    )


async def write_terms(tx: Transaction, school_year: int, terms: Sequence[TermDates]) -> None:
    """Names and dates of a laid year; a term that is new is open at every school that has the year."""
    year = {"tenant": tx.tenant, "school_year": school_year, "terms": [term.key.value for term in terms]}
    await tx.execute(
        text("""
            DELETE FROM board_terms WHERE tenant_id = :tenant AND school_year = :school_year
               AND term <> 'year' AND term <> ALL(CAST(:terms AS text[]))"""),
        year,
    )
    await tx.execute(
        text("""
            INSERT INTO board_terms (tenant_id, school_year, term, label, starts_on, ends_on)
            SELECT :tenant, :school_year, t.* FROM unnest(
                CAST(:terms AS text[]), CAST(:labels AS text[]), CAST(:starts AS date[]), CAST(:ends AS date[])) AS t
            ON CONFLICT (tenant_id, school_year, term) DO UPDATE
               SET label = excluded.label, starts_on = excluded.starts_on, ends_on = excluded.ends_on"""),
        year
        | {
            "labels": [term.label for term in terms],
            "starts": [term.starts_on for term in terms],
            "ends": [term.ends_on for term in terms],
        },
    )
    await tx.execute(
        text("""
            INSERT INTO terms (tenant_id, school_id, school_year, term)
            SELECT DISTINCT s.tenant_id, s.school_id, s.school_year, t.term
              FROM terms s CROSS JOIN unnest(CAST(:terms AS text[])) AS t (term)
             WHERE s.tenant_id = :tenant AND s.school_year = :school_year ON CONFLICT DO NOTHING"""),
        year,
    )


async def write_rules(tx: Transaction, school_year: int, rules: BoardRules) -> None:
    """Parts and lengths of a laid year."""
    year = {"tenant": tx.tenant, "school_year": school_year}
    await tx.execute(
        text("""
            UPDATE board_parts b SET use = p.use
              FROM unnest(CAST(:parts AS text[]), CAST(:uses AS text[])) AS p (part, use)
             WHERE b.tenant_id = :tenant AND b.school_year = :school_year AND b.part = p.part"""),
        year | {"parts": [part.value for part, _ in rules.uses], "uses": [use.value for _, use in rules.uses]},
    )
    await tx.execute(
        text("""
            UPDATE board_limits b SET max_characters = l.most
              FROM unnest(CAST(:keys AS text[]), CAST(:records AS boolean[]), CAST(:most AS int[]))
                   AS l (key, record, most)
             WHERE b.tenant_id = :tenant AND b.school_year = :school_year
               AND b.column_key = l.key AND b.guidance_record = l.record"""),
        year
        | {
            "keys": [key for (key, _), _ in rules.limits],
            "records": [record for (_, record), _ in rules.limits],
            "most": [most for _, most in rules.limits],
        },
    )
