"""照会の画面: both sides see what was stated; only an open question of another side has buttons."""

from types import SimpleNamespace

import pytest
from jinja2 import ChainableUndefined, ChoiceLoader, DictLoader, Environment, FileSystemLoader
from komu.common.v1 import common_pb2
from komu.dataexchange.v1 import transfers_pb2 as pb
from komu.roster.v1 import roster_pb2
from portal import text
from portal.pages import notices
from portal.pages.transfers import renewal
from portal.settings import STATIC
from portal.transfer_words import NOTICE_STATES

NAMES = common_pb2.PersonNames(
    display=common_pb2.Name(family="髙﨑", given="𠮷子"), kana=common_pb2.Name(family="タカサキ", given="ヨシコ")
)


def shown(template: str, **facts) -> str:
    frame = DictLoader({"base.html": "{% block content %}{% endblock %}"})
    loader = ChoiceLoader([frame, FileSystemLoader(STATIC.parent / "templates")])
    env = Environment(loader=loader, autoescape=True, undefined=ChainableUndefined)
    env.filters.update(text.FILTERS)
    env.globals["c"] = env.get_template("components.html").module
    env.globals["csrf"] = lambda: ""
    return env.get_template(template).render(user=SimpleNamespace(holds=lambda *_: True), **facts)


def candidate(*, protected: bool) -> roster_pb2.PupilCandidate:
    pupil = roster_pb2.Pupil(id="p-1", names=NAMES, birth_on="2018-01-15", protected_address=protected)
    return roster_pb2.PupilCandidate(pupil=pupil, same_kana=True)


def asked(**more) -> pb.Notice:
    return pb.Notice(
        id="n-1", direction="in", organisation="board:479903", organisation_name="港野市教育委員会",
        school_code="B1", school_name="みなと小学校", names=NAMES, birth_on="2018-01-15", expected_on="2026-12-01",
        state="received", **more,
    )  # fmt: skip


@pytest.mark.parametrize("protected", [False, True])
def test_the_office_compares_and_drafts(protected):
    notice = asked(candidates=[candidate(protected=protected)])
    page = shown(
        "transfers/notice.html", inquiry=notice, asked=True, states=notices.ASKED_STATES, steps=notices.STEPS, names={},
        errors=[], open=True, columns=["項目", "照会の内容", "名簿の候補 1"],
    )  # fmt: skip
    assert "髙﨑" in page
    assert ("/transfers/new?pupil=p-1&amp;notice=n-1" in page) is not protected
    assert ("教育委員会に連絡してください" in page) is protected


def test_the_list_of_the_former_school_and_the_form_that_answers():
    page = shown("transfers/departures.html", notices=[asked()], transfers=[], states={}, state="")
    assert "転入先から照会が届いています" in page
    chosen = roster_pb2.GetPupilReply(pupil=roster_pb2.Pupil(id="p-1", names=NAMES))
    option = ("board:479903|B1", "港野市教育委員会 みなと小学校")
    page = shown(
        "transfers/new.html", inquiry=asked(), chosen=chosen, destinations=[option], errors=[],
        directory=pb.ListOrganisationsReply(directory_sequence=3), typed={"destination": option[0]},
    )  # fmt: skip
    assert '<option value="board:479903|B1" selected>' in page
    assert '<input type="hidden" name="notice" value="n-1">' in page


def test_the_open_page_of_the_asking_side_looks_again_while_the_other_side_moves_it():
    sent = pb.Notice(id="n-2", direction="out", organisation_name="青空市教育委員会", state="sent")
    facts = {"inquiry": sent, "asked": False, "states": NOTICE_STATES, "steps": notices.STEPS, "names": {}}
    assert 'hx-get="/notices/n-2?seen=sent"' in shown("transfers/notice.html", moving=True, **facts)
    assert "hx-get" not in shown("transfers/notice.html", moving=False, **facts)
    assert "HX-Refresh" not in renewal("sent", "sent").headers
    assert renewal("received", "sent").headers["HX-Refresh"] == "true"


def test_the_asking_side():
    sent = pb.Notice(id="n-2", direction="out", organisation_name="青空市教育委員会", state="answered")
    page = shown("transfers/arrivals.html", notices=[sent], notice_states=NOTICE_STATES, arrivals=[], states={})
    assert "(消去済み)" in page
    assert "転入の予定を相手に知らせる" in page
    page = shown(
        "transfers/notice.html", inquiry=sent, asked=False, states=NOTICE_STATES, steps=notices.STEPS, names={},
        errors=[], open=False, columns=[],
    )  # fmt: skip
    assert "対応しない" not in page
    page = shown(
        "transfers/notice_new.html", typed=dict.fromkeys(notices.FIELDS, ""), errors=[], destinations=[],
        directory=pb.ListOrganisationsReply(directory_sequence=3), schools=[("s-1", "みなと小学校")],
    )  # fmt: skip
    assert 'name="not_protected"' in page
