"""連携先 over gRPC: only the board's administrator, only after the second factor, only schools of the board."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import pytest_asyncio
from dataexchange.app import build
from dataexchange.settings import Settings
from komu.dataexchange.v1 import partners_pb2 as pb
from komu.dataexchange.v1.partners_pb2_grpc import PartnerServiceStub
from servicekit.errors import Conflict, Invalid, Refused, StepUpRequired, Unseen
from servicekit.testing import RunningService, an_actor

from services.dataexchange.tests.service.rest_world import id_of

ASKED = pb.AddPartnerRequest(name="みらい学習eポータル", purpose="名簿の連携", scopes=["roster.readonly"])


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running(grpc_service: Callable[..., Awaitable[RunningService]]) -> RunningService:
    return await grpc_service(build, settings=Settings)


async def test_the_secret_is_told_once(running: RunningService, tenant: str):
    board = running.caller(PartnerServiceStub, an_actor(tenant, "board_admin"))
    added = await board.AddPartner(ASKED)
    assert added.partner.client_id.startswith(f"{tenant}.")
    assert len(added.secret) == 43
    listed = await board.ListPartners(pb.ListPartnersRequest())
    assert [one.name for one in listed.partners] == ["みらい学習eポータル"]
    assert len(listed.scopes) == 13
    renewed = await board.RenewPartnerSecret(pb.RenewPartnerSecretRequest(partner_id=added.partner.id))
    assert renewed.secret != added.secret
    gone = await board.SetPartnerDisabled(pb.SetPartnerDisabledRequest(partner_id=added.partner.id, disabled=True))
    assert gone.HasField("disabled_at")
    with pytest.raises(Conflict):
        await board.RenewPartnerSecret(pb.RenewPartnerSecretRequest(partner_id=added.partner.id))


async def test_what_is_missing_is_told_by_field(running: RunningService, tenant: str):
    board = running.caller(PartnerServiceStub, an_actor(tenant, "board_admin"))
    with pytest.raises(Invalid) as refusal:
        await board.AddPartner(pb.AddPartnerRequest(scopes=["everything"], school_ids=[id_of(9, 2)]))
    assert [one.field for one in refusal.value.violations] == ["name", "purpose", "scopes", "school_ids"]


async def test_a_name_that_the_database_cannot_keep(running: RunningService, tenant: str):
    board = running.caller(PartnerServiceStub, an_actor(tenant, "board_admin"))
    with pytest.raises(Invalid):
        await board.AddPartner(pb.AddPartnerRequest(name="\0", purpose="\0", scopes=["roster.readonly"]))
    with pytest.raises(Invalid):
        await board.AddPartner(pb.AddPartnerRequest(name="名", purpose="的", scopes=ASKED.scopes, school_ids=["\0"]))


async def test_nobody_else(running: RunningService, tenant: str):
    for role in ("teacher", "principal", "office"):
        caller = running.caller(PartnerServiceStub, an_actor(tenant, role))
        with pytest.raises(Refused):
            await caller.AddPartner(ASKED)
        with pytest.raises(Refused):
            await caller.ListPartnerLineItems(pb.ListPartnerLineItemsRequest())
    weak = an_actor(tenant, "board_admin", strong=False)
    with pytest.raises(StepUpRequired):
        await running.caller(PartnerServiceStub, weak).ListPartners(pb.ListPartnersRequest())
    added = await running.caller(PartnerServiceStub, an_actor(tenant, "board_admin")).AddPartner(ASKED)
    stranger = running.caller(PartnerServiceStub, an_actor(f"{tenant}-2", "board_admin"))
    with pytest.raises(Unseen):
        await stranger.SetPartnerDisabled(pb.SetPartnerDisabledRequest(partner_id=added.partner.id, disabled=True))
