"""J2: a board's administrator brings a roster in: what is wrong, what would change, then all of it or nothing."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from dataexchange.domain.demo.boards import BOARDS, demo_id
from dataexchange.domain.demo.roster import DemoRoster
from dataexchange.domain.oneroster.profile import V6
from dataexchange.domain.oneroster.school_supplement import SchoolSupplementRow, write_school_supplement
from playwright.sync_api import Page, expect
from servicekit.clock import today_jst

from tests.support.browser import PHONE, Browse

NAME = "RO_20261121_479902.zip"
NEWCOMER = str(uuid4())  # a new child in every run, so that a stack may be used again
Tables = dict[str, list[list[str]]]


def hoshi(change: Callable[[Tables], None] = lambda tables: None) -> bytes:
    """The demo board's own package, with `change` made to its tables."""
    target = io.BytesIO()
    DemoRoster(BOARDS["hoshi"]).write_package(target)
    members: dict[str, bytes] = {}
    with zipfile.ZipFile(target) as archive:
        tables = {
            name: list(csv.reader(io.StringIO(archive.read(name).decode(), newline=""))) for name in archive.namelist()
        }
    change(tables)
    for name, rows in tables.items():
        members[name] = "".join('"' + '","'.join(row) + '"\r\n' for row in rows).encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return made.getvalue()


def column(table: str, name: str) -> int:
    return V6.header(table).index(name)


def send(page: Page, content: bytes, name: str = NAME) -> None:
    page.get_by_role("navigation", name="メニュー").get_by_role("link", name="名簿の取込").click()
    form = page.get_by_role("form", name="名簿（OneRoster）を取り込む")
    form.get_by_label("ファイル").set_input_files({"name": name, "mimeType": "application/zip", "buffer": content})
    form.get_by_role("button", name="送って確認する").click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible(timeout=60_000)


def test_what_is_wrong_is_told_and_nothing_is_written(browse: Browse, tmp_path: Path) -> None:
    def half_width(tables: Tables) -> None:
        tables["users.csv"][3][column("users", "metadata.jp.kanaGivenName")] = "ﾊﾅｺ"
        tables["roles.csv"][5][column("roles", "userSourcedId")] = "nobody"

    page = browse("hoshi.board")
    send(page, hoshi(half_width))
    expect(page.get_by_text("取り込んでいません")).to_be_visible()
    findings = page.get_by_role("table", name="見つかったこと")
    told = findings.get_by_role("row").filter(has_text="ﾊﾅｺ")
    expect(told).to_contain_text("users.csv")
    expect(told).to_contain_text("4")
    expect(told).to_contain_text("metadata.jp.kanaGivenName")
    expect(told).to_contain_text("半角カナは使えません")
    browse.check(page, "import-refused")
    page.get_by_label("ファイル名").select_option("roles.csv")
    page.get_by_role("button", name="絞り込む").click()
    expect(findings.get_by_role("row").filter(has_text="users.csv").filter(has_text="ﾊﾅｺ")).to_have_count(0)
    expect(findings.get_by_role("row").filter(has_text="nobody")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSVで保存").click()
    saved = tmp_path / "findings.csv"
    download.value.save_as(saved)
    assert "半角カナは使えません" in saved.read_text(encoding="utf-8-sig")


def test_a_broken_zip_is_told(browse: Browse) -> None:
    page = browse("hoshi.board")
    send(page, hoshi()[:20_000], "RO_20261121_479902.zip")
    expect(page.get_by_text("ZIPが途中で切れています")).to_be_visible()


def test_a_file_that_would_empty_the_register_needs_a_second_word(browse: Browse) -> None:
    def one_school(tables: Tables) -> None:
        gone = next(row[0] for row in tables["orgs.csv"] if "中学校" in row[3])
        lost = {row[3] for row in tables["roles.csv"] if row[column("roles", "orgSourcedId")] == gone}
        for table in tables:
            tables[table] = [row for row in tables[table] if gone not in row and not lost & set(row)]

    page = browse("hoshi.board")
    send(page, hoshi(one_school))
    expect(page.get_by_text("登録済みの5分の1を超える件数がなくなります")).to_be_visible()
    browse.check(page, "import-preview")
    page.get_by_role("button", name="取り込みを実行する").click()
    expect(page.get_by_role("alert")).to_contain_text("5分の1")
    page.get_by_role("button", name="取りやめる").click()
    expect(page.get_by_text("取込を取りやめました")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="取りやめ").first).to_be_visible()
    browse.check(page, "import-history")


def test_a_newcomer_comes_in_with_the_next_file(browse: Browse) -> None:
    def newcomer(tables: Tables) -> None:
        pupil = next(row for row in tables["users.csv"] if row[column("users", "grades")] == "P1")
        home = pupil[column("users", "metadata.jp.homeClass")]
        new = list(pupil)
        for name in ("sourcedId", "userMasterIdentifier"):
            new[column("users", name)] = NEWCOMER
        new[column("users", "username")] = "hoshi.es.newcomer"
        for name in ("givenName", "preferredGivenName"):
            new[column("users", name)] = "転入子"
        tables["users.csv"].append(new)
        org = new[column("users", "primaryOrgSourcedId")]
        tables["roles.csv"].append([demo_id(NEWCOMER, "role"), "", "", NEWCOMER, "primary", "student", "", "", org, ""])
        span = ("2026-11-01", "2027-03-31")
        tables["enrollments.csv"].append(
            [demo_id(NEWCOMER, "home"), "", "", home, org, NEWCOMER, "student", "false", *span, "30", "true"]
        )

    page = browse("hoshi.board", viewport=PHONE)
    page.goto(browse.address("/imports"))
    form = page.get_by_role("form", name="名簿（OneRoster）を取り込む")
    content = {"name": NAME, "mimeType": "application/zip", "buffer": hoshi(newcomer)}
    form.get_by_label("ファイル").set_input_files(content)
    form.get_by_role("button", name="送って確認する").click()
    expect(page.get_by_text("まだ名簿は変わっていません")).to_be_visible(timeout=60_000)
    people = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="人", exact=True))
    expect(people.get_by_role("cell").nth(1)).to_have_text("1")
    page.get_by_text("人の例").click()
    expect(page.get_by_text("転入子").first).to_be_visible()
    browse.check(page, "import-preview-phone")
    page.get_by_role("button", name="取り込みを実行する").click()
    expect(page.get_by_text("取り込みが終わりました")).to_be_visible(timeout=60_000)
    browse.check(page, "import-applied")


def send_supplement(page: Page, kind: str, name: str, content: bytes) -> None:
    page.get_by_role("navigation", name="メニュー").get_by_role("link", name="名簿の取込").click()
    form = page.get_by_role("form", name=f"{kind}を取り込む")
    form.get_by_label("ファイル").set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
    form.get_by_role("button", name="送って確認する").click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible(timeout=60_000)


def test_a_supplement_starts_from_the_file_on_the_page(browse: Browse) -> None:
    page = browse("hoshi.board")
    for kind, why in (
        ("学籍補足", "行が指す人が登録されていません"),
        ("学校補足", "学校が登録されていません"),
    ):
        page.goto(browse.address("/imports"))
        with page.expect_download() as download:
            page.get_by_role("link", name=f"{kind}CSVのひな形").click()
        name = download.value.suggested_filename
        assert name == f"{kind}_ひな形.csv"
        send_supplement(page, kind, name, download.value.path().read_bytes())
        # What it says is well formed; only the invented person and school are not this board's.
        expect(page.get_by_text(why)).to_be_visible()
        expect(page.get_by_role("button", name="取り込みを実行する")).to_have_count(0)
        page.get_by_role("button", name="取りやめる").click()
        expect(page.get_by_text("取込を取りやめました")).to_be_visible()


def test_a_school_moves_with_the_school_supplement(browse: Browse) -> None:
    school = BOARDS["hoshi"].schools[1]
    page = browse("hoshi.board")
    moved = SchoolSupplementRow(school.code, school.name, f"みらい県星野町丘{uuid4().int % 1000}番地")
    wrong = replace(moved, code=school.code[:12] + "Ｘ")
    send_supplement(page, "学校補足", "学校補足.csv", b"".join(write_school_supplement([wrong])))
    told = page.get_by_role("table", name="見つかったこと").get_by_role("row").filter(has_text="学校コード")
    expect(told).to_contain_text("学校補足.csv")
    expect(told).to_contain_text(wrong.code)
    send_supplement(page, "学校補足", "学校補足.csv", b"".join(write_school_supplement([moved])))
    page.get_by_text("学校の例").click()
    expect(page.get_by_role("listitem").filter(has_text=school.name)).to_contain_text(moved.address)
    browse.check(page, "import-school-supplement")
    page.get_by_role("button", name="取り込みを実行する").click()
    expect(page.get_by_text("取り込みが終わりました")).to_be_visible(timeout=60_000)
    send_supplement(page, "学校補足", "学校補足.csv", b"".join(write_school_supplement([moved])))
    expect(page.get_by_text("学校の例")).to_have_count(0)


def test_only_the_boards_administrator_finds_the_page(browse: Browse) -> None:
    page = browse("hoshi.es.principal")
    expect(page.get_by_role("link", name="名簿の取込")).to_have_count(0)
    page.goto(browse.address("/imports"))
    expect(page.get_by_text("権限がありません。できるのは、教育委員会の管理者です。")).to_be_visible()


def test_children_missing_from_the_file_are_decided_about_and_a_mistake_is_taken_back(browse: Browse) -> None:
    """J2: a file cannot say why a child is missing. The board knows of its own slip, the school of 退学 and 卒業."""
    lost: dict[str, str] = {}

    def three_of_the_last_year(tables: Tables) -> None:
        family, given = (column("users", f"preferred{part}Name") for part in ("Family", "Given"))
        last_year = [row for row in tables["users.csv"] if row[column("users", "grades")] == "P6"]
        lost.update({row[0]: f"{row[family]}\u3000{row[given]}" for row in last_year[:3]})
        for table in tables:
            tables[table] = [row for row in tables[table] if not lost.keys() & set(row)]

    board = browse("hoshi.board")
    send(board, hoshi(three_of_the_last_year))
    board.get_by_role("button", name="取り込みを実行する").click()
    expect(board.get_by_text("取り込みが終わりました")).to_be_visible(timeout=60_000)
    expect(board.get_by_text("この名簿に載っていません")).to_be_visible()
    browse.check(board, "import-applied-unlisted")
    board.get_by_role("link", name="名簿にない児童生徒").click()
    first, second, third = lost.values()
    for name in lost.values():
        expect(board.get_by_role("checkbox", name=f"{name}を選ぶ")).to_be_visible()
    expect(board.get_by_role("radio", name=re.compile("^退学"))).to_have_count(0)
    browse.check(board, "unlisted-board")
    board.get_by_role("checkbox", name=f"{first}を選ぶ").check()
    board.get_by_role("radio", name=re.compile("^在籍のまま")).check()
    board.get_by_role("button", name="内容の入力へ進む").click()
    board.get_by_label("理由").fill("名簿の作成誤り")
    board.get_by_role("button", name="確かめる").click()
    expect(board.get_by_role("row").filter(has_text=first)).to_contain_text("続きます")
    board.get_by_role("button", name="この内容で決める").click()
    expect(board.get_by_text("1人の在籍を続けることにしました。")).to_be_visible()

    office = browse("hoshi.es.office")
    office.get_by_role("link", name="名簿にない児童生徒の扱いを決めてください").click()
    for name in (second, third):
        office.get_by_role("checkbox", name=f"{name}を選ぶ").check()
    browse.check(office, "unlisted-office")
    office.get_by_role("radio", name=re.compile("^退学")).check()
    office.get_by_role("button", name="内容の入力へ進む").click()
    office.get_by_label("退学の事由").select_option(label="学齢超過")
    office.get_by_label("校長が退学を認めた日").fill(today_jst().isoformat())
    office.get_by_role("button", name="確かめる").click()
    expect(office.get_by_text("までは学齢のため")).to_have_count(2)
    browse.check(office, "unlisted-refused")
    office.get_by_label("退学の事由").select_option(label="外国への転出")
    office.get_by_label("備考").fill("保護者の海外赴任")
    office.get_by_role("button", name="もう一度確かめる").click()
    browse.check(office, "unlisted-preview")
    office.get_by_role("button", name="この内容で決める").click()
    expect(office.get_by_text("2人の退学を登録しました。")).to_be_visible()

    for name in (second, third):
        office.get_by_role("link", name="決めたもの").click()
        row = office.get_by_role("row").filter(has_text=name).first
        row.get_by_text("取り消す").first.click()
        row.get_by_label("取り消す理由").fill("対象の取り違え")
        browse.check(office, "unlisted-decisions")
        row.get_by_role("button", name="この決定を取り消す").click()
        expect(office.get_by_text("児童生徒は一覧に戻っています。")).to_be_visible()
        expect(office.get_by_role("checkbox", name=f"{name}を選ぶ")).to_be_visible()
    office.get_by_role("link", name=third, exact=True).click()
    expect(office.get_by_text("最後に取り込んだ名簿に載っていません")).to_be_visible()
    office.locator("summary").filter(has_text="訂正された記録").click()
    struck = office.get_by_role("table", name="訂正された記録")
    expect(struck.get_by_role("rowheader", name="退学").first).to_be_visible()
    browse.check(office, "unlisted-taken-back")

    send(board, hoshi())  # the whole file again: whom it lists is missing no more
    board.get_by_role("button", name="取り込みを実行する").click()
    expect(board.get_by_text("取り込みが終わりました")).to_be_visible(timeout=60_000)
    office.goto(office.url)
    expect(office.get_by_text("最後に取り込んだ名簿に載っていません")).to_have_count(0)
