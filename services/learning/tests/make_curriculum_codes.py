"""Makes `learning/data/curriculum_codes.tsv.gz` out of the tables of 文部科学省 (CC BY 4.0):

python -m services.learning.tests.make_curriculum_codes 82V11.xlsx 83V11.xlsx 84V10.xlsx
"""

from __future__ import annotations

import gzip
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import learning

_N = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
OUT = Path(learning.__file__).parent / "data" / "curriculum_codes.tsv.gz"


def rows(path: str) -> Iterator[tuple[str, str, str]]:
    """(code, 教科等, text) of the one sheet; readings (ルビ) are left out."""
    with zipfile.ZipFile(path) as book:
        strings = [
            "".join(part.text or "" for part in (*one.findall(f"{_N}t"), *one.findall(f"{_N}r/{_N}t")))
            for one in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
        ]
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    for row in sheet.iter(f"{_N}row"):
        cells = {}
        for cell in row:
            value = cell.find(f"{_N}v")
            if value is not None and value.text:
                column = (cell.get("r") or "").rstrip("0123456789")
                cells[column] = strings[int(value.text)] if cell.get("t") == "s" else value.text
        if len(cells.get("D", "")) == 16:
            yield cells["D"], cells.get("A", "").strip(), " ".join(cells.get("C", "").split())


def main(paths: list[str]) -> None:
    """One line a code, in the order of the tables."""
    lines = "".join("\t".join(row) + "\n" for path in paths for row in rows(path))
    OUT.write_bytes(gzip.compress(lines.encode(), 9, mtime=0))
    print(f"{lines.count(chr(10))} codes, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
