"""The profiles as data: one table says where they differ, everything else follows from it.

| | IMS 1.2 | IMS 1.2.1 | JP 1.1 | JP 1.2.1 | V3 | V4 | V5 | K-12 1.0 | V6 |
|---|---|---|---|---|---|---|---|---|---|
| `oneroster.version` | 1.2 | 1.2.1 | 1.2 | 1.2 | 1.2 | 1.2.1 | 1.2.1 | 1.2_JP | 1.2_JP |
| users.resourceSourcedIds | ✓ | | ✓ | | ✓ | | | | |
| jp columns | | | ✓ | ✓ | ✓ | ✓ | ✓ | ✓ | ✓ |
| kanaPreferred columns | | | | ✓ | | ✓ | ✓ | ✓ | ✓ |
| ShussekiNo, PublicFlg | | | S, P | S, P | S, P | S, P | S, P | s, p | s, p |
| names and UUID required (学習eポータル) | | | | | ✓ | ✓ | ✓ | | ✓ |
| endDate of the year | 1 April | 1 April | 31 March | … | | | | | |
| schoolYear | ends | ends | starts | … | | | | | |

Sources: OneRoster 1.2 CSV Binding; Japan Profile 第2版 v1.1, v1.2.1; Japan K-12/Schools Profile v1.0; 学習eポータル標準
モデル V3, V4; 相互運用標準モデル V5, V6.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dataexchange.domain.oneroster.profile_columns import (
    BINDING,
    DELTA_HEAD,
    MANIFEST_FILES,
    READ_ORDER,
    REGISTER_FILES,
    REQUIRED_FILES,
    Column,
    Columns,
    Kind,
    flag,
    kana,
    ref,
    text,
    token,
)

__all__ = ["MANIFEST_FILES", "READ_ORDER", "REGISTER_FILES", "REQUIRED_FILES", "Column", "Kind"]

_RESOURCES = "resourceSourcedIds"
_KANA = (
    kana("metadata.jp.kanaGivenName"),
    kana("metadata.jp.kanaFamilyName"),
    kana("metadata.jp.kanaMiddleName"),
    ref("metadata.jp.homeClass", "classes"),
)
_KANA_PREFERRED = (
    kana("metadata.jp.kanaPreferredFamilyName"),
    kana("metadata.jp.kanaPreferredGivenName"),
    kana("metadata.jp.kanaPreferredMiddleName"),
)
# What the Japan Profile says more narrowly than the binding, by file.
_JAPAN: Mapping[str, tuple[Column, ...]] = {
    "academicSessions": (token("type", "schoolYear"),),
    "orgs": (token("type", "district", "school"), text("identifier", True)),
    "courses": (Column("courseCode", Kind.EMPTY), Column("grades", Kind.SCHOOL_GRADES)),
    "classes": (Column("grades", Kind.SCHOOL_GRADES), token("classType", "homeroom", "scheduled")),
    "users": (
        token("enabledUser", "true"),
        Column("grades", Kind.SCHOOL_GRADES),
        Column("userMasterIdentifier", Kind.UUID4),
    ),
    "roles": (
        token("role", "districtAdministrator", "guardian", "principal", "siteAdministrator", "student", "teacher"),
    ),
    "enrollments": (token("role", "student", "teacher", "administrator", "guardian"),),
    "demographics": (token("sex", "male", "female", "unspecified", "other", required=False),),
}
# 学習eポータル標準モデル 4.3, 相互運用標準モデル: what must be filled besides.
_EPORTAL: Mapping[str, tuple[Column, ...]] = {
    "users": (
        Column("userMasterIdentifier", Kind.UUID4, True),
        text("preferredGivenName", True),
        text("preferredFamilyName", True),
        kana("metadata.jp.kanaGivenName", True),
        kana("metadata.jp.kanaFamilyName", True),
    ),
    "enrollments": (Column("primary", Kind.BOOLEAN, True),),
}
# Findings that say what the Japan Profile adds to the binding: a plain OneRoster package owes none of it.
_JAPANESE_FINDINGS = frozenset(
    {
        "text.half_width_kana",
        "text.variation_selector",
        "text.outside_jis_x_0213",
        "orgs.district_parent",
        "orgs.school_code",
        "orgs.district_code",
        "orgs.parent_kind",
        "orgs.no_school",
        "orgs.several_boards",
        "classes.not_a_school",
        "classes.school_grade_missing",
        "users.school_grade_missing",
        "users.no_role",
        "roles.two_primaries",
        "roles.repeated",
        "roles.secondary_alone",
        "enrollments.student_primary",
        "enrollments.two_homerooms",
        "enrollments.not_a_student",
        "enrollments.not_a_teacher",
        "zip.name",
    }
)


@dataclass(frozen=True, slots=True)
class Profile:
    """One published profile.

    `whole_years`: academicSessions are 学年度, ended by 31 March and named by the year they start in; else endDate lies
    behind the last day and schoolYear is the year it ends in (OneRoster). `not_asked`: codes of findings that this
    profile does not know. `published`: offered to people; others are spellings that are read when they are met.
    """

    key: str
    label: str
    oneroster_version: str
    files: Mapping[str, Columns]
    whole_years: bool = True
    not_asked: frozenset[str] = frozenset()
    published: bool = True
    _headers: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False, compare=False, repr=False)

    def header(self, file: str) -> tuple[str, ...]:
        known = self._headers.get(file)
        if known is None:
            known = self._headers[file] = tuple(column.name for column in self.files[file])
        return known


def with_delta_head(columns: Columns) -> Columns:
    """The same columns where status and dateLastModified are filled."""
    return (columns[0], *DELTA_HEAD, *columns[3:])


def _changed(files: Mapping[str, Columns], changes: Mapping[str, Sequence[Column]]) -> dict[str, Columns]:
    """`files` with the columns of the same name replaced."""
    found = dict(files)
    for name, columns in changes.items():
        by_name = {column.name: column for column in columns}
        found[name] = tuple(by_name.get(column.name, column) for column in files[name])
    return found


def _without(files: Mapping[str, Columns], file: str, column: str) -> dict[str, Columns]:
    return {**files, file: tuple(one for one in files[file] if one.name != column)}


def _with(files: Mapping[str, Columns], **more: Columns) -> dict[str, Columns]:
    return {**files, **{file: (*files[file], *columns) for file, columns in more.items()}}


def _numbers(shusseki: str, public: str) -> Columns:
    return (Column(f"metadata.jp.{shusseki}", Kind.INTEGER), flag(f"metadata.jp.{public}"))


_IMS_121 = _without(BINDING, "users", _RESOURCES)
_CAPITALS, _SMALL = _numbers("ShussekiNo", "PublicFlg"), _numbers("shussekiNo", "publicFlg")
_SPECIAL = (flag("metadata.jp.specialNeeds"),)
_JP_11 = _with(_changed(BINDING, _JAPAN), classes=_SPECIAL, users=_KANA, enrollments=_CAPITALS)
_JP_121_EARLY = _without(_JP_11, "users", _RESOURCES)
_JP_121 = _with(_JP_121_EARLY, users=_KANA_PREFERRED)
_K12 = _with(
    _changed(_IMS_121, _JAPAN), classes=_SPECIAL, users=(*_KANA, *_KANA_PREFERRED), enrollments=_SMALL
)  # fmt: skip

V6 = Profile("interop-v6", "相互運用標準モデル V6", "1.2_JP", _changed(_K12, _EPORTAL))
V5 = Profile("interop-v5", "相互運用標準モデル V5", "1.2.1", _changed(_JP_121, _EPORTAL))
V4 = replace(V5, key="eportal-v4", label="学習eポータル標準モデル V4")
V3 = Profile("eportal-v3", "学習eポータル標準モデル V3", "1.2", _changed(_JP_11, _EPORTAL))
K12 = Profile("jp-k12-1.0", "Japan K-12/Schools Profile v1.0", "1.2_JP", _K12)
JP_121 = Profile("jp-1.2.1", "Japan Profile 第2版 v1.2.1", "1.2", _JP_121)
JP_11 = Profile("jp-1.1", "Japan Profile 第2版 v1.1", "1.2", _JP_11)
V4_EARLY = Profile(
    "jp-1.1-columns", "Japan Profile 第2版 v1.1（OneRoster 1.2.1の列）", "1.2.1", _changed(_JP_121_EARLY, _EPORTAL),
    published=False,
)  # fmt: skip
IMS_121 = Profile("ims-1.2.1", "OneRoster 1.2.1（1EdTech）", "1.2.1", _IMS_121, False, _JAPANESE_FINDINGS)
IMS_12 = Profile("ims-1.2", "OneRoster 1.2（1EdTech）", "1.2", BINDING, False, _JAPANESE_FINDINGS)

# The stricter before the laxer: of profiles that a package cannot be told apart by, the first is assumed.
PROFILES = (V6, V5, V4, V3, K12, JP_121, JP_11, V4_EARLY, IMS_121, IMS_12)
PUBLISHED = tuple(one for one in PROFILES if one.published)


def profile_named(key: str) -> Profile | None:
    """The published profile with this key."""
    return next((one for one in PUBLISHED if one.key == key), None)


def candidates(oneroster_version: str) -> tuple[Profile, ...]:
    """The profiles that a manifest value stands for; none for an unknown one."""
    return tuple(one for one in PROFILES if one.oneroster_version == oneroster_version)


def recognised(among: Sequence[Profile], users_header: tuple[str, ...] | None) -> Profile:
    """The profile whose columns of users this header spells to the furthest; the first where none does."""
    fitting = [one for one in among if users_header is not None and _spells(one, "users", users_header)]
    return max(fitting, key=lambda one: len(one.files["users"]), default=among[0])


def columns_for_header(profile: Profile, file: str, header: tuple[str, ...]) -> tuple[Profile, Columns] | None:
    """The profile whose columns for `file` this header spells (extension columns at the right end allowed).

    The package's own profile is tried first; another Japanese one's spelling is accepted, since packages mix them.
    """
    others = (one for one in PROFILES if one is not profile and one.whole_years == profile.whole_years)
    for one in (profile, *others):
        if _spells(one, file, header):
            return one, one.files[file]
    return None


def _spells(profile: Profile, file: str, header: tuple[str, ...]) -> bool:
    names = profile.header(file)
    return header[: len(names)] == names and all(extra.startswith("metadata.") for extra in header[len(names) :])
