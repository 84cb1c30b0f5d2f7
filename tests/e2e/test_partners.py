"""A board lets a partner in: client, token, users; then it shuts the partner out, and the token opens nothing."""

import secrets
import ssl
from typing import Any

import httpx
from playwright.sync_api import Locator, Page, expect

from tests.e2e.test_teacher_closes_the_term import confirm
from tests.support.browser import Browse
from tests.support.stack import RunningStack

SCOPE = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
USERS = "/ims/oneroster/rostering/v1p2/users"


def token(client: httpx.Client, demo: dict[str, Any], client_id: str, secret: str) -> httpx.Response:
    return client.post(demo["token_url"], data={"grant_type": "client_credentials"}, auth=(client_id, secret))


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has_text=name)


def test_a_partner_is_let_in_and_shut_out(browse: Browse, stack: RunningStack) -> None:
    demo = next(one for one in stack.info["oneroster"] if one["board"] == "hoshi")
    name = f"ほしの学習eポータル {secrets.token_hex(3)}"  # the journey may be walked twice on one stack
    page = browse("hoshi.board", "/partners", strong=True)
    page.get_by_role("link", name="新しい連携先").click()
    page.get_by_role("button", name="登録する").click()
    page.get_by_label("連携先の名前").fill(name)
    page.get_by_label("目的").fill("名簿の連携")
    browse.check(page, "partners-new")
    page.get_by_role("button", name="登録する").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("シークレットの控え")
    client_id = page.locator("[data-client-id]").inner_text()
    secret = page.locator("[data-client-secret]").inner_text()
    browse.check(page, "partners-secret")
    page.get_by_role("link", name="控えました").click()
    expect(row(page, name)).to_contain_text("まだありません")
    browse.check(page, "partners")

    trusted = ssl.create_default_context(cafile=demo["ca_bundle"])
    with httpx.Client(verify=trusted, base_url=demo["base_url"]) as client:
        issued = token(client, demo, client_id, secret).json()
        assert issued["scope"] == f"{SCOPE}roster-core.readonly {SCOPE}roster.readonly"
        bearer = {"Authorization": f"Bearer {issued['access_token']}"}
        users = client.get(USERS, headers=bearer, params={"limit": "10"})
        whole = client.get(USERS, headers=bearer, params={"limit": "10000"})
        people = {one["sourcedId"] for one in whole.json()["users"]}
        assert users.headers["x-total-count"] == whole.headers["x-total-count"] == str(len(people))
        assert len(users.json()["users"]) == 10
        assert client.get("/ims/oneroster/gradebook/v1p2/results", headers=bearer).status_code == 403

        page.reload()
        expect(row(page, name)).not_to_contain_text("まだありません")
        row(page, name).get_by_role("button", name="停止する").click()
        confirm(page, "停止する")
        expect(row(page, name)).to_contain_text("停止中")
        assert client.get(USERS, headers=bearer).status_code == 401
        assert token(client, demo, client_id, secret).status_code == 401


def test_the_board_sees_what_a_partner_wrote(browse: Browse, stack: RunningStack) -> None:
    demo = next(one for one in stack.info["oneroster"] if one["board"] == "hoshi")
    title = f"分数のテスト {secrets.token_hex(3)}"
    trusted = ssl.create_default_context(cafile=demo["ca_bundle"])
    with httpx.Client(verify=trusted, base_url=demo["base_url"]) as client:
        issued = token(client, demo, demo["client_id"], demo["client_secret"]).json()
        bearer = {"Authorization": f"Bearer {issued['access_token']}"}
        rostering, gradebook = "/ims/oneroster/rostering/v1p2", "/ims/oneroster/gradebook/v1p2"
        asked = {"filter": "title='3年1組'", "limit": "1"}
        a_class = client.get(f"{rostering}/classes", headers=bearer, params=asked).json()["classes"][0]
        line_item = {
            "title": title, "assignDate": "2026-11-01", "dueDate": "2026-11-08", "category": "tests",
            "class": {"sourcedId": a_class["sourcedId"]},
        }  # fmt: skip
        category = {"category": {"title": "テスト"}}
        assert client.put(f"{gradebook}/categories/tests", headers=bearer, json=category).status_code in (200, 201)
        id_ = secrets.token_hex(8)
        assert client.put(f"{gradebook}/lineItems/{id_}", headers=bearer, json=line_item).status_code == 201
    page = browse("hoshi.board", "/partners", strong=True)
    page.get_by_role("link", name="連携先が書いた学習の記録").click()
    expect(row(page, title)).to_contain_text("3年1組")
    expect(row(page, title)).to_contain_text("0件")
    browse.check(page, "partners-records")
