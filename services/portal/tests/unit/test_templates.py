"""Templates keep to the content security policy, and show names and wrong input as they are."""

import re
from types import SimpleNamespace

import pytest
from jinja2 import ChainableUndefined, Environment, FileSystemLoader
from markupsafe import Markup
from portal import text
from portal.assets import Assets
from portal.settings import STATIC
from portal.view import build_environment

TEMPLATES = STATIC.parent / "templates"
FORBIDDEN = [
    (r"<[^>]*\sstyle\s*=", "an inline style"),
    (r"<style\b", "a style element"),
    (r"<script(?![^>]*\ssrc=)", "an inline script"),
    (r"<[^>]*\son[a-z]+\s*=", "an event attribute"),
    (r"\bhx-on\b", "hx-on"),
    (r"=[\"']js:", "a js: value"),
    (r"javascript:", "a javascript: address"),
    (r"(src|href)=[\"']https?://", "something from elsewhere"),
    (r"\|\s*safe\b", "unescaped output"),
]


def environment():
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(text.FILTERS)
    env.globals["c"] = env.get_template("components.html").module
    return env


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda p: str(p.relative_to(TEMPLATES)))
def test_templates_hold_nothing_the_policy_would_block(path):
    source = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.S)
    for pattern, words in FORBIDDEN:
        assert not re.search(pattern, source), f"{path.name} holds {words}"
    environment().get_template(str(path.relative_to(TEMPLATES)))


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda p: str(p.relative_to(TEMPLATES)))
def test_every_changing_form_carries_the_token(path):
    for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", path.read_text(), flags=re.S):
        assert "csrf" in form


def name(family, given, middle=""):
    return SimpleNamespace(family=family, given=given, middle=middle)


def test_names_with_variants_and_markup_survive():
    c = environment().globals["c"]
    html = c.person_name(name("葛\U000e0100城", "𠮷"), name("カツラギ", "ヨシ"), name("髙﨑", "<b>"))
    assert "葛\U000e0100城\u3000𠮷" in html
    assert "髙﨑\u3000&lt;b&gt;" in html
    assert 'lang="ja"' in html
    assert "name-official" in html


def test_a_field_shows_its_message_and_keeps_what_was_typed():
    c = environment().globals["c"]
    html = c.field("on", "日付", '"><script>', errors=[SimpleNamespace(field="on", message="日付が違います")])
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="f-on-error1"' in html
    assert "<script>" not in html
    assert "日付が違います" in html


def test_a_running_job_asks_again_and_a_finished_one_does_not():
    c = environment().globals["c"]
    job = SimpleNamespace(id="j", state=2, done=5, total=12000, label="")
    assert "every 1s" in c.progress_job(job, "/jobs/j", "")
    job.state = 3
    assert "every 1s" not in c.progress_job(job, "/jobs/j", "")


def test_what_people_typed_never_becomes_markup():
    """Also where the same words stood in trusted markup before: the kept escapes know the two apart."""
    page = build_environment(Assets(STATIC)).from_string("{{ trusted }}{{ typed }}{{ typed }}{{ number }}")
    shown = page.render(trusted=Markup("<b>"), typed="<b>", number=3)
    assert shown == "<b>&lt;b&gt;&lt;b&gt;3"
