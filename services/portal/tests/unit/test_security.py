"""What every request and every answer must satisfy."""

import httpx
import pytest
from portal.security import MIB, BodyLimit, SameOrigin, SecurityHeaders, content_security_policy
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route

ORIGIN = "http://localhost:7080"


async def _page(request):
    return HTMLResponse("<p>")


async def _file(request):
    return PlainTextResponse("x")


async def _take(request):
    return PlainTextResponse(str(len(await request.body())))


def client(*middleware):
    app = Starlette(
        routes=[
            Route("/page", _page),
            Route("/file", _file),
            Route("/take", _take, methods=["POST"]),
            Route("/imports/new", _take, methods=["POST"]),
            Route("/backchannel-logout", _take, methods=["POST"]),
        ]
    )
    for kind, options in middleware:
        app = kind(app, **options)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ORIGIN)


async def test_no_page_runs_inline_code_or_is_framed_or_cached():
    async with client((SecurityHeaders, {"identity_origin": "http://localhost:8080", "https": True})) as http:
        answer = await http.get("/page")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "max-age" in answer.headers["strict-transport-security"]


async def test_documents_may_stand_in_our_own_frame():
    async with client((SecurityHeaders, {"identity_origin": "x", "https": False})) as http:
        answer = await http.get("/file")
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    assert "strict-transport-security" not in answer.headers


def test_policy_names_the_identity_provider_for_sign_out_only():
    assert content_security_policy("https://id.example").count("https://id.example") == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": ORIGIN, "sec-fetch-site": "same-origin"}, 200),
        ({"origin": ORIGIN}, 200),
        ({"referer": f"{ORIGIN}/page"}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": f"{ORIGIN}.evil.example"}, 403),
        ({"origin": "http://localhost:7081"}, 403),
        ({"origin": ORIGIN, "sec-fetch-site": "same-site"}, 403),
        ({"origin": ORIGIN, "sec-fetch-site": "cross-site"}, 403),
    ],
)
async def test_changes_come_from_our_own_pages_only(headers, status):
    async with client((SameOrigin, {"origin": ORIGIN})) as http:
        assert (await http.post("/take", headers=headers, content=b"x")).status_code == status


async def test_the_identity_provider_may_post_its_logout():
    async with client((SameOrigin, {"origin": ORIGIN})) as http:
        assert (await http.post("/backchannel-logout", content=b"x")).status_code == 200


async def test_a_body_past_its_limit_is_refused():
    async with client((BodyLimit, {"uploads": {"/imports": 3 * MIB}})) as http:
        assert (await http.post("/take", content=b"x" * MIB)).status_code == 200
        assert (await http.post("/take", content=b"x" * (MIB + 1))).status_code == 413
        assert (await http.post("/imports/new", content=b"x" * 3 * MIB)).status_code == 200
        assert (await http.post("/imports/new", content=b"x" * (3 * MIB + 1))).status_code == 413


async def test_a_body_without_announced_length_is_counted():
    async def drops():
        for _ in range(20):
            yield b"x" * (100 * 1024)

    async with client((BodyLimit, {"uploads": {}})) as http:
        answer = await http.post("/take", content=drops())
    assert answer.status_code == 413
    assert "1 MB" in answer.text
