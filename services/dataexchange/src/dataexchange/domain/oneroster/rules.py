"""The rules a single column cannot tell: what a row says as a whole, and what it says about rows of other files.

One function per file, called with each block after its columns were checked. What only the whole tells: `whole`.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from itertools import count

from jpschool import school_year
from jpschool.codes import why_not_board_code, why_not_school_code

from dataexchange.domain.oneroster import quiet
from dataexchange.domain.oneroster.cells import duplicates, split_list
from dataexchange.domain.oneroster.facts import ClassFact, Facts, Org, RoleFact, Session
from dataexchange.domain.oneroster.findings import Findings
from dataexchange.domain.oneroster.meanings import subject_key
from dataexchange.domain.oneroster.table import Block

Places = dict[str, int]  # column name → place in the row; versions spell and order columns differently
Rule = Callable[[Block, Places, Facts, Findings], None]


def orgs(block: Block, at: Places, facts: Facts, findings: Findings) -> None:
    for number, row in enumerate(block.rows, block.first_row):
        kind, code, parent = row[at["type"]], row[at["identifier"]], row[at["parentSourcedId"]]
        facts.orgs[row[0]] = Org(row[at["name"]], kind, code)
        if parent:
            facts.parents_named.append((number, parent))
        if kind == "district" and parent:
            findings.error(
                "orgs.district_parent",
                "orgs.csv",
                "教育委員会（district）には親組織を書きません。",
                row=number,
                column="parentSourcedId",
                value=parent,
            )
        why = why_not_school_code(code) if kind == "school" else why_not_board_code(code)
        if code and why and kind in ("school", "district"):
            findings.error(f"orgs.{kind}_code", "orgs.csv", why, row=number, column="identifier", value=code)


def academic_sessions(block: Block, at: Places, facts: Facts, findings: Findings) -> None:
    file = "academicSessions.csv"
    for number, row in enumerate(block.rows, block.first_row):
        title, written = row[at["title"]], row[at["schoolYear"]]
        starts, ends = row[at["startDate"]], row[at["endDate"]]
        if not facts.whole_years:
            _session_as_written(number, row, at, facts, findings)
            continue
        year = int(starts[:4]) if starts[:4].isdecimal() else 0
        if year >= date.max.year:
            _tell(findings, "session.start", file, "あり得ない年度です。", number, "startDate", starts)
        if not 0 < year < date.max.year:
            continue  # told here or by the column check; nothing to compare with
        first, last = school_year.first_day(year).isoformat(), school_year.last_day(year).isoformat()
        facts.sessions[row[0]] = Session(year, first, last)
        if title != school_year.title(year):
            _tell(
                findings,
                "session.title",
                file,
                f"年度の名前は「{school_year.title(year)}」です。",
                number,
                "title",
                title,
            )
        if starts != first:
            _tell(findings, "session.start", file, f"学年度の始まりは{first}です。", number, "startDate", starts)
        if ends == school_year.first_day(year + 1).isoformat():
            findings.note(
                "session.end_exclusive",
                file,
                "終わりの日を含まない書き方（OneRoster本来）として読みます。日本版では3月31日です。",
                row=number,
                column="endDate",
                value=ends,
            )
        elif ends != last:
            _tell(findings, "session.end", file, f"学年度の終わりは{last}です。", number, "endDate", ends)
        if written == str(year + 1):
            findings.note(
                "session.ending_year",
                file,
                "年度を終わる年で数える書き方（OneRoster本来）として読みます。日本版では始まる年です。",
                row=number,
                column="schoolYear",
                value=written,
            )
        elif written and written != str(year):
            _tell(findings, "session.school_year", file, f"schoolYearは{year}です。", number, "schoolYear", written)


def _session_as_written(number: int, row: Sequence[str], at: Places, facts: Facts, findings: Findings) -> None:
    """OneRoster itself: any period, endDate behind its last day, schoolYear the year it ends in."""
    file, written = "academicSessions.csv", row[at["schoolYear"]]
    try:
        starts, ends = date.fromisoformat(row[at["startDate"]]), date.fromisoformat(row[at["endDate"]])
    except ValueError:
        return  # told by the column check
    year = school_year.school_year_of(starts)
    facts.sessions[row[0]] = Session(year, starts.isoformat(), (ends - timedelta(days=1)).isoformat())
    if ends <= starts:
        reason = "endDateは最後の日の次の日です。startDateより後の日にします。"
        _tell(findings, "session.end", file, reason, number, "endDate", row[at["endDate"]])
    if written == str(year) and row[at["type"]] == "schoolYear":
        findings.note(
            "session.starting_year",
            file,
            "年度を始まる年で数えています（日本版の書き方）。OneRoster本来は終わる年です。",
            row=number,
            column="schoolYear",
            value=written,
        )


def courses(block: Block, at: Places, facts: Facts, findings: Findings) -> None:
    for number, row in enumerate(block.rows, block.first_row):
        _same_length("courses.csv", number, row, at, findings)


def classes(block: Block, at: Places, facts: Facts, findings: Findings) -> None:
    file = "classes.csv"
    for number, row in enumerate(block.rows, block.first_row):
        school, kind, grades = row[at["schoolSourcedId"]], row[at["classType"]], row[at["grades"]]
        terms = split_list(row[at["termSourcedIds"]])
        facts.classes[row[0]] = ClassFact(
            school,
            row[at["title"]],
            kind,
            row[at["metadata.jp.specialNeeds"]] == "true",
            grades,
            terms[0] if terms else "",
            subject_key(row[at["subjects"]], row[at["subjectCodes"]]),
        )
        if school in facts.orgs and facts.orgs[school].type != "school":
            _tell(
                findings,
                "classes.not_a_school",
                file,
                "学級は学校に置きます（教育委員会のIDです）。",
                number,
                "schoolSourcedId",
                school,
            )
        if kind == "homeroom" and not grades:
            _tell(
                findings,
                "classes.school_grade_missing",
                file,
                "ホームルームには学年（grades）が必要です。",
                number,
                "grades",
                "",
            )
        _same_length(file, number, row, at, findings)


def users(block: Block, at: Places, facts: Facts, findings: Findings) -> None:
    file = "users.csv"
    masters = block.columns[at["userMasterIdentifier"]]
    for number, value, first in duplicates(masters, block.first_row, facts.master_ids):
        _tell(
            findings,
            "users.duplicate_uuid",
            file,
            f"利用者識別子（UUID）が{first}行目と重なっています。1人に1つです。",
            number,
            "userMasterIdentifier",
            value,
        )
    ids, grades = block.columns[0], block.columns[at["grades"]]
    agents, homes = block.columns[at["agentSourcedIds"]], block.columns[at["metadata.jp.homeClass"]]
    if "" in block.distinct(at["grades"]):
        rows = zip(ids, grades, count(block.first_row), strict=False)
        facts.users_without_school_grade |= {user: number for user, school_grade, number in rows if not school_grade}
    facts.agents_named += [(number, named) for number, named in enumerate(agents, block.first_row) if named]
    facts.home_class_of |= {user: home for user, home in zip(ids, homes, strict=True) if home}


def roles(block: Block, at: Places, facts: Facts, findings: Findings) -> None:
    file = "roles.csv"
    _dates_in_order(file, block, at, findings)
    if quiet.roles(block, at, facts):
        return
    user_at, type_at, role_at, org_at = at["userSourcedId"], at["roleType"], at["role"], at["orgSourcedId"]
    begin_at, end_at = at["beginDate"], at["endDate"]
    held = facts.roles_held
    for number, row in enumerate(block.rows, block.first_row):
        user, role_type, role = row[user_at], row[type_at], row[role_at]
        if role_type == "primary":
            before = facts.primary_role.setdefault(user, role)
            if before != role and {before, role} & {"student", "guardian"}:
                _tell(
                    findings,
                    "roles.two_primaries",
                    file,
                    f"主たる役割が2つあります（{before}と{role}）。",
                    number,
                    "role",
                    role,
                )
        elif role_type == "secondary":
            facts.secondary_rows.append((number, user))
        if (user, role) in held and role == "student" and role_type == "primary":
            findings.note(
                "roles.repeated", file, "同じ人の同じ役割が2行あります。", row=number, column="role", value=role
            )
        held.add((user, role))
        if role not in ("student", "guardian"):
            facts.roles_of_staff.setdefault(user, []).append(
                RoleFact(role_type, role, row[org_at], row[begin_at], row[end_at])
            )


def enrollments(block: Block, at: Places, facts: Facts, findings: Findings) -> None:
    file = "enrollments.csv"
    _dates_in_order(file, block, at, findings)
    if quiet.enrollments(block, at, facts):
        return
    class_at, school_at, user_at = at["classSourcedId"], at["schoolSourcedId"], at["userSourcedId"]
    role_at, primary_at, begin_at, end_at = at["role"], at["primary"], at["beginDate"], at["endDate"]
    numbered = block.first_row
    for offset, row in enumerate(block.rows):
        class_id, user, role = row[class_at], row[user_at], row[role_at]
        its_class = facts.classes.get(class_id)
        if its_class is not None and its_class.school != row[school_at]:
            _tell(
                findings,
                "enrollments.other_school",
                file,
                "学級のある学校と違います。",
                numbered + offset,
                "schoolSourcedId",
                row[school_at],
            )
        key = (class_id, user, role, row[begin_at])
        if key in facts.enrolled:
            _tell(
                findings,
                "enrollments.repeated",
                file,
                "同じ人が同じ学級に2回入っています。",
                numbered + offset,
                "userSourcedId",
                user,
            )
        facts.enrolled.add(key)
        if role == "student":
            if row[primary_at] == "true":
                _tell(
                    findings,
                    "enrollments.student_primary",
                    file,
                    "児童生徒のprimaryはfalseです。",
                    numbered + offset,
                    "primary",
                    "true",
                )
            if facts.primary_role.get(user, "student") != "student":
                _tell(
                    findings,
                    "enrollments.not_a_student",
                    file,
                    "児童生徒の役割を持たない人です。",
                    numbered + offset,
                    "role",
                    role,
                )
            if its_class is not None and its_class.type == "scheduled":
                facts.course_pupils.setdefault(class_id, set()).add(user)
            elif its_class is not None and not its_class.special_needs:
                _one_homeroom(file, numbered + offset, user, class_id, row[begin_at], row[end_at], facts, findings)
        elif role == "teacher" and facts.primary_role.get(user) in ("student", "guardian"):
            _tell(
                findings,
                "enrollments.not_a_teacher",
                file,
                "児童生徒・保護者は学級の担当者になれません。",
                numbered + offset,
                "role",
                role,
            )


def _one_homeroom(
    file: str, number: int, user: str, class_id: str, begins: str, ends: str, facts: Facts, findings: Findings
) -> None:
    others = facts.homerooms_of.get(user)
    if others is None:
        facts.homerooms_of[user] = [(class_id, begins, ends)]
        return
    for other, other_begins, other_ends in others:
        apart = (ends and other_begins and ends <= other_begins) or (other_ends and begins and other_ends <= begins)
        if other != class_id and not apart:
            _tell(
                findings,
                "enrollments.two_homerooms",
                file,
                "同じ期間に2つのホームルームに入っています。",
                number,
                "classSourcedId",
                class_id,
            )
    others.append((class_id, begins, ends))


def demographics(block: Block, at: Places, facts: Facts, findings: Findings) -> None:
    if block.first_row == 2:
        findings.note(
            "demographics.not_read",
            "demographics.csv",
            "生年月日・性別はOneRosterで渡さない決まりです。読みません（学籍補足CSVで取り込んでください）。",
        )
    _born_in_the_past(block, at, findings)


def _tell(findings: Findings, code: str, file: str, reason: str, row: int, column: str, value: str) -> None:
    findings.error(code, file, reason, row=row, column=column, value=value)


def _same_length(file: str, number: int, row: Sequence[str], at: Places, findings: Findings) -> None:
    subjects, codes = split_list(row[at["subjects"]]), split_list(row[at["subjectCodes"]])
    if len(subjects) != len(codes) and codes:
        _tell(
            findings,
            "subjects.length",
            file,
            f"subjects（{len(subjects)}個）とsubjectCodes（{len(codes)}個）の数が違います。",
            number,
            "subjectCodes",
            row[at["subjectCodes"]],
        )


def _dates_in_order(file: str, block: Block, at: Places, findings: Findings) -> None:
    if quiet.dates_in_order(block, at):
        return
    begin_at, end_at = at["beginDate"], at["endDate"]
    for number, row in enumerate(block.rows, block.first_row):
        if row[end_at] and row[begin_at] and row[end_at] < row[begin_at]:
            _tell(findings, "date.order", file, "終わりの日が始まりの日より前です。", number, "endDate", row[end_at])


def _born_in_the_past(block: Block, at: Places, findings: Findings) -> None:
    birth_at = at["birthDate"]
    for number, row in enumerate(block.rows, block.first_row):
        if row[birth_at] and not "1900-01-01" <= row[birth_at] <= date.max.isoformat():
            _tell(
                findings,
                "date.implausible",
                "demographics.csv",
                "あり得ない生年月日です。",
                number,
                "birthDate",
                row[birth_at],
            )


RULES: dict[str, Rule] = {
    "orgs": orgs,
    "academicSessions": academic_sessions,
    "courses": courses,
    "classes": classes,
    "users": users,
    "roles": roles,
    "enrollments": enrollments,
    "demographics": demographics,
}
