"""35 pupils' 指導要録 様式2 through the service's renderer against raw Typst on the same data.

    python -m tests.bench.bench_forms          # goal: at most 1.3 times the time of raw Typst

The service validates the stored data, checks every character against the fonts, sets PDF/A-2a and PDF/UA-1, reads back
what was shrunk, and hashes; raw Typst only compiles the same template with the same JSON. Each round prints data that
nothing has laid out before, both sides in turns; CPU time, middle of the rounds.
"""

import asyncio
import statistics
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import typst
from reports.domain.archive import Order, canonical, digest
from reports.domain.forms.registry import form_of, to_data
from reports.typesetting.fonts import FontSet
from reports.typesetting.typesetter import Typesetter
from reports.usecases.printing import typeset

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from services.reports.tests.unit import samples  # noqa: E402

GOAL = 1.3
PUPILS = 35
ROUNDS = 7
NOW = datetime(2026, 11, 21, tzinfo=UTC)
FORM = form_of("guidance_record_2", 2026)
TEMPLATES = ROOT / "services/reports/src/reports/typesetting/templates"


def class_of(tag: str) -> list[Any]:
    """35 pupils nobody has printed yet."""
    return [
        replace(samples.guidance(remark=f"{samples.REMARK}{tag}-{n}"), school_name=f"第{tag}小学校")
        for n in range(PUPILS)
    ]


def order_of(tag: str) -> Order:
    pupils = tuple(uuid4() for _ in range(PUPILS))
    data = canonical(FORM, [to_data(document) for document in class_of(tag)])
    labels = tuple(f"{n}番" for n in range(1, PUPILS + 1))
    return Order(
        uuid4(),
        FORM,
        uuid4(),
        "青空市立あおぞら小学校",
        uuid4(),
        "P3",
        2026,
        "",
        "print",
        "",
        pupils,
        labels,
        data,
        NOW,
    )


def by_service(typesetter: Typesetter, tag: str) -> float:
    order = order_of(tag)
    began = time.process_time()
    rendered = asyncio.run(typeset(typesetter, order))
    digest(rendered.pdf)
    digest(order.data)
    took = time.process_time() - began
    assert rendered.pages == 2 * PUPILS, rendered.pages
    return took


def by_typst(compiler: typst.Compiler, typesetter: Typesetter, tag: str) -> float:
    inputs, _ = typesetter._input(FORM, class_of(tag), _stamp())
    began = time.process_time()
    compiler.compile(str(TEMPLATES / "main.typ"), format="pdf", sys_inputs=inputs)
    return time.process_time() - began


def _stamp() -> Any:
    from reports.typesetting.typesetter import Stamp

    return Stamp("青空市立あおぞら小学校", "指導要録 様式2", NOW)


def main() -> int:
    fonts = FontSet.found()
    typesetter = Typesetter(fonts)
    loaded = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=fonts.folders)
    compiler = typst.Compiler(root=str(TEMPLATES), font_paths=loaded, ignore_system_fonts=True)
    by_service(typesetter, "w1")
    by_typst(compiler, typesetter, "w2")
    ours: list[float] = []
    raw: list[float] = []
    for n in range(ROUNDS):
        sides = [
            lambda n=n: raw.append(by_typst(compiler, typesetter, f"r{n}")),
            lambda n=n: ours.append(by_service(typesetter, f"s{n}")),
        ]
        for side in sides if n % 2 else reversed(sides):
            side()
        typesetter.settle()
    ratio = statistics.median(ours) / statistics.median(raw)
    print(
        f"様式2 x {PUPILS}   service {statistics.median(ours):.2f} s   raw typst {statistics.median(raw):.2f} s   "
        f"ratio {ratio:.2f}   goal <= {GOAL}"
    )
    return 0 if ratio <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
