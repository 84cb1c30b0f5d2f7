"""指導要録の写し: both sheets, certified by the 校長 (学校教育法施行規則 24条2項・3項)."""

from dataclasses import dataclass

from reports.domain.forms.guidance_record_1 import GuidanceRecord1
from reports.domain.forms.guidance_record_2 import GuidanceRecord2
from reports.domain.forms.values import Certification


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidanceRecordCopy:
    """The 写し that travels with a child at 転学."""

    register: GuidanceRecord1
    guidance: GuidanceRecord2
    certification: Certification
