"""Sessions live on the server: encrypted, bounded in time, and safe against doubling, stealing and forging."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from cryptography.fernet import Fernet
from portal import cookies

SESSION = cookies.SESSION.name("main")


async def test_signing_in_gives_a_cookie_that_only_the_server_can_read(portal, rows):
    async with portal() as running, running.browser() as browser:
        answer = await running.sign_in(browser, "/sign-in?return=/account")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/account"
        cookie = next(v for v in answer.headers.get_list("set-cookie") if v.startswith(SESSION))
        assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"))
        assert "Domain" not in cookie
        page = await browser.get("/account")
        assert page.status_code == 200
        assert "髙橋 担子" in page.text
        secret = browser.cookies[SESSION]
    kept = str(rows("SELECT * FROM sessions"))
    assert secret not in kept
    assert "eyJ" not in kept


async def test_one_browser_is_signed_in_to_two_stacks_of_one_machine(portal):
    """A browser has one jar for all ports of localhost, so every request brings the cookies of both."""
    async with (
        portal() as main,
        portal(stack="second") as second,
        main.browser() as browser,
        second.browser(browser.cookies.jar) as window,
    ):
        await main.sign_in(browser)
        await second.sign_in(window, preferred_username="minato.es.teacher1", tenant="minato")
        assert {cookies.SESSION.name("main"), cookies.SESSION.name("second")} <= set(browser.cookies)
        assert "aozora.es.teacher1" in (await browser.get("/account")).text
        assert "minato.es.teacher1" in (await window.get("/account")).text
        await window.post("/sign-out", data={"csrf_token": await second.token(window)})
        assert (await window.get("/account")).status_code == 303
        assert (await browser.get("/account")).status_code == 200


async def test_without_a_session_people_are_sent_to_sign_in_and_back(portal):
    async with portal() as running, running.browser() as browser:
        answer = await browser.get("/account?x=1")
        assert answer.headers["location"] == "/sign-in?return=%2Faccount%3Fx%3D1"
        part = await browser.get("/account", headers={"hx-request": "true", "hx-current-url": "https://portal.test/a"})
        assert part.headers["hx-redirect"] == "/sign-in?return=%2Fa"
        script = await browser.get("/account", headers={"accept": "application/json"})
        assert script.json()["reason"] == "SIGN_IN_REQUIRED"


async def test_of_many_requests_at_once_one_refreshes_and_all_are_answered(portal):
    async with portal() as running, running.browser() as browser:
        await running.sign_in(browser)
        running.clock.advance(timedelta(minutes=6))
        answers = await asyncio.gather(*(browser.get("/account") for _ in range(12)))
        assert {a.status_code for a in answers} == {200}
        assert running.provider.refreshes == 1


async def test_a_session_that_the_provider_ended_is_over(portal, rows):
    async with portal() as running, running.browser() as browser:
        await running.sign_in(browser)
        running.provider.refresh_tokens.clear()
        running.clock.advance(timedelta(minutes=6))
        assert (await browser.get("/account")).status_code == 303
    assert rows("SELECT * FROM sessions") == []


async def test_a_provider_that_is_away_ends_no_session(portal):
    async with portal() as running, running.browser() as browser:
        await running.sign_in(browser)
        running.provider.away = True
        assert (await browser.get("/account")).status_code == 200
        running.clock.advance(timedelta(minutes=6))
        away = await browser.get("/account")
        assert away.status_code == 503
        assert "サインインの機能が一時的に使えません" in away.text
        running.provider.away = False
        assert (await browser.get("/account")).status_code == 200


async def test_half_an_hour_without_a_sign_of_life_ends_the_session(portal):
    async with portal() as running, running.browser() as browser:
        await running.sign_in(browser)
        for _ in range(3):
            running.clock.advance(timedelta(minutes=29))
            assert (await browser.get("/account")).status_code == 200
        running.clock.advance(timedelta(minutes=31))
        assert (await browser.get("/account")).status_code == 303


async def test_ten_hours_end_every_session(portal):
    async with portal() as running, running.browser() as browser:
        await running.sign_in(browser)
        for _ in range(21):
            running.clock.advance(timedelta(minutes=28))
            assert (await browser.get("/account")).status_code == 200
        running.clock.advance(timedelta(minutes=28))
        assert (await browser.get("/account")).status_code == 303


async def test_keys_can_be_changed_without_signing_anybody_out(portal):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    async with portal(keys=old) as running, running.browser() as browser:
        await running.sign_in(browser)
        secret = browser.cookies[SESSION]
        provider = running.provider
    async with portal(keys=f"{new},{old}", provider=provider) as running, running.browser() as browser:
        assert (await browser.get("/account", headers={"cookie": f"{SESSION}={secret}"})).status_code == 200
    async with portal(keys=new, provider=provider) as running, running.browser() as browser:
        assert (await browser.get("/account", headers={"cookie": f"{SESSION}={secret}"})).status_code == 303


async def test_the_key_of_unsaved_input_is_the_persons_in_every_session_and_nobody_elses(portal):
    async with portal() as running:
        keys = []
        for person in ({}, {}, {"person": "0190a0a0-0000-4000-8000-000000000002"}, {"tenant": "hoshi"}):
            async with running.browser() as browser:
                await running.sign_in(browser, **person)
                keys.append(await running.meta(browser, "komu-keep-key"))
        hers, again, colleagues, another_boards = keys
        assert hers == again
        assert len({hers, colleagues, another_boards}) == 3
        async with running.browser() as stranger:
            assert "komu-keep-key" not in (await stranger.get("/step-up/done")).text


async def test_step_up_renews_the_secret_and_keeps_forms_valid(portal):
    async with portal() as running, running.browser() as browser:
        await running.sign_in(browser)
        before, token = browser.cookies[SESSION], await running.token(browser)
        answer = await running.sign_in(browser, "/step-up?return=/account")
        assert answer.headers["location"] == "/account"
        assert browser.cookies[SESSION] != before
        assert await running.token(browser) == token
        former = {"cookie": f"{SESSION}={before}"}
        browser.cookies.clear()
        assert (await browser.get("/account", headers=former)).status_code == 200
        running.clock.advance(timedelta(seconds=61))
        assert (await browser.get("/account", headers=former)).status_code == 303


async def test_step_up_as_somebody_else_does_not_inherit_the_session(portal, rows):
    async with portal() as running, running.browser() as browser:
        await running.sign_in(browser)
        token = await running.token(browser)
        await running.sign_in(browser, "/step-up?return=/", sub="subject-2", sid="identity-session-2")
        assert await running.token(browser) != token
    assert rows("SELECT subject FROM sessions") == [("subject-2",)]


async def test_a_step_up_that_reached_no_second_level_is_told_so(portal):
    async with portal() as running, running.browser() as browser:
        await running.sign_in(browser)
        answer = await running.sign_in(browser, "/step-up?return=/", loa={"1": 1})
        assert answer.status_code == 403
        assert "管理者に対面で登録を依頼" in answer.text
        assert (await browser.get("/account")).status_code == 200


async def test_a_state_is_good_once_and_only_in_its_browser(portal):
    async with portal() as running, running.browser() as browser, running.browser() as other:
        begun = await browser.get("/sign-in")
        asked = httpx.URL(begun.headers["location"]).params
        code = running.provider.grant(asked["nonce"])
        address = f"/callback?state={asked['state']}&code={code}"
        assert (await other.get(address)).status_code == 400
        assert (await browser.get(address)).status_code == 400
        assert (await browser.get("/callback?state=invented&code=x")).status_code == 400


async def test_a_code_for_another_sign_in_is_refused(portal):
    async with portal() as running, running.browser() as browser:
        answer = await running.sign_in(browser, "/sign-in", nonce="of another sign-in")
        assert answer.status_code == 403
        assert SESSION not in browser.cookies


@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example", "/%5Cevil.example", "/sign-out"])
async def test_sign_in_never_leads_elsewhere(portal, wanted):
    async with portal() as running, running.browser() as browser:
        answer = await running.sign_in(browser, f"/sign-in?return={wanted}")
        assert answer.headers["location"] == "/"


async def test_a_live_session_needs_no_second_sign_in(portal):
    async with portal() as running, running.browser() as browser:
        await running.sign_in(browser)
        assert (await browser.get("/sign-in?return=/account")).headers["location"] == "/account"


LOGOUT = {"http://schemas.openid.net/event/backchannel-logout": {}}


async def test_back_channel_logout_ends_the_session_and_is_good_once(portal):
    async with portal() as running, running.browser() as browser, running.browser() as provider:
        await running.sign_in(browser)
        forged = {"logout_token": running.provider.sign(sid="identity-session-1", jti="1", events={})}
        assert (await provider.post("/backchannel-logout", data=forged)).status_code == 400
        assert (await browser.get("/account")).status_code == 200
        good = {"logout_token": running.provider.sign(sid="identity-session-1", jti="2", events=LOGOUT)}
        assert (await provider.post("/backchannel-logout", data=good)).status_code == 200
        assert (await browser.get("/account")).status_code == 303
        await running.sign_in(browser)
        assert (await provider.post("/backchannel-logout", data=good)).status_code == 400
        assert (await browser.get("/account")).status_code == 200


async def test_signing_out_ends_it_here_and_leads_to_the_provider(portal, rows):
    async with portal() as running, running.browser() as browser:
        await running.sign_in(browser)
        answer = await browser.post("/sign-out", data={"csrf_token": await running.token(browser)})
        assert answer.headers["location"].startswith("https://id.test/realms/komu/logout?id_token_hint=")
        assert rows("SELECT * FROM sessions") == []
        assert (await browser.get("/account")).status_code == 303


async def test_other_places_can_be_signed_out(portal):
    async with portal() as running, running.browser() as here, running.browser() as there:
        await running.sign_in(here)
        await running.sign_in(there)
        answer = await here.post("/account/sign-out-others", data={"csrf_token": await running.token(here)})
        assert answer.status_code == 303
        assert "ほかの1か所からサインアウトしました" in (await here.get("/account")).text
        assert "サインアウトしました" not in (await here.get("/account")).text
        assert (await there.get("/account")).status_code == 303
