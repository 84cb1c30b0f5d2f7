"""Inbound gRPC: translate, call a use case, translate back."""

from learning.grpc_api.audit import AuditServicer
from learning.grpc_api.curriculum_codes import CurriculumCodeServicer
from learning.grpc_api.lti_classes import LtiClassServicer
from learning.grpc_api.lti_scores import LtiScoreServicer
from learning.grpc_api.lti_tools import LtiToolServicer
from learning.grpc_api.mexcbt import MexcbtServicer
from learning.grpc_api.rights import RIGHTS
from learning.grpc_api.study import StudyServicer
from learning.grpc_api.tool_clients import ToolClientServicer

__all__ = [
    "RIGHTS",
    "AuditServicer",
    "CurriculumCodeServicer",
    "LtiClassServicer",
    "LtiScoreServicer",
    "LtiToolServicer",
    "MexcbtServicer",
    "StudyServicer",
    "ToolClientServicer",
]
