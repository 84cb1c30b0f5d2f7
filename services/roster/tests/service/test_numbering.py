"""出席番号 given anew, from the call to the class list."""

from __future__ import annotations

import pytest
from komu.roster.v1 import classes_pb2 as pb
from komu.roster.v1.classes_pb2_grpc import ClassServiceStub
from servicekit.errors import Conflict, Invalid, Refused, Unseen

from .conftest import Board


async def test_a_class_is_numbered_in_order_after_it_was_looked_at(board: Board):
    office = board.as_person("office", "office", stub=ClassServiceStub)
    version = getattr(await board.roster(board.class_31), "class").version
    asked = pb.NumberClassRequest(class_id=board.class_31, keep_gaps=True, version=version)
    shown = await office.PreviewNumbers(asked)
    # アベ, タカハシ, ヤマザキ
    expected = [("阿部", 3, 1), ("髙橋", 1, 2), ("山﨑", 2, 3)]
    assert [(one.pupil.names.display.family, one.before, one.after) for one in shown.numbers] == expected
    assert [one.pupil.number for one in (await board.roster(board.class_31)).entries] == [1, 2, 3]
    await office.NumberClass(asked)
    entries = (await board.roster(board.class_31)).entries
    assert [(one.pupil.number, one.pupil.names.display.family) for one in entries] == [
        (1, "阿部"), (2, "髙橋"), (3, "山﨑"),
    ]  # fmt: skip
    with pytest.raises(Conflict, match="ほかの人が変更"):
        await office.NumberClass(asked)
    with pytest.raises(Invalid, match="性別が登録されていない"):
        await office.PreviewNumbers(pb.NumberClassRequest(class_id=board.class_31, order="boys_first"))


async def test_who_may_number_a_class(board: Board):
    asked = pb.NumberClassRequest(class_id=board.class_31, version=1)
    with pytest.raises(Refused):
        await board.as_person("teacher", "teacher", stub=ClassServiceStub).NumberClass(asked)
    with pytest.raises(Unseen):
        await board.as_person("jh_principal", "principal", stub=ClassServiceStub).NumberClass(asked)
