"""The profiles as data: every file, its columns in order, what each column may hold, and where the versions differ."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    GUID = "guid"
    REFERENCE = "reference"  # sourcedId of a row in `refers_to`
    REFERENCES = "references"  # comma-separated
    UUID4 = "uuid4"
    KANA = "kana"
    DATE = "date"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    ONE_OF = "one_of"  # one of `tokens`
    SCHOOL_GRADES = "school_grades"
    TEXTS = "texts"  # comma-separated
    EMPTY = "empty"  # must be left blank


@dataclass(frozen=True, slots=True)
class Column:
    """One column of one file."""

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    refers_to: str = ""
    tokens: frozenset[str] = frozenset()


def _text(name: str, required: bool = False) -> Column:
    return Column(name, Kind.TEXT, required)


def _ref(name: str, to: str, required: bool = False) -> Column:
    return Column(name, Kind.REFERENCE, required, to)


def _refs(name: str, to: str, required: bool = False) -> Column:
    return Column(name, Kind.REFERENCES, required, to)


def _token(name: str, *tokens: str, required: bool = True) -> Column:
    return Column(name, Kind.ONE_OF, required, tokens=frozenset(tokens))


def _date(name: str, required: bool = False) -> Column:
    return Column(name, Kind.DATE, required)


def _kana(name: str, required: bool = False) -> Column:
    return Column(name, Kind.KANA, required)


# Bulk files leave status and dateLastModified blank (OneRoster 1.2 CSV Binding, bulk processing).
_HEAD = (Column("sourcedId", Kind.GUID, True), Column("status", Kind.EMPTY), Column("dateLastModified", Kind.EMPTY))

_ACADEMIC_SESSIONS = (
    *_HEAD,
    _text("title", True),
    _token("type", "schoolYear"),
    _date("startDate", True),
    _date("endDate", True),
    _ref("parentSourcedId", "academicSessions"),
    Column("schoolYear", Kind.INTEGER, True),
)
_ORGS = (
    *_HEAD,
    _text("name", True),
    _token("type", "district", "school"),
    _text("identifier", True),
    _ref("parentSourcedId", "orgs"),
)
_COURSES = (
    *_HEAD,
    _ref("schoolYearSourcedId", "academicSessions"),
    _text("title", True),
    Column("courseCode", Kind.EMPTY),
    Column("grades", Kind.SCHOOL_GRADES),
    _ref("orgSourcedId", "orgs", True),
    Column("subjects", Kind.TEXTS),
    Column("subjectCodes", Kind.TEXTS),
)
_CLASSES = (
    *_HEAD,
    _text("title", True),
    Column("grades", Kind.SCHOOL_GRADES),
    _ref("courseSourcedId", "courses", True),
    _text("classCode"),
    _token("classType", "homeroom", "scheduled"),
    _text("location"),
    _ref("schoolSourcedId", "orgs", True),
    _refs("termSourcedIds", "academicSessions", True),
    Column("subjects", Kind.TEXTS),
    Column("subjectCodes", Kind.TEXTS),
    Column("periods", Kind.TEXTS),
    Column("metadata.jp.specialNeeds", Kind.BOOLEAN),
)
_USERS_BEFORE_RESOURCES = (
    *_HEAD,
    _token("enabledUser", "true"),
    _text("username", True),
    Column("userIds", Kind.TEXTS),
    _text("givenName", True),
    _text("familyName", True),
    _text("middleName"),
    _text("identifier"),
    _text("email"),
    _text("sms"),
    _text("phone"),
    _refs("agentSourcedIds", "users"),
    Column("grades", Kind.SCHOOL_GRADES),
    _text("password"),
    Column("userMasterIdentifier", Kind.UUID4, True),
)
_USERS_AFTER_RESOURCES = (
    _text("preferredGivenName", True),
    _text("preferredMiddleName"),
    _text("preferredFamilyName", True),
    _ref("primaryOrgSourcedId", "orgs"),
    _text("pronouns"),
    _kana("metadata.jp.kanaGivenName", True),
    _kana("metadata.jp.kanaFamilyName", True),
    _kana("metadata.jp.kanaMiddleName"),
    _ref("metadata.jp.homeClass", "classes"),
)
_KANA_PREFERRED = (
    _kana("metadata.jp.kanaPreferredFamilyName"),
    _kana("metadata.jp.kanaPreferredGivenName"),
    _kana("metadata.jp.kanaPreferredMiddleName"),
)
_USERS = (*_USERS_BEFORE_RESOURCES, *_USERS_AFTER_RESOURCES, *_KANA_PREFERRED)
_USERS_V3 = (*_USERS_BEFORE_RESOURCES, Column("resourceSourcedIds", Kind.TEXTS), *_USERS_AFTER_RESOURCES)
_ROLES = (
    *_HEAD,
    _ref("userSourcedId", "users", True),
    _token("roleType", "primary", "secondary"),
    _token("role", "districtAdministrator", "guardian", "principal", "siteAdministrator", "student", "teacher"),
    _date("beginDate"),
    _date("endDate"),
    _ref("orgSourcedId", "orgs", True),
    _ref("userProfileSourcedId", "userProfiles"),
)
_ENROLLMENTS = (
    *_HEAD,
    _ref("classSourcedId", "classes", True),
    _ref("schoolSourcedId", "orgs", True),
    _ref("userSourcedId", "users", True),
    _token("role", "student", "teacher", "administrator", "guardian"),
    Column("primary", Kind.BOOLEAN, True),
    _date("beginDate"),
    _date("endDate"),
    Column("metadata.jp.shussekiNo", Kind.INTEGER),
    Column("metadata.jp.publicFlg", Kind.BOOLEAN),
)
_ENROLLMENTS_V5 = (
    *_ENROLLMENTS[:-2],
    Column("metadata.jp.ShussekiNo", Kind.INTEGER),
    Column("metadata.jp.PublicFlg", Kind.BOOLEAN),
)
_USER_PROFILES = (
    *_HEAD,
    _ref("userSourcedId", "users", True),
    _text("profileType", True),
    _text("vendorId", True),
    _text("applicationId"),
    _text("description"),
    _text("credentialType", True),
    _text("username", True),
    _text("password"),
)
_DEMOGRAPHICS = (
    Column("sourcedId", Kind.REFERENCE, True, "users"),
    *_HEAD[1:],
    _date("birthDate"),
    _token("sex", "male", "female", "unspecified", "other", required=False),
    *(
        _text(name)
        for name in (
            "americanIndianOrAlaskaNative",
            "asian",
            "blackOrAfricanAmerican",
            "nativeHawaiianOrOtherPacificIslander",
            "white",
            "demographicRaceTwoOrMoreRaces",
            "hispanicOrLatinoEthnicity",
            "countryOfBirthCode",
            "stateOfBirthAbbreviation",
            "cityOfBirth",
            "publicSchoolResidenceStatus",
        )
    ),
)

# In this order every reference can be looked up when its row is read (users point at classes by homeClass).
READ_ORDER = (
    "orgs",
    "academicSessions",
    "courses",
    "classes",
    "users",
    "userProfiles",
    "roles",
    "enrollments",
    "demographics",
)
REQUIRED_FILES = ("academicSessions", "classes", "courses", "enrollments", "orgs", "roles", "users")
MANIFEST_FILES = (
    "academicSessions",
    "categories",
    "classes",
    "classResources",
    "courses",
    "courseResources",
    "demographics",
    "enrollments",
    "lineItemLearningObjectiveIds",
    "lineItems",
    "lineItemScoreScales",
    "orgs",
    "resources",
    "resultLearningObjectiveIds",
    "results",
    "resultScoreScales",
    "roles",
    "scoreScales",
    "userProfiles",
    "userResources",
    "users",
)


@dataclass(frozen=True, slots=True)
class Profile:
    """One published profile: its name for people, its manifest value, and its columns by file."""

    key: str
    label: str
    oneroster_version: str
    files: dict[str, tuple[Column, ...]]

    def header(self, file: str) -> tuple[str, ...]:
        return tuple(column.name for column in self.files[file])


V6 = Profile(
    "interop-v6",
    "相互運用標準モデル V6（Japan K-12/Schools Profile v1.0）",
    "1.2_JP",
    {
        "academicSessions": _ACADEMIC_SESSIONS,
        "orgs": _ORGS,
        "courses": _COURSES,
        "classes": _CLASSES,
        "users": _USERS,
        "roles": _ROLES,
        "enrollments": _ENROLLMENTS,
        "userProfiles": _USER_PROFILES,
        "demographics": _DEMOGRAPHICS,
    },
)
V5 = replace(
    V6,
    key="interop-v5",
    label="相互運用標準モデル V5・学習eポータル V4（JP Profile v1.2.1）",
    oneroster_version="1.2.1",
    files=V6.files | {"enrollments": _ENROLLMENTS_V5},
)
V3 = replace(
    V5,
    key="eportal-v3",
    label="学習eポータル V3（JP Profile 第2版 v1.1）",
    oneroster_version="1.2",
    files=V5.files | {"users": _USERS_V3},
)
V4_EARLY = replace(
    V5,
    key="jp-1.2.1",
    label="JP Profile 第2版 v1.1（OneRoster 1.2.1の列）",
    files=V5.files | {"users": _USERS[: -len(_KANA_PREFERRED)]},
)
PROFILES = (V6, V5, V4_EARLY, V3)


def profile_of_version(oneroster_version: str) -> Profile | None:
    """The profile a manifest names; None for an unknown value."""
    return next((one for one in PROFILES if one.oneroster_version == oneroster_version), None)


def columns_for_header(
    profile: Profile, file: str, header: tuple[str, ...]
) -> tuple[Profile, tuple[Column, ...]] | None:
    """The profile whose columns for `file` this header spells (extension columns at the right end allowed).

    The profile of the manifest is tried first; another profile's spelling is accepted, since packages mix them.
    """
    for one in (profile, *(other for other in PROFILES if other is not profile)):
        names = one.header(file)
        if header[: len(names)] == names and all(extra.startswith("metadata.") for extra in header[len(names) :]):
            return one, one.files[file]
    return None
