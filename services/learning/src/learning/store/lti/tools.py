"""LTI tools and their deployments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from servicekit.db import Transaction
from servicekit.json import dumps_text
from sqlalchemy import Row, text

from learning.domain.lti.tools import Claim, Deployment, Origin, Tool, ToolFacts

_TOOLS = """
    SELECT t.id, t.facts, t.origin, t.created_by, t.created_at, t.disabled_at, t.version,
           coalesce(d.deployments, '[]'::jsonb) AS deployments
      FROM lti_tools t
      LEFT JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_object('id', id, 'school_id', school_id, 'active', active) ORDER BY id)
               AS deployments
          FROM lti_deployments WHERE tenant_id = t.tenant_id AND tool_id = t.id) d ON true
     WHERE t.tenant_id = :tenant"""


async def all_of_board(tx: Transaction) -> list[Tool]:
    """Newest first, those switched off included."""
    rows = await tx.execute(text(f"{_TOOLS} ORDER BY t.created_at DESC, t.id"), {"tenant": tx.tenant})
    return [_tool(row) for row in rows]


async def of_school(tx: Transaction, school_id: UUID) -> list[Tool]:
    """Tools a school may open now, by name."""
    rows = await tx.execute(
        text(f"""{_TOOLS} AND t.disabled_at IS NULL AND EXISTS (
            SELECT FROM lti_deployments o WHERE o.tenant_id = t.tenant_id AND o.tool_id = t.id
               AND o.school_id = :school_id AND o.active)
             ORDER BY t.facts ->> 'name', t.id"""),
        {"tenant": tx.tenant, "school_id": school_id},
    )
    return [_tool(row) for row in rows]


async def one(tx: Transaction, tool_id: UUID) -> Tool | None:
    row = (await tx.execute(text(f"{_TOOLS} AND t.id = :id"), {"tenant": tx.tenant, "id": tool_id})).one_or_none()
    return _tool(row) if row else None


async def of_deployment(tx: Transaction, deployment_id: UUID) -> Tool | None:
    """The tool behind a deployment, whatever the state of either."""
    row = (
        await tx.execute(
            text(f"""{_TOOLS} AND t.id = (
                SELECT tool_id FROM lti_deployments WHERE tenant_id = :tenant AND id = :deployment_id)"""),  # noqa: S608
            {"tenant": tx.tenant, "deployment_id": deployment_id},
        )
    ).one_or_none()
    return _tool(row) if row else None


async def add(tx: Transaction, tool: Tool) -> None:
    await tx.execute(
        text("""
            INSERT INTO lti_tools (tenant_id, id, facts, origin, created_by, created_at, disabled_at, version)
            VALUES (:tenant, :id, CAST(:facts AS jsonb), :origin, :created_by, :created_at, :disabled_at, :version)"""),
        {"tenant": tx.tenant, "created_by": tool.created_by, "created_at": tool.created_at, "origin": tool.origin}
        | _changing(tool),
    )
    await _deploy(tx, tool)


async def change(tx: Transaction, tool: Tool) -> bool:
    """Writes `tool` over the version before it; False when somebody was faster."""
    kept = await tx.execute(
        text("""
            UPDATE lti_tools SET facts = CAST(:facts AS jsonb), disabled_at = :disabled_at, version = :version
             WHERE tenant_id = :tenant AND id = :id AND version = :version - 1 RETURNING id"""),
        {"tenant": tx.tenant} | _changing(tool),
    )
    if kept.one_or_none() is None:
        return False
    await _deploy(tx, tool)
    return True


async def _deploy(tx: Transaction, tool: Tool) -> None:
    await tx.execute(
        text("""
            INSERT INTO lti_deployments (tenant_id, id, tool_id, school_id, active)
            SELECT :tenant, g.id, :tool_id, g.school_id, g.active
              FROM unnest(CAST(:ids AS uuid[]), CAST(:schools AS uuid[]), CAST(:active AS boolean[]))
                AS g (id, school_id, active)
            ON CONFLICT (tenant_id, tool_id, school_id) DO UPDATE SET active = excluded.active"""),
        {
            "tenant": tx.tenant,
            "tool_id": tool.id,
            "ids": [one.id for one in tool.deployments],
            "schools": [one.school_id for one in tool.deployments],
            "active": [one.active for one in tool.deployments],
        },
    )


def _changing(tool: Tool) -> dict[str, Any]:
    return {
        "id": tool.id,
        "facts": dumps_text(_stored(tool.facts)),
        "disabled_at": tool.disabled_at,
        "version": tool.version,
    }


def _stored(facts: ToolFacts) -> dict[str, Any]:
    return {
        "name": facts.name,
        "purpose": facts.purpose,
        "login_url": facts.login_url,
        "target_link_uri": facts.target_link_uri,
        "redirect_uris": list(facts.redirect_uris),
        "jwks_url": facts.jwks_url,
        "public_keys": [dict(key) for key in facts.public_keys],
        "claims": sorted(facts.claims),
        "deep_linking": facts.deep_linking,
        "custom": dict(facts.custom),
    }


def _facts(kept: Mapping[str, Any]) -> ToolFacts:
    return ToolFacts(
        name=kept["name"],
        purpose=kept["purpose"],
        login_url=kept["login_url"],
        target_link_uri=kept["target_link_uri"],
        redirect_uris=tuple(kept["redirect_uris"]),
        jwks_url=kept["jwks_url"],
        public_keys=tuple(kept["public_keys"]),
        claims=frozenset(Claim(one) for one in kept["claims"]),
        deep_linking=kept["deep_linking"],
        custom=kept["custom"],
    )


def _tool(row: Row[tuple[object, ...]]) -> Tool:
    deployments: Sequence[Mapping[str, Any]] = row.deployments
    return Tool(
        row.id,
        _facts(row.facts),
        Origin(row.origin),
        tuple(Deployment(UUID(one["id"]), UUID(one["school_id"]), one["active"]) for one in deployments),
        row.created_by,
        row.created_at,
        row.disabled_at,
        row.version,
    )
