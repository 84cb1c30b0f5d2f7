"""What changed between two whole packages."""

import io
import zipfile

from dataexchange.domain.oneroster.check import Purpose, check_package
from dataexchange.domain.oneroster.delta import write_delta
from dataexchange.domain.oneroster.profile import V6
from dataexchange.domain.oneroster.writer import PackageWriter

from services.dataexchange.tests.unit.oneroster_files import PUPIL, TEACHER, AFile, errors

AT = "2026-05-01T00:00:00.000Z"


def delta(before: AFile, after: AFile) -> tuple[bytes, PackageWriter]:
    target = io.BytesIO()
    writer = PackageWriter(target, V6, mode="delta")
    write_delta(writer, io.BytesIO(before.zipped()), io.BytesIO(after.zipped()), AT)
    writer.finish()
    return target.getvalue(), writer


def test_new_changed_and_gone_rows_are_told_and_nothing_else():
    after = AFile().put("users", 1, "preferredGivenName", "花子")
    gone = after.tables["enrollments"].pop(1)
    after.tables["enrollments"].append([*gone[:8], "2026-05-01", *gone[9:]])
    after.tables["enrollments"][1][0] = "e3"
    data, writer = delta(AFile(), after)
    assert writer.rows_by_file == {"users": 1, "enrollments": 2}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        users = archive.read("users.csv").decode().split("\r\n")
        enrollments = archive.read("enrollments.csv").decode().split("\r\n")
        manifest = archive.read("manifest.csv").decode()
    assert users[1].startswith(f'"{PUPIL}","active","{AT}"')
    assert TEACHER not in users[1]
    assert [line.split(",")[:2] for line in enrollments[1:3]] == [['"e3"', '"active"'], ['"e2"', '"tobedeleted"']]
    assert '"file.users","delta"' in manifest
    assert '"file.orgs","absent"' in manifest
    checked = check_package(io.BytesIO(data), len(data), purpose=Purpose.CONFORMANCE)
    assert errors(checked) == []


def test_the_same_again_is_no_row_at_all():
    assert delta(AFile(), AFile())[1].rows_by_file == {}
