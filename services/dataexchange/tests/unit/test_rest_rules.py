"""Questions, links, paths and scopes of OneRoster REST: pure rules."""

import re
from uuid import UUID

import pytest
from dataexchange.domain import partners
from dataexchange.domain.rest import answers, openapi, query, routes, scopes, written
from dataexchange.domain.rest.answers import Declined
from dataexchange.domain.rest.schemas import path_of


def relations(link: str) -> dict[str, str]:
    return {to: re.search(r"offset=(\d+)", url)[1] for url, to in re.findall(r'<([^>]+)>; rel="(\w+)"', link)}


@pytest.mark.parametrize(
    ("offset", "total", "expected"),
    [
        (0, 0, {"first": "0", "last": "0"}), (0, 10, {"first": "0", "last": "0"}),
        (0, 11, {"next": "10", "first": "0", "last": "10"}), (10, 20, {"prev": "0", "first": "0", "last": "10"}),
        (5, 25, {"next": "15", "prev": "0", "first": "0", "last": "20"}),
        (500, 25, {"prev": "20", "first": "0", "last": "20"}),
    ],
)  # fmt: skip
def test_links_lead_to_pages_that_there_are(offset: int, total: int, expected: dict[str, str]):
    link = answers.links("https://x/users", {"filter": "a='b' AND c~'é'"}, 10, offset, total)
    assert relations(link) == expected
    assert link.isascii()


def test_a_host_that_cannot_be_one_is_not_told_back():
    assert answers.origin("https", "exchange.test:8443") == "https://exchange.test:8443"
    assert answers.origin("https", 'x>; rel="next", <evil') == ""


@pytest.mark.parametrize(
    ("text", "clauses", "any_of"),
    [
        ("status='active'", [("status", "=", "active")], False),
        ("familyName = 'オ''ニール'", [("familyName", "=", "オ'ニール")], False),
        ("status='a AND b' and givenName~'x'", [("status", "=", "a AND b"), ("givenName", "~", "x")], False),
        ("roles.role!='x' OR grades>='P3'", [("roles.role", "!=", "x"), ("grades", ">=", "P3")], True),
        ("status=''", [("status", "=", "")], False),
    ],
)  # fmt: skip
def test_filters_are_read(text: str, clauses: list[tuple[str, str, str]], any_of: bool):
    found = query.parse("user", {"filter": text})
    assert [(".".join(one.path), one.operator, one.value) for one in found.clauses] == clauses
    assert found.any_of is any_of


@pytest.mark.parametrize("text", ["status", "status='a", "='a'", "status='a' XOR status='b'", "status='a' AND", "''"])
def test_what_is_no_filter_is_declined(text: str):
    with pytest.raises(Declined):
        query.parse("user", {"filter": text})


@pytest.mark.parametrize("text", ["2026-04-01", "2026-04-01T00:00:00.000Z", "2026-04-01T09:00:00+09:00",
                                  "2026-04-01T09:00:00 09:00"])  # fmt: skip
def test_an_instant_in_the_forms_partners_send(text: str):
    clause = query.parse("user", {"filter": f"dateLastModified>'{text}'"}).clauses[0]
    assert clause.at is not None
    assert clause.at.isoformat() in ("2026-04-01T00:00:00+00:00", "2026-04-01T09:00:00+09:00")


def test_a_page_has_an_upper_bound():
    found = query.parse("user", {"limit": "9" * 19, "offset": "9" * 19})
    assert found.limit == query.MOST
    assert found.offset + found.limit < 2**31


def test_fields_are_known_by_the_information_model():
    assert path_of("user", "roles.org.sourcedId") == ("roles", "org", "sourcedId")
    assert path_of("enrollment", "metadata.jp.shussekiNo") == ("metadata", "jp.shussekiNo")
    for wrong in ("birthDate", "roles.", "roles.x", "", "."):
        assert path_of("user", wrong) is None


def test_every_path_is_found_again_with_its_ids():
    router = routes.Router()
    for operation in routes.OPERATIONS:
        path = operation.path.replace("{", "id-of-").replace("}", "")
        methods, ids = router.find(operation.service, path) or ({}, {})
        assert methods[operation.method] is operation
        assert all(value == f"id-of-{name}" for name, value in ids.items())
    assert router.find("rostering", "/users/1/2") is None
    assert {scope for one in routes.OPERATIONS for scope in one.scopes} == set(scopes.SCOPES)


def test_scopes_are_read_with_and_without_what_is_unknown():
    assert scopes.asked("") is None
    assert scopes.asked(f"{scopes.PREFIX}roster.readonly openid") == {"roster.readonly"}
    assert scopes.asked("openid") == frozenset()


def test_credentials_name_their_board():
    token = partners.new_token("aozora")
    assert partners.tenant_of(token) == "aozora"
    assert partners.partner_id_of(f"aozora.{UUID(int=7).hex}") == UUID(int=7)
    for wrong in ("", "aozora", "Aozora.aaaaaaaaaaaaaaaaaaaa", "a b.aaaaaaaaaaaaaaaaaaaaa", token + "\n", "." + token):
        assert partners.tenant_of(wrong) is None
    assert partners.same("secret", partners.sha256("secret"))
    assert not partners.same("secret2", partners.sha256("secret"))


RESULT = {"lineItem": "l1", "student": {"sourcedId": "s1"}, "scoreStatus": "fully graded", "scoreDate": "2026-06-08"}


def test_what_partners_write_is_kept_in_the_form_of_the_standard():
    found = written.content(
        "result", {**RESULT, "score": "82.5", "late": False, "comment": None, "shoeSize": 1, "status": "active"}
    )
    assert found["lineItem"] == {
        "href": "/ims/oneroster/gradebook/v1p2/lineItems/l1", "sourcedId": "l1", "type": "lineItem",
    }  # fmt: skip
    assert (found["score"], found["late"]) == (82.5, "false")
    assert not {"comment", "shoeSize", "status"} & found.keys()


@pytest.mark.parametrize(
    "wrong",
    [
        {"score": "many"}, {"score": True}, {"score": 1e300}, {"scoreStatus": "great"}, {"scoreDate": "2026-13-01"},
        {"student": {"sourcedId": "a b"}}, {"student": None}, {"comment": "x" * 20_000}, {"comment": ["x"]},
        {"metadata": {"a": {"b": "\x00"}}}, {"learningObjectiveSet": [{"source": "case"}]},
    ],
)  # fmt: skip
def test_what_cannot_be_is_declined(wrong: dict[str, object]):
    with pytest.raises(Declined) as declined:
        written.content("result", {**RESULT, **wrong})
    assert declined.value.status == 400


def test_the_contracts_name_every_operation_once():
    for service in (routes.ROSTERING, routes.GRADEBOOK, routes.RESOURCES):
        document = openapi.document(service, "", "/oauth/token")
        names = [one["operationId"] for path in document["paths"].values() for one in path.values()]
        assert len(names) == len(set(names)) == sum(one.service == service for one in routes.OPERATIONS)
