"""The published JSON Schemas of the forms: files beside the documents they describe."""

import json
from pathlib import Path

import reports.domain.forms
from reports.domain.forms.registry import forms_of, json_schema


def publish(school_year: int) -> list[Path]:
    """Writes one schema per form in force in that school year; returns the files."""
    folder = Path(next(iter(reports.domain.forms.__path__))) / "schemas"
    folder.mkdir(exist_ok=True)
    written = []
    for form in forms_of(school_year).values():
        file = folder / f"{form.key}.schema.json"
        file.write_text(json.dumps(json_schema(form), ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")
        written.append(file)
    return written
