"""J23: "Did my class understand fractions?": class, 単元, picture; and what one child did."""

import re
from typing import Any
from uuid import uuid4

import httpx
from playwright.sync_api import Page, expect

from tests.support.browser import Browse

EXTENSIONS = "https://w3id.org/japan-xapi/extensions/"


def pupils_of_the_class(page: Page) -> list[str]:
    """Ids of the children of the own class, by 出席番号; the page of the class stays open."""
    page.locator("a[href^='/roster/classes/']").first.click()
    expect(page.get_by_role("heading", level=1, name="3年1組")).to_be_visible()
    names = page.get_by_role("region", name="3年1組の名簿").locator("a[href^='/roster/pupils/']")
    return [(name.get_attribute("href") or "").rsplit("/", 1)[1] for name in names.all()]


def answered(pupil: str, unit: str, question: int, scaled: float) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "actor": {"account": {"homePage": "https://portal.example", "name": pupil}},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/answered", "display": {"en": "answered"}},
        "object": {
            "id": f"https://mexcbt.example/{unit}/{question}",
            "definition": {"name": {"ja-JP": f"問{question}"}},
        },
        "result": {"score": {"scaled": scaled}, "duration": "PT1M15S"},
        "context": {
            "platform": "MEXCBT",
            "extensions": {
                EXTENSIONS + "unit": [unit],
                EXTENSIONS + "subject": ["算数"],
                EXTENSIONS + "course-of-study-code": ["8250233161300000"],
                EXTENSIONS + "purpose-of-question": ["知識・技能" if question < 3 else "思考・判断・表現"],
            },
        },
    }


def test_who_understood_fractions(browse: Browse) -> None:
    unit = f"分数のたし算{uuid4().hex[:4]}"
    page = browse("aozora.es.teacher1")
    pupils = pupils_of_the_class(page)
    scores = {0: (1.0, 1.0, 0.8), 1: (0.9, 1.0, 0.5), 2: (0.8, 0.5, 0.5), 3: (0.3, 0.5, 0.0), 4: (1.0, 0.9, 0.9)}
    sent = [
        answered(pupils[child], unit, question, scaled)
        for child, given in scores.items()
        for question, scaled in enumerate(given, 1)
    ]
    store = browse.stack.info["lrs"]
    client = next(one for one in store["clients"] if one["board"] == "aozora")
    posted = httpx.post(
        f"{store['base_url']}/statements",
        json=sent,
        auth=(client["username"], client["password"]),
        headers={"X-Experience-API-Version": "1.0.3"},
    )
    assert posted.status_code == 200, posted.text

    page.get_by_role("main").get_by_role("link", name="学習のようす").click()
    expect(page.get_by_role("heading", level=1, name="学習のようす")).to_be_visible()
    page.get_by_label("単元を探す").press_sequentially("たし算")
    row = page.get_by_role("row").filter(has_text=unit)
    expect(row).to_contain_text("3人")
    browse.check(page, "study-units")
    row.get_by_role("link", name=unit).click()
    expect(page.get_by_role("heading", level=3, name="よくできている：3人")).to_be_visible()
    expect(page.get_by_role("heading", level=3, name="つまずいている：1人")).to_be_visible()
    expect(page.get_by_role("region", name="観点ごとの平均").get_by_role("row").nth(1)).to_contain_text("思考")
    expect(page.get_by_text("分数の加法及び減法の意味について理解し")).to_be_visible()
    browse.check(page, "study-unit")
    page.get_by_role("link", name=re.compile("^4番")).click()
    mine = page.get_by_role("row").filter(has_text=unit)
    expect(mine).to_have_count(3)
    expect(mine.first).to_contain_text("1分15秒")
    browse.check(page, "study-pupil")
