"""What the process is told about its surroundings: nothing beyond what every service is told."""

from servicekit.settings import ServiceSettings


class GradesSettings(ServiceSettings):
    """`KOMU_*` with the service's own name filled in."""

    service: str = "grades"
