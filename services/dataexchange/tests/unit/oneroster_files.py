"""A small right package, and ways to spoil it: tests say only what is wrong with theirs."""

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dataexchange.domain.oneroster.check import Checked, check_package
from dataexchange.domain.oneroster.profile import V6, Profile
from dataexchange.domain.oneroster.writer import manifest_rows
from jpschool.codes import school_code_check_digit

BOARD = "00000000-0000-4000-8000-000000000001"
SCHOOL = "00000000-0000-4000-8000-000000000002"
SESSION = "00000000-0000-4000-8000-000000000003"
COURSE = "00000000-0000-4000-8000-000000000004"
CLASS = "00000000-0000-4000-8000-000000000005"
PUPIL = "00000000-0000-4000-8000-000000000006"
TEACHER = "00000000-0000-4000-8000-000000000007"
SCHOOL_CODE = "B14729910001" + school_code_check_digit("B14729910001")


def _user(id_: str, username: str, grade: str, home: str, family: str = "青空", given: str = "花") -> list[str]:
    return [
        *(id_, "", "", "true", username, "", given, family, "", "", "", "", "", "", grade, "", id_),
        *(given, "", family, SCHOOL, "", "ハナ", "アオゾラ", "", home, "アオゾラ", "ハナ", ""),
    ]


def right_tables() -> dict[str, list[list[str]]]:
    """One board, one school, one class with a pupil and a 担任."""
    return {
        "academicSessions": [
            [SESSION, "", "", "2026年度", "schoolYear", "2026-04-01", "2027-03-31", "", "2026"],
        ],
        "orgs": [
            [BOARD, "", "", "青空市教育委員会", "district", "479901", ""],
            [SCHOOL, "", "", "青空市立あおぞら小学校", "school", SCHOOL_CODE, BOARD],
        ],
        "courses": [[COURSE, "", "", SESSION, "2026年度 学級", "", "P3", SCHOOL, "", ""]],
        "classes": [
            [CLASS, "", "", "3年1組", "P3", COURSE, "", "homeroom", "", SCHOOL, SESSION, "", "", "", "false"],
        ],
        "users": [_user(TEACHER, "teacher", "", ""), _user(PUPIL, "pupil", "P3", CLASS)],
        "roles": [
            ["r1", "", "", TEACHER, "primary", "teacher", "", "", SCHOOL, ""],
            ["r2", "", "", PUPIL, "primary", "student", "", "", SCHOOL, ""],
        ],
        "enrollments": [
            ["e1", "", "", CLASS, SCHOOL, TEACHER, "teacher", "true", "2026-04-01", "2027-03-31", "", ""],
            ["e2", "", "", CLASS, SCHOOL, PUPIL, "student", "false", "2026-04-01", "2027-03-31", "1", "true"],
        ],
    }


def quoted(rows: Sequence[Sequence[str]]) -> bytes:
    """As the profile writes: every value quoted, CRLF, no BOM."""
    return "".join('"' + '","'.join(value.replace('"', '""') for value in row) + '"\r\n' for row in rows).encode()


@dataclass
class AFile:
    """A package being made wrong."""

    tables: dict[str, list[list[str]]] = field(default_factory=right_tables)
    profile: Profile = V6
    headers: dict[str, list[str]] = field(default_factory=dict)
    manifest: list[list[str]] | None = None
    raw: dict[str, bytes] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    folder: str = ""

    def put(self, table: str, row: int, column: str, value: str) -> "AFile":
        """Change one cell; `row` counts data rows from 0, `column` is its name in the profile."""
        self.tables[table][row][self.profile.header(table).index(column)] = value
        return self

    def manifest_value(self, name: str, value: str) -> "AFile":
        self.manifest = [
            [key, value if key == name else old] for key, old in manifest_rows(self.profile, self._counts(), "test")
        ]
        return self

    def _counts(self) -> dict[str, int]:
        return {name: len(rows) for name, rows in self.tables.items()}

    def members(self) -> dict[str, bytes]:
        found = {
            f"{name}.csv": quoted([self.headers.get(name, list(self.profile.header(name))), *rows])
            for name, rows in self.tables.items()
        }
        manifest = self.manifest or [list(row) for row in manifest_rows(self.profile, self._counts(), "test")]
        found = {"manifest.csv": quoted(manifest), **found, **self.raw}
        return {f"{self.folder}{name}": data for name, data in found.items() if name not in self.left_out}

    def zipped(self, spoil: Callable[[bytes], bytes] = bytes) -> bytes:
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in self.members().items():
                archive.writestr(name, data)
        return spoil(target.getvalue())

    def check(self, spoil: Callable[[bytes], bytes] = bytes) -> Checked:
        return check(self.zipped(spoil))


def check(data: bytes) -> Checked:
    return check_package(io.BytesIO(data), len(data), "RO_20260401_479901.zip")


def errors(checked: Checked) -> list[tuple[str, str, int, str]]:
    """(code, file, row, column) of every error."""
    return [(one.code, one.file, one.row, one.column) for one in checked.findings if one.severity == "error"]


def notes(checked: Checked) -> list[tuple[str, str]]:
    return [(one.code, one.file) for one in checked.findings if one.severity == "note"]
