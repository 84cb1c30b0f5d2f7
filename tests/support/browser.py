"""Chromium for journeys: signing in at the real Keycloak, the second factor, screenshots, accessibility.

def test_teacher_takes_the_roll(browse):
    page = browse("aozora.es.teacher1")            # signed in, at the home page
    page.get_by_role("link", name="出欠").click()
    second_factor(page, browse.stack, "aozora.es.teacher1")   # when Keycloak asks for the code
    browse.check(page, "roll")                      # axe finds nothing; screenshots at both widths
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.support.stack import ROOT, RunningStack

CHROMIUM = os.environ.get("KOMU_CHROMIUM", "/usr/bin/chromium")
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--lang=ja"]
AXE = ROOT / "services" / "portal" / "web" / "node_modules" / "axe-core" / "axe.min.js"
SHOTS = Path(os.environ.get("KOMU_SHOTS", ROOT / "test-results" / "shots"))
LAPTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass
class Browse:
    """Opens signed-in pages, one browser context (cookies of its own) per person."""

    stack: RunningStack
    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)

    def __call__(
        self, username: str, path: str = "/", *, strong: bool = False, viewport: dict[str, int] | None = None
    ) -> Page:
        """A page at `path`, signed in as `username` with the password alone; `strong`: with the second factor too."""
        page = self.stranger(viewport=viewport)
        page.goto(self.address("/"))
        sign_in(page, self.stack, username)
        if strong:
            page.goto(self.address("/step-up?return=/"))
            second_factor(page, self.stack, username)
        if path != "/":
            page.goto(self.address(path))
        expect(page).to_have_url(self.address(path))
        return page

    def stranger(self, *, viewport: dict[str, int] | None = None) -> Page:
        """A page of nobody: a fresh browser."""
        context = self.browser.new_context(
            viewport=viewport or LAPTOP, locale="ja-JP", timezone_id="Asia/Tokyo", accept_downloads=True
        )
        context.set_default_timeout(20_000)
        self.contexts.append(context)
        return context.new_page()

    def address(self, path: str = "/") -> str:
        return f"{self.stack.info['portal']}{path}"

    def check(self, page: Page, name: str) -> None:
        """No finding of axe, nothing wider than the screen, one h1; pictures at both widths in `test-results/shots`."""
        for width, size in (("laptop", LAPTOP), ("phone", PHONE)):
            page.set_viewport_size(size)
            screenshot(page, f"{name}-{width}")
            overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert overflow <= 0, f"{name}: {overflow} px wider than the {width} screen"
            found = findings(page)
            assert not found, f"{name}, {width}: {found}"
        page.set_viewport_size(LAPTOP)
        assert page.locator("h1").count() == 1

    def close(self) -> None:
        for context in self.contexts:
            context.close()


def sign_in(page: Page, stack: RunningStack, username: str) -> None:
    """Fills Keycloak's form; ends where the portal leads."""
    page.locator("input[name=username]").fill(username)
    page.locator("input[name=password]").fill(stack.account(username)["password"])
    page.locator("input[type=submit], button[type=submit]").first.click()
    page.wait_for_url(f"{stack.info['portal']}/**")


def second_factor(page: Page, stack: RunningStack, username: str) -> None:
    """Enters a one-time code where Keycloak asks for it; ends back at the portal."""
    page.locator("input[name=otp]").fill(stack.fresh_code(username))
    page.locator("input[type=submit], button[type=submit]").first.click()
    page.wait_for_url(f"{stack.info['portal']}/**")


def screenshot(page: Page, name: str) -> Path:
    SHOTS.mkdir(parents=True, exist_ok=True)
    path = SHOTS / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path


def findings(page: Page) -> list[str]:
    """What axe-core objects to on this page, as readable lines."""
    # Through the debugger, not as a script element: the page's own policy stays as it is.
    page.evaluate(AXE.read_text())
    result: dict[str, Any] = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", AXE_RULES
    )
    return [
        f"{found['id']}: {found['help']}: {' | '.join(node['html'][:160] for node in found['nodes'])}"
        for found in result["violations"]
    ]


@pytest.fixture(scope="session")
def playwright_driver() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def chromium(playwright_driver: Playwright) -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.fail(f"no Chromium at {CHROMIUM}: install Debian's chromium or set KOMU_CHROMIUM")
    browser = playwright_driver.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def browse(stack: RunningStack, chromium: Browser) -> Iterator[Browse]:
    opened = Browse(stack, chromium)
    yield opened
    opened.close()
