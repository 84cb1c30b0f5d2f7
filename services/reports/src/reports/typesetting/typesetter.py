"""render(form, documents) → PDF/A-2a that is also PDF/UA-1 (tagged), with every font embedded.

Text reaches Typst as JSON through `sys.inputs` and is never part of the source. The same input gives the same bytes.
"""

import ctypes
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, cast

import orjson
import typst

from reports.domain.forms.registry import Form, FormDocument, to_data
from reports.typesetting.fonts import FontSet

_TEMPLATES = Path(__file__).parent / "templates"
_MAIN = str(_TEMPLATES / "main.typ")
_KEPT_LAYOUTS = 12
_STANDARDS: list[Any] = ["a-2a", "ua-1"]

_PREVIEW_PPI = 96.0

ImageFormat = Literal["svg", "png"]
_MEDIA_TYPES: dict[ImageFormat, str] = {"svg": "image/svg+xml", "png": "image/png"}


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the footer and the PDF's properties say about the print."""

    author: str
    footer: str
    created_at: datetime
    draft: bool = False


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished PDF. `notes`: what was shrunk, continued on 別紙 or could not be drawn, as people read it."""

    pdf: bytes
    pages: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pages of one document as pictures, with the same notes as its PDF."""

    pages: tuple[bytes, ...]
    media_type: str
    notes: tuple[str, ...]


class Typesetter:
    """One Typst with the fonts loaded; keeps what it laid out, so a second look at a pupil's sheet is quick.

    A compiler is not shared between threads at one time: calls wait for each other.
    """

    def __init__(self, fonts: FontSet) -> None:
        self.fonts = fonts
        loaded = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=fonts.folders)
        self._typst = typst.Compiler(root=str(_TEMPLATES), font_paths=loaded, ignore_system_fonts=True)
        self._lock = threading.Lock()

    def pdf(self, form: Form, documents: Sequence[FormDocument], stamp: Stamp, labels: Sequence[str] = ()) -> Rendered:
        """The documents one after the other in the given order, as one file.

        `labels` names the documents in the notes (for a class: 出席番号); empty for a single one.
        """
        data, notes = self._input(form, documents, stamp)
        with self._lock:
            made = self._typst.compile(
                _MAIN,
                format="pdf",
                pdf_standards=_STANDARDS,
                sys_inputs=data,
                timestamp=int(stamp.created_at.timestamp()),
            )
            report = self._report()
        return Rendered(cast(bytes, made), report["pages"], (*notes, *_told(report, labels)))

    def pictures(self, form: Form, document: FormDocument, stamp: Stamp, image: ImageFormat = "svg") -> Pictures:
        """Every page as a picture: SVG to look at closely, PNG (96 per inch) to stand beside a grid."""
        data, notes = self._input(form, (document,), stamp)
        with self._lock:
            made = self._typst.compile(_MAIN, format=image, ppi=_PREVIEW_PPI, sys_inputs=data)
            report = self._report()
        pages = tuple(made) if isinstance(made, list) else (cast(bytes, made),)
        return Pictures(pages, _MEDIA_TYPES[image], (*notes, *_told(report, ())))

    def settle(self) -> None:
        """Gives back the memory of a large print: Typst keeps ten layouts, for 35 pupils some 100 MB each."""
        with self._lock:
            for _ in range(_KEPT_LAYOUTS):
                self._typst.compile(b"", format="svg")
        if sys.platform == "linux":
            ctypes.CDLL(None).malloc_trim(0)

    def _input(
        self, form: Form, documents: Sequence[FormDocument], stamp: Stamp
    ) -> tuple[dict[str, str], tuple[str, ...]]:
        data: list[Any] = [to_data(document) for document in documents]
        missing = self.fonts.unprintable(_texts(data))
        notes = tuple(self._font_notes(data, missing))
        if missing:
            data = _geta(data, missing)
        whole = {
            "documents": data,
            "fonts": {"names": self.fonts.name_families, "variants": self.fonts.variants_by_font(_texts(data))},
            "meta": {
                "form": form.key,
                "form_version": form.version,
                "title": form.label,
                "author": stamp.author,
                "footer": stamp.footer,
                "draft": stamp.draft,
                "notes": notes,
            },
        }
        return {"data": orjson.dumps(whole).decode()}, notes

    def _font_notes(self, data: list[Any], missing: Sequence[str]) -> Iterator[str]:
        lost = self.fonts.variants_lost(_texts(data))
        if lost:
            why = "IPAmj明朝がこの環境にないため" if self.fonts.official is None else "字形のあるフォントがないため"
            yield f"{why}、異体字を代表字形で印刷しました（{_listed(lost)}）。"
        if missing:
            yield f"印刷できる字形のない文字を〓で示しました（{_listed(missing, shown=False)}）。"

    def _report(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self._typst.query("<report>", field="value", one=True))
        return found


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


def _geta(value: Any, missing: Sequence[str]) -> Any:
    """The same data with 〓 for what no font can draw (PDF/A refuses a missing glyph; the stored data keep it)."""
    if isinstance(value, str):
        for cluster in missing:
            value = value.replace(cluster, "〓")
        return value
    if isinstance(value, Mapping):
        return {key: _geta(each, missing) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_geta(each, missing) for each in value]
    return value


def _listed(clusters: Sequence[str], *, shown: bool = True) -> str:
    def one(cluster: str) -> str:
        points = " ".join(f"U+{ord(c):04X}" for c in cluster)
        return f"{cluster} {points}" if shown else points

    text = "、".join(one(cluster) for cluster in clusters[:8])
    return text if len(clusters) <= 8 else f"{text} ほか{len(clusters) - 8}字"


def _told(report: Mapping[str, Any], labels: Sequence[str]) -> Iterator[str]:
    def who(entry: Mapping[str, Any]) -> str:
        return f"{labels[entry['doc']]} " if labels else ""

    for entry in report["overflow"]:
        yield f"{who(entry)}「{entry['label']}」が欄に入りきらず、{entry['moved']}字を別紙に印刷しました。"
    seen: set[tuple[int, str]] = set()
    for entry in report["shrunk"]:
        if entry["size"] < 7 and (entry["doc"], entry["label"]) not in seen:
            seen.add((entry["doc"], entry["label"]))
            yield f"{who(entry)}「{entry['label']}」を{entry['size']:g}ポイントに縮めて印刷しました。"
