"""Whatever somebody writes into an address or a form, the answer says no in Japanese; it is never a failure of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest
from fastapi.routing import APIRoute
from portal.pages import discover

from tests.support.portal import PortalVisitor
from tests.support.stack import RunningStack

UNKNOWN = "0190a0a0-dead-4000-8000-00000000beef"
SHORT = ("x", "-5", "9" * 20, "²", "\0", "' OR 1=1 --", "../../etc", "0001-01", "9999-12")
TEXTS = (
    *SHORT, UNKNOWN, "", "１２", "あ" * 2000, "\u202e🙂", "0001-01-01", "9999-12-31", "2026-02-30", "令和8年4月1日",
)  # fmt: skip
UNDECODABLE = "%F0%28%8C"
BODIES = (
    b"", b"{", b"null", b"[]", b'"x"', b"\xff\xfe", b"[" * 5000, b'{"idempotency_key": 1, "edits": [{}]}',
    *(
        b'{"idempotency_key": "x", "edits": [{"pupil_id": "x", "column": "%s", "value": "%s", "version": %s}]}' % edit
        for edit in ((b"rating", b"\\u0000", b"1"), (b"\\ud83d", b"3", b"1"), (b"rating", b"3", b"9" * 20))
    ),
)  # fmt: skip
# Forms whose page reads them itself: the names it asks for.
READ_BY_HAND = {
    "/attendance/classes/{class_id}": ["version", "mark-x", "reason-x", f"mark-{UNKNOWN}", "correction_reason"],
    "/attendance/schools/{school_id}/closures": ["scope", "starts_on", "ends_on", "reason"],
    "/attendance/schools/{school_id}/closures/{closure_id}/cancel": ["reason"],
    "/attendance/schools/{school_id}/calendar": ["version", "lesson-2026-11-20", "note-2026-11-20"],
    "/grades/{class_id}/{subject}/{term}": ["save", f"c:{UNKNOWN}:rating", f"v:{UNKNOWN}:rating", "c:", "v:"],
    "/board/{year}/symbols": ["version", "do", *(f"symbols.0.{name}" for name in ("key", "sign", "label", "category"))],
    "/board/{year}/terms": ["version", "do", "terms.0.key", "terms.0.label", "terms.0.ends_on"],
    "/board/{year}/report-card": [
        "version", "parts.0.key", "parts.0.use", "limits.0.column", "limits.0.max_characters"
    ],
    "/mexcbt/schools/new": ["school_year", "portal", *(f"schools.0.{name}" for name in ("on", "id", "portal", "mail"))],
    "/forms/{class_id}/ask": ["form", "pupil", "key", "textbook-1", "left_on"],
}
# Would end other people's sessions in this stack.
LEFT_OUT = {"/account/sign-out-others"}
WHO = [
    ("aozora.es.principal", "/", ["school_id", "class_id", "pupil_id"]),
    ("aozora.board", "/imports", []),
    ("hoshi.board", "/board", ["year", "topic"]),
    ("hoshi.board", "/mexcbt", []),
]


def routes(under: str) -> list[APIRoute]:
    return [
        route
        for router in discover().routers
        for route in router.routes
        if isinstance(route, APIRoute) and route.path.startswith(under) and route.path not in LEFT_OUT
    ]


def addresses(route: APIRoute, known: dict[str, str]) -> Iterator[str]:
    """Every parameter in its turn, the others being of a real thing where there is one."""
    params = re.findall(r"\{(\w+)\}", route.path)
    asked = [field.alias for field in route.dependant.query_params]

    def path(**more: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda m: more.get(m[1]) or quote(known.get(m[1], UNKNOWN), safe=""), route.path)

    for text in (*(quote(text, safe="") for text in SHORT), UNDECODABLE):
        yield from (path(**{param: text}) for param in params)
    for text in (*(quote(text, safe="") for text in TEXTS), UNDECODABLE):
        yield from (f"{path()}?{name}={text}" for name in asked)


def bodies(route: APIRoute) -> Iterator[tuple[bytes, str]]:
    """Forms whose every field is the same garbage; for what reads JSON, JSON that is none."""
    form = "application/x-www-form-urlencoded"
    if route.path.endswith("/cells"):
        yield from ((body, "application/json") for body in BODIES)
        return
    names = [field.alias for field in route.dependant.body_params] or READ_BY_HAND.get(route.path, [])
    yield b"", form
    yield b"%00=%00&&&=&" + UNDECODABLE.encode(), form
    yield b"{}", "application/json"
    for text in TEXTS if names else ():
        yield urlencode(dict.fromkeys(names, text)).encode(), form


@pytest.mark.parametrize(("username", "under", "known"), WHO)
def test_garbage_is_answered_with_a_no(stack: RunningStack, username: str, under: str, known: list[str]) -> None:
    wrong = []
    with PortalVisitor(stack, username) as visitor:
        things = {name: visitor.a_real(name) for name in known}
        for route in routes(under):
            method = min(route.methods)
            for address in addresses(route, things):
                wrong += visitor.failures(method, address)
            if method == "POST":
                where = re.sub(r"\{(\w+)\}", lambda m: things.get(m[1], UNKNOWN), route.path)
                query = "?" + urlencode({field.alias: "2026-11-20" for field in route.dependant.query_params})
                for body, kind in bodies(route):
                    wrong += visitor.failures(method, where + query, body, kind)
    assert wrong == []


def test_the_visitor_sees_what_is_wrong(stack: RunningStack) -> None:
    with PortalVisitor(stack, "aozora.es.teacher1") as visitor:
        assert visitor.failures("GET", "/attendance") == []
        # The identity provider's door speaks English to machines.
        form = "application/x-www-form-urlencoded"
        assert visitor.failures("POST", "/backchannel-logout", b"logout_token=x", form) != []
