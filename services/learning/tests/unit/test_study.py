"""What statements of MEXCBT and of the Japanese assessment profile say about learning."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from learning.domain.study import ANSWERED, COMPLETED, PREFIXES, Band, Result, band_of, latest, mean, result_of

NOW = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
PUPIL = uuid4()
EXTENSIONS = {
    PREFIXES[0] + "unit": ["分数"],
    PREFIXES[0] + "subject": ["算数"],
    PREFIXES[0] + "course-of-study-code": ["8250233161100000", "too short"],
    PREFIXES[0] + "purpose-of-question": ["知識・技能"],
}


def a_statement(verb: str = ANSWERED, kind: str = "cmi.interaction", **result: Any) -> dict[str, Any]:
    return {
        "actor": {"account": {"homePage": "https://portal.example", "name": str(PUPIL)}},
        "verb": {"id": verb},
        "object": {
            "id": "https://mexcbt.example/items/1",
            "definition": {
                "type": f"http://adlnet.gov/expapi/activities/{kind}",
                "name": {"ja-JP": "問1"},
                "extensions": EXTENSIONS,
            },
        },
        "result": result,
        "timestamp": "2026-11-20T09:00:00+09:00",
    }


def read(statement: dict[str, Any]) -> Result | None:
    return result_of(uuid4(), statement, NOW)


def test_a_type_1_item_is_one_result_with_what_it_is_about():
    one = read(a_statement(score={"scaled": 0.75, "raw": 3, "max": 4}, duration="PT1M30.5S"))
    assert one is not None
    assert (one.pupil_id, one.whole, one.name, one.scaled, one.duration_s) == (PUPIL, False, "問1", 0.75, 90)
    assert (one.unit, one.subject, one.codes, one.purposes) == (
        "分数", "算数", ("8250233161100000",), ("知識・技能",),
    )  # fmt: skip
    assert one.at == datetime(2026, 11, 20, 0, 0, tzinfo=UTC)


def test_a_type_2_item_is_counted_once():
    """Its score stands in the `question` statement; the interactions of it carry none."""
    item = a_statement(kind="question", score={"scaled": 1})
    interactions = [a_statement(response="ア"), a_statement(response="イ")]
    assert [one is not None for one in map(read, [item, *interactions])] == [True, False, False]


@pytest.mark.parametrize(
    ("score", "scaled"),
    [
        ({"raw": 6, "max": 8}, 0.75),
        ({"raw": 6, "min": 4, "max": 8}, 0.5),
        ({"scaled": -0.5}, 0.0),
        ({"raw": 3}, None),
        ({"raw": 0, "max": 0}, None),
        ({"scaled": "1"}, None),
    ],
)
def test_how_well(score: dict[str, Any], scaled: float | None):
    one = read(a_statement(score=score))
    assert (one.scaled if one else None) == scaled


def test_a_finished_test_is_a_whole_and_other_verbs_say_nothing():
    one = read(a_statement(COMPLETED, "assessment", score={"scaled": 0.9}))
    assert one is not None
    assert one.whole
    assert read(a_statement("http://id.tincanapi.com/verb/viewed", score={"scaled": 1})) is None


def test_who_is_no_person_of_the_register_is_nobody():
    nobody = a_statement(score={"scaled": 1}) | {"actor": {"mbox": "mailto:a@b.example"}}
    assert read(nobody) is None
    assert read({"verb": {"id": ANSWERED}, "result": "x", "actor": None, "object": []}) is None


def test_the_last_try_counts_for_each_child():
    first = read(a_statement(score={"scaled": 0.2}))
    assert first is not None
    again = replace(first, statement_id=uuid4(), scaled=1.0, at=NOW)
    other = replace(first, statement_id=uuid4(), pupil_id=uuid4())
    assert set(latest([again, other, first])) == {again, other}


def test_bands():
    assert [band_of(one) for one in (1.0, 0.8, 0.79, 0.5, 0.49, None)] == [
        Band.REACHED, Band.REACHED, Band.ALMOST, Band.ALMOST, Band.NOT_YET, Band.NOTHING,
    ]  # fmt: skip
    assert band_of(mean([0.9, 1.0, 0.5])) is Band.REACHED
    assert mean([]) is None
