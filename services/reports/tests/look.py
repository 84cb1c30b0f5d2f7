"""Writes pages of the sample documents as PNG: `python -m services.reports.tests.look [FORM…] [--to FOLDER]`."""

import argparse
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from reports.domain.forms.registry import form_of
from reports.typesetting.fonts import FontSet
from reports.typesetting.typesetter import Stamp, Typesetter

from services.reports.tests.unit.samples import every_form


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("forms", nargs="*", default=list(every_form()))
    parser.add_argument("--to", type=Path, default=Path(tempfile.gettempdir()))
    asked = parser.parse_args()
    typesetter = Typesetter(FontSet.found())
    stamp = Stamp("青空市立あおぞら小学校", "見本", datetime(2026, 11, 21, tzinfo=UTC))
    for key in asked.forms:
        pictures = typesetter.pictures(form_of(key, 2026), every_form()[key], stamp, "png")
        for number, page in enumerate(pictures.pages, 1):
            file = asked.to / f"{key}_{number}.png"
            file.write_bytes(page)
            print(file)
        for note in pictures.notes:
            print(note)


if __name__ == "__main__":
    main()
