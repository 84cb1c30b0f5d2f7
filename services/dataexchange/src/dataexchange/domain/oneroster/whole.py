"""The rules that only the whole package tells; nothing is concluded from a table that could not be read to its end."""

from dataexchange.domain.oneroster.cells import split_list
from dataexchange.domain.oneroster.facts import Facts
from dataexchange.domain.oneroster.findings import Findings


def check_whole(facts: Facts, findings: Findings) -> None:
    """Call it when everything was read."""
    _named_inside(facts, findings)
    _one_board(facts, findings)
    if facts.incomplete.isdisjoint({"users", "roles"}) and "roles" in facts.ids and not facts.delta:
        _everyone_has_a_role(facts, findings)
    for user, home in facts.home_class_of.items():
        if home in facts.classes and facts.classes[home].type != "homeroom":
            _tell(
                findings,
                "users.home_class_kind",
                "users.csv",
                "homeClassはホームルーム（homeroom）の学級です。",
                facts.ids["users"].get(user, 0),
                "metadata.jp.homeClass",
                home,
            )


def check_needs_of_register(facts: Facts, findings: Findings) -> None:
    """What a plain OneRoster package may leave out and the register cannot do without."""
    for source_id, org in facts.orgs.items():
        if org.type == "school" and not org.code and not facts.whole_years:
            reason = "学校コードがないと、登録済みの学校と結び付けられません。"
            number = facts.ids["orgs"].get(source_id, 0)
            _tell(findings, "orgs.school_code", "orgs.csv", reason, number, "identifier", "")


def _named_inside(facts: Facts, findings: Findings) -> None:
    """References from one row of a table to another, possibly a later one."""
    known_users, known_orgs = facts.ids.get("users", {}), facts.ids.get("orgs", {})
    for number, agents in facts.agents_named if "users" not in facts.incomplete | facts.delta else ():
        for agent in split_list(agents):
            if agent not in known_users:
                reason = "users.csvにないsourcedIdです。"
                _tell(findings, "reference.unknown", "users.csv", reason, number, "agentSourcedIds", agent)
    for number, parent in facts.parents_named if "orgs" not in facts.incomplete | facts.delta else ():
        if parent not in known_orgs:
            reason = "orgs.csvにないsourcedIdです。"
            _tell(findings, "reference.unknown", "orgs.csv", reason, number, "parentSourcedId", parent)
        elif facts.orgs[parent].type != "district":
            reason = "学校の親組織は教育委員会（district）です。"
            _tell(findings, "orgs.parent_kind", "orgs.csv", reason, number, "parentSourcedId", parent)


def _everyone_has_a_role(facts: Facts, findings: Findings) -> None:
    for user, number in facts.ids.get("users", {}).items():
        if user not in facts.primary_role:
            reason = "roles.csvに主たる役割（primary）がありません。"
            _tell(findings, "users.no_role", "users.csv", reason, number, "sourcedId", user)
    known_users = facts.ids.get("users", {})
    for number, user in facts.secondary_rows:
        if user in known_users and user not in facts.primary_role:  # an unknown user is told already
            reason = "従たる役割（secondary）には主たる役割（primary）が必要です。"
            _tell(findings, "roles.secondary_alone", "roles.csv", reason, number, "roleType", "secondary")
    for user, number in facts.users_without_school_grade.items():
        if facts.primary_role.get(user) == "student":
            reason = "児童生徒には学年（grades）が必要です。"
            _tell(findings, "users.school_grade_missing", "users.csv", reason, number, "grades", "")


def _one_board(facts: Facts, findings: Findings) -> None:
    boards = [org for org in facts.orgs.values() if org.type == "district"]
    if len({org.code for org in boards}) > 1:
        findings.error(
            "orgs.several_boards",
            "orgs.csv",
            "設置者の違う学校は1つのファイルに入れません（教育委員会が2つ以上あります）。",
            value="、".join(org.name for org in boards),
        )
    if facts.orgs and not facts.delta and not any(org.type == "school" for org in facts.orgs.values()):
        findings.error("orgs.no_school", "orgs.csv", "学校が1つもありません。")


def _tell(findings: Findings, code: str, file: str, reason: str, row: int, column: str, value: str) -> None:
    findings.error(code, file, reason, row=row, column=column, value=value)
