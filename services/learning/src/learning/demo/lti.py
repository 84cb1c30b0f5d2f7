"""A learning tool (LTI 1.3) for the first demo board."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import grpc
from joserfc.jwk import RSAKey
from komu.learning.v1 import lti_pb2 as pb
from komu.learning.v1 import lti_pb2_grpc
from servicekit.clients import raise_for
from servicekit.signing_in import exchanged_token, portal_line

NAME = "計算ドリル（見本）"
_WITHIN_S = 30.0


async def register(info: dict[str, Any], folder: Path) -> None:
    """Writes `lti.json` and the tool's private key into `folder`. A tool that is registered is left alone."""
    if (folder / "lti.json").exists():
        return
    board = next(account["board"] for account in info["accounts"] if account["role"] == "board_admin")
    token = await exchanged_token(info, f"{board}.board", "learning")
    metadata = (("authorization", f"Bearer {token}"),)
    async with grpc.aio.secure_channel(info["services"]["learning"]["grpc"], portal_line(info)) as channel:
        service = lti_pb2_grpc.LtiToolServiceStub(channel)
        try:
            found = await _with_schools(service, metadata)
            tool = next((one for one in found.tools if one.facts.name == NAME), None)
            if tool is None:
                facts = _facts(info["lti_tool"], _public_half(folder), [school.id for school in found.schools])
                request = pb.RegisterLtiToolRequest(facts=facts)
                tool = await service.RegisterLtiTool(request, timeout=_WITHIN_S, metadata=metadata)
        except grpc.RpcError as error:
            raise_for(error)
    (folder / "lti.json").write_text(json.dumps(_told(found, tool, board, folder), ensure_ascii=False, indent=1))


async def _with_schools(service: Any, metadata: Any) -> Any:
    """The register comes by events: a moment after the import. Raises: TimeoutError."""
    async with asyncio.timeout(_WITHIN_S):
        while True:
            found = await service.ListLtiTools(pb.ListLtiToolsRequest(), timeout=_WITHIN_S, metadata=metadata)
            if found.schools:
                return found
            await asyncio.sleep(0.2)


def _public_half(folder: Path) -> dict[str, Any]:
    """The tool's key, made at the first asking; its private half in `private.pem`, for its owner only."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "private.pem"
    if not file.exists():
        made = RSAKey.generate_key(2048)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(made.as_pem(private=True))
    key = RSAKey.import_key(file.read_bytes())
    return {**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig", "alg": "RS256"}


def _facts(where: str, public: dict[str, Any], schools: list[str]) -> pb.LtiToolFacts:
    return pb.LtiToolFacts(
        name=NAME,
        purpose="学習ツールの接続を試す",
        login_url=f"{where}/login",
        target_link_uri=f"{where}/launch",
        redirect_uris=[f"{where}/launch"],
        public_keys=json.dumps(public),
        deep_linking=True,
        claims=[pb.LTI_CLAIM_CLASS, pb.LTI_CLAIM_SCHOOL_GRADE],
        school_ids=schools,
    )


def _told(found: Any, tool: Any, board: str, folder: Path) -> dict[str, Any]:
    platform = found.platform
    deployments = {one.school_id: one.id for one in tool.deployments if one.active}
    return {
        "board": board,
        "issuer": platform.issuer,
        "client_id": tool.client_id,
        "deployment_id": next(iter(deployments.values())),
        "deployments": {school.name: deployments[school.id] for school in found.schools if school.id in deployments},
        "login_url": platform.authorization_endpoint,
        "authorization_url": platform.authorization_endpoint,
        "keys_url": platform.jwks_url,
        "token_url": platform.token_endpoint,
        "openid_configuration": platform.openid_configuration,
        "tool": {
            "name": tool.facts.name,
            "login_url": tool.facts.login_url,
            "target_link_uri": tool.facts.target_link_uri,
            "redirect_uris": list(tool.facts.redirect_uris),
            "kid": _public_half(folder)["kid"],
            "private_key": str((folder / "private.pem").resolve()),
        },
    }
