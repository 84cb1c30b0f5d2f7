"""LtiToolService: the board's register of learning tools, and the platform's keys."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from komu.learning.v1 import lti_pb2 as pb
from komu.learning.v1 import lti_pb2_grpc
from servicekit.errors import Invalid, Violation
from servicekit.grpc import Call, rpc

from learning.domain.lti import jose
from learning.domain.lti import keys as key_rules
from learning.domain.lti.claims import Platform
from learning.domain.lti.tools import Claim, Origin, Tool, ToolFacts, client_id_of
from learning.grpc_api.translate import instant, uuid_of
from learning.usecases.lti import keys, registering, tools
from learning.usecases.lti.keys import KeyRing
from learning.usecases.lti.tools import Registration

CLAIMS = {
    pb.LTI_CLAIM_NAME: Claim.NAME,
    pb.LTI_CLAIM_CLASS: Claim.CLASS_NAME,
    pb.LTI_CLAIM_SCHOOL_GRADE: Claim.SCHOOL_GRADE,
}
CLAIMS_OUT = {claim: number for number, claim in CLAIMS.items()}


class LtiToolServicer(lti_pb2_grpc.LtiToolServiceServicer):
    """Inbound calls about tools. `local`: tools without https are taken."""

    def __init__(self, platform: Platform, ring: KeyRing, *, local: bool) -> None:
        self._platform = platform
        self._ring = ring
        self._local = local

    @rpc(right="learning.lti_tools")
    async def ListLtiTools(self, request: pb.ListLtiToolsRequest, call: Call) -> pb.ListLtiToolsReply:
        found = await call.read(tools.list_tools)
        names = {school.id: school.name for school in found.schools}
        return pb.ListLtiToolsReply(
            tools=[_tool(call.tenant, tool, names) for tool in found.tools],
            platform=self._about(),
            schools=[pb.LtiSchool(id=str(school.id), name=school.name) for school in found.schools],
        )

    @rpc(right="learning.lti_tools")
    async def RegisterLtiTool(self, request: pb.RegisterLtiToolRequest, call: Call) -> pb.LtiTool:
        return _tool(call.tenant, await call.run(tools.register_tool, _asked(request.facts), local=self._local), {})

    @rpc(right="learning.lti_tools")
    async def ChangeLtiTool(self, request: pb.ChangeLtiToolRequest, call: Call) -> pb.LtiTool:
        tool_id, asked = uuid_of(request.tool_id, "tool_id"), _asked(request.facts)
        changed = await call.run(tools.change_tool, tool_id, request.version, asked, local=self._local)
        return _tool(call.tenant, changed, {})

    @rpc(right="learning.lti_tools")
    async def DisableLtiTool(self, request: pb.DisableLtiToolRequest, call: Call) -> pb.LtiTool:
        tool_id = uuid_of(request.tool_id, "tool_id")
        return _tool(call.tenant, await call.run(tools.disable_tool, tool_id, request.version), {})

    @rpc(right="learning.lti_tools")
    async def InviteLtiTool(self, request: pb.InviteLtiToolRequest, call: Call) -> pb.InviteLtiToolReply:
        invited = await call.run(
            registering.invite, self._platform, request.registration_url, request.purpose, local=self._local
        )
        return pb.InviteLtiToolReply(url=invited.url, expires_at=instant(invited.expires_at))

    @rpc(right="learning.lti_tools")
    async def ListLtiKeys(self, request: pb.ListLtiKeysRequest, call: Call) -> pb.LtiKeys:
        await call.read(keys.look_at_keys)
        return await self._keys()

    @rpc(right="learning.lti_tools")
    async def RotateLtiKeys(self, request: pb.RotateLtiKeysRequest, call: Call) -> pb.LtiKeys:
        await call.run(keys.ask_for_rotation)
        await self._ring.publish_successor()
        return await self._keys()

    async def _keys(self) -> pb.LtiKeys:
        listed = await self._ring.published()
        now = self._ring.now()
        signing = key_rules.signing(listed, now)
        return pb.LtiKeys(
            keys=[
                pb.LtiKey(
                    kid=key.kid,
                    created_at=instant(key.created_at),
                    signs_from=instant(key.signs_from),
                    state="coming" if key.signs_from > now else "signing" if key == signing else "ending",
                )
                for key in listed
            ],
            jwks_url=self._platform.jwks_url,
        )

    def _about(self) -> pb.LtiPlatform:
        platform = self._platform
        return pb.LtiPlatform(
            issuer=platform.issuer,
            authorization_endpoint=platform.authorization_endpoint,
            token_endpoint=platform.token_endpoint,
            jwks_url=platform.jwks_url,
            openid_configuration=platform.openid_configuration,
            deep_linking_return=platform.deep_linking_return,
        )


def _asked(given: pb.LtiToolFacts) -> Registration:
    """Raises: Invalid."""
    if any(one not in CLAIMS for one in given.claims):
        raise Invalid("渡す情報を選び直してください。", [Violation("claims", "渡す情報を選び直してください。")])
    facts = ToolFacts(
        name=given.name.strip(),
        purpose=given.purpose.strip(),
        login_url=given.login_url.strip(),
        target_link_uri=given.target_link_uri.strip(),
        redirect_uris=tuple(dict.fromkeys(url.strip() for url in given.redirect_uris if url.strip())),
        jwks_url=given.jwks_url.strip(),
        public_keys=_public_keys(given.public_keys),
        claims=frozenset(CLAIMS[one] for one in given.claims),
        deep_linking=given.deep_linking,
    )
    return Registration(facts, [uuid_of(one, "school_ids") for one in given.school_ids])


def _public_keys(text: str) -> tuple[Mapping[str, object], ...]:
    """Raises: Invalid."""
    if not text.strip():
        return ()
    wrong = "公開鍵は、RSAのJWKかJWK Set(JSON)で入力してください。"
    try:
        found = jose.public_keys(json.loads(text))
    except (ValueError, RecursionError):
        found = []
    if not found:
        raise Invalid("入力を確かめてください。", [Violation("public_key", wrong)])
    return tuple(found)


def _tool(tenant: str, tool: Tool, schools: Mapping[UUID, str]) -> pb.LtiTool:
    facts = tool.facts
    shown = pb.LtiTool(
        id=str(tool.id),
        facts=pb.LtiToolFacts(
            name=facts.name,
            purpose=facts.purpose,
            login_url=facts.login_url,
            target_link_uri=facts.target_link_uri,
            redirect_uris=facts.redirect_uris,
            jwks_url=facts.jwks_url,
            public_keys=json.dumps({"keys": [dict(key) for key in facts.public_keys]}) if facts.public_keys else "",
            claims=claims_out(facts.claims),
            deep_linking=facts.deep_linking,
            school_ids=[str(one.school_id) for one in tool.deployments if one.active],
        ),
        client_id=client_id_of(tenant, tool.id),
        deployments=[
            pb.LtiDeployment(
                id=str(one.id),
                school_id=str(one.school_id),
                school_name=schools.get(one.school_id, ""),
                active=one.active,
            )
            for one in tool.deployments
        ],
        dynamic=tool.origin is Origin.DYNAMIC,
        created_by=str(tool.created_by),
        created_at=instant(tool.created_at),
        version=tool.version,
    )
    if tool.disabled_at is not None:
        shown.disabled_at.CopyFrom(instant(tool.disabled_at))
    return shown


def claims_out(claims: frozenset[Claim]) -> Sequence[pb.LtiClaim.ValueType]:
    """In a fixed order."""
    return [CLAIMS_OUT[claim] for claim in Claim if claim in claims]
