"""新入学: what people paste is read line by line, and a wrong line is named."""

import pytest
from komu.roster.v1 import roster_pb2
from portal.pages.rollover import read_entrants
from servicekit.errors import Invalid


@pytest.mark.parametrize(
    "line",
    [
        "青空\t花子\tアオゾラ\tハナコ\t女\t2020-05-05",
        "青空,花子,アオゾラ,ハナコ,女,2020/5/5",
        "青空、花子、アオゾラ、ハナコ、女、2020年5月5日",
        "青空　花子　アオゾラ　ハナコ　女　2020.05.05",
    ],
)
def test_a_line_is_a_child_however_it_is_separated(line: str):
    (one,) = read_entrants(f"\n{line}\n\n")
    assert (one.family, one.given, one.kana_family, one.kana_given) == ("青空", "花子", "アオゾラ", "ハナコ")
    assert (one.sex, one.birth_on) == (roster_pb2.SEX_FEMALE, "2020-05-05")


def test_every_wrong_line_is_named():
    with pytest.raises(Invalid) as wrong:
        read_entrants("青空、花子\n青空、花子、アオゾラ、ハナコ、女、2020-05-05\n空、海、ソラ、ウミ、女子、2020-05-05")
    assert [one.message[:4] for one in wrong.value.violations] == ["1行目：", "3行目："]


def test_nothing_typed_is_told():
    with pytest.raises(Invalid, match="一行に一人"):
        read_entrants(" \n")
