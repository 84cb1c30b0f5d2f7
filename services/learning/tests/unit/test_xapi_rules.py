"""What a statement may be: cases of the standard's text and of the ADL conformance suite, by rule."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from learning.domain.xapi import Wrong
from learning.domain.xapi.activities import merged
from learning.domain.xapi.attachments import joined, split
from learning.domain.xapi.formats import instant_of, is_duration, is_iri, is_language, is_mbox, is_media_type
from learning.domain.xapi.reading import read_json
from learning.domain.xapi.same import same
from learning.domain.xapi.showing import ids_only, languages_of, older, one_language
from learning.domain.xapi.statements import check

AGENT = {"objectType": "Agent", "name": "x", "mbox": "mailto:a@b.example"}
GROUP = {"objectType": "Group", "member": [AGENT, {"openid": "http://o.example/1"}]}
VERB = {"id": "http://adlnet.gov/expapi/verbs/answered", "display": {"en-US": "answered", "ja-JP": "解答した"}}
ACTIVITY = {"objectType": "Activity", "id": "http://e.example/a", "definition": {"name": {"en": "a"}}}
REF = {"objectType": "StatementRef", "id": "AA97B177-9383-4934-8543-0F91A7A02836"}
ATTACHMENT = {
    "usageType": "http://e.example/u", "display": {"en": "d"}, "contentType": "text/plain; charset=ascii", "length": 27,
    "sha2": "495395e777cd98da653df9615d09c0fd6bb2f8d4788394cd53c56a3bfdcd848a", "fileUrl": "http://e.example/f",
}  # fmt: skip
SUB = {"objectType": "SubStatement", "actor": AGENT, "verb": VERB, "object": ACTIVITY}
CHOICES = [{"id": "a", "description": {"en": "A"}}]
CHOICE = {"interactionType": "choice", "choices": CHOICES, "correctResponsesPattern": ["a"]}
WHOLE: dict[str, Any] = {
    "id": "aa97b177-9383-4934-8543-0f91a7a02836", "actor": AGENT, "verb": VERB, "object": ACTIVITY,
    "result": {
        "score": {"scaled": 0.5, "raw": 5, "min": 0, "max": 10}, "success": True, "completion": False, "response": "",
        "duration": "PT4H35M59.14S", "extensions": {"http://e.example/x": None},
    },
    "context": {
        "registration": "aa97b177-9383-4934-8543-0f91a7a02836", "instructor": AGENT, "team": GROUP, "revision": "1",
        "contextActivities": {"parent": ACTIVITY, "category": [ACTIVITY]}, "platform": "p", "language": "ja-JP",
        "statement": REF, "extensions": {},
    },
    "timestamp": "2013-05-18T05:32:34.804+09:00", "stored": "2013-05-18T05:32:34Z", "version": "1.0.9",
    "authority": {"objectType": "Group", "member": [AGENT, AGENT]}, "attachments": [ATTACHMENT],
}  # fmt: skip


def put(path: str, value: Any) -> dict[str, Any]:
    """WHOLE with `value` at the dotted `path`."""
    statement = copy.deepcopy(WHOLE)
    *way, last = path.split(".")
    place: Any = statement
    for name in way:
        place = place[int(name)] if name.isdigit() else place[name]
    place[int(last) if last.isdigit() else last] = value
    return statement


@pytest.mark.parametrize("what", [ACTIVITY, AGENT, GROUP, REF, SUB, {"id": "urn:x:y", "definition": CHOICE}])
def test_what_may_be_an_object(what: dict[str, Any]):
    statement = put("object", what)
    if (what not in (ACTIVITY,) and "id" not in what) or what is REF:
        del statement["context"]
    check(statement, 1)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("actor.name", None), ("actor", {}), ("actor.Mbox", "mailto:a@b.example"), ("actor.objectType", "agent"),
        ("actor.mbox", "a@b.example"), ("actor.mbox", "mailto:a"), ("actor.mbox", "MAILTO:a@b.example"),
        ("actor.openid", "http://o.example/1"), ("actor", {"openid": "o.example"}), ("actor", {"mbox_sha1sum": "12"}),
        ("actor", {"account": {"homePage": "http://a.example"}}),
        ("actor", {"account": {"homePage": "a", "name": "b"}}),
        ("actor", {"account": {"homePage": "http://a.example", "name": 1}}), ("actor", {"objectType": "Group"}),
        ("actor", {"objectType": "Group", "member": [GROUP]}), ("actor", {"objectType": "Group", "member": AGENT}),
        ("actor", {"member": [AGENT]}), ("actor", "x"), ("actor", []),
        ("verb", {}), ("verb.id", "ab=c://should.fail.com"), ("verb.id", ""), ("verb.display", {}),
        ("verb.display", {"a12345": "x"}), ("verb.display", {"de-419-DE": "x"}), ("verb.display", {"en": 1}),
        ("verb.name", "x"), ("object", {}), ("object.id", "no scheme"), ("object.objectType", "activity"),
        ("object.definition", "x"), ("object.definition.type", "x"), ("object.definition.moreInfo", "x"),
        ("object.definition.extensions", {"x": 1}), ("object.definition.interactionType", "Choice"),
        ("object.definition.choices", [{"id": "a"}]), ("object.definition", {**CHOICE, "scale": [{"id": "a"}]}),
        ("object.definition", {**CHOICE, "choices": [{"id": "a"}, {"id": "a"}]}), ("object.definition.foo", 1),
        ("object.definition", {**CHOICE, "correctResponsesPattern": "a"}),
        ("object.definition", {**CHOICE, "choices": [{"id": "a", "extensions": {}}]}),
        ("object", {**SUB, "object": SUB}), ("object", {**SUB, "id": WHOLE["id"]}),
        ("object", {**SUB, "version": "1.0.0"}),
        ("object", {"objectType": "StatementRef", "id": "x"}), ("object", {**REF, "definition": {}}),
        ("result.score.scaled", 1.01), ("result.score.scaled", "0.5"), ("result.score.scaled", True),
        ("result.score.raw", 11), ("result.score.raw", -1), ("result.score.min", 10), ("result.score.foo", 1),
        ("result.success", "true"), ("result.completion", 1), ("result.response", 1), ("result.duration", "P4W1D"),
        ("result.extensions", {"x": 1}), ("result", None), ("result", []),
        ("context.registration", "x"), ("context.instructor", ACTIVITY), ("context.team", AGENT),
        ("context.contextActivities.foo", ACTIVITY), ("context.contextActivities.other", "x"),
        ("context.contextActivities.parent", [{}]), ("context.language", "a12345"), ("context.statement", ACTIVITY),
        ("context.contextAgents", []), ("context.foo", 1), ("context.platform", 1), ("context.revision", None),
        ("timestamp", "2013-05-18"), ("timestamp", "01/011/2015"), ("timestamp", "2008-09-15T15:53:00.601-00:00"),
        ("timestamp", "2008-09-15T15:53:00.601-0000"), ("timestamp", "2008-09-15T15:53:00.601-00"), ("timestamp", 1),
        ("timestamp", "2013-02-30T00:00:00Z"), ("stored", "x"), ("version", "1.1.0"), ("version", "2.0.0"),
        ("version", "0.9"), ("version", 1), ("authority", {"objectType": "Group", "member": [AGENT]}),
        ("authority", {**GROUP, "mbox": "mailto:a@b.example"}), ("authority", ACTIVITY), ("id", "x"), ("id", 12345),
        ("id", "AA97B177-9383-4934-8543-0F91A7A028368"), ("id", "MA97B177-9383-4934-8543-0F91A7A02836"),
        ("attachments", ATTACHMENT), ("attachments.0.length", "27"), ("attachments.0.length", True),
        ("attachments.0.sha2", "x"), ("attachments.0.usageType", "x"), ("attachments.0.contentType", "text"),
        ("attachments.0.display", {}), ("attachments.0.fileUrl", "x"), ("attachments.0.foo", 1), ("foo", 1),
        ("Actor", 1),
    ],
)  # fmt: skip
def test_what_is_refused(path: str, value: Any):
    with pytest.raises(Wrong) as refused:
        check(put(path, value), 1)
    assert refused.value.message.startswith("$")


def test_a_whole_statement_is_taken_and_its_terms_found():
    terms = check(copy.deepcopy(WHOLE), 1)
    assert terms.actor in terms.related_agents  # the instructor is the same person
    assert len(terms.related_agents) == 3
    assert len(terms.related_activities) == 2
    assert terms.registration == WHOLE["id"]


@pytest.mark.parametrize("name", ["actor", "verb", "object"])
def test_what_must_be_there(name: str):
    with pytest.raises(Wrong, match=rf"\$\.{name}"):
        check({key: value for key, value in WHOLE.items() if key != name}, 1)


def test_context_of_what_is_no_activity_has_no_platform():
    with pytest.raises(Wrong, match="platform"):
        check({**WHOLE, "object": AGENT, "context": {"platform": "x"}}, 1)


@pytest.mark.parametrize(
    "value",
    [
        {"agent": AGENT}, {"objectType": "contextAgent"}, {"objectType": "ContextAgent", "agent": AGENT},
        {"objectType": "contextAgent", "agent": AGENT, "relevantTypes": []},
        {"objectType": "contextAgent", "agent": AGENT, "relevantTypes": ["abc"]},
    ],
)  # fmt: skip
def test_context_agents_of_2_0(value: dict[str, Any]):
    good = {"objectType": "contextAgent", "agent": AGENT, "relevantTypes": ["http://e.example/t"]}
    check({**WHOLE, "context": {"contextAgents": [good]}}, 2)
    with pytest.raises(Wrong):
        check({**WHOLE, "context": {"contextAgents": [value]}}, 2)


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("2013-05-18T05:32:34Z", True, True), ("2013-05-18T05:32:34.123456789+09:00", True, True),
        ("2013-05-18 05:32:34+00:00", False, True), ("20130518T053234Z", True, False),
        ("2013-05-18T05:32:34", True, False),
        ("2013-05-18T05:32Z", True, False), ("2013-05-18T05:32:34+09", True, False),
        ("2013-05-18T24:32:34Z", False, False),
        ("2016-12-31T23:59:60Z", True, True), ("2013-05-18T05:32:34+24:00", False, False), ("", False, False),
        ("0001-01-01T00:00:00+09:00", False, False), ("２013-05-18T05:32:34Z", False, False),
    ],
)  # fmt: skip
def test_timestamps_of_both_versions(text: str, first: bool, second: bool):
    assert (instant_of(text, 1) is not None, instant_of(text, 2) is not None) == (first, second)


@pytest.mark.parametrize(
    ("check_it", "good", "bad"),
    [
        (is_duration, ["P3Y", "P4W", "PT16559.14S", "P1Y2M3DT4H5M6.7S", "PT0S", "P0D"],
         ["P", "PT", "P1H", "PA1H", "1D", "P1.5DT2H"]),
        (is_iri, ["http://a.example/ｘ?é#1", "urn:uuid:1", "mailto:a@b", "http://[::1]/", "tag:a.example,2026:x"],
         ["a", "http://", "x:", "http://a b", "http://a/%zz", "1a:b", "http://a/<", "http://a/\n", "//a"]),
        (is_language, ["ja", "en-US", "zh-Hant-TW", "sl-rozaj-biske", "x-klingon", "i-lux", "de-CH-1996", "und"],
         ["", "e", "en_US", "a12345", "de-419-DE", "en-", "abcdefghi", "日本"]),
        (is_mbox, ["mailto:a.b+c@d.example"], ["mailto:", "mailto:a b@c", "mailto:a@b,c@d", "mailto:a@b\n"]),
        (is_media_type, ["text/plain", 'text/plain; charset="utf-8"', "application/vnd.x+json"],
         ["text", "text/", "a/b;", ""]),
    ],
)  # fmt: skip
def test_formats(check_it: Any, good: list[str], bad: list[str]):
    assert [text for text in good if not check_it(text)] == []
    assert [text for text in bad if check_it(text)] == []


@pytest.mark.parametrize(
    "raw",
    [b'{"a":1,"a":2}', b'{"a" : 1,"a":2}', b'{"a":1,"\\u0061":2}', b'{"x":[{"b":1,"b":"\\":"}]}',
     b'{"a":"\\u0022:","a":1}'],
)  # fmt: skip
def test_a_name_twice_is_found_however_it_is_written(raw: bytes):
    with pytest.raises(Wrong, match="twice"):
        read_json(raw)


@given(st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20,
))  # fmt: skip
def test_json_without_repeated_names_is_read(value: Any):
    import json

    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        assert read_json(text.encode("utf-8", "surrogatepass")) == value


def test_the_same_statement_in_other_words_is_the_same():
    other = copy.deepcopy(WHOLE)
    other["verb"]["display"] = {"fr": "répondu"}
    other["object"]["definition"] = {}
    other["timestamp"] = "2013-05-17T20:32:34.804Z"
    other["context"]["team"]["member"].reverse()
    del other["authority"], other["stored"]
    assert same(WHOLE, other)
    later = ("timestamp", "2013-05-17T20:32:35Z")
    for path, value in (("result.duration", "PT4H35M59.140S"), ("actor.name", "y"), later):
        assert not same(WHOLE, put(path, value))


def test_definitions_grow():
    known = {"name": {"en": "a"}, "type": "http://e.example/1"}
    assert merged(known, {"name": {"ja": "あ"}}) == {"name": {"en": "a", "ja": "あ"}, "type": "http://e.example/1"}
    assert "choices" not in merged(CHOICE, {"interactionType": "other"})


def test_languages_are_chosen_by_wish():
    assert languages_of("en;q=0.5, ja, *;q=0.1, fr;q=0, x;q=y") == ["ja", "en"]
    assert one_language({"en-US": "1", "ja": "2"}, ["ja-jp"]) == {"ja": "2"}
    assert one_language({"fr": "1", "en-GB": "2"}, ["en"]) == {"en-GB": "2"}
    assert one_language({"fr": "1", "en": "2"}, ["de"]) == {"fr": "1"}


def test_shapes_leave_the_original_alone():
    kept = copy.deepcopy(WHOLE)
    check(kept, 1)
    before = copy.deepcopy(kept)
    assert ids_only(kept)["actor"] == {"objectType": "Agent", "mbox": "mailto:a@b.example"}
    assert older({**kept, "version": "2.0.0"})["version"] == "1.0.3"
    assert before == kept


@given(st.binary(max_size=300))
def test_attachments_survive_the_way(content: bytes):
    import hashlib

    digest = hashlib.sha256(content).hexdigest()
    statement = {"object": {}, "attachments": [{"sha2": digest, "contentType": "text/plain"}]}
    body = joined(b"{}", [statement], {digest: content})
    if b"komu-xapi" not in content:
        assert split('multipart/mixed; boundary="komu-xapi-4f1d9c7e0b6a"', body) == (b"{}", {digest: content})
