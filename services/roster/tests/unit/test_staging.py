"""What is staged as columns is what is staged row by row."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from komu.common.v1 import common_pb2
from komu.roster.v1 import roster_pb2
from roster.grpc_api.staging import Stager
from servicekit.errors import Invalid

IMPORT = UUID("01976001-6b65-79e9-bfb1-000000000001")
SOURCES = st.sampled_from([str(uuid4()) for _ in range(4)] + ["a", "b"])
NAMES = st.sampled_from(["", "青空", "アオゾラ", "a\\b", "\t"])
PEOPLE = st.lists(st.tuples(SOURCES, st.uuids(version=4).map(str), NAMES, NAMES, NAMES, NAMES, SOURCES), max_size=6)
MEMBERS = st.lists(
    st.tuples(SOURCES, SOURCES, st.integers(0, 40), st.sampled_from(["", "2026-04-01", "2026-09-01"])), max_size=8
)


def stager() -> Stager:
    return Stager("aozora", IMPORT, 2026)


@settings(max_examples=100, deadline=None)
@given(PEOPLE, MEMBERS)
def test_columns_and_rows_are_staged_alike(
    people: list[tuple[str, str, str, str, str, str, str]], members: list[tuple[str, str, int, str]]
):
    rows = [
        roster_pb2.StageRow(
            person=roster_pb2.StagePerson(
                source_id=source, person_id=person, kind=roster_pb2.PERSON_KIND_PUPIL, org_source_id=org,
                names=common_pb2.PersonNames(
                    display=common_pb2.Name(family=family, given=given_),
                    kana=common_pb2.Name(family=kana_family, given=kana_given),
                ),
            )
        )
        for source, person, family, given_, kana_family, kana_given, org in people
    ] + [
        roster_pb2.StageRow(
            member=roster_pb2.StageMember(
                class_source_id=place, person_source_id=who, number=number, period=common_pb2.Period(starts_on=day)
            )
        )
        for place, who, number, day in members
    ]  # fmt: skip
    one_by_one = stager().take(roster_pb2.StageRosterRequest(rows=roster_pb2.StageRows(rows=rows)))

    columns = list(zip(*people, strict=True)) or [()] * 7
    blank = [""] * len(people)
    taker = stager()
    found = taker.take(
        roster_pb2.StageRosterRequest(
            people=roster_pb2.StagePeople(
                source_ids=columns[0], person_ids=columns[1], kinds=[roster_pb2.PERSON_KIND_PUPIL] * len(people),
                families=columns[2], givens=columns[3], middles=blank, kana_families=columns[4],
                kana_givens=columns[5], kana_middles=blank, org_source_ids=columns[6], school_grades=blank,
                home_class_source_ids=blank,
            )
        )
    )  # fmt: skip
    placed = list(zip(*members, strict=True)) or [()] * 4
    found |= taker.take(
        roster_pb2.StageRosterRequest(
            members=roster_pb2.StageMembers(
                class_source_ids=placed[0], person_source_ids=placed[1], numbers=placed[2], starts_on=placed[3],
                ends_on=[""] * len(members),
            )
        )
    )  # fmt: skip
    assert found == one_by_one
    if people:
        assert len(found["stage_people"][0]) == len(people)
    if members:
        keys = set(zip(*(found["stage_members"][place] for place in (2, 4, 6)), strict=True))
        assert len(keys) == len(found["stage_members"][0])


def test_a_person_that_comes_twice_is_staged_once():
    taker, person = stager(), str(uuid4())
    part = roster_pb2.StagePeople(
        source_ids=["a", "b"], person_ids=[person, person.upper()], kinds=[roster_pb2.PERSON_KIND_PUPIL] * 2,
        families=["青空"] * 2, givens=["花"] * 2, middles=[""] * 2, kana_families=["アオゾラ"] * 2,
        kana_givens=["ハナ"] * 2, kana_middles=[""] * 2, org_source_ids=[""] * 2, school_grades=[""] * 2,
        home_class_source_ids=[""] * 2,
    )  # fmt: skip
    request = roster_pb2.StageRosterRequest(people=part)
    assert taker.take(request)["stage_people"][2] == [person]
    assert taker.take(request) == {}


@pytest.mark.parametrize(
    "request_",
    [
        roster_pb2.StageRosterRequest(people=roster_pb2.StagePeople(source_ids=["a"], person_ids=[])),
        roster_pb2.StageRosterRequest(people=roster_pb2.StagePeople(source_ids=["a"], person_ids=["12"])),
        roster_pb2.StageRosterRequest(people=roster_pb2.StagePeople(source_ids=["a"], person_ids=[str(uuid4())])),
        roster_pb2.StageRosterRequest(members=roster_pb2.StageMembers(class_source_ids=["a"], numbers=[1])),
        roster_pb2.StageRosterRequest(rows=roster_pb2.StageRows(rows=[roster_pb2.StageRow()])),
        roster_pb2.StageRosterRequest(header=roster_pb2.StageHeader()),
    ],
)
def test_what_no_checked_file_contains_is_refused(request_: roster_pb2.StageRosterRequest):
    with pytest.raises(Invalid):
        stager().take(request_)
