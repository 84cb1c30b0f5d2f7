"""The columns of all 21 files of the OneRoster 1.2 CSV Binding, in order, and what each may hold."""

from dataclasses import dataclass
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
    INSTANT = "instant"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    ONE_OF = "one_of"  # one of `tokens`
    SCHOOL_GRADES = "school_grades"
    TEXTS = "texts"  # comma-separated
    EMPTY = "empty"  # must be left blank


@dataclass(frozen=True, slots=True)
class Column:
    """One column of one file. `extensible`: besides `tokens` values that begin with 「ext:」."""

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    refers_to: str = ""
    tokens: frozenset[str] = frozenset()
    extensible: bool = False


Columns = tuple[Column, ...]


def text(name: str, required: bool = False) -> Column:
    return Column(name, Kind.TEXT, required)


def texts(name: str) -> Column:
    return Column(name, Kind.TEXTS)


def ref(name: str, to: str, required: bool = False) -> Column:
    return Column(name, Kind.REFERENCE, required, to)


def refs(name: str, to: str, required: bool = False) -> Column:
    return Column(name, Kind.REFERENCES, required, to)


def token(name: str, *tokens: str, required: bool = True) -> Column:
    """A closed list."""
    return Column(name, Kind.ONE_OF, required, tokens=frozenset(tokens))


def open_token(name: str, *tokens: str, required: bool = True) -> Column:
    """A list that 「ext:」 extends."""
    return Column(name, Kind.ONE_OF, required, tokens=frozenset(tokens), extensible=True)


def day(name: str, required: bool = False) -> Column:
    return Column(name, Kind.DATE, required)


def kana(name: str, required: bool = False) -> Column:
    return Column(name, Kind.KANA, required)


def number(name: str) -> Column:
    return Column(name, Kind.NUMBER)


def flag(name: str) -> Column:
    return Column(name, Kind.BOOLEAN)


# Bulk files leave status and dateLastModified blank, delta files fill both (OneRoster 1.2 CSV Binding).
HEAD = (Column("sourcedId", Kind.GUID, True), Column("status", Kind.EMPTY), Column("dateLastModified", Kind.EMPTY))
DELTA_HEAD = (token("status", "active", "tobedeleted"), Column("dateLastModified", Kind.INSTANT, True))

_USERS = (
    flag("enabledUser"),
    text("username", True),
    texts("userIds"),
    text("givenName", True),
    text("familyName", True),
    text("middleName"),
    text("identifier"),
    text("email"),
    text("sms"),
    text("phone"),
    refs("agentSourcedIds", "users"),
    texts("grades"),
    text("password"),
    text("userMasterIdentifier"),
    refs("resourceSourcedIds", "resources"),
    text("preferredGivenName"),
    text("preferredMiddleName"),
    text("preferredFamilyName"),
    ref("primaryOrgSourcedId", "orgs"),
    text("pronouns"),
)
_ROLES = (
    "aide",
    "counselor",
    "districtAdministrator",
    "guardian",
    "parent",
    "principal",
    "proctor",
    "relative",
    "siteAdministrator",
    "student",
    "systemAdministrator",
    "teacher",
)
_SESSIONS = ("gradingPeriod", "semester", "schoolYear", "term")
_SCORED = ("exempt", "fully graded", "not submitted", "partially graded", "submitted")
_RACES = (
    "americanIndianOrAlaskaNative",
    "asian",
    "blackOrAfricanAmerican",
    "nativeHawaiianOrOtherPacificIslander",
    "white",
    "demographicRaceTwoOrMoreRaces",
    "hispanicOrLatinoEthnicity",
)
_BIRTHPLACES = ("countryOfBirthCode", "stateOfBirthAbbreviation", "cityOfBirth", "publicSchoolResidenceStatus")


def _required_first(columns: Columns) -> Columns:
    return (Column(columns[0].name, columns[0].kind, True), *columns[1:])


def _file(*columns: Column) -> Columns:
    return (*HEAD, *columns)


# OneRoster 1.2 as 1EdTech published it; 1.2.1 takes users.resourceSourcedIds out.
BINDING: dict[str, Columns] = {
    "academicSessions": _file(
        text("title", True),
        open_token("type", *_SESSIONS),
        day("startDate", True),
        day("endDate", True),
        ref("parentSourcedId", "academicSessions"),
        Column("schoolYear", Kind.INTEGER, True),
    ),
    "orgs": _file(
        text("name", True),
        open_token("type", "department", "school", "district", "local", "state", "national"),
        text("identifier"),
        ref("parentSourcedId", "orgs"),
    ),
    "courses": _file(
        ref("schoolYearSourcedId", "academicSessions"),
        text("title", True),
        text("courseCode"),
        texts("grades"),
        ref("orgSourcedId", "orgs", True),
        texts("subjects"),
        texts("subjectCodes"),
    ),
    "classes": _file(
        text("title", True),
        texts("grades"),
        ref("courseSourcedId", "courses", True),
        text("classCode"),
        open_token("classType", "homeroom", "scheduled"),
        text("location"),
        ref("schoolSourcedId", "orgs", True),
        refs("termSourcedIds", "academicSessions", True),
        texts("subjects"),
        texts("subjectCodes"),
        texts("periods"),
    ),
    "users": _file(*_required_first(_USERS)),
    "roles": _file(
        ref("userSourcedId", "users", True),
        token("roleType", "primary", "secondary"),
        open_token("role", *_ROLES),
        day("beginDate"),
        day("endDate"),
        ref("orgSourcedId", "orgs", True),
        ref("userProfileSourcedId", "userProfiles"),
    ),
    "enrollments": _file(
        ref("classSourcedId", "classes", True),
        ref("schoolSourcedId", "orgs", True),
        ref("userSourcedId", "users", True),
        open_token("role", "administrator", "proctor", "student", "teacher"),
        flag("primary"),
        day("beginDate"),
        day("endDate"),
    ),
    "userProfiles": _file(
        ref("userSourcedId", "users", True),
        text("profileType", True),
        text("vendorId", True),
        text("applicationId"),
        text("description"),
        text("credentialType", True),
        text("username", True),
        text("password"),
    ),
    "demographics": (
        Column("sourcedId", Kind.REFERENCE, True, "users"),
        *HEAD[1:],
        day("birthDate"),
        open_token("sex", "male", "female", "unspecified", "other", required=False),
        *map(flag, _RACES),
        *map(text, _BIRTHPLACES),
    ),
    "categories": _file(text("title", True), number("weight")),
    "lineItems": _file(
        text("title", True),
        text("description"),
        day("assignDate", True),
        day("dueDate", True),
        ref("classSourcedId", "classes", True),
        ref("categorySourcedId", "categories", True),
        ref("academicSessionSourcedId", "academicSessions", True),
        number("resultValueMin"),
        number("resultValueMax"),
        ref("schoolSourcedId", "orgs", True),
    ),
    "results": _file(
        ref("lineItemSourcedId", "lineItems", True),
        ref("studentSourcedId", "users", True),
        open_token("scoreStatus", *_SCORED),
        number("score"),
        day("scoreDate", True),
        text("comment"),
        text("textScore"),
        ref("classSourcedId", "classes"),
        *map(flag, ("inProgress", "incomplete", "late", "missing")),
    ),
    "scoreScales": _file(
        text("title", True),
        text("type", True),
        ref("orgSourcedId", "orgs", True),
        ref("courseSourcedId", "courses", True),
        ref("classSourcedId", "classes", True),
        Column("scoreScaleValue", Kind.TEXTS, True),
    ),
    "lineItemScoreScales": _file(
        text("title"), ref("lineItemSourcedId", "lineItems", True), ref("scoreScaleSourcedId", "scoreScales", True)
    ),
    "resultScoreScales": _file(
        text("title"), ref("resultSourcedId", "results", True), ref("scoreScaleSourcedId", "scoreScales", True)
    ),
    "lineItemLearningObjectiveIds": _file(
        ref("lineItemSourcedId", "lineItems", True),
        open_token("source", "case", "unknown"),
        text("learningObjectiveId", True),
    ),
    "resultLearningObjectiveIds": _file(
        ref("resultSourcedId", "results", True),
        open_token("source", "case", "unknown"),
        text("learningObjectiveId", True),
        number("score"),
        text("textScore"),
    ),
    "resources": _file(
        text("vendorResourceId", True),
        text("title"),
        texts("roles"),
        token("importance", "primary", "secondary", required=False),
        text("vendorId"),
        text("applicationId"),
    ),
    "classResources": _file(
        text("title"), ref("classSourcedId", "classes", True), ref("resourceSourcedId", "resources", True)
    ),
    "courseResources": _file(
        text("title"), ref("courseSourcedId", "courses", True), ref("resourceSourcedId", "resources", True)
    ),
    "userResources": _file(
        ref("userSourcedId", "users", True),
        ref("orgSourcedId", "orgs"),
        ref("classSourcedId", "classes"),
        ref("resourceSourcedId", "resources", True),
    ),
}

# In this order every reference can be looked up when its row is read (users point at classes by homeClass).
READ_ORDER = (
    "orgs",
    "academicSessions",
    "courses",
    "classes",
    "resources",
    "users",
    "userProfiles",
    "roles",
    "enrollments",
    "demographics",
    "classResources",
    "courseResources",
    "userResources",
    "categories",
    "lineItems",
    "results",
    "scoreScales",
    "lineItemScoreScales",
    "resultScoreScales",
    "lineItemLearningObjectiveIds",
    "resultLearningObjectiveIds",
)
# What the register takes from a package; the rest it does not look at.
REGISTER_FILES = frozenset(
    {
        "orgs",
        "academicSessions",
        "courses",
        "classes",
        "users",
        "userProfiles",
        "roles",
        "enrollments",
        "demographics",
    }
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
