"""What is remembered of earlier statements changes no answer."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from learning.domain.xapi import remembered
from learning.domain.xapi.reading import read_json
from learning.domain.xapi.remembered import Remembered
from learning.domain.xapi.statements import check
from learning.domain.xapi.wrong import Wrong


def about(definition: dict[str, Any], **context_activities: Any) -> dict[str, Any]:
    return {
        "id": "00000000-0000-4000-8000-000000000001",
        "actor": {"account": {"homePage": "https://portal.example", "name": "1"}},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/answered"},
        "object": {"id": "https://drill.example/q1", "definition": definition},
        "context": {"contextActivities": context_activities},
    }


@pytest.mark.parametrize(
    "context_activities",
    [
        {"grouping": [{"id": "https://drill.example/u1"}], "category": [{"id": "https://drill.example/c"}]},
        {"grouping": {"id": "https://drill.example/u2"}},
        {"parent": [{"id": "https://drill.example/u3", "definition": {"name": {"ja": "単元"}}}]},
    ],
)
def test_the_second_of_the_same_is_found_by_the_same_and_looks_the_same(context_activities: dict[str, Any]):
    sent = about({"name": {"ja": "問1"}}, **context_activities)
    first, second = deepcopy(sent), deepcopy(sent)
    assert check(first, 1) == check(second, 1)
    assert first == second
    assert all(type(one) is list for one in second["context"]["contextActivities"].values())


def test_what_is_wrong_is_wrong_each_time_and_where_it_is():
    for _ in range(2):
        with pytest.raises(Wrong, match=r"^\$\.object\.definition\.name: '日本語'"):
            check(about({"name": {"日本語": "問1"}}), 1)
        with pytest.raises(Wrong, match=r"^\$\[3\]\.context\.contextActivities\.other\[0\]\.id"):
            check(about({}, other=[{"id": "no IRI"}]), 1, "$[3]")


def test_no_more_is_kept_than_fits(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(remembered, "_MOST", 2)
    kept: Remembered[bool] = Remembered()
    values: list[Any] = [{"a": number} for number in range(3)]
    for value in (*values, "長" * 1000):
        raw, known = kept.get(value)
        assert known is None
        kept.put(raw, True)
    assert [kept.get(value)[1] for value in (*values, "長" * 1000)] == [None, None, True, None]


@pytest.mark.parametrize("colon", [b" :", b"\t:", b"\n:", b"\r:", b" \n :"])
def test_a_name_twice_is_found_behind_any_white_space(colon: bytes):
    with pytest.raises(Wrong, match="twice"):
        read_json(b'{"a"' + colon + b'1,"a":2}')


@pytest.mark.parametrize("sign", [b"\\u0022:", b'\\"\\u003a', b'\\"\\u003A'])
def test_a_name_twice_is_found_beside_any_escape(sign: bytes):
    with pytest.raises(Wrong, match="twice"):
        read_json(b'{"a":"' + sign + b'","a":"' + sign + b'","b":0}')
