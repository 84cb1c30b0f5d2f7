"""A transfer package: build + sign + seal + verify + open, against the JOSE operations alone on the same bytes.

`python -m tests.bench.bench_package` prints the ratio (goal: at least 60 % of the speed of the bare operations)."""

import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import uuid_utils
from dataexchange.domain import directory as directories
from dataexchange.domain import jose, keys
from dataexchange.domain.directory import Jwks, Organisation
from dataexchange.domain.package import building, manifest, opening, records
from dataexchange.domain.refusals import Code
from joserfc.jwk import ECKey

GOAL = 0.60
ROUNDS = 40
# What one child's package weighs today: five PDF documents, six records.
DOCUMENTS = {"form-1": 75_000, "form-2": 180_000, "copy": 225_000, "enrolment": 38_000, "textbook": 42_000}
NOW = datetime.now(UTC).replace(microsecond=0)
SENDER, RECEIVER = "board:139990", "board:149990"


def uuid7() -> UUID:
    return UUID(str(uuid_utils.uuid7()))


def world() -> tuple[directories.Directory, keys.OwnKeys, keys.OwnKeys]:
    operator = ECKey.generate_key("P-256")
    made = [keys.generate(name, NOW - timedelta(days=1), timedelta(days=400)) for name in (SENDER, RECEIVER)]
    organisations = [
        Organisation(
            id=key["organisation"], kind="board", name="教育委員会", base_url="https://exchange.example",
            jwks=Jwks.model_validate(keys.public_half(key)),
        )
        for key in made
    ]  # fmt: skip
    content = directories.successor(None, organisations, NOW, timedelta(days=30))
    raw = directories.sign(content, operator, int(NOW.timestamp()))
    return directories.read(raw, operator.as_dict(private=False)), keys.load(made[0]), keys.load(made[1])


def contents(files: dict[str, bytes], guidance: list[bytes]) -> list[building.Content]:
    made = [
        building.Content(
            manifest.part(
                f"documents/{name}.pdf", data, role="guidance_record_form_1", title="写し", information_class=1,
                custody="copy",
            ),
            data,
        )
        for name, data in files.items()
    ]  # fmt: skip
    for number, data in enumerate(guidance):
        line = manifest.part(
            f"record/guidance/{2021 + number}.json", data, role="guidance_record", title="指導に関する記録",
            information_class=1, custody="copy", schema="guidance_record/1.0",
        )  # fmt: skip
        made.append(building.Content(line, data))
    return made


def a_year(school_year: int) -> bytes:
    subjects = [
        {"subject": f"教科{n}", "rating": "3", "viewpoints": [{"viewpoint": f"観点{m}", "mark": "A"} for m in range(3)]}
        for n in range(10)
    ]
    value = {
        "schema": "guidance_record/1.0", "school_year": school_year, "school_grade": f"P{school_year - 2020}",
        "school": {"code": "B147299100016", "name": "青空市立あおぞら小学校"}, "subjects": subjects, "closed": True,
        "behaviour": [{"item": f"項目{n}", "noted": True} for n in range(10)],
        "texts": [{"title": "総合所見", "text": "よく努力した。" * 40}],
    }  # fmt: skip
    return records.to_bytes(records.GuidanceYear.model_validate(value))


def timed(act: Callable[[], object]) -> float:
    """Median seconds."""
    act()
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def main() -> int:
    directory, sender, receiver = world()
    files = {name: b"%PDF-1.7\n" + os.urandom(size) for name, size in DOCUMENTS.items()}
    guidance = [a_year(year) for year in range(2021, 2027)]
    school = manifest.School(code="B147299100016", name="青空市立あおぞら小学校")

    def whole() -> building.Built:
        built = building.build(
            contents(files, guidance), package_id=uuid7(), transfer_id=uuid7(), kind="transfer",
            sender=manifest.Party(organisation=SENDER, name="青空市教育委員会", school=school),
            receiver=manifest.Party(organisation=RECEIVER, name="港野市教育委員会"),
            decided_by=manifest.Decision(office="校長", name="青木 校一", at="2026-11-20T00:00:00Z"),
            at=NOW, signing=sender.signing_key(NOW),
        )  # fmt: skip
        sealed = building.seal(built.archive, directory.key_for(RECEIVER, "enc", NOW)).sealed
        package = opening.open_sealed(sealed, receiver.opening, directory, NOW, RECEIVER)
        opening.accept(package, directory, NOW, receiver=RECEIVER)
        return built

    built = whole()
    signing, enc = sender.signing_key(NOW), directory.key_for(RECEIVER, "enc", NOW)
    public, sealing = jose.key_object(directory.key(signing.kid, "sig")[1].jwk), jose.key_object(enc.jwk)
    assert isinstance(sealing, ECKey)

    def bare() -> None:
        jws = jose.sign(
            built.manifest_bytes, signing.key, kid=signing.kid, iat=int(NOW.timestamp()), typ="t", detached=True
        )
        sealed = jose.seal(built.archive, sealing, kid=enc.kid, typ="t", cty="c")
        jose.look_at_sealed(sealed, typ="t", cty="c").open(lambda kid: receiver.opening[kid])
        signed = jose.take_apart(jws, typ="t", malformed=Code.SIGNATURE_INVALID, payload=built.manifest_bytes)
        signed.check(public)

    # Alternating blocks, so that a busy machine slows both.
    pairs = [(timed(bare), timed(whole)) for _ in range(3)]
    alone, all_of_it = min(bare_s for bare_s, _ in pairs), min(whole_s for _, whole_s in pairs)
    ratio = alone / all_of_it
    print(f"archive                       {len(built.archive) / 1024:7.0f} KiB, {len(built.manifest.parts)} parts")
    print(f"JOSE operations alone         {alone * 1000:7.2f} ms")
    print(f"build, sign, seal, open, check {all_of_it * 1000:6.2f} ms")
    print(f"ratio                         {ratio:7.2f}     goal {GOAL:.2f}")
    return 0 if ratio >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
