"""Lists for Excel, and how 在籍者数 is laid out."""

import io
import zipfile

from komu.roster.v1 import movements_pb2 as mv
from komu.roster.v1 import roster_pb2 as pb
from portal.pages.register_lists import sections
from portal.spreadsheet import as_csv, workbook

ROWS = [["髙橋　花", 3, ""], ["=1+1", 12, None]]


def test_csv_opens_in_excel_and_reckons_nothing():
    text = as_csv(["氏名", "番号", "備考"], ROWS)
    assert text.startswith("\ufeff氏名,番号,備考\r\n".encode())
    assert "'=1+1,12," in text.decode("utf-8-sig")


def test_a_workbook_holds_names_whole_and_numbers_as_numbers():
    book = zipfile.ZipFile(io.BytesIO(workbook("名簿　3年1組", ["氏名", "番号", "備考"], ROWS, tab="3年1組[試]")))
    strings, sheet = book.read("xl/sharedStrings.xml").decode(), book.read("xl/worksheets/sheet1.xml").decode()
    assert "髙橋　花" in strings
    assert "=1+1" in strings
    assert "<f>" not in sheet
    assert "<v>12</v>" in sheet
    assert 'name="3年1組試"' in book.read("xl/workbook.xml").decode()


def a_count(school_grade: str, class_name: str, sex: int, number: int, kind: int = pb.CLASS_KIND_HOMEROOM):
    return mv.EnrolledCount(
        class_id=class_name, class_name=class_name, class_kind=kind if class_name else 0, school_grade=school_grade,
        sex=sex, number=number,
    )  # fmt: skip


def test_counts_stand_by_school_grade_with_special_needs_classes_after_the_others():
    found = sections(
        [
            a_count("P2", "あおぞら学級", pb.SEX_MALE, 2, pb.CLASS_KIND_SPECIAL_NEEDS),
            a_count("P2", "2年1組", pb.SEX_FEMALE, 17),
            a_count("P2", "2年1組", pb.SEX_MALE, 16),
            a_count("P2", "", 0, 1),
            a_count("P1", "1年1組", pb.SEX_MALE, 30),
        ]
    )
    assert [label for label, _, _ in found] == ["小1", "小2"]
    _, rows, total = found[1]
    assert [(row.label, row.male, row.female, row.other, row.whole) for row in rows] == [
        ("2年1組", 16, 17, 0, 33), ("あおぞら学級", 2, 0, 0, 2), ("学級未定", 0, 0, 1, 1),
    ]  # fmt: skip
    assert (total.male, total.female, total.other, total.whole) == (18, 17, 1, 36)
