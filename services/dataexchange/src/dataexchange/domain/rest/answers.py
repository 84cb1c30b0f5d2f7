"""What is not data in an answer: imsx_StatusInfo of the standard, and the headers of paging."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode


class Minor(StrEnum):
    """imsx_codeMinorFieldValue (OneRoster 1.2 REST binding, status information)."""

    INVALID_SORT_FIELD = "invalid_sort_field"
    INVALID_SELECTION_FIELD = "invalid_selection_field"
    INVALID_FILTER_FIELD = "invalid_filter_field"
    INVALID_DATA = "invaliddata"
    UNAUTHORISED = "unauthorisedrequest"
    FORBIDDEN = "forbidden"
    UNKNOWN_OBJECT = "unknownobject"
    UNSUPPORTED = "unsupported"
    DELETE_FAILURE = "deletefailure"
    BUSY = "server_busy"
    INTERNAL = "internal_server_error"


STATUS = {
    Minor.INVALID_SORT_FIELD: 400, Minor.INVALID_SELECTION_FIELD: 400, Minor.INVALID_FILTER_FIELD: 400,
    Minor.INVALID_DATA: 400, Minor.UNAUTHORISED: 401, Minor.FORBIDDEN: 403, Minor.UNKNOWN_OBJECT: 404,
    Minor.UNSUPPORTED: 405, Minor.DELETE_FAILURE: 409, Minor.BUSY: 429, Minor.INTERNAL: 500,
}  # fmt: skip


class Declined(Exception):
    """A request that is not answered with data. `status` where it is not the usual one of the code (413, 415, 503)."""

    def __init__(self, minor: Minor, description: str, status: int = 0) -> None:
        super().__init__(description)
        self.minor = minor
        self.description = description
        self.status = status or STATUS[minor]


def status_info(minor: Minor, description: str) -> dict[str, Any]:
    """imsx_StatusInfo of a failure."""
    field = {"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": minor.value}
    return {
        "imsx_codeMajor": "unsupported" if minor is Minor.UNSUPPORTED else "failure",
        "imsx_severity": "error",
        "imsx_description": description,
        "imsx_CodeMinor": {"imsx_codeMinorField": [field]},
    }


_HOST = re.compile(r"[A-Za-z0-9.\-\[\]:]{1,255}\Z")


def origin(scheme: str, host: str) -> str:
    """Where the caller found us, for absolute links; empty (relative links) for a name that cannot be one."""
    return f"{scheme}://{host}" if _HOST.match(host) else ""


def links(base: str, parameters: Mapping[str, str], limit: int, offset: int, total: int) -> str:
    """The Link header (RFC 8288): first and last always, next and prev where there are such pages."""
    last = max(total - 1, 0) // limit * limit

    def link(relation: str, start: int) -> str:
        query = urlencode({**parameters, "limit": str(limit), "offset": str(start)})
        return f'<{base}?{query}>; rel="{relation}"'

    found = []
    if offset + limit < total:
        found.append(link("next", offset + limit))
    if offset > 0:
        found.append(link("prev", max(min(offset, last + limit) - limit, 0)))
    return ", ".join([*found, link("first", 0), link("last", last)])
