"""Scopes of LTI Advantage (AGS 2.0, 3.1; NRPS 2.0, 2.2) and their media types."""

from __future__ import annotations

from typing import Final

_AGS: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/"
LINEITEM: Final = _AGS + "lineitem"
LINEITEM_READ: Final = _AGS + "lineitem.readonly"
RESULT_READ: Final = _AGS + "result.readonly"
SCORE: Final = _AGS + "score"
MEMBERSHIP: Final = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
AGS: Final = (LINEITEM, LINEITEM_READ, RESULT_READ, SCORE)
ALL: Final = (*AGS, MEMBERSHIP)

LINEITEM_TYPE: Final = "application/vnd.ims.lis.v2.lineitem+json"
LINEITEMS_TYPE: Final = "application/vnd.ims.lis.v2.lineitemcontainer+json"
RESULTS_TYPE: Final = "application/vnd.ims.lis.v2.resultcontainer+json"
SCORE_TYPE: Final = "application/vnd.ims.lis.v1.score+json"
MEMBERS_TYPE: Final = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
