"""The real gRPC server: wired, guarded, fail closed."""

import pytest
import pytest_asyncio
from dataexchange.app import build
from dataexchange.grpc_api.transfers import RIGHTS
from dataexchange.settings import Settings
from komu.dataexchange.v1 import transfers_pb2 as pb
from komu.dataexchange.v1 import transfers_pb2_grpc
from servicekit.errors import Refused, StepUpRequired, Unauthenticated, Unavailable
from servicekit.testing import an_actor

METHODS = {
    "ListOrganisations": pb.ListOrganisationsRequest(),
    "DraftTransfer": pb.DraftTransferRequest(),
    "ApproveTransfer": pb.ApproveTransferRequest(),
    "WithdrawTransfer": pb.WithdrawTransferRequest(),
    "GetTransfer": pb.GetTransferRequest(),
    "ListTransfers": pb.ListTransfersRequest(),
    "ListArrivals": pb.ListArrivalsRequest(),
    "GetArrival": pb.GetArrivalRequest(),
    "MatchArrival": pb.MatchArrivalRequest(),
    "AcceptArrival": pb.AcceptArrivalRequest(),
    "RefuseArrival": pb.RefuseArrivalRequest(),
    "SendNotice": pb.SendNoticeRequest(),
    "ListNotices": pb.ListNoticesRequest(),
    "GetNotice": pb.GetNoticeRequest(),
    "RefuseNotice": pb.RefuseNoticeRequest(),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(grpc_service):
    return await grpc_service(build, settings=Settings)


@pytest.mark.parametrize("method", METHODS)
async def test_a_teacher_may_do_nothing_with_transfers(running, tenant, method):
    caller = running.caller(transfers_pb2_grpc.TransferServiceStub, an_actor(tenant, "teacher"))
    with pytest.raises(Refused):
        await getattr(caller, method)(METHODS[method])


@pytest.mark.parametrize("method", METHODS)
async def test_without_a_token_nothing(running, method):
    with pytest.raises(Unauthenticated):
        await getattr(running.bare(transfers_pb2_grpc.TransferServiceStub), method)(METHODS[method])


@pytest.mark.parametrize("method", ["ApproveTransfer", "GetArrival", "MatchArrival", "AcceptArrival", "RefuseArrival"])
async def test_the_second_factor_is_asked_for_at_that_moment(running, tenant, method):
    actor = an_actor(tenant, "principal", strong=False)
    with pytest.raises(StepUpRequired):
        await getattr(running.caller(transfers_pb2_grpc.TransferServiceStub, actor), method)(METHODS[method])


async def test_without_a_directory_it_says_so(running, tenant):
    caller = running.caller(transfers_pb2_grpc.TransferServiceStub, an_actor(tenant, "office"))
    with pytest.raises(Unavailable):
        await caller.ListOrganisations(pb.ListOrganisationsRequest())


def test_only_the_principal_has_the_right_to_approve():
    assert RIGHTS["transfer.approve"] == {"principal"}
