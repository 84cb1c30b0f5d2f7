"""The generated realm in a real Keycloak: levels, who may hold a second factor, which tokens go where."""

import json
import time

import httpx
import pytest

from tests.support.signing_in import OpenBrowser, claims, open_browser
from tests.support.stack import RunningStack

__all__ = ["open_browser"]

WITH_FACTOR = "aozora.es.teacher1"
WITHOUT_FACTOR = "aozora.es.teacher9"
REFUSAL = "この情報を見るにはワンタイムコードでの確認が必要ですが、あなたのアカウントにはまだ登録されていません。"


def test_the_password_gives_level_1_and_the_claims_that_services_read(
    stack_parts: RunningStack, open_browser: OpenBrowser
) -> None:
    outcome = open_browser(stack_parts).sign_in(WITH_FACTOR)
    assert outcome.asked == ["password"]
    told = outcome.claims
    account = stack_parts.account(WITH_FACTOR)
    assert (told["tenant"], told["person"], told["name"]) == ("aozora", account["person_id"], account["name"])
    assert told["realm_access"]["roles"] == ["teacher"]
    assert list(told["loa"]) == ["1"]
    assert told["aud"] == "portal-exchange"


def test_level_2_asks_for_the_code_only_and_keeps_the_session(
    stack_parts: RunningStack, open_browser: OpenBrowser
) -> None:
    browser = open_browser(stack_parts)
    first = browser.sign_in(WITH_FACTOR)
    second = browser.sign_in(WITH_FACTOR, level=2)
    assert second.asked == ["code"]
    assert second.claims["sid"] == first.claims["sid"]
    assert abs(second.claims["loa"]["2"] - time.time()) < 60


def test_levels_with_their_instants_survive_the_exchange(stack_parts: RunningStack, open_browser: OpenBrowser) -> None:
    browser = open_browser(stack_parts)
    token = browser.sign_in("aozora.es.teacher2", level=2).tokens["access_token"]
    for_reports = browser.exchange(token, "reports").json()["access_token"]
    assert claims(for_reports)["aud"] == "reports"
    assert claims(for_reports)["loa"] == claims(token)["loa"]
    onward = browser.exchange(for_reports, "roster", client="reports").json()["access_token"]
    assert (claims(onward)["aud"], claims(onward)["person"]) == ("roster", claims(token)["person"])


def test_a_service_gets_tokens_only_for_those_it_may_call(stack_parts: RunningStack, open_browser: OpenBrowser) -> None:
    browser = open_browser(stack_parts)
    token = browser.sign_in("aozora.es.teacher3").tokens["access_token"]
    for_reports = browser.exchange(token, "reports").json()["access_token"]
    assert browser.exchange(for_reports, "dataexchange", client="reports").status_code == 400
    assert browser.exchange(for_reports, "roster", client="grades").status_code in (400, 403), "not the audience"


def test_a_refresh_token_works_once(stack_parts: RunningStack, open_browser: OpenBrowser) -> None:
    browser = open_browser(stack_parts)
    tokens = browser.sign_in("aozora.es.teacher4").tokens
    assert browser.refresh(tokens).status_code == 200
    assert browser.refresh(tokens).status_code == 400


@pytest.mark.parametrize("before", [0, 1], ids=["at the door", "in a session"])
def test_without_a_second_factor_level_2_is_refused_in_words(
    stack_parts: RunningStack, open_browser: OpenBrowser, before: int
) -> None:
    browser = open_browser(stack_parts)
    if before:
        browser.sign_in(WITHOUT_FACTOR)
    outcome = browser.sign_in(WITHOUT_FACTOR, level=2)
    assert not outcome.tokens
    assert outcome.status == 401
    assert REFUSAL in outcome.page
    assert "依頼してください" in outcome.page


@pytest.mark.parametrize("action", ["CONFIGURE_TOTP", "webauthn-register", "CONFIGURE_RECOVERY_AUTHN_CODES"])
@pytest.mark.parametrize("level", [1, 2])
def test_the_password_alone_enrols_nothing_even_when_asked_by_parameter(
    stack_parts: RunningStack, open_browser: OpenBrowser, action: str, level: int
) -> None:
    """`kc_action` starts a required action from the browser's address line: those that make credentials are off."""
    browser = open_browser(stack_parts)
    browser.sign_in(WITHOUT_FACTOR)
    outcome = browser.sign_in(WITHOUT_FACTOR, level=level, kc_action=action)
    assert "QR" not in outcome.page
    assert "セットアップ" not in outcome.page
    assert bool(outcome.tokens) == (level == 1), "level 1 goes on as if nothing was asked, level 2 is refused"


def test_the_account_pages_are_closed(stack_parts: RunningStack) -> None:
    identity = stack_parts.info["identity"]
    query = {"client_id": "account-console", "redirect_uri": f"{identity['issuer']}/account/", "response_type": "code"}
    answer = httpx.get(f"{identity['issuer']}/protocol/openid-connect/auth", params=query)
    assert answer.status_code == 400


def test_an_administrator_issues_the_second_factor_once(stack_parts: RunningStack, open_browser: OpenBrowser) -> None:
    username = "hoshi.es.teacher9"
    _take_second_factor_away(stack_parts, username)
    assert not open_browser(stack_parts).sign_in(username, level=2).tokens
    done = stack_parts.komu("second-factor", "--user", username)
    assert done.stdout.startswith("otpauth://totp/Komu:hoshi.es.teacher9?secret=")
    assert open_browser(stack_parts).sign_in(username, level=2).asked == ["password", "code"]
    again = stack_parts.komu("second-factor", "--user", username, check=False)
    assert (again.returncode, "すでに" in again.stderr) == (1, True)


def _take_second_factor_away(stack: RunningStack, username: str) -> None:
    with _administration(stack) as admin:
        (person,) = admin.get("users", params={"username": username, "exact": "true"}).json()
        for credential in admin.get(f"users/{person['id']}/credentials").json():
            if credential["type"] == "otp":
                admin.delete(f"users/{person['id']}/credentials/{credential['id']}").raise_for_status()


def _administration(stack: RunningStack) -> httpx.Client:
    identity = stack.info["identity"]
    token = httpx.post(
        f"{identity['issuer']}/protocol/openid-connect/token",
        data={"grant_type": "client_credentials"},
        auth=("komu-admin", identity["clients"]["komu-admin"]),
    ).json()["access_token"]
    return httpx.Client(
        base_url=f"{identity['url']}/admin/realms/{identity['realm']}/", headers={"Authorization": f"Bearer {token}"}
    )


def test_wrong_passwords_lock_the_account_for_a_while(stack_parts: RunningStack, open_browser: OpenBrowser) -> None:
    username = "hoshi.jh.teacher3"
    for _ in range(11):
        assert not open_browser(stack_parts).sign_in(username, password="wrong-wrong-wrong").tokens
    assert not open_browser(stack_parts).sign_in(username).tokens, "the right password is refused too, for a minute"


def test_redirects_go_to_this_stacks_portal_only(stack_parts: RunningStack) -> None:
    identity = stack_parts.info["identity"]
    for address in ("http://localhost:1/callback", "https://evil.example/callback", stack_parts.info["portal"] + "/x"):
        query = {"client_id": "portal", "response_type": "code", "scope": "openid", "redirect_uri": address}
        answer = httpx.get(f"{identity['issuer']}/protocol/openid-connect/auth", params=query)
        assert answer.status_code == 400, address


def test_pages_speak_japanese(stack_parts: RunningStack, open_browser: OpenBrowser) -> None:
    outcome = open_browser(stack_parts).sign_in("hoshi.jh.teacher2", password="wrong-wrong-wrong")
    assert "校務にサインイン" in outcome.page
    assert "パスワード" in outcome.page


def test_the_administration_client_may_manage_people_and_nothing_else(stack_parts: RunningStack) -> None:
    with _administration(stack_parts) as admin:
        assert admin.get("users", params={"max": 1}).status_code == 200
        assert admin.get("clients").status_code == 403
        assert admin.put("", content=json.dumps({"resetPasswordAllowed": True})).status_code in (403, 415)
