"""One press of a button is one trace: browser request, RPC, SQL, event, and its effect in other services."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import expect

from tests.support.browser import Browse
from tests.support.collector import Collector, Seen

PRESSED = "POST /roster/classes/{class_id}/homeroom"
RPC = "komu.roster.v1.RosterService/AssignHomeroomTeacher"
PUBLISHED = "publish komu.roster.v1.StaffDutiesChanged"
TOLD = "consume roster.v1.staff_duties_changed.*"
WHOLE = {
    ("portal", PRESSED),
    ("roster", RPC),
    ("roster", "sql write"),
    ("roster", PUBLISHED),
    *((hearer, name) for hearer in ("attendance", "grades") for name in (TOLD, "sql write")),
}


@pytest.mark.skipif("KOMU_TEST_STACK" in os.environ, reason="a given stack sends its traces elsewhere")
def test_from_the_press_to_the_effect_elsewhere(browse: Browse, collector: Collector) -> None:
    page = browse("aozora.es.principal", "/roster")
    page.get_by_role("link", name="6年1組", exact=True).click()
    choices = page.get_by_label("担任になる教職員").locator("option").all_inner_texts()[1:]
    current = page.locator("dl.facts dd").first.inner_text()
    chosen = next(label for label in choices if "教諭" in label and label.split("（")[0] not in current)
    page.get_by_label("担任になる教職員").select_option(label=chosen)
    page.get_by_label("いつから").fill("2027-01-08")
    page.get_by_role("button", name="この日から担任にする").click()
    expect(page.get_by_text("担任を登録しました。")).to_be_visible()

    spans = collector.trace(PRESSED, until=lambda found: {(span.service, span.name) for span in found} >= WHOLE)
    by_id = {span.span_id: span for span in spans}

    def above(span: Seen) -> Seen:
        return by_id[span.parent_id]

    request = one(spans, "portal", PRESSED)
    rpc = one(spans, "roster", RPC)
    sql = next(span for span in spans if span.name == "sql write" and above(span) == rpc)
    assert above(rpc) == request
    assert sql.service == "roster"
    for hearer in ("attendance", "grades"):
        heard = next(span for span in spans if span.service == hearer and span.name == TOLD)
        published = above(heard)
        assert (published.service, published.name) == ("roster", PUBLISHED)
        assert above(published) == sql
        assert any(span.name == "sql write" and above(span) == heard for span in spans)
    name = chosen.split("（")[0].split()[0]
    assert name
    assert not [span for span in spans if name in span.attributes], "ids and counts only"


def one(spans: list[Seen], service: str, name: str) -> Seen:
    (found,) = [span for span in spans if (span.service, span.name) == (service, name)]
    return found
