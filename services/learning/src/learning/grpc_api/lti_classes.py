"""LtiClassService: tools as the people of a class find and open them."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from komu.learning.v1 import lti_pb2 as pb
from komu.learning.v1 import lti_pb2_grpc
from servicekit.clients import Clients
from servicekit.grpc import Call, rpc

from learning.clients.names import own_name
from learning.domain.lti.claims import Platform
from learning.domain.register import School, SchoolClass
from learning.grpc_api.lti_tools import claims_out
from learning.grpc_api.translate import uuid_of
from learning.store.lti.links import ToolLink
from learning.usecases.lti import launching, links
from learning.usecases.lti.launching import Opening


class LtiClassServicer(lti_pb2_grpc.LtiClassServiceServicer):
    """Inbound calls from classes."""

    def __init__(self, platform: Platform, clients: Clients) -> None:
        self._platform = platform
        self._clients = clients

    @rpc(right="learning.lti_open")
    async def ListLtiClasses(self, request: pb.ListLtiClassesRequest, call: Call) -> pb.ListLtiClassesReply:
        found = await call.read(links.my_classes)
        return pb.ListLtiClassesReply(classes=[_class(one, school) for one, school in found])

    @rpc(right="learning.lti_open")
    async def GetClassTools(self, request: pb.GetClassToolsRequest, call: Call) -> pb.ClassTools:
        found = await call.read(links.look_at_class, uuid_of(request.class_id, "class_id"))
        deployments = [
            (deployment, tool)
            for tool in found.tools
            for deployment in tool.deployments
            if deployment.active and deployment.school_id == found.school.id
        ]
        names = {deployment.id: tool.facts.name for deployment, tool in deployments}
        return pb.ClassTools(
            **{"class": _class(found.school_class, found.school)},
            tools=[
                pb.LtiClassTool(
                    deployment_id=str(deployment.id),
                    name=tool.facts.name,
                    purpose=tool.facts.purpose,
                    deep_linking=tool.facts.deep_linking,
                    claims=claims_out(tool.facts.claims),
                )
                for deployment, tool in deployments
            ],
            links=[_link(link, names) for link in found.links],
            arranges=found.arranges,
        )

    @rpc(right="learning.lti_open")
    async def AddToolLink(self, request: pb.AddToolLinkRequest, call: Call) -> pb.LtiLink:
        class_id, deployment_id = uuid_of(request.class_id, "class_id"), uuid_of(request.deployment_id, "deployment_id")
        return _link(await call.run(links.put_ready, class_id, deployment_id, request.title), {})

    @rpc(right="learning.lti_open")
    async def RemoveToolLink(self, request: pb.RemoveToolLinkRequest, call: Call) -> pb.RemoveToolLinkReply:
        class_id = await call.run(links.take_away, uuid_of(request.link_id, "link_id"))
        return pb.RemoveToolLinkReply(class_id=str(class_id))

    @rpc(right="learning.lti_open")
    async def OpenToolLink(self, request: pb.OpenToolLinkRequest, call: Call) -> pb.OpenedTool:
        link_id = uuid_of(request.link_id, "link_id")
        name = ("", "")
        if await call.read(launching.link_wants_name, link_id):
            name = await own_name(self._clients, call)
        return self._opened(await call.run(launching.open_link, link_id, name))

    @rpc(right="learning.lti_open")
    async def ChooseToolContent(self, request: pb.ChooseToolContentRequest, call: Call) -> pb.OpenedTool:
        class_id, deployment_id = uuid_of(request.class_id, "class_id"), uuid_of(request.deployment_id, "deployment_id")
        name = ("", "")
        if await call.read(launching.wants_name, deployment_id):
            name = await own_name(self._clients, call)
        return self._opened(await call.run(launching.choose_content, class_id, deployment_id, name))

    def _opened(self, opening: Opening) -> pb.OpenedTool:
        return pb.OpenedTool(url=opening.address or self._platform.start(opening.ticket))


def _class(one: SchoolClass, school: School) -> pb.LtiClass:
    return pb.LtiClass(id=str(one.id), name=one.name, school_name=school.name)


def _link(link: ToolLink, names: Mapping[UUID, str]) -> pb.LtiLink:
    return pb.LtiLink(
        id=str(link.id),
        deployment_id=str(link.deployment_id),
        title=link.title,
        text=link.text,
        url=link.url if link.kind == "link" else "",
        tool_name=names.get(link.deployment_id, ""),
    )
