"""The only place that wires things together."""

from komu.grades.v1 import grades_pb2_grpc
from servicekit.clients import Clients
from servicekit.db import Database
from servicekit.grpc import Service

from grades import consumers
from grades.clients import snapshot_roster
from grades.grpc_api import RIGHTS, GradesServicer
from grades.settings import GradesSettings
from grades.store.projection import ClassFact, SchoolFact, StaffFact
from grades.usecases import register


def build(settings: GradesSettings) -> Service:
    """The process `python -m grades serve` runs."""
    return Service(
        settings,
        rights=RIGHTS,
        servicers=[(GradesServicer(), grades_pb2_grpc.add_GradesServiceServicer_to_server)],
        consumers=consumers.CONSUMERS,
    )


async def rebuild_projections(settings: GradesSettings, tenant: str) -> int:
    """Ask roster for the whole register of a board and make the projection the same. Returns the number of classes."""
    database = Database(settings.database_url)
    clients = Clients(settings)
    try:
        async with database.reading(tenant) as tx:
            before = await register.read_register(tx)
        schools: list[SchoolFact] = []
        classes: list[ClassFact] = []
        staff: list[StaffFact] = []
        async for item in snapshot_roster(clients, tenant):
            match item.WhichOneof("item"):
                case "school":
                    schools.append(consumers.school_fact(item.school, 0))
                case "class_roster":
                    fact = consumers.class_fact(item.class_roster)
                    if fact is not None:
                        classes.append(fact)
                case "staff_duties":
                    staff.append(consumers.staff_fact(item.staff_duties))
        async with database.transaction(tenant) as tx:
            await register.replace_register(tx, before, register.Snapshot(schools, classes, staff))
        return len(classes)
    finally:
        await clients.close()
        await database.close()
