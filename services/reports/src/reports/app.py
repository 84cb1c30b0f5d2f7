"""The only place that wires things together."""

from komu.reports.v1 import reports_pb2_grpc
from servicekit.clients import Clients
from servicekit.grpc import Service
from servicekit.jobs import JobContext, JobKind

from reports.consumers import CONSUMERS
from reports.grpc_api import RIGHTS, ReportsServicer
from reports.settings import ReportsSettings
from reports.typesetting.fonts import FontSet
from reports.typesetting.typesetter import Typesetter
from reports.usecases import printing


def build(settings: ReportsSettings) -> Service:
    """The process `python -m reports serve` runs."""
    clients = Clients(settings)
    fonts = FontSet.found(settings.name_font)
    printer, previewer = Typesetter(fonts), Typesetter(fonts)

    async def print_class(job: JobContext) -> str:
        return await printing.print_class(job, printer)

    return Service(
        settings,
        rights=RIGHTS,
        servicers=[
            (ReportsServicer(clients, printer, previewer), reports_pb2_grpc.add_ReportsServiceServicer_to_server)
        ],
        consumers=CONSUMERS,
        jobs=[JobKind(printing.PRINT_CLASS, print_class)],
        closing=[clients.close],
    )
