"""The printed forms, read back from the PDF."""

import dataclasses
import hashlib
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pypdf
import pytest
from pypdf.generic import ContentStream, StreamObject
from reports.domain.forms.registry import UnknownForm, form_of, forms_of, from_data, json_schema, to_data
from reports.domain.forms.values import Entry
from reports.typesetting.fonts import FontSet
from reports.typesetting.typesetter import Stamp, Typesetter

from services.reports.tests.unit import samples

STAMP = Stamp(
    author="青空市立あおぞら小学校",
    footer="2020.1版　文書番号 0193fa12　令和8年11月21日作成",
    created_at=datetime(2026, 11, 21, tzinfo=UTC),
)
SCHEMAS = Path(__file__).parents[2] / "src/reports/domain/forms/schemas"
IVS = re.compile("[\U000e0100-\U000e01ef]")


@pytest.fixture(scope="module")
def typesetter() -> Typesetter:
    return Typesetter(FontSet.found())


def text_of(pdf: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return re.sub(r"\s+", "", "".join(page.extract_text() for page in pages))


def glyphs(pdf: bytes) -> Iterator[int]:
    """Glyph numbers of every text operator; 0 is .notdef."""
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    for page in reader.pages:
        for operands, operator in ContentStream(page.get_contents(), reader).operations:
            if operator in (b"Tj", b"TJ"):
                for piece in operands[0] if isinstance(operands[0], list) else operands:
                    raw = getattr(piece, "original_bytes", b"")
                    yield from (int.from_bytes(raw[i : i + 2]) for i in range(0, len(raw), 2))


def font_files(pdf: bytes) -> dict[str, bool]:
    """Base fonts of the file and whether each is embedded."""
    found: dict[str, bool] = {}
    for page in pypdf.PdfReader(io.BytesIO(pdf)).pages:
        for font in page["/Resources"]["/Font"].values():
            descendant = font.get_object()["/DescendantFonts"][0].get_object()
            descriptor = descendant["/FontDescriptor"].get_object()
            streams = (descriptor.get(key) for key in ("/FontFile2", "/FontFile3"))
            found[str(descendant["/BaseFont"])] = any(
                isinstance(stream.get_object(), StreamObject) for stream in streams if stream is not None
            )
    return found


def drawings_of(pdf: bytes) -> set[str]:
    """The subset fonts of the file, outlines included: differs when another glyph was drawn."""
    found = set()
    for page in pypdf.PdfReader(io.BytesIO(pdf)).pages:
        for font in page["/Resources"]["/Font"].values():
            descriptor = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
            stream = descriptor.get("/FontFile2") or descriptor["/FontFile3"]
            found.add(hashlib.sha256(stream.get_object().get_data()).hexdigest())
    return found


@pytest.mark.parametrize("key", list(samples.every_form()))
def test_every_form_is_a_tagged_archivable_pdf_with_its_fonts(key: str, typesetter: Typesetter) -> None:
    form = form_of(key, 2026)
    made = typesetter.pdf(form, [samples.every_form()[key]], STAMP)
    root = pypdf.PdfReader(io.BytesIO(made.pdf)).trailer["/Root"]
    xmp = root["/Metadata"].get_object().get_data().decode()
    assert root["/MarkInfo"]["/Marked"]
    assert root["/StructTreeRoot"]["/K"]
    assert root["/Lang"] == "ja-JP"
    assert "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>A" in xmp.replace("\n", "")
    assert "<pdfuaid:part>1</pdfuaid:part>" in xmp
    fonts = font_files(made.pdf)
    assert fonts
    assert all(fonts.values())
    assert 0 not in set(glyphs(made.pdf))
    assert made.notes == () if typesetter.fonts.official else made.notes
    assert re.sub(r"\s+", "", STAMP.footer) in text_of(made.pdf)


@pytest.mark.parametrize("key", list(samples.every_form()))
def test_documents_fit_the_published_schema_and_come_back_whole(key: str) -> None:
    form = form_of(key, 2026)
    document = samples.every_form()[key]
    data = to_data(document)
    schema = json.loads((SCHEMAS / f"{key}.schema.json").read_text())
    assert schema == json_schema(form), "write the schemas anew: python -m reports schemas"
    jsonschema.Draft202012Validator(schema).validate(data)
    assert from_data(form, json.loads(json.dumps(data))) == document


def test_sheet_one_says_everything_the_notice_asks_for(typesetter: Typesetter) -> None:
    text = text_of(typesetter.pdf(form_of("guidance_record_1", 2026), [samples.register()], STAMP).pdf)
    for expected in (
        "小学校児童指導要録",
        "様式１（学籍に関する記録）",
        "わたなべはなこ",
        "渡辺花子",
        "平成29年6月3日生",
        "みらい県青空市中央1丁目2番3号",
        "児童の欄に同じ",
        "青空市立ひかり幼稚園",
        "令和6年4月8日第1学年入学",
        "令和7年6月2日第2学年転入学",
        "学校を去った日令和8年11月20日",
        "令和8年11月24日第3学年転学",
        "港野市立港野小学校",
        "令和8年度",
        "R7.10.1〜R8.3.31",
        "校長氏名印",
        "学級担任者",
        "整理番号",
    ):
        assert expected in text, expected


def test_sheet_two_has_the_subjects_and_ten_behaviours_of_each_school_kind(typesetter: Typesetter) -> None:
    form = form_of("guidance_record_2", 2026)
    elementary = text_of(typesetter.pdf(form, [samples.guidance()], STAMP).pdf)
    secondary = text_of(typesetter.pdf(form, [samples.guidance("lower_secondary")], STAMP).pdf)
    for expected in ("児童会活動", "児童会活動", "クラブ活動", *samples.BEHAVIOUR):
        assert expected in elementary, expected
    for expected in ("生徒会活動", "出席しなければならない日数", "公共心・公徳心"):
        assert expected in secondary, expected
    assert "クラブ活動" not in secondary


def test_official_names_keep_their_variant_glyph(typesetter: Typesetter) -> None:
    """Moji_Joho sequences come from IPAmj明朝, Adobe-Japan1 ones from Noto; a bare 葛 is neither."""
    if typesetter.fonts.official is None:
        pytest.skip("IPAmj明朝 is not on this machine")
    form = form_of("enrolment_certificate", 2026)
    fonts: dict[str, set[str]] = {}
    for name in ("葛", "葛\U000e0101", "葛\U000e0102"):
        document = dataclasses.replace(samples.enrolment_certificate(), pupil_names=(Entry(text=name),))
        made = typesetter.pdf(form, [document], STAMP)
        assert made.notes == ()
        assert name in text_of(made.pdf)
        fonts[name] = drawings_of(made.pdf)
    assert len({frozenset(each) for each in fonts.values()}) == 3


def test_without_ipamj_the_page_and_the_result_say_so() -> None:
    document = samples.register(name="辻\U000e0102 花子")
    made = Typesetter(FontSet(None)).pdf(form_of("guidance_record_1", 2026), [document], STAMP)
    assert any("IPAmj明朝がこの環境にない" in note and "U+8FBB U+E0102" in note for note in made.notes)
    assert "IPAmj明朝がこの環境にないため" in text_of(made.pdf)
    assert 0 not in set(glyphs(made.pdf))


def test_a_character_no_font_has_is_told_not_dropped_silently(typesetter: Typesetter) -> None:
    made = typesetter.pdf(form_of("guidance_record_2", 2026), [samples.guidance(remark="字\U0001f9a5字")], STAMP)
    assert any("〓" in note and "U+1F9A5" in note for note in made.notes)


def test_long_remarks_shrink_then_go_on_on_a_separate_sheet_and_nothing_is_lost(typesetter: Typesetter) -> None:
    long = "".join(f"{n}番目の所見として、学習と生活の様子を書き残しておく。" for n in range(1, 120))
    made = typesetter.pdf(form_of("guidance_record_2", 2026), [samples.guidance(remark=long)], STAMP)
    text = text_of(made.pdf).replace("（別紙へ続く）", "")
    assert made.pages >= 3
    assert sum("別紙に印刷" in note for note in made.notes) == 3
    assert "別紙" in text
    for n in (1, 60, 119):
        assert text.count(f"{n}番目の所見") >= 3


def test_moderately_long_remarks_only_shrink(typesetter: Typesetter) -> None:
    made = typesetter.pdf(form_of("guidance_record_2", 2026), [samples.guidance(remark=samples.REMARK * 4)], STAMP)
    assert made.pages == 2


def test_text_is_data_never_source(typesetter: Typesetter) -> None:
    nasty = '#panic("x") $1/0$ #read("/etc/passwd") *太字* [角] \\ @ref <label> //注'
    made = typesetter.pdf(form_of("guidance_record_2", 2026), [samples.guidance(remark=nasty)], STAMP)
    assert re.sub(r"\s+", "", nasty) in text_of(made.pdf)


def test_a_class_is_one_file_in_the_order_given(typesetter: Typesetter) -> None:
    documents = [samples.guidance(name=f"第{n}番児童") for n in (1, 2, 3)]
    made = typesetter.pdf(form_of("guidance_record_2", 2026), documents, STAMP, ["1番", "2番", "3番"])
    pages = [p.extract_text() for p in pypdf.PdfReader(io.BytesIO(made.pdf)).pages]
    assert made.pages == 6
    assert [re.search(r"第(\d)番児童", page.replace("\n", ""))[1] for page in pages] == list("112233")  # type: ignore[index]


def test_notes_of_a_class_name_the_pupil(typesetter: Typesetter) -> None:
    documents = [samples.guidance(), samples.guidance(remark=samples.REMARK * 20)]
    notes = typesetter.pdf(form_of("guidance_record_2", 2026), documents, STAMP, ["1番", "2番"]).notes
    assert notes
    assert all(note.startswith("2番 ") for note in notes)


def test_same_data_same_bytes(typesetter: Typesetter) -> None:
    form = form_of("report_card", 2026)
    once = typesetter.pdf(form, [samples.report_card()], STAMP).pdf
    again = Typesetter(FontSet.found()).pdf(form, [samples.report_card()], STAMP).pdf
    assert once == again


def test_preview_is_a_picture_per_page(typesetter: Typesetter) -> None:
    form = form_of("guidance_record_2", 2026)
    closely = typesetter.pictures(form, samples.guidance(), STAMP)
    assert closely.media_type == "image/svg+xml"
    assert [page[:4] for page in closely.pages] == [b"<svg", b"<svg"]
    beside = typesetter.pictures(form, samples.guidance(), STAMP, "png")
    assert [page[1:4] for page in beside.pages] == [b"PNG", b"PNG"]


def test_memory_of_a_large_print_is_given_back(typesetter: Typesetter) -> None:
    form = form_of("guidance_record_2", 2026)
    typesetter.pdf(form, [samples.guidance(name=f"児童{n}") for n in range(12)], STAMP)
    typesetter.settle()
    assert typesetter.pdf(form, [samples.guidance()], STAMP).pages == 2


def test_register_is_made_for_a_month_without_lessons_and_for_a_large_class(typesetter: Typesetter) -> None:
    form = form_of("attendance_register", 2026)
    made = typesetter.pdf(form, [samples.attendance_register(month=8, pupils=41)], STAMP)
    assert made.pages == 2
    assert "8月" in text_of(made.pdf)


def test_layouts_are_chosen_by_school_year() -> None:
    assert set(forms_of(2026)) == set(samples.every_form())
    with pytest.raises(UnknownForm):
        form_of("guidance_record_2", 2019)
    with pytest.raises(UnknownForm):
        form_of("nothing", 2026)


def test_one_character_and_forty_character_names_fit(typesetter: Typesetter) -> None:
    for name in ("𠮷", "アレクサンドリーナ" * 4 + "ヴィト"):
        made = typesetter.pdf(form_of("guidance_record_1", 2026), [samples.register(name=name)], STAMP)
        assert made.pages == 1
        assert name in text_of(made.pdf)


def test_many_moves_go_on_on_a_separate_sheet(typesetter: Typesetter) -> None:
    register = samples.register()
    moves = tuple(
        dataclasses.replace(register.events[1], counterpart_name=f"第{n}小学校", reason="転居のため")
        for n in range(1, 12)
    )
    addresses = tuple(Entry(text=f"みらい県青空市{n}丁目", struck=n < 30, ends_on="2025-01-01") for n in range(1, 31))
    crowded = dataclasses.replace(
        register, events=moves, pupil=dataclasses.replace(register.pupil, addresses=addresses)
    )
    made = typesetter.pdf(form_of("guidance_record_1", 2026), [crowded], STAMP)
    text = text_of(made.pdf)
    assert any("転入学" in note for note in made.notes)
    assert all(f"第{n}小学校" in text for n in range(1, 12))
    assert all(f"{n}丁目" in text for n in range(1, 31))


def lines_of(pdf: bytes, page: int = 0) -> list[tuple[str, float, float]]:
    """Pieces of text of a page with their baseline and size, in points."""
    found: list[tuple[str, float, float]] = []

    def visit(text: str, cm: list[float], tm: list[float], font: object, size: float) -> None:
        if text.strip():
            found.append((re.sub(r"\s+", "", text), tm[5] * cm[3] + cm[5], size * abs(tm[3] * cm[3])))

    pypdf.PdfReader(io.BytesIO(pdf)).pages[page].extract_text(visitor_text=visit)
    return found


def test_remarks_of_the_register_stay_inside_their_row(typesetter: Typesetter) -> None:
    """通称, a former name and the reasons of absences are two lines of small type, not one over the rule."""
    sheet = samples.attendance_register(pupils=40)
    first = dataclasses.replace(sheet.pupils[0], remarks="通称田中　マリア、9日まで鈴木　旧子、発熱1日、家事都合1日")
    document = dataclasses.replace(sheet, pupils=(first, *sheet.pupils[1:]))
    made = typesetter.pdf(form_of("attendance_register", 2026), [document], STAMP)
    lines = lines_of(made.pdf)
    tenth, eleventh = (next(line for line in lines if line[0] == f"児童{n}号") for n in (10, 11))
    pitch = abs(tenth[1] - eleventh[1])
    second = next(line for line in lines if line[0] == "児童2号")
    middle = second[1] + pitch + second[2] * 0.37  # of the first row: the names are set in its middle
    _, baseline, size = next(line for line in lines if line[0].endswith("家事都合1日"))
    assert "通称" not in next(line[0] for line in lines if line[0].endswith("家事都合1日"))  # it is the second line
    assert middle - pitch / 2 < baseline - size * 0.12


def test_names_of_several_parts_keep_the_official_one_first(typesetter: Typesetter) -> None:
    """別紙 is headed by the name of the 戸籍, not by the 通称 that stands behind it."""
    sheet = samples.register()
    names = (*sheet.pupil.names, Entry(text="（通称 田中 マリア）"))
    pupil = dataclasses.replace(sheet.pupil, names=names)
    document = dataclasses.replace(sheet, pupil=pupil, prior_history="みらい県青空市立ひかり幼稚園 " * 40)
    made = typesetter.pdf(form_of("guidance_record_1", 2026), [document], STAMP)
    heading = IVS.sub("", "".join(text for text, _, _ in lines_of(made.pdf, 1)))
    assert f"氏名{IVS.sub('', samples.OFFICIAL).replace(' ', '')}" in heading
    assert "通称" not in heading


def test_a_long_class_name_and_long_titles_of_textbooks_are_never_over_a_rule(typesetter: Typesetter) -> None:
    """What does not fit its cell in small type is said and goes to 別紙: nothing is printed over the next cell."""
    sheet = samples.register()
    year = dataclasses.replace(sheet.years[0], class_name="ひまわり特別支援学級" * 4)
    document = dataclasses.replace(sheet, years=(year, *sheet.years[1:]))
    made = typesetter.pdf(form_of("guidance_record_1", 2026), [document], STAMP)
    assert any(note.startswith("「学級」") and "別紙" in note for note in made.notes)
    certificate = samples.textbook_certificate()
    book = dataclasses.replace(certificate.textbooks[0], title="みんなと学ぶ小学校国語 三年 上 令和六年度版 " * 6)
    document = dataclasses.replace(certificate, textbooks=(book, *certificate.textbooks[1:]))
    made = typesetter.pdf(form_of("textbook_certificate", 2026), [document], STAMP)
    assert [note.split("」")[0] for note in made.notes] == ["「書名"]
    assert text_of(made.pdf).count("令和六年度版") == 6


def test_two_homeroom_teachers_stand_one_below_the_other_on_the_report_card(typesetter: Typesetter) -> None:
    teachers = ("アレクサンドラ コンスタンティノヴァ", "渡邉 花子")
    card = dataclasses.replace(samples.report_card(), homeroom_teachers=teachers, class_name="3年 ひまわり特別支援学級")
    made = typesetter.pdf(form_of("report_card", 2026), [card], STAMP)
    lines = {text: (baseline, size) for text, baseline, size in lines_of(made.pdf)}
    first, second = (lines[name.replace(" ", "")] for name in teachers)
    assert first[0] > second[0]
    assert min(first[1], second[1]) >= 6
    assert not any("別紙" in note for note in made.notes)
