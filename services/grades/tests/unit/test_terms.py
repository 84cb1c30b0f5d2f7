"""学期: closing, reopening, and what a locked term says."""

import itertools
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from grades.domain.terms import Term, TermKey, TermState, default_terms, why_not_close, why_not_reopen

SECOND = default_terms(2026)[1]
OPEN = Term(SECOND)
CLOSED = Term(SECOND, TermState.CLOSED, 1, uuid4(), datetime(2026, 12, 23, 15, 30, tzinfo=UTC))


@pytest.mark.parametrize("school_year", [2023, 2026, 2027])
def test_the_three_terms_cover_the_school_year_without_gap_or_overlap(school_year: int) -> None:
    *terms, year = default_terms(school_year)
    assert (terms[0].starts_on, terms[-1].ends_on) == (year.starts_on, year.ends_on)
    assert (year.starts_on, year.ends_on) == (date(school_year, 4, 1), date(school_year + 1, 3, 31))
    for before, after in itertools.pairwise(terms):
        assert after.starts_on - before.ends_on == timedelta(days=1)
    assert year.key is TermKey.YEAR


def test_a_closed_term_says_why_since_when_and_who_can_reopen_it_in_japanese_time() -> None:
    assert CLOSED.why_locked() == "2026-12-24に校長が締めました。再開できるのは校長です。"
    assert OPEN.why_locked() == ""


def test_closing_with_gaps_needs_a_yes_and_a_reason() -> None:
    assert why_not_close(OPEN, missing=0, accept_missing=False, reason="") is None
    refused = why_not_close(OPEN, missing=3, accept_missing=False, reason="")
    assert refused is not None
    assert "3件" in refused.message
    refused = why_not_close(OPEN, missing=3, accept_missing=True, reason="　")
    assert refused is not None
    assert refused.field == "reason"
    assert why_not_close(OPEN, missing=3, accept_missing=True, reason="長期欠席のため評価できない") is None
    assert why_not_close(CLOSED, missing=0, accept_missing=False, reason="") is not None


def test_reopening_needs_a_reason() -> None:
    assert why_not_reopen(CLOSED, reason="評定の誤りが見つかった") is None
    assert why_not_reopen(CLOSED, reason="") is not None
    assert why_not_reopen(OPEN, reason="誤り") is not None
