"""Every requirement of xAPI that is listed names tests that exist."""

from __future__ import annotations

import re

from tests.support.documented import ROOT

PAGE = ROOT / "docs" / "api" / "xapi-requirements.md"
ROW = re.compile(r"^\| (?P<number>[^|]+) \| [^|]+ \| (?P<tests>[^|]+) \|$", re.M)


def test_each_requirement_is_held_by_tests_that_exist():
    folder = ROOT / "services" / "learning" / "tests"
    written = {name for file in folder.rglob("test_*.py") for name in re.findall(r"def (test_\w+)", file.read_text())}
    rows = [row for row in ROW.finditer(PAGE.read_text()) if row["number"].strip() not in ("section", "---")]
    assert len(rows) > 40
    for row in rows:
        named = re.findall(r"`(test_\w+)`", row["tests"])
        assert named, row["number"]
        assert set(named) <= written, row["number"]
