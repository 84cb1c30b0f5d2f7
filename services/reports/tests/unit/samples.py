"""One invented document of every form: what the tests print."""

from reports.domain.forms.attendance_register import (
    AttendanceRegister,
    RegisterCell,
    RegisterDay,
    RegisterLine,
    RegisterStaff,
    RegisterStatistics,
    RegisterTotals,
    SymbolLegend,
)
from reports.domain.forms.certificates import EnrolmentCertificate, Textbook, TextbookCertificate
from reports.domain.forms.guidance_record_1 import (
    GuidanceRecord1,
    RegisteredGuardian,
    RegisteredPerson,
    RegisterEvent,
    RegisterYear,
)
from reports.domain.forms.guidance_record_2 import (
    AttendanceYear,
    BehaviourRow,
    GuidanceRecord2,
    IntegratedStudy,
    Place,
    SpecialActivity,
    SubjectRecord,
    ViewpointRow,
    YearText,
)
from reports.domain.forms.guidance_record_copy import GuidanceRecordCopy
from reports.domain.forms.registry import FormDocument
from reports.domain.forms.report_card import (
    Completion,
    LabelledText,
    ReportCard,
    TermAttendance,
    TermSubject,
    TermViewpoint,
)
from reports.domain.forms.values import Certification, Entry, SchoolKind, StaffPeriod

VIEWPOINTS = ("知識・技能", "思考・判断・表現", "主体的に学習に取り組む態度")
BEHAVIOUR = (
    "基本的な生活習慣",
    "健康・体力の向上",
    "自主・自律",
    "責任感",
    "創意工夫",
    "思いやり・協力",
    "生命尊重・自然愛護",
    "勤労・奉仕",
    "公正・公平",
    "公共心・公徳心",
)
REMARK = (
    "国語では、物語文の登場人物の気持ちの変化を叙述に即して考え、友達と意見を交流しながら読みを深めた。"
    "算数では、わり算の意味を図と式を結び付けて説明することができた。係活動では、生き物係として毎日欠かさず世話をした。"
)
OFFICIAL = "渡邉\U000e0102 葛\U000e0101子"


def names(text: str = OFFICIAL) -> tuple[Entry, ...]:
    return (Entry(text="渡辺 花子", struck=True, ends_on="2025-05-31"), Entry(text=text))


def register(kind: SchoolKind = "elementary", name: str = OFFICIAL) -> GuidanceRecord1:
    elementary = kind == "elementary"
    grades = range(1, 7) if elementary else range(1, 4)
    done = 3 if elementary else 2
    return GuidanceRecord1(
        school_kind=kind,
        years=tuple(
            RegisterYear(
                school_grade=g,
                school_year=2026 - done + g if g <= done else 0,
                class_name="1組" if g <= done else "",
                number="12" if g <= done else "",
                principals=()
                if g > done
                else (
                    StaffPeriod(name="青空 太郎", starts_on="2025-04-01", ends_on="2025-09-30"),
                    StaffPeriod(name="髙﨑 邊\U000e0101子", starts_on="2025-10-01", ends_on="2026-03-31"),
                )
                if g == 2
                else (StaffPeriod(name="髙﨑 邊\U000e0101子"),),
                homeroom_teachers=(StaffPeriod(name="辻\U000e0100 一"),) if g <= done else (),
            )
            for g in grades
        ),
        pupil=RegisteredPerson(
            names=names(name),
            kana=(Entry(text="わたなべ はなこ"),),
            sex="女",
            birth_on="2017-06-03" if elementary else "2013-06-03",
            addresses=(
                Entry(text="みらい県青空市中央1丁目2番3号", struck=True, ends_on="2025-05-31"),
                Entry(text="みらい県青空市緑が丘4丁目5番6号 コーポ\U00020bb7野家101"),
            ),
        ),
        guardian=RegisteredGuardian(
            names=(Entry(text="渡邉\U000e0102 一郎"),),
            kana=(Entry(text="わたなべ いちろう"),),
            addresses=(Entry(text="児童の欄に同じ" if elementary else "生徒の欄に同じ"),),
        ),
        prior_history="令和3年4月から令和6年3月まで 青空市立ひかり幼稚園"
        if elementary
        else "令和7年3月 青空市立あおぞら小学校卒業",
        events=(
            RegisterEvent(kind="admitted", label="入学", effective_on="2024-04-08", school_grade=1),
            RegisterEvent(
                kind="transferred_in",
                label="転入学",
                effective_on="2025-06-02",
                school_grade=2,
                counterpart_name="星野町立星野小学校",
                counterpart_address="みらい県星野町本町1番地",
                reason="保護者の転居のため",
            ),
            RegisterEvent(
                kind="transferred_out",
                label="転学",
                effective_on="2026-11-24",
                school_grade=3,
                left_on="2026-11-20",
                counterpart_name="港野市立港野小学校",
                counterpart_address="みらい県港野市港1番地",
                reason="保護者の転勤のため",
            ),
        ),
        schools=(Entry(text="青空市立あおぞら小学校\nみらい県青空市中央1丁目1番1号"),),
        next_label="進　学　先" if elementary else "進学先・就職先等",
    )


def guidance(kind: SchoolKind = "elementary", name: str = OFFICIAL, remark: str = REMARK) -> GuidanceRecord2:
    elementary = kind == "elementary"
    grades = tuple(range(1, 7)) if elementary else (1, 2, 3)
    done = 3 if elementary else 2
    upper = (3, 4, 5, 6)
    if elementary:
        taught = (
            ("国語", grades, upper),
            ("社会", upper, upper),
            ("算数", grades, upper),
            ("理科", upper, upper),
            ("生活", (1, 2), ()),
            ("音楽", grades, upper),
            ("図画工作", grades, upper),
            ("家庭", (5, 6), (5, 6)),
            ("体育", grades, upper),
            ("外国語", (5, 6), (5, 6)),
        )
    else:
        subjects = ("国語", "社会", "数学", "理科", "音楽", "美術", "保健体育", "技術・家庭", "外国語")
        taught = tuple((label, grades, grades) for label in subjects)
    integrated = range(3, 7) if elementary else grades
    return GuidanceRecord2(
        school_kind=kind,
        school_grades=grades,
        pupil_names=names(name),
        school_name="青空市立あおぞら小学校" if elementary else "青空市立あおぞら中学校",
        places=tuple(Place(class_name="1組", number="12") if g <= done else Place() for g in grades),
        subjects=tuple(
            SubjectRecord(
                label=label,
                taught=in_grades,
                rated=rated,
                viewpoints=tuple(
                    ViewpointRow(label=v, values=tuple("ABC"[(i + g) % 3] if g <= done else "" for g in grades))
                    for i, v in enumerate(VIEWPOINTS)
                ),
                ratings=tuple(str(1 + g % 3) if g <= done else "" for g in grades),
            )
            for label, in_grades, rated in taught
        ),
        moral=tuple(
            YearText(
                school_grade=g, text="友達の気持ちを自分との関わりで捉え、多面的に考えていた。" if g <= done else ""
            )
            for g in grades
        ),
        foreign_language_activity=(
            YearText(school_grade=3, text="音声に慣れ親しみ、進んで友達と伝え合おうとしていた。"),
            YearText(school_grade=4),
        )
        if elementary
        else (),
        integrated=tuple(
            IntegratedStudy(
                school_grade=g,
                activity="「まちの魅力発見」地域の川の生き物を調べて発表した。",
                viewpoint="課題設定\n情報収集\n整理・分析\n表現",
                assessment="川の生き物と水質の関係を図に整理して分かりやすく伝えた。",
            )
            if g <= done
            else IntegratedStudy(school_grade=g)
            for g in integrated
        ),
        special_activities=tuple(
            SpecialActivity(
                label=label,
                viewpoint="よりよい生活を築くための知識・技能\n集団や社会の形成者としての思考・判断・表現\n主体的に生活や人間関係をよりよくしようとする態度",
                taught=tuple(g for g in grades if label != "クラブ活動" or g >= 4),
                values=tuple("○" if g <= done else "" for g in grades),
            )
            for label in (
                ("学級活動", "児童会活動", "クラブ活動", "学校行事")
                if elementary
                else ("学級活動", "生徒会活動", "学校行事")
            )
        ),
        behaviour=tuple(
            BehaviourRow(label=label, values=tuple("○" if g <= done and (i + g) % 2 else "" for g in grades))
            for i, label in enumerate(BEHAVIOUR)
        ),
        remarks=tuple(YearText(school_grade=g, text=remark if g <= done else "") for g in grades),
        attendance=tuple(
            AttendanceYear(
                school_grade=g,
                lesson_days=205,
                excused=3,
                required=202,
                absent=2,
                present=200,
                remarks="出席停止3（インフルエンザ）、欠席2（発熱）、遅刻1",
            )
            if g <= done
            else AttendanceYear(school_grade=g)
            for g in grades
        ),
    )


def guidance_copy(kind: SchoolKind = "elementary") -> GuidanceRecordCopy:
    return GuidanceRecordCopy(
        register=register(kind),
        guidance=guidance(kind),
        certification=Certification(
            text="この写しは、指導要録の原本と相違ないことを証明する。\n学校教育法施行規則第24条第3項の規定により、港野市立港野小学校長に送付する。",
            issued_on="2026-11-21",
            school_name="青空市立あおぞら小学校",
            principal_name="髙﨑 邊\U000e0101子",
        ),
    )


def report_card(*, completion: bool = False, comment: str = REMARK) -> ReportCard:
    terms = ("1学期", "2学期", "3学期")
    subjects = (
        ("国語", True),
        ("社会", True),
        ("算数", True),
        ("理科", True),
        ("音楽", True),
        ("図画工作", True),
        ("体育", True),
    )
    return ReportCard(
        title="あゆみ",
        term_label="2学期",
        school_year=2026,
        school_name="青空市立あおぞら小学校",
        class_name="3年1組",
        number="12",
        pupil_name="渡邉 葛子",
        principal_name="髙﨑 邊\U000e0101子",
        homeroom_teachers=("辻\U000e0100 一",),
        terms=terms,
        subjects=tuple(
            TermSubject(
                label=label,
                viewpoints=tuple(TermViewpoint(label=v, values=("A", "B", "")) for v in VIEWPOINTS),
                rated=rated,
                ratings=("3", "2", ""),
            )
            for label, rated in subjects
        ),
        legend="観点別の評価　A 十分満足できる　B おおむね満足できる　C 努力を要する　　評定　3・2・1",
        texts=(
            LabelledText(label="特別の教科 道徳", text="友達の気持ちを考えて話し合うことができました。", always=True),
            LabelledText(label="外国語活動", text="進んで友達と伝え合おうとしていました。", always=True),
            LabelledText(label="総合的な学習の時間", text="地域の川の生き物を調べて発表しました。", always=True),
        ),
        behaviour=tuple(TermViewpoint(label=b, values=("○", "", "")) for b in BEHAVIOUR),
        comments=tuple(LabelledText(label=t, text=comment if i < 2 else "") for i, t in enumerate(terms)),
        attendance=tuple(
            TermAttendance(
                label=t,
                lesson_days=70,
                excused=1,
                required=69,
                absent=2,
                present=67,
                late=1,
                early=0,
                remarks="インフルエンザ",
            )
            if i < 2
            else TermAttendance(label=t)
            for i, t in enumerate(terms)
        ),
        completion=Completion(text="第3学年の課程を修了したことを証します。", issued_on="2027-03-24")
        if completion
        else None,
    )


def attendance_register(*, month: int = 11, pupils: int = 35) -> AttendanceRegister:
    days = 31 if month == 8 else 30
    weekday = "月火水木金土日"
    first = 6 if month == 11 else 5  # 2026-11-01 is a Sunday, 2026-08-01 a Saturday
    holidays = {3, 23} if month == 11 else set(range(1, 32))

    def state(day: int) -> str:
        if (first + day - 1) % 7 >= 5 or day in holidays:
            return "no_lesson"
        return "closed_class" if day == 12 else "lesson"

    def cell(pupil: int, day: int) -> RegisterCell:
        if pupil == 4 and day < 10:
            return RegisterCell(outside=True)
        if state(day) == "closed_class":
            return RegisterCell(sign="停")
        if state(day) == "lesson" and (pupil * 7 + day * 3) % 41 == 0:
            return RegisterCell(sign="病", corrected=pupil == 7)
        return RegisterCell()

    sums = {
        "lesson_days": 19,
        "excused": 1,
        "required": 18,
        "absent_illness": 1,
        "absent_other": 0,
        "absent": 1,
        "present": 17,
        "late": 0,
        "early": 0,
    }
    return AttendanceRegister(
        school_name="青空市立あおぞら小学校",
        class_name="3年1組",
        school_year=2026,
        month=month,
        principals=(RegisterStaff(post="校長", name="髙﨑 邊\U000e0101子"),),
        homeroom_teachers=(
            RegisterStaff(post="教諭", name="辻\U000e0100 一", days="9日まで" if month == 11 else ""),
            *([RegisterStaff(post="教頭", name="𠮷田 花子", days="10日から")] if month == 11 else []),
        ),
        days=tuple(
            RegisterDay(
                day=d,
                weekday=weekday[(first + d - 1) % 7],
                state=state(d),  # type: ignore[arg-type]
                absent=1 if state(d) == "lesson" else None,
                excused=35 if state(d) == "closed_class" else None,
            )
            for d in range(1, days + 1)
        ),
        pupils=tuple(
            RegisterLine(
                number=str(n),
                name=OFFICIAL if n == 1 else f"児童 {n}号",
                cells=tuple(cell(n, d) for d in range(1, days + 1)),
                remarks="11月10日転入学" if n == 4 else "",
                **sums,
            )
            for n in range(1, pupils + 1)
        ),
        totals=RegisterTotals(**{k: v * pupils for k, v in sums.items()}),
        statistics=RegisterStatistics(
            on_roll_before=34,
            entered=1,
            left=0,
            on_roll=35,
            lesson_days=19,
            excused_total=35,
            required_total=630,
            absent_total=35,
            present_total=595,
            rate="94.4",
        ),
        symbols=tuple(
            SymbolLegend(sign=s, label=t)
            for s, t in (
                ("病", "病欠"),
                ("事", "事故欠"),
                ("忌", "忌引"),
                ("停", "出席停止"),
                ("チ", "遅刻"),
                ("早", "早退"),
            )
        ),
        notes=("12日　学級閉鎖（インフルエンザ）",),
    )


def enrolment_certificate() -> EnrolmentCertificate:
    return EnrolmentCertificate(
        document_number="26-014",
        pupil_names=(Entry(text=OFFICIAL),),
        pupil_kana="わたなべ はなこ",
        birth_on="2017-06-03",
        school_grade_label="第3学年",
        address="みらい県青空市緑が丘4丁目5番6号 コーポ\U00020bb7野家101",
        purpose="転学のため",
        statement="上記の者は、本校第3学年に在学していることを証明する。",
        issued_on="2026-11-20",
        school_name="青空市立あおぞら小学校",
        school_address="みらい県青空市中央1丁目1番1号",
        principal_name="髙﨑 邊\U000e0101子",
    )


def textbook_certificate() -> TextbookCertificate:
    books = (
        ("国語", "青空書房", "国語 301", "こくご 三上"),
        ("算数", "星野出版", "算数 302", "さんすう 3"),
        ("理科", "港野館", "理科 303", "たのしい理科 3"),
    )
    return TextbookCertificate(
        document_number="26-015",
        school_kind="elementary",
        pupil_names=(Entry(text=OFFICIAL),),
        pupil_kana="わたなべ はなこ",
        birth_on="2017-06-03",
        school_grade_label="第3学年",
        textbooks=tuple(
            Textbook(subject=a, publisher=b, code=c, title=d, supplied=a != "理科") for a, b, c, d in books
        ),
        statement="上記の者に対し、教科用図書を上記のとおり給与したことを証明する。",
        issued_on="2026-11-20",
        school_name="青空市立あおぞら小学校",
        school_address="みらい県青空市中央1丁目1番1号",
        principal_name="髙﨑 邊\U000e0101子",
    )


def every_form() -> dict[str, FormDocument]:
    return {
        "report_card": report_card(),
        "guidance_record_1": register(),
        "guidance_record_2": guidance(),
        "guidance_record_copy": guidance_copy(),
        "attendance_register": attendance_register(),
        "enrolment_certificate": enrolment_certificate(),
        "textbook_certificate": textbook_certificate(),
    }
