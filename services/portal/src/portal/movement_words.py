"""異動の手続き in words: what each kind asks for, which day the law means, and what follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from komu.roster.v1 import roster_pb2 as pb


@dataclass(frozen=True, slots=True)
class Kind:
    """One 異動: its fields with their labels and hints, the rule behind the days, what follows."""

    number: pb.EnrolmentEventKind.ValueType
    word: str
    when: str  # in one line: when it is this one
    rule: str  # which day, and by what rule
    labels: Mapping[str, str]
    hints: Mapping[str, str] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    follows: Sequence[str] = ()
    grounds: Sequence[tuple[str, str]] = ()


_FORMER = {"counterpart_name": "前の学校", "counterpart_address": "前の学校の所在地"}
_COMES = (
    "学級が決まったら、児童生徒のページの「学級に入れる」で学級と出席番号を決めます。",
    "指導要録 様式1の「入学・編入学等」「転入学」の欄に記載されます。",
)
_LEAVES = (
    "出席簿・座席・名簿には、この日の翌日から載りません。それまでの出欠と成績は残ります。",
    "指導要録 様式1の「転学・退学等」の欄に記載されます。",
)

ENTRIES: dict[str, Kind] = {
    "transferred_in": Kind(
        pb.ENROLMENT_EVENT_KIND_TRANSFERRED_IN, "転入学", "国内のほかの学校から来たとき",
        "転入学の年月日は、転入学通知書の転入期日（受け入れた日）です。"
        "前の学校の転学の日は、その前日になります（様式1 記入要領）。",
        {"effective_on": "転入学した日", "school_grade": "学年", **_FORMER, "reason": "事由"},
        {"reason": "例：保護者の転居"}, frozenset({"counterpart_address"}),
        ("前の学校へ、受け入れた日を書いた転入学通知書を送ります。指導要録の写しと健康診断票の原本が届いたら受領書を返します。",
         *_COMES),
    ),
    "admitted": Kind(
        pb.ENROLMENT_EVENT_KIND_ADMITTED, "入学", "第1学年に入るとき",
        "入学の年月日は、教育委員会が通知した入学期日です。遅れて登校しても、その日は変わりません（学校教育法施行令5条）。",
        {"effective_on": "入学期日", "school_grade": "学年", "reason": "備考"}, {}, frozenset({"reason"}), _COMES,
    ),
    "admitted_from_abroad": Kind(
        pb.ENROLMENT_EVENT_KIND_ADMITTED_FROM_ABROAD, "編入学", "外国から、または就学猶予・免除が終わったとき",
        "第1学年の中途か第2学年以上に、外国・在外教育施設から入ったとき、"
        "就学猶予・免除の事由がなくなったときは編入学です（様式1 記入要領）。",
        {"effective_on": "編入学した日", "school_grade": "学年", **_FORMER, "reason": "事由"},
        {"reason": "例：外国からの帰国（○○国）、就学猶予の終了"},
        frozenset({"counterpart_name", "counterpart_address"}), _COMES,
    ),
    "reinstated": Kind(
        pb.ENROLMENT_EVENT_KIND_REINSTATED, "復籍", "居所不明で在学しない者となった児童生徒が見つかったとき",
        "この学校で居所不明として在学しない者となった児童生徒の居所が分かり、ふたたび在籍する日です。",
        {"effective_on": "復籍した日", "school_grade": "学年", "reason": "事由"}, {"reason": "例：居所の判明"},
        frozenset(), ("居所不明者一覧からは外れます。前の記録は残ります。", *_COMES),
    ),
}  # fmt: skip
EXITS: dict[str, Kind] = {
    "transferred_out": Kind(
        pb.ENROLMENT_EVENT_KIND_TRANSFERRED_OUT, "転学", "ほかの学校へ移り、受入れの知らせが紙で届いたとき",
        "日付は二つあります。学校を去った日（最後の登校日）と、転学の日です。転学の日は、受入校が受け入れた日の前日で、"
        "ここで受け入れた日を入力すると決まります（様式1 記入要領）。",
        {
            "left_on": "学校を去った日（最後の登校日）", "accepted_on": "受入校が受け入れた日",
            "counterpart_name": "転学先の学校", "counterpart_address": "転学先の所在地", "reason": "事由",
        },
        {"accepted_on": "転入学通知書に書かれている日です。", "reason": "例：保護者の転居"},
        frozenset({"counterpart_address", "reason"}),
        (*_LEAVES, "指導要録の写しと健康診断票の原本を転学先へ送り、受領書を受け取ります。"),
    ),
    "withdrawn": Kind(
        pb.ENROLMENT_EVENT_KIND_WITHDRAWN, "退学", "外国へ1年以上移るとき、学齢を超えたとき",
        "退学の年月日は、校長が退学を認めた日です。"
        "義務教育の学校では、外国への転出か学齢超過のときに限ります（様式1 記入要領）。",
        {"effective_on": "校長が退学を認めた日", "ground": "退学の事由", "reason": "備考"},
        {"reason": "例：保護者の海外赴任（○○国）"}, frozenset({"reason"}), _LEAVES,
        (("abroad", "外国への転出"), ("over_age", "学齢超過")),
    ),
    "graduated": Kind(
        pb.ENROLMENT_EVENT_KIND_GRADUATED, "卒業", "最終学年を終えたとき",
        "卒業の年月日は、校長が卒業を認めた日です（学校教育法施行規則57条）。",
        {
            "effective_on": "校長が卒業を認めた日", "counterpart_name": "進学先",
            "counterpart_address": "進学先の所在地", "reason": "備考",
        },
        {}, frozenset({"counterpart_name", "counterpart_address", "reason"}),
        ("指導要録 様式1の「卒業」「進学先」の欄に記載され、保存期間（学籍は20年）が始まります。",
         "進学先の校長へ、指導要録の抄本か写しと健康診断票を送ります。"),
    ),
    "deferred": Kind(
        pb.ENROLMENT_EVENT_KIND_DEFERRED, "就学猶予・免除", "病気などで就学できず、教育委員会が認めたとき",
        "教育委員会が猶予または免除を認めた日です（学校教育法18条）。在学しない者として別に整理します。1年以内の療養は、在籍のまま長期欠席です。",
        {"effective_on": "認められた日", "ground": "猶予か免除か", "until_on": "猶予の終わりの日", "reason": "事由"},
        {"until_on": "決まっているときだけ。免除では空欄にします。", "reason": "例：長期の療養"},
        frozenset({"until_on"}), (*_LEAVES, "終わったときは、編入学として入力します。"),
        (("defer", "就学猶予"), ("exempt", "就学免除")),
    ),
    "not_enrolled": Kind(
        pb.ENROLMENT_EVENT_KIND_NOT_ENROLLED, "居所不明", "1年以上、居所が分からないとき",
        "居所が分からなくなってから1年を経過したら、在学しない者として別に整理します。それまでは在籍のまま欠席です。",
        {"left_on": "居所が分からなくなった日", "effective_on": "在学しない者とした日", "reason": "備考"}, {},
        frozenset({"reason"}), (*_LEAVES, "居所不明者一覧に載ります。見つかったら、復籍として入力します。"),
    ),
}  # fmt: skip
NOTES: dict[str, Kind] = {
    "out_of_district": Kind(
        pb.ENROLMENT_EVENT_KIND_OUT_OF_DISTRICT, "区域外就学", "ほかの市区町村に住みながら、この学校に通うとき",
        "住所のある市区町村と設置者の教育委員会が協議し、承諾した期間です（学校教育法施行令9条）。在籍はそのまま続きます。",
        {
            "effective_on": "始まる日", "until_on": "終わりの日", "counterpart_name": "住所のある市区町村の教育委員会",
            "reason": "事由",
        },
        {"until_on": "決まっているときだけ。", "reason": "例：年度途中の転居"}, frozenset({"until_on"}),
        ("在籍・学級・出席簿は変わりません。児童生徒のページと異動一覧に載ります。",),
    ),
}  # fmt: skip
KINDS: dict[str, Kind] = {**ENTRIES, **EXITS, **NOTES}
KEYS = {kind.number: key for key, kind in KINDS.items()}
