"""Who a tool is, and what it may call: assertions, access tokens."""

from __future__ import annotations

from uuid import UUID

from servicekit.db import Transaction

from learning.domain.lti.refusals import invalid_client
from learning.domain.lti.tools import Tool
from learning.store.lti import tools


async def find_tool(tx: Transaction, tool_id: UUID) -> Tool:
    """The tool while it is in use. Raises: LtiRefusal."""
    tool = await tools.one(tx, tool_id)
    if tool is None or not tool.active:
        raise invalid_client("この client_id は登録されていないか、停止されています。")
    return tool
