"""The invented staff: those who can sign in (same user names as the identity provider's) and those who only serve."""

from dataclasses import dataclass

from jpschool.characters import proposed_display

from dataexchange.domain.demo.boards import DemoBoard, DemoSchool, demo_id
from dataexchange.domain.demo.names import PersonName, Written, ordinary_name, pick


@dataclass(frozen=True, slots=True)
class DemoStaff:
    """One member of staff. `post` as in the register; `board_office` serves the board itself."""

    username: str
    name: PersonName
    post: str
    school: DemoSchool | None

    @property
    def id(self) -> str:
        return demo_id(self.username)


# username suffix → post, and 氏・名・シ・メイ per board. Official spelling; the display name follows from it.
_PEOPLE: dict[str, tuple[str, dict[str, str]]] = {
    "board": (
        "board_office",
        {
            "aozora": "教委 管理 キョウイ カンリ",
            "hoshi": "星教 管子 ホシキョウ カンコ",
            "minato": "港教 管太 ミナトキョウ カンタ",
        },
    ),
    "es.principal": (
        "principal",
        {
            "aozora": "青木 校一 アオキ コウイチ",
            "hoshi": "星川 長子 ホシカワ チョウコ",
            "minato": "港 学 ミナト マナブ",
        },
    ),
    "es.vice": (
        "vice_principal",
        {
            "aozora": "空野 教子 ソラノ キョウコ",
            "hoshi": "星田 頭一 ホシダ トウイチ",
            "minato": "波野 教二 ナミノ キョウジ",
        },
    ),
    "es.office": (
        "office",
        {
            "aozora": "雲井 事郎 クモイ ジロウ",
            "hoshi": "星山 務子 ホシヤマ ムツコ",
            "minato": "浜野 事子 ハマノ コトコ",
        },
    ),
    "es.teacher1": (
        "teacher",
        {
            "aozora": "髙橋 担子 タカハシ タンコ",
            "hoshi": "星﨑 任一 ホシザキ ニンイチ",
            "minato": "𠮷田 担朗 ヨシダ タンロウ",
        },
    ),
    "es.teacher2": (
        "teacher",
        {"aozora": "虹田 二郎 ニジタ ジロウ", "hoshi": "星野 二葉 ホシノ フタバ", "minato": "潮田 二海 シオタ フタミ"},
    ),
    "es.teacher3": (
        "teacher",
        {"aozora": "風間 三奈 カザマ ミナ", "hoshi": "星谷 三郎 ホシヤ サブロウ", "minato": "磯部 三帆 イソベ ミホ"},
    ),
    "es.teacher4": (
        "teacher",
        {"aozora": "雨宮 四季 アメミヤ シキ", "hoshi": "星村 四葉 ホシムラ ヨツバ", "minato": "岬 四郎 ミサキ シロウ"},
    ),
    "es.teacher9": (
        "teacher",
        {"aozora": "霧島 未登 キリシマ ミト", "hoshi": "星原 未録 ホシハラ ミロク", "minato": "沖 未来 オキ ミライ"},
    ),
    "jh.principal": (
        "principal",
        {
            "aozora": "青山 中子 アオヤマ ナカコ",
            "hoshi": "星本 中一 ホシモト チュウイチ",
            "minato": "港川 中央 ミナトガワ チュウオウ",
        },
    ),
    "jh.vice": (
        "vice_principal",
        {
            "aozora": "空田 副一 ソラタ フクイチ",
            "hoshi": "星岡 副子 ホシオカ フクコ",
            "minato": "波田 副次 ナミタ フクジ",
        },
    ),
    "jh.office": (
        "office",
        {"aozora": "雲野 文子 クモノ フミコ", "hoshi": "星沢 文郎 ホシザワ フミオ", "minato": "浜田 文 ハマダ フミ"},
    ),
    "jh.teacher1": (
        "teacher",
        {"aozora": "日向 国語 ヒナタ クニコ", "hoshi": "星井 数子 ホシイ カズコ", "minato": "渚 英一 ナギサ エイイチ"},
    ),
    "jh.teacher2": (
        "teacher",
        {"aozora": "陽田 数馬 ヒダ カズマ", "hoshi": "星名 英子 ホシナ エイコ", "minato": "汐見 理子 シオミ リコ"},
    ),
    "jh.teacher3": (
        "teacher",
        {"aozora": "月岡 英美 ツキオカ エミ", "hoshi": "星居 理一 ホシイ リイチ", "minato": "灘 社会 ナダ ヤスエ"},
    ),
}


def signing_in(board: DemoBoard) -> list[DemoStaff]:
    """Those with an account."""
    schools = {school.key: school for school in board.schools}
    found = []
    for suffix, (post, spelled) in _PEOPLE.items():
        family, given, kana_family, kana_given = spelled[board.staff_like or board.tenant].split(" ")
        official = Written(family, given)
        display = Written(proposed_display(family), proposed_display(given))
        name = PersonName(display, Written(kana_family, kana_given), official if official != display else None)
        school = schools.get(suffix.partition(".")[0])
        found.append(DemoStaff(f"{board.tenant}.{suffix}", name, post, school))
    return found


def colleague(board: DemoBoard, school: DemoSchool, place: int) -> DemoStaff:
    """A teacher without an account."""
    sex = pick(("female", "male"), board.tenant, school.key, "colleague", place)
    name = ordinary_name(sex, board.tenant, school.key, "colleague", place)
    return DemoStaff(f"{board.tenant}.{school.key}.staff{place:02d}", name, "teacher", school)
