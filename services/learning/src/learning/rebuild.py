"""Lays the projections anew: the register, which roster has, and the results, which the statements tell."""

from __future__ import annotations

from servicekit.clients import Clients
from servicekit.db import Database

from learning import consumers
from learning.clients import snapshot_roster
from learning.settings import Settings
from learning.store.projection import ClassFact, SchoolFact, StaffFact
from learning.usecases import register, study


async def rebuild_projections(settings: Settings, tenant: str) -> int:
    """Ask roster for the whole register of a board and make the projection the same. Returns the number of classes."""
    database = Database(settings.database_url, application_name="komu-learning-rebuild")
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
                    classes.append(consumers.class_fact(item.class_roster))
                case "staff_duties":
                    staff.append(consumers.staff_fact(item.staff_duties))
        async with database.transaction(tenant) as tx:
            await register.replace_register(tx, before, register.Snapshot(schools, classes, staff))
        async with database.transaction(tenant) as tx:
            await study.note_again(tx)
        return len(classes)
    finally:
        await clients.close()
        await database.close()
