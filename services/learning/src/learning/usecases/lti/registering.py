"""The board invites a tool to register itself; what comes knows nothing and is used nowhere until the board decides."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import UUID

from servicekit.audit import board_subject
from servicekit.auth import Actor
from servicekit.db import Transaction
from servicekit.errors import Invalid, Violation
from servicekit.ids import uuid7

from learning import policy
from learning.domain.lti import registration
from learning.domain.lti.claims import Platform
from learning.domain.lti.plain import is_plain
from learning.domain.lti.refusals import LtiRefusal
from learning.domain.lti.tools import LONGEST_PURPOSE, Origin, Tool, faults, is_address
from learning.store.lti import invitations, tools
from learning.store.lti.invitations import Invitation


@dataclass(frozen=True, slots=True)
class Invited:
    """The tool's page with the token, and until when it is good."""

    url: str
    expires_at: datetime


async def invite(tx: Transaction, actor: Actor, platform: Platform, url: str, purpose: str, *, local: bool) -> Invited:
    """Raises: Refused, Invalid."""
    policy.may_manage_tools(actor).enforce()
    url, purpose = url.strip(), purpose.strip()
    wrong = []
    if not is_address(url, local=local):
        wrong.append(Violation("registration_url", "登録ページのURLを https:// で始まるアドレスで入力してください。"))
    if not 0 < len(purpose) <= LONGEST_PURPOSE or not is_plain(purpose):
        wrong.append(Violation("invite_purpose", f"利用目的を{LONGEST_PURPOSE}字以内で入力してください。"))
    if wrong:
        raise Invalid("入力を確かめてください。", wrong)
    secret = secrets.token_urlsafe(32)
    made = Invitation(uuid7(), purpose, actor.person_id, tx.now + registration.INVITATION_LIFE, None)
    await invitations.add(tx, made, secret)
    tx.audit("lti_tool.invited", made.id, after={"url": url, "purpose": purpose}, subject_id=board_subject(tx.tenant))
    parts = urlsplit(url)
    query = [
        *parse_qsl(parts.query, keep_blank_values=True),
        ("openid_configuration", platform.openid_configuration),
        ("registration_token", f"{tx.tenant}.{made.id.hex}.{secret}"),
    ]
    return Invited(urlunsplit(parts._replace(query=urlencode(query))), made.expires_at)


async def register_itself(tx: Transaction, invitation_id: UUID, secret: str, body: object, *, local: bool) -> Tool:
    """Once per invitation. Raises: LtiRefusal."""
    invitation = await invitations.one(tx, invitation_id, secret)
    if invitation is None or invitation.tool_id is not None or tx.now > invitation.expires_at:
        raise registration.worn_out()
    facts = registration.read_registration(body, invitation.purpose)
    wrong = faults(facts, local=local)
    if wrong:
        raise LtiRefusal("invalid_client_metadata", "".join(one.message for one in wrong))
    tool = Tool(uuid7(), facts, Origin.DYNAMIC, (), invitation.invited_by, tx.now, None, 1)
    await tools.add(tx, tool)
    await invitations.use(tx, invitation_id, tool.id)
    tx.audit("lti_tool.registered", tool.id, after=tool, subject_id=board_subject(tx.tenant))
    return tool
