"""Signing in is Keycloak's; the second factor is asked for when it is needed and no sooner; signing out ends it all."""

import re

import httpx
import pytest
from playwright.sync_api import expect
from portal import cookies

from tests.support.browser import Browse, second_factor, sign_in

TEACHER = "aozora.es.teacher1"
PRINCIPAL = "aozora.es.principal"
WITHOUT_SECOND_FACTOR = "aozora.es.teacher9"


def session_name(browse: Browse) -> str:
    return cookies.SESSION.name(browse.stack.name)


def session_cookie(browse: Browse, page):
    return next((c for c in page.context.cookies() if c["name"] == session_name(browse)), None)


def test_a_teacher_signs_in_with_the_password_alone_and_lands_where_she_wanted(browse: Browse):
    page = browse.stranger()
    page.goto(browse.address("/account"))
    sign_in(page, browse.stack, TEACHER)
    expect(page).to_have_url(browse.address("/account"))
    expect(page.get_by_role("heading", level=1)).to_have_text("アカウント")
    browse.check(page, "account")


def test_the_home_page_has_no_finding(browse: Browse):
    page = browse(TEACHER)
    browse.check(page, "home-teacher")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="キーボードの使い方")).to_be_visible()
    page.keyboard.press("Escape")


def test_the_browser_holds_a_cookie_no_script_can_read_and_no_token(browse: Browse):
    page = browse(TEACHER)
    cookie = session_cookie(browse, page)
    assert cookie["secure"]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert page.evaluate("document.cookie") == ""
    stored = page.evaluate("JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage})")
    ours = "".join(c["value"] for c in page.context.cookies() if c["name"].startswith("__Host-komu"))
    assert "eyJ" not in stored + page.content() + ours


def test_every_answer_carries_a_strict_policy_and_no_page_breaks_it(browse: Browse):
    page = browse.stranger()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(browse.address("/"))
    sign_in(page, browse.stack, TEACHER)
    answer = page.goto(browse.address("/"))
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    page.goto(browse.address("/account"))
    own = [line for line in complaints if "Content Security Policy" in line and "/realms/" not in line]
    assert own == []


def test_step_up_asks_for_the_code_and_comes_back_to_the_same_page(browse: Browse):
    page = browse(TEACHER)
    before = session_cookie(browse, page)["value"]
    page.goto(browse.address("/step-up?return=/account"))
    second_factor(page, browse.stack, TEACHER)
    expect(page).to_have_url(browse.address("/account"))
    assert session_cookie(browse, page)["value"] != before


def test_a_form_left_open_survives_the_step_up(browse: Browse):
    page = browse(PRINCIPAL, "/account")
    other = page.context.new_page()
    other.goto(browse.address("/step-up?return=/step-up/done"))
    second_factor(other, browse.stack, PRINCIPAL)
    token = page.locator('meta[name="csrf-token"]').get_attribute("content")
    status = page.evaluate(
        "async token => (await fetch('/account/sign-out-others', {method: 'POST', redirect: 'manual',"
        " headers: {'X-CSRF-Token': token}})).type",
        token,
    )
    assert status == "opaqueredirect"


def test_somebody_without_second_factor_is_told_whom_to_ask(browse: Browse):
    page = browse(WITHOUT_SECOND_FACTOR)
    page.goto(browse.address("/step-up?return=/"))
    expect(page.locator("body")).to_contain_text(re.compile("管理者"))
    expect(page.locator("input[name=totp]")).to_have_count(0)


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_a_link_cannot_lead_to_another_site_after_sign_in(browse: Browse, wanted: str):
    page = browse.stranger()
    page.goto(browse.address("/sign-in") + "?return=" + wanted)
    sign_in(page, browse.stack, TEACHER)
    assert page.url == browse.address("/")


def test_a_callback_of_another_browser_signs_nobody_in(browse: Browse):
    """Login CSRF: the victim opens the address with which the attacker's own sign-in would have ended."""
    with httpx.Client() as attacker:
        begun = attacker.get(browse.address("/sign-in"))
        state = httpx.URL(begun.headers["location"]).params["state"]
    victim = browse.stranger()
    answer = victim.goto(browse.address(f"/callback?state={state}&code=of-the-attacker"))
    assert answer.status == 400
    assert session_cookie(browse, victim) is None
    expect(victim.get_by_role("heading", level=1)).to_have_text("サインインを完了できませんでした")
    browse.check(victim, "sign-in-stale")


def test_a_session_id_brought_along_is_never_taken_over(browse: Browse):
    page = browse.stranger()
    page.goto(browse.address("/no-such-page"))
    page.evaluate(f"document.cookie = '{session_name(browse)}=known-to-the-attacker; Secure; Path=/'")
    assert session_cookie(browse, page)["value"] == "known-to-the-attacker"
    page.goto(browse.address("/"))
    sign_in(page, browse.stack, TEACHER)
    assert session_cookie(browse, page)["value"] != "known-to-the-attacker"


def test_a_change_without_the_token_of_the_session_is_refused(browse: Browse):
    page = browse(TEACHER)
    status = page.evaluate("async () => (await fetch('/account/sign-out-others', {method: 'POST'})).status")
    assert status == 403
    forged = httpx.post(
        browse.address("/account/sign-out-others"),
        headers={
            "Origin": "https://evil.example",
            "Cookie": f"{session_name(browse)}={session_cookie(browse, page)['value']}",
        },
    )
    assert forged.status_code == 403


def test_signing_out_ends_the_session_here_and_at_keycloak(browse: Browse):
    page = browse(TEACHER)
    secret = session_cookie(browse, page)["value"]
    page.get_by_role("button", name="サインアウト").click()
    expect(page.locator("input[name=password]")).to_be_visible()
    answer = httpx.get(browse.address("/account"), headers={"Cookie": f"{session_name(browse)}={secret}"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


def test_a_page_nobody_wrote_is_answered_in_plain_words(browse: Browse):
    page = browse(TEACHER)
    answer = page.goto(browse.address("/no-such-page"))
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("見つかりません")
    browse.check(page, "not-found")


def test_unsaved_work_survives_a_second_factor_asked_for_by_a_script(browse: Browse):
    """A grid saves, is told that the second factor is needed, asks for it in a window of its own, and saves again."""
    page = browse("aozora.es.teacher2")
    answers = [
        {"status": 401, "json": {"reason": "STEP_UP_REQUIRED", "url": "/step-up?return=%2F", "message": ""}},
        {"status": 200, "json": {"saved": 3}},
    ]
    page.route("**/probe", lambda route: route.fulfill(**answers.pop(0)))
    page.evaluate(
        """() => {
          const shell = document.querySelector('script[type="module"]').src;
          window.saving = import(shell).then((m) => m.callJson('/probe', {method: 'POST', body: {}}));
        }"""
    )
    question = page.get_by_role("dialog", name="本人確認")
    expect(question).to_be_visible()
    browse.check(page, "step-up-question")
    with page.context.expect_page() as opened:
        question.get_by_role("button", name="本人確認の窓を開く").click()
    window = opened.value
    window.locator("input[name=otp]").fill(browse.stack.fresh_code("aozora.es.teacher2"))
    with window.expect_event("close"):
        window.locator("input[type=submit], button[type=submit]").first.click(no_wait_after=True)
    assert page.evaluate("() => window.saving") == {"saved": 3}
    expect(question).to_have_count(0)


def test_an_administrator_who_ends_a_session_at_keycloak_ends_it_here(browse: Browse):
    page = browse("aozora.es.teacher3")
    identity = browse.stack.info["identity"]
    with httpx.Client(timeout=20) as admin:
        form = {"grant_type": "client_credentials"}
        secret = ("komu-admin", identity["clients"]["komu-admin"])
        token = admin.post(f"{identity['issuer']}/protocol/openid-connect/token", data=form, auth=secret).json()
        admin.headers["Authorization"] = f"Bearer {token['access_token']}"
        users = f"{identity['url']}/admin/realms/{identity['realm']}/users"
        [user] = admin.get(users, params={"username": "aozora.es.teacher3", "exact": "true"}).json()
        assert admin.post(f"{users}/{user['id']}/logout").status_code == 204
    page.goto(browse.address("/account"))
    expect(page.locator("input[name=password]")).to_be_visible()
