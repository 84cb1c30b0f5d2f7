"""What the process is told about its surroundings."""

from pathlib import Path

from servicekit.settings import ServiceSettings


class ReportsSettings(ServiceSettings):
    """`KOMU_*` with the service's own name filled in."""

    service: str = "reports"

    name_font: Path | None = None
    """IPAmj明朝 (ipamjm.ttf) for official names; unset: looked for where Debian's fonts-ipamj-mincho puts it."""
