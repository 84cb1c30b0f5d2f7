"""Promises about the contracts: generated code is fresh, v1 only grows, every event is made, sampled and heard."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import descriptor_pb2, json_format
from google.protobuf.descriptor_pb2 import FileDescriptorSet

ROOT = Path(__file__).resolve().parents[2]
PROTOS = sorted((ROOT / "proto" / "komu").rglob("*.proto"))
SERVICES = ("roster", "attendance", "grades", "reports", "dataexchange", "learning")
EVENTS_HEARD = yaml.safe_load((ROOT / "infra" / "calls.yaml").read_text("utf-8"))["events"]


def compile_protos(target: Path) -> FileDescriptorSet:
    """Generates everything into `target` with the pinned generator, as `make proto` does."""
    described = target / "all.binpb"
    bin_dir = Path(sys.executable).parent
    command = [
        sys.executable, "-m", "grpc_tools.protoc", "-I", "proto",
        f"--python_out={target}", f"--grpc_python_out={target}", f"--mypy_out={target}", f"--mypy_grpc_out={target}",
        f"--plugin=protoc-gen-mypy={bin_dir / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={bin_dir / 'protoc-gen-mypy_grpc'}",
        f"--descriptor_set_out={described}", "--include_imports",
        *(str(path.relative_to(ROOT)) for path in PROTOS),
    ]  # fmt: skip
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return FileDescriptorSet.FromString(described.read_bytes())


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FileDescriptorSet]:
    target = tmp_path_factory.mktemp("gen")
    return target, compile_protos(target)


def test_generated_code_is_what_the_protos_make(generated: tuple[Path, FileDescriptorSet]):
    target, _ = generated

    def texts(root: Path) -> dict[Path, str]:
        found = [path for path in root.rglob("*_pb2*.py*") if path.suffix in (".py", ".pyi")]
        return {path.relative_to(root): path.read_text("utf-8") for path in found}

    assert texts(target) == texts(ROOT / "proto" / "gen"), "run `make proto`"


def breaks(old: FileDescriptorSet, new: FileDescriptorSet) -> list[str]:
    """What within v1 is not an addition: a message, field, RPC or enum value that is gone or different."""
    found = []

    def fields(message: descriptor_pb2.DescriptorProto) -> dict[int, tuple[str, int, int, str]]:
        return {f.number: (f.name, f.type, f.label, f.type_name) for f in message.field}

    def compare(prefix: str, before: descriptor_pb2.DescriptorProto, after: descriptor_pb2.DescriptorProto) -> None:
        now = fields(after)
        for number, facts in fields(before).items():
            if number not in now:
                reserved = any(r.start <= number < r.end for r in after.reserved_range)
                found.append(f"{prefix}.{facts[0]} is gone{'' if not reserved else ' (reserved)'}")
            elif now[number] != facts:
                found.append(f"{prefix}.{facts[0]} changed")
        nested = {m.name: m for m in after.nested_type}
        for inner in before.nested_type:
            if inner.name not in nested:
                found.append(f"{prefix}.{inner.name} is gone")
            else:
                compare(f"{prefix}.{inner.name}", inner, nested[inner.name])

    files = {f.name: f for f in new.file}
    for file in old.file:
        if not file.name.startswith("komu/"):
            continue
        if file.name not in files:
            found.append(f"{file.name} is gone")
            continue
        now = files[file.name]
        messages = {m.name: m for m in now.message_type}
        for message in file.message_type:
            if message.name not in messages:
                found.append(f"{file.package}.{message.name} is gone")
            else:
                compare(f"{file.package}.{message.name}", message, messages[message.name])
        values = {(e.name, v.name): v.number for e in now.enum_type for v in e.value}
        for enum in file.enum_type:
            for value in enum.value:
                if values.get((enum.name, value.name)) != value.number:
                    found.append(f"{enum.name}.{value.name} is gone or renumbered")
        methods = {
            (s.name, m.name): (m.input_type, m.output_type, m.client_streaming, m.server_streaming)
            for s in now.service
            for m in s.method
        }
        for service in file.service:
            for method in service.method:
                facts = (method.input_type, method.output_type, method.client_streaming, method.server_streaming)
                if methods.get((service.name, method.name)) != facts:
                    found.append(f"{service.name}.{method.name} is gone or changed")
    return found


def test_v1_only_grows(generated: tuple[Path, FileDescriptorSet]):
    """The baseline is the last released contract; a release replaces it (docs/how-to/add-an-rpc.md)."""
    baseline = FileDescriptorSet.FromString((ROOT / "tests" / "contract" / "v1.binpb").read_bytes())
    assert breaks(baseline, generated[1]) == []


def test_the_breaking_check_sees_a_removed_field(generated: tuple[Path, FileDescriptorSet]):
    changed = FileDescriptorSet.FromString(generated[1].SerializeToString())
    file = next(f for f in changed.file if f.name == "komu/roster/v1/roster.proto")
    message = next(m for m in file.message_type if m.name == "Pupil")
    del message.field[0]
    assert breaks(generated[1], changed) == ["komu.roster.v1.Pupil.id is gone"]


def event_types() -> list[tuple[str, Any]]:
    found = []
    for service in SERVICES:
        module = import_module(f"komu.{service}.v1.events_pb2")
        for name, descriptor in module.DESCRIPTOR.message_types_by_name.items():
            assert "meta" in descriptor.fields_by_name, f"{name} carries no EventMeta"
            found.append((service, getattr(module, name)))
    return found


@pytest.mark.parametrize(("service", "event"), event_types(), ids=lambda value: getattr(value, "__name__", value))
def test_every_event_has_a_stored_sample_that_decodes(service: str, event: Any):
    name = event.DESCRIPTOR.name
    samples = sorted((ROOT / "services" / service / "tests" / "contract" / "samples").glob(f"{name}*.json"))
    assert samples, f"{service}: no stored sample of {name}"
    for path in samples:
        decoded = json_format.ParseDict(json.loads(path.read_text("utf-8")), event())
        assert decoded.meta.id, path.name


@pytest.mark.parametrize(("service", "event"), event_types(), ids=lambda value: getattr(value, "__name__", value))
def test_every_event_is_made_somewhere_and_told_in_the_docs(service: str, event: Any):
    name = event.DESCRIPTOR.name
    source = ROOT / "services" / service / "src" / service
    assert any(name in path.read_text("utf-8") for path in source.rglob("*.py")), f"{service} never makes {name}"
    assert name in (ROOT / "docs" / "api" / "events.md").read_text("utf-8")


def test_who_hears_whom_is_what_calls_yaml_says():
    heard: dict[str, set[str]] = {service: set() for service in SERVICES}
    for listener in SERVICES:
        consumers = getattr(import_module(f"{listener}.consumers"), "CONSUMERS", ()) if (
            ROOT / "services" / listener / "src" / listener / "consumers.py"
        ).exists() else ()
        for consumer in consumers:
            heard[consumer.stream].add(listener)
    assert heard == {producer: set(listeners) for producer, listeners in EVENTS_HEARD.items()}
