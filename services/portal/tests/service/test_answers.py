"""Whatever goes wrong, people are told what, why and what now: as a page, as a part of one, or as data for a script."""

import pytest
from fastapi import APIRouter, Request
from portal.rpc import ServiceAway
from portal.security import MIB
from portal.view import redirect, toast, view
from servicekit.errors import Conflict, Invalid, Refused, StepUpRequired, Unauthenticated, Unseen, Violation

ERRORS = {
    "refused": (Refused("担任を決められるのは校長・教頭です。"), 403, "担任を決められるのは校長・教頭です。"),
    "right": (
        Refused("この操作をする権限がありません。", reason="RIGHT_MISSING", roles={"vice_principal", "principal"}),
        403,
        "できるのは、校長、教頭・副校長です。",
    ),
    "unseen": (Unseen(), 404, "見つかりません"),
    "conflict": (Conflict("10:42 に別の人が保存しました。"), 409, "10:42 に別の人が保存しました。"),
    "invalid": (Invalid("確かめてください。", [Violation("on", "日付が違います。")]), 422, "日付が違います。"),
    "away": (ServiceAway("grades"), 503, "成績の機能が一時的に使えません"),
    "token": (Unauthenticated(), 401, "もう一度サインイン"),
    "broken": (RuntimeError("secret detail 12345"), 500, "問い合わせ番号"),
}


def failing():
    router = APIRouter(prefix="/t")

    @router.get("/number/{n}")
    async def number(request: Request, n: int):
        return view(request, "errors/page.html", {}, title="t")

    @router.get("/step")
    async def step(request: Request):
        raise StepUpRequired(2, 900)

    @router.post("/save")
    async def save(request: Request):
        return redirect(request, "/account", notice="保存しました。")

    @router.post("/part")
    async def part(request: Request):
        return toast(view(request, "errors/fragment.html", {"problem": _problem(), "trace_id": ""}, title="t"), "済み")

    @router.get("/{kind}")
    async def fail(request: Request, kind: str):
        raise ERRORS[kind][0]

    return router


def _problem():
    from portal.errors import Problem

    return Problem(200, "X", "題", "理由")


@pytest.mark.parametrize("kind", ERRORS)
async def test_a_failure_is_told_three_ways(portal, kind):
    _, status, words = ERRORS[kind]
    async with portal(failing()) as running, running.browser() as browser:
        await running.sign_in(browser)
        page = await browser.get(f"/t/{kind}")
        assert page.status_code == status
        assert words in page.text
        assert page.text.count("<h1") == 1
        assert "secret detail" not in page.text
        part = await browser.get(f"/t/{kind}", headers={"hx-request": "true"})
        assert part.status_code == status
        assert part.headers["hx-retarget"] == "#toasts"
        assert "<html" not in part.text
        script = await browser.get(f"/t/{kind}", headers={"accept": "application/json"})
        assert script.status_code == status
        assert {"reason", "message", "violations", "trace_id"} <= script.json().keys()


async def test_a_500_names_the_trace_that_operators_can_find(portal):
    async with portal(failing()) as running, running.browser() as browser:
        await running.sign_in(browser)
        answer = await browser.get("/t/broken", headers={"accept": "application/json"})
        assert len(answer.json()["trace_id"]) == 32


async def test_even_an_error_page_has_the_security_headers(portal):
    async with portal(failing()) as running, running.browser() as browser:
        await running.sign_in(browser)
        for path in ("/t/broken", "/t/unseen", "/nothing", "/account"):
            assert "script-src 'self'" in (await browser.get(path)).headers["content-security-policy"], path


async def test_step_up_leads_back_to_the_page_and_scripts_keep_their_work(portal):
    async with portal(failing()) as running, running.browser() as browser:
        await running.sign_in(browser)
        page = await browser.get("/t/step?day=1")
        assert page.headers["location"] == "/step-up?return=%2Ft%2Fstep%3Fday%3D1"
        part = await browser.get(
            "/t/step", headers={"hx-request": "true", "hx-current-url": "https://portal.test/grades/1"}
        )
        assert part.headers["hx-redirect"] == "/step-up?return=%2Fgrades%2F1"
        script = await browser.get(
            "/t/step", headers={"accept": "application/json", "referer": "https://evil.example/x"}
        )
        assert script.status_code == 401
        assert script.json()["reason"] == "STEP_UP_REQUIRED"
        assert script.json()["url"] == "/step-up?return=%2F"


async def test_changes_need_the_token_of_their_own_session(portal):
    async with portal(failing()) as running, running.browser() as browser, running.browser() as other:
        await running.sign_in(browser)
        await running.sign_in(other, sub="subject-2")
        assert (await browser.post("/t/save")).status_code == 403
        assert (await browser.post("/t/save", data={"csrf_token": "x"})).status_code == 403
        foreign = await running.token(other)
        assert (await browser.post("/t/save", data={"csrf_token": foreign})).status_code == 403
        own = await running.token(browser)
        assert (await browser.post("/t/save", data={"csrf_token": own})).status_code == 303
        assert (await browser.post("/t/save", headers={"x-csrf-token": own})).status_code == 303
        assert (await browser.post("/t/save", json={}, headers={"x-csrf-token": own})).status_code == 303
        assert (await browser.post("/t/save", params={"csrf_token": own})).status_code == 403


async def test_a_change_is_confirmed_once_after_the_redirect(portal):
    async with portal(failing()) as running, running.browser() as browser:
        await running.sign_in(browser)
        token = {"x-csrf-token": await running.token(browser)}
        part = await browser.post("/t/save", headers=token | {"hx-request": "true"})
        assert part.headers["hx-redirect"] == "/account"
        assert "保存しました。" in (await browser.get("/account")).text
        assert "保存しました。" not in (await browser.get("/account")).text
        shown = await browser.post("/t/part", headers=token | {"hx-request": "true"})
        assert shown.headers["hx-trigger"].isascii()


async def test_what_cannot_be_read_is_a_422_in_plain_words(portal):
    async with portal(failing()) as running, running.browser() as browser:
        await running.sign_in(browser)
        answer = await browser.get("/t/number/x")
        assert answer.status_code == 422
        assert "数字で入力してください。" in answer.text


async def test_too_much_is_a_413_in_plain_words(portal):
    async with portal(failing()) as running, running.browser() as browser:
        await running.sign_in(browser)
        answer = await browser.post("/t/save", content=b"x" * (MIB + 1), headers={"x-csrf-token": "x"})
        assert answer.status_code in {403, 413}
        form = await browser.post("/t/save", data={"csrf_token": "x" * (MIB + 1)})
        assert form.status_code == 413
        assert "上限 1 MB" in form.text


async def test_no_page_may_be_kept_by_a_cache(portal):
    async with portal(failing()) as running, running.browser() as browser:
        await running.sign_in(browser)
        assert (await browser.get("/account")).headers["cache-control"] == "no-store"
        assert "public" in (await browser.get("/static/icon.svg")).headers["cache-control"]
