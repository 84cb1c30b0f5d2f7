"""What the codes of a roster mean in the register: subjects and posts, as tables."""

from typing import NamedTuple


class Subject(NamedTuple):
    """教科: the key marks and duties use, its names, its roster code (小 P…, 中 J…)."""

    key: str
    names: tuple[str, ...]
    code: str


# Which code means which subject is not published; the order is that of 学習指導要領. So names decide, and codes only
# serve where a package leaves the names out.
SUBJECTS = (
    Subject("japanese", ("国語",), "P010"),
    Subject("japanese", ("国語",), "J010"),
    Subject("social_studies", ("社会",), "P020"),
    Subject("social_studies", ("社会",), "J020"),
    Subject("arithmetic", ("算数",), "P030"),
    Subject("mathematics", ("数学",), "J030"),
    Subject("science", ("理科",), "P040"),
    Subject("science", ("理科",), "J040"),
    Subject("life_environment", ("生活",), "P050"),
    Subject("music", ("音楽",), "P060"),
    Subject("music", ("音楽",), "J050"),
    Subject("arts_and_crafts", ("図画工作", "図工"), "P070"),
    Subject("fine_arts", ("美術",), "J060"),
    Subject("home_economics", ("家庭",), "P080"),
    Subject("physical_education", ("体育",), "P090"),
    Subject("health_physical_education", ("保健体育", "保体"), "J070"),
    Subject("technology_home_economics", ("技術・家庭", "技術家庭"), "J080"),
    Subject("foreign_language", ("外国語", "英語"), "P100"),
    Subject("foreign_language", ("外国語", "英語"), "J090"),
)
_KEY_BY_NAME = {name: subject.key for subject in SUBJECTS for name in subject.names}
_KEY_BY_CODE = {subject.code: subject.key for subject in SUBJECTS}
_BY_KEY_AND_SCHOOL = {(subject.key, subject.code[0]): subject for subject in SUBJECTS}


def subject_key(names: str, codes: str) -> str:
    """The subject of a class from the first of its lists; a name nobody knows stays as written; none = blank."""
    name = names.split(",")[0].strip()
    if name:
        return _KEY_BY_NAME.get(name, name)
    return _KEY_BY_CODE.get(codes.split(",")[0].strip(), "")


def subject_name_and_code(key: str, *, elementary: bool) -> tuple[str, str]:
    """Name and roster code to write for a subject key; a key of the board's own is written as it is, without a code."""
    subject = _BY_KEY_AND_SCHOOL.get((key, "P" if elementary else "J"))
    return (subject.names[0], subject.code) if subject else (key, "")


# The profile knows student, teacher, guardian as primary roles and tells by a secondary one what a person is besides.
# 教頭 and 事務職員 have no token of their own: 管理職 below the 校長 is teacher + siteAdministrator; who administers
# without teaching is siteAdministrator alone; who serves the board is districtAdministrator.
POST_BY_ROLES: dict[tuple[str, str], str] = {
    ("teacher", "principal"): "principal",
    ("teacher", "siteAdministrator"): "vice_principal",
    ("teacher", "districtAdministrator"): "office",
    ("teacher", ""): "teacher",
    ("principal", ""): "principal",
    ("siteAdministrator", ""): "office",
    ("districtAdministrator", ""): "office",
}
ROLES_BY_POST: dict[str, tuple[str, str]] = {
    "principal": ("teacher", "principal"),
    "vice_principal": ("teacher", "siteAdministrator"),
    "teacher": ("teacher", ""),
    "nurse": ("teacher", ""),
    "office": ("siteAdministrator", ""),
    "board_office": ("districtAdministrator", ""),
}
PERSON_KIND_BY_ROLE = {"student": "pupil"} | dict.fromkeys(
    ("guardian", "parent", "relative"), "guardian"
)  # every other role is staff
