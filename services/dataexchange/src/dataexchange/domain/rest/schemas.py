"""The objects of OneRoster 1.2 as JSON Schema (OpenAPI 3.0): one place for the published contract, for the fields that
filters may name, and for what partners may write.

Written from the information model (rostering, gradebook, resources and assessment results 1.2), with the REST names
(preferredFirstName, not preferredGivenName). Booleans are the strings "true" and "false", as the standard types them.
"""

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

GUID_PATTERN = r"^[0-9a-zA-Z.\-_/@]{1,255}$"
_BOOLEAN: Schema = {"type": "string", "enum": ["true", "false"]}
_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_DATE: Schema = {"type": "string", "format": "date"}
_INSTANT: Schema = {"type": "string", "format": "date-time"}
_GUID: Schema = {"type": "string", "pattern": GUID_PATTERN}
_METADATA: Schema = {"type": "object", "additionalProperties": True}


def _enum(*values: str, extensible: bool = False) -> Schema:
    if extensible:
        return {"type": "string", "pattern": f"^({'|'.join(values)}|ext:[a-zA-Z0-9.\\-_]+)$"}
    return {"type": "string", "enum": list(values)}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _object(properties: Mapping[str, Schema], *required: str) -> Schema:
    found: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return found | ({"required": list(required)} if required else {})


def _ref(*types: str) -> Schema:
    return _object(
        {"href": {"type": "string", "format": "uri-reference"}, "sourcedId": _GUID, "type": _enum(*types)},
        "href", "sourcedId", "type",
    )  # fmt: skip


_BASE: dict[str, Schema] = {
    "sourcedId": _GUID, "status": _enum("active", "tobedeleted"), "dateLastModified": _INSTANT, "metadata": _METADATA,
}  # fmt: skip


def _entity(properties: Mapping[str, Schema], *required: str) -> Schema:
    return _object({**_BASE, **properties}, "sourcedId", "status", "dateLastModified", *required)


_ROLE = _enum(
    "aide", "counselor", "districtAdministrator", "guardian", "parent", "principal", "proctor", "relative",
    "siteAdministrator", "student", "systemAdministrator", "teacher", extensible=True,
)  # fmt: skip
_LEARNING_OBJECTIVES = _list(
    _object({"source": _enum("case", "unknown"), "learningObjectiveIds": _list(_TEXT)}, "source",
            "learningObjectiveIds")
)  # fmt: skip
_OBJECTIVE_RESULTS = _list(
    _object(
        {"source": _enum("case", "unknown"), "learningObjectiveResults": _list(
            _object({"learningObjectiveId": _TEXT, "score": _NUMBER, "textScore": _TEXT}, "learningObjectiveId"))},
        "source", "learningObjectiveResults",
    )
)  # fmt: skip
_SCORE_STATUS = _enum("exempt", "fully graded", "not submitted", "partially graded", "submitted", extensible=True)
_SCORE: dict[str, Schema] = {
    "scoreScale": _ref("scoreScale"), "scoreStatus": _SCORE_STATUS, "score": _NUMBER, "textScore": _TEXT,
    "scoreDate": _DATE, "comment": _TEXT, "learningObjectiveSet": _OBJECTIVE_RESULTS, "inProgress": _BOOLEAN,
    "incomplete": _BOOLEAN, "late": _BOOLEAN, "missing": _BOOLEAN,
}  # fmt: skip

ENTITIES: dict[str, Schema] = {
    "academicSession": _entity(
        {
            "title": _TEXT, "startDate": _DATE, "endDate": _DATE,
            "type": _enum("gradingPeriod", "semester", "schoolYear", "term", extensible=True),
            "parent": _ref("academicSession"), "children": _list(_ref("academicSession")),
            "schoolYear": {"type": "string", "pattern": r"^\d{4}$"},
        },
        "title", "startDate", "endDate", "type", "schoolYear",
    ),
    "org": _entity(
        {
            "name": _TEXT,
            "type": _enum("department", "school", "district", "local", "state", "national", extensible=True),
            "identifier": _TEXT, "parent": _ref("org"), "children": _list(_ref("org")),
        },
        "name", "type",
    ),
    "course": _entity(
        {
            "title": _TEXT, "schoolYear": _ref("academicSession"), "courseCode": _TEXT, "grades": _list(_TEXT),
            "subjects": _list(_TEXT), "org": _ref("org"), "subjectCodes": _list(_TEXT),
            "resources": _list(_ref("resource")),
        },
        "title", "courseCode", "org",
    ),
    "class": _entity(
        {
            "title": _TEXT, "classCode": _TEXT, "classType": _enum("homeroom", "scheduled", extensible=True),
            "location": _TEXT, "grades": _list(_TEXT), "subjects": _list(_TEXT), "course": _ref("course"),
            "school": _ref("org"), "terms": _list(_ref("academicSession")), "subjectCodes": _list(_TEXT),
            "periods": _list(_TEXT), "resources": _list(_ref("resource")),
        },
        "title", "classType", "course", "school", "terms",
    ),
    "user": _entity(
        {
            "userMasterIdentifier": _TEXT, "username": _TEXT,
            "userIds": _list(_object({"type": _TEXT, "identifier": _TEXT}, "type", "identifier")),
            "enabledUser": _BOOLEAN, "givenName": _TEXT, "familyName": _TEXT, "middleName": _TEXT,
            "preferredFirstName": _TEXT, "preferredMiddleName": _TEXT, "preferredLastName": _TEXT, "pronouns": _TEXT,
            "roles": _list(_object(
                {"roleType": _enum("primary", "secondary"), "role": _ROLE, "org": _ref("org"), "userProfile": _TEXT,
                 "beginDate": _DATE, "endDate": _DATE},
                "roleType", "role", "org",
            )),
            "userProfiles": _list(_object(
                {"profileId": _TEXT, "profileType": _TEXT, "vendorId": _TEXT, "applicationId": _TEXT,
                 "description": _TEXT, "credentials": _list(_object({"type": _TEXT, "username": _TEXT},
                                                                    "type", "username"))},
                "profileId", "profileType", "vendorId", "credentials",
            )),
            "primaryOrg": _ref("org"), "identifier": _TEXT, "email": _TEXT, "sms": _TEXT, "phone": _TEXT,
            "agents": _list(_ref("user")), "grades": _list(_TEXT), "resources": _list(_ref("resource")),
        },
        "enabledUser", "givenName", "familyName", "roles",
    ),
    "enrollment": _entity(
        {
            "user": _ref("user"), "class": _ref("class"), "school": _ref("org"),
            "role": _enum("administrator", "proctor", "student", "teacher", extensible=True), "primary": _BOOLEAN,
            "beginDate": _DATE, "endDate": _DATE,
        },
        "user", "class", "school", "role",
    ),
    "demographics": _entity({}),
    "category": _entity({"title": _TEXT, "weight": _NUMBER}, "title"),
    "lineItem": _entity(
        {
            "title": _TEXT, "description": _TEXT, "assignDate": _INSTANT, "dueDate": _INSTANT, "class": _ref("class"),
            "school": _ref("org"), "category": _ref("category"), "gradingPeriod": _ref("academicSession"),
            "academicSession": _ref("academicSession"), "scoreScale": _ref("scoreScale"), "resultValueMin": _NUMBER,
            "resultValueMax": _NUMBER, "learningObjectiveSet": _LEARNING_OBJECTIVES,
        },
        "title", "assignDate", "dueDate", "class", "school", "category",
    ),
    "result": _entity(
        {"lineItem": _ref("lineItem"), "student": _ref("user"), "class": _ref("class"), **_SCORE},
        "lineItem", "student", "scoreStatus", "scoreDate",
    ),
    "scoreScale": _entity(
        {
            "title": _TEXT, "type": _TEXT, "class": _ref("class"), "course": _ref("course"),
            "scoreScaleValue": _list(_object({"itemValueLHS": _TEXT, "itemValueRHS": _TEXT}, "itemValueLHS",
                                             "itemValueRHS")),
        },
        "title", "type", "class", "scoreScaleValue",
    ),
    "assessmentLineItem": _entity(
        {
            "title": _TEXT, "description": _TEXT, "class": _ref("class"),
            "parentAssessmentLineItem": _ref("assessmentLineItem"), "scoreScale": _ref("scoreScale"),
            "resultValueMin": _NUMBER, "resultValueMax": _NUMBER, "learningObjectiveSet": _LEARNING_OBJECTIVES,
        },
        "title",
    ),
    "assessmentResult": _entity(
        {
            "assessmentLineItem": _ref("assessmentLineItem"), "student": _ref("user"), "scorePercentile": _NUMBER,
            **_SCORE,
        },
        "assessmentLineItem", "student", "scoreStatus", "scoreDate",
    ),
    "resource": _entity(
        {
            "title": _TEXT, "roles": _list(_ROLE), "importance": _enum("primary", "secondary"),
            "vendorResourceId": _TEXT, "vendorId": _TEXT, "applicationId": _TEXT,
        },
        "vendorResourceId",
    ),
}  # fmt: skip
"""Demographics of the standard are birth, sex and origin: none of it may leave, so none is described."""

STATUS_INFO: Schema = _object(
    {
        "imsx_codeMajor": _enum("success", "processing", "failure", "unsupported"),
        "imsx_severity": _enum("status", "warning", "error"),
        "imsx_description": _TEXT,
        "imsx_CodeMinor": _object(
            {"imsx_codeMinorField": _list(
                _object({"imsx_codeMinorFieldName": _TEXT, "imsx_codeMinorFieldValue": _TEXT},
                        "imsx_codeMinorFieldName", "imsx_codeMinorFieldValue"))},
            "imsx_codeMinorField",
        ),
    },
    "imsx_codeMajor", "imsx_severity",
)  # fmt: skip
SOURCED_ID_PAIRS: Schema = _object(
    {"sourcedIdPairs": _list(
        _object({"suppliedSourcedId": _GUID, "allocatedSourcedId": _GUID}, "suppliedSourcedId", "allocatedSourcedId"))},
    "sourcedIdPairs",
)  # fmt: skip


def path_of(kind: str, field: str) -> tuple[str, ...] | None:
    """A dotted field as the steps to it, through lists; None where the object has no such field."""
    schema = ENTITIES[kind]
    steps: list[str] = []
    rest = field
    while rest:
        while schema.get("type") == "array":
            schema = schema["items"]
        if schema is _METADATA:  # its keys are the profile's, dots included
            return (*steps, rest)
        step, _, after = rest.partition(".")
        schema = schema.get("properties", {}).get(step)
        if schema is None or (rest.endswith(".") and not after):
            return None
        steps.append(step)
        rest = after
    return tuple(steps) or None
