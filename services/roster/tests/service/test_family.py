"""Family from the call to the tables: order and 親権, contacts, address with its protection, siblings."""

from __future__ import annotations

import pytest
from komu.common.v1 import common_pb2
from komu.roster.v1 import family_pb2 as pb
from komu.roster.v1.family_pb2_grpc import FamilyServiceStub
from servicekit.errors import Invalid, Refused, Unseen
from servicekit.testing import Caller

from .conftest import Board, a_name


def asks(board: Board, key: str = "office", role: str = "office") -> Caller[FamilyServiceStub]:
    return board.as_person(key, role, stub=FamilyServiceStub)


def guardian(board: Board, given: str, relationship: str, on: str, **more: object) -> pb.ChangeGuardianRequest:
    names = common_pb2.PersonNames(display=a_name("髙橋", given), kana=a_name("たかはし", "な"))
    return pb.ChangeGuardianRequest(
        pupil_id=board.people["pupil1"], on=on,
        guardian=pb.FamilyGuardian(names=names, relationship=relationship, **more),
    )  # fmt: skip


async def test_guardians_stand_in_order_with_their_rights_and_days(board: Board):
    office = asks(board)
    await office.ChangeGuardian(guardian(board, "母子", "母", "2026-04-01", custody=pb.CUSTODY_JOINT, cares=True))
    found = await office.ChangeGuardian(guardian(board, "父夫", "父", "2026-04-01", custody=pb.CUSTODY_JOINT))
    assert [(one.rank, one.relationship, one.custody, one.cares) for one in found.guardians] == [
        (1, "母", pb.CUSTODY_JOINT, True), (2, "父", pb.CUSTODY_JOINT, False),
    ]  # fmt: skip
    assert found.guardians[0].names.kana == a_name("タカハシ", "ナ")
    father = found.guardians[1]
    moved = guardian(board, "父夫", "父", "2026-09-01", id=father.id, rank=1, custody=pb.CUSTODY_SOLE)
    found = await office.ChangeGuardian(moved)
    assert [(one.rank, one.relationship, one.period.starts_on, one.period.ends_on) for one in found.guardians] == [
        (1, "父", "2026-09-01", ""), (2, "母", "2026-09-01", ""),
        (1, "母", "2026-04-01", "2026-08-31"), (2, "父", "2026-04-01", "2026-08-31"),
    ]  # fmt: skip
    asked = pb.EndGuardianRequest(pupil_id=board.people["pupil1"], guardian_id=father.id, last_on="2026-10-31")
    found = await office.EndGuardian(asked)
    standing = [one for one in found.guardians if not one.period.ends_on]
    assert [(one.rank, one.relationship, one.period.starts_on) for one in standing] == [(1, "母", "2026-11-01")]
    with pytest.raises(Invalid, match="一人もいなくなります"):
        await office.EndGuardian(
            pb.EndGuardianRequest(pupil_id=board.people["pupil1"], guardian_id=standing[0].id, last_on="2026-11-20")
        )


async def test_a_contact_corrected_on_its_day_is_struck_and_readable(board: Board):
    office = asks(board)

    def contact(phone: str, **more: str) -> pb.ChangeContactRequest:
        return pb.ChangeContactRequest(
            pupil_id=board.people["pupil1"], on="2026-11-20", reason="聞き違い",
            contact=pb.Contact(label="母の勤務先", phone=phone, **more),
        )  # fmt: skip

    first = (await office.ChangeContact(contact("03-0000-0001"))).contacts[0]
    found = await office.ChangeContact(contact("03-0000-0002", id=first.id))
    assert [(one.phone, one.rank) for one in found.contacts] == [("03-0000-0002", 1)]
    assert [(one.kind, one.text, one.reason, one.struck_by) for one in found.struck] == [
        ("contact", "母の勤務先\u300003-0000-0001", "聞き違い", board.people["office"])
    ]
    ended = await office.EndContact(
        pb.EndContactRequest(pupil_id=board.people["pupil1"], contact_id=first.id, last_on="2026-11-21")
    )
    assert [one.period.ends_on for one in ended.contacts] == ["2026-11-21"]


async def test_a_protected_address_is_hidden_from_teachers_and_former_entries_with_it(board: Board):
    office, pupil_id = asks(board), board.people["pupil1"]
    for on, text in (("2026-04-01", "試験市旧町1"), ("2026-11-01", "試験市新町2")):
        found = await office.ChangeAddress(pb.ChangeAddressRequest(pupil_id=pupil_id, text=text, on=on))
    assert [(one.text, one.period.starts_on, one.period.ends_on) for one in found.addresses] == [
        ("試験市新町2", "2026-11-01", ""), ("試験市旧町1", "2026-04-01", "2026-10-31"),
    ]  # fmt: skip
    teacher = asks(board, "teacher", "teacher")
    seen = await teacher.GetFamily(pb.GetFamilyRequest(pupil_id=pupil_id))
    assert (len(seen.addresses), seen.may_change) == (2, False)
    with pytest.raises(Invalid, match="理由を入力"):
        await office.SetProtection(pb.SetProtectionRequest(pupil_id=pupil_id, protected=True))
    protected = await office.SetProtection(
        pb.SetProtectionRequest(pupil_id=pupil_id, protected=True, reason="教育委員会からの連絡")
    )
    assert (len(protected.addresses), protected.hidden) == (2, False)
    for veiled in (teacher, board.board_admin(FamilyServiceStub)):
        seen = await veiled.GetFamily(pb.GetFamilyRequest(pupil_id=pupil_id))
        assert (len(seen.addresses), len(seen.struck), seen.hidden) == (0, 0, True)


async def test_siblings_are_linked_both_ways_and_parted(board: Board):
    office = asks(board)
    one, two, three = (board.people[key] for key in ("pupil1", "pupil2", "pupil4"))
    await office.LinkSibling(pb.LinkSiblingRequest(pupil_id=one, sibling_id=two))
    found = await office.LinkSibling(pb.LinkSiblingRequest(pupil_id=two, sibling_id=three))
    assert {sibling.id for sibling in found.siblings} == {one, three}
    found = await office.LinkSibling(pb.LinkSiblingRequest(pupil_id=two, sibling_id=three, apart=True))
    assert [sibling.id for sibling in found.siblings] == [one]
    with pytest.raises(Unseen):  # a child of another school
        await office.LinkSibling(pb.LinkSiblingRequest(pupil_id=one, sibling_id=board.people["pupil_j"]))


async def test_who_may_change_a_family(board: Board):
    asked = pb.ChangeAddressRequest(pupil_id=board.people["pupil1"], text="試験市1", on="2026-11-01")
    for caller in (asks(board, "teacher", "teacher"), board.board_admin(FamilyServiceStub)):
        with pytest.raises(Refused):
            await caller.ChangeAddress(asked)
    with pytest.raises(Unseen):
        await asks(board, "jh_principal", "principal").ChangeAddress(asked)
