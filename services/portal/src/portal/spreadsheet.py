"""Lists as files for Excel: a workbook, or CSV that Excel opens with its characters whole."""

import csv
import io
from collections.abc import Iterable, Sequence
from urllib.parse import quote

import xlsxwriter  # type: ignore[import-untyped]
from fastapi import Response

Cell = str | int | None
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_WIDEST = 40


def download(
    name: str, form: str, title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, code: str = ""
) -> Response:
    """The list as `<name>.xlsx`, or `<name>.csv` where `form` says so. `title` heads the sheet, `code` is its tab."""
    whole = [list(row) for row in rows]
    if form == "csv":
        return _answer(f"{name}.csv", "text/csv; charset=utf-8", as_csv(columns, whole))
    return _answer(f"{name}.xlsx", XLSX, workbook(title, columns, whole, tab=code or name))


def _answer(name: str, media_type: str, content: bytes) -> Response:
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}", "Cache-Control": "no-store",
    }  # fmt: skip
    return Response(content, media_type=media_type, headers=headers)


def as_csv(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """UTF-8 with a byte order mark, which Excel needs. What Excel would take for a formula begins with 「'」."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _harmless(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def workbook(title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]], *, tab: str) -> bytes:
    """One sheet: the title, the columns with a filter, the rows; set up for A4 paper with the columns on each page."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet("".join(sign for sign in tab if sign not in "[]:*?/\\")[:31])
        bold = book.add_format({"bold": True, "font_size": 14})
        head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#F2F2F2", "text_wrap": True})
        sheet.write_string(0, 0, title, bold)
        for place, column in enumerate(columns):
            sheet.write_string(2, place, column, head)
            longest = max((_width(row[place]) for row in rows), default=0)
            sheet.set_column(place, place, min(_WIDEST, max(_width(column), longest)) + 2)
        for line, row in enumerate(rows, 3):
            for place, cell in enumerate(row):
                if isinstance(cell, int):
                    sheet.write_number(line, place, cell)
                elif cell:
                    sheet.write_string(line, place, cell)
        if rows:
            sheet.autofilter(2, 0, 2 + len(rows), len(columns) - 1)
        sheet.freeze_panes(3, 0)
        sheet.repeat_rows(2)
        sheet.set_paper(9)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
    return out.getvalue()


def _width(cell: Cell) -> int:
    """In half-width characters, as Excel counts columns."""
    return sum(1 if ord(sign) < 0x2000 else 2 for sign in str(cell or ""))
