"""The official Helm chart, rendered with the values of deploy/kubernetes by Helm's own library: no cluster, no helm."""

from __future__ import annotations

import configparser
import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import helm_python as helm
import yaml

from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = "1.22.0"
REPOSITORY = "https://airflow.apache.org"
# Of https://airflow.apache.org/index.yaml.
SHA256 = "1f7d1dfe3d58e2c54899950aba907a43625a18c8b6fb3c54760c21592129a5b6"
ARCHIVE = f"airflow-{VERSION}.tgz"
# Beside the sample data, or downloaded.
PLACES = [folder / "kubernetes" / ARCHIVE for folder in (ROOT.parent / "shared", ROOT / ".local")]
FOLDER = ROOT / "deploy" / "kubernetes"
# The files of each variant, in the order of README.md.
VARIANTS = {
    "celery": ("values.yaml", "site.yaml"),
    "kubernetes": ("values.yaml", "kubernetes-executor.yaml", "site.yaml"),
}
# The release's name and namespace in README.md.
RELEASE = "airflow"

Manifest = dict[str, Any]


def find(places: list[Path], repository: str = REPOSITORY) -> Path:
    """Return the chart's archive: the first of the places that exists, or the last one after a download.

    :raises helm.HelmError: if it cannot be downloaded.
    :raises ValueError: if it is not the archive that was released.
    """
    path = next((place for place in places if place.is_file()), places[-1])
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        helm.pull("airflow", repo_url=repository, version=VERSION, destination=path.parent)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256:
        raise ValueError(f"{path} is not {ARCHIVE} as released: expected SHA-256 {SHA256}, got {found}. Delete it.")
    return path


def merge(values: Manifest, other: Manifest) -> Manifest:
    """Return what ``helm --values`` makes of two files: maps are merged, anything else is replaced."""
    merged = dict(values)
    for key, value in other.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def values(variant: str) -> Manifest:
    """Return the merged values of a variant, parsed as Helm does."""
    merged: Manifest = {}
    for name in VARIANTS[variant]:
        merged = merge(merged, helm.values_from_yaml((FOLDER / name).read_text()))
    return merged


def environment(container: Manifest) -> dict[str, Any]:
    """Return a container's variables: a value, or the reference to a secret."""
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container.get("env") or ()}


@dataclass(frozen=True)
class Workload:
    """Something that starts pods, with the labels and the specification of its pods."""

    kind: str
    name: str
    labels: dict[str, str]
    spec: Manifest
    replicas: int = 1

    @property
    def component(self) -> str:
        """The chart's label."""
        return self.labels["component"]

    @property
    def containers(self) -> list[Manifest]:
        """All containers, those of the initialization first."""
        return [*(self.spec.get("initContainers") or ()), *self.spec["containers"]]

    @property
    def is_airflow(self) -> bool:
        """Whether the pods run the project's image."""
        return self.component != "redis"


@dataclass(frozen=True)
class Rendered:
    """The manifests of a variant."""

    variant: str
    manifests: list[Manifest]

    def of_kind(self, kind: str) -> dict[str, Manifest]:
        """Return the manifests of a kind by name."""
        return {found["metadata"]["name"]: found for found in self.manifests if found["kind"] == kind}

    @cached_property
    def pod_template(self) -> Manifest | None:
        """The pod of a single task."""
        text = self.of_kind("ConfigMap")["airflow-config"]["data"].get("pod_template_file.yaml")
        return yaml.safe_load(text) if text else None

    @cached_property
    def workloads(self) -> list[Workload]:
        """All that starts pods."""
        found = [
            Workload(
                kind,
                name,
                manifest["spec"]["template"]["metadata"]["labels"],
                manifest["spec"]["template"]["spec"],
                manifest["spec"].get("replicas", 1),
            )
            for kind in ("Deployment", "StatefulSet", "Job")
            for name, manifest in self.of_kind(kind).items()
        ]
        if self.pod_template:
            found.append(Workload("Pod", "task", self.pod_template["metadata"]["labels"], self.pod_template["spec"]))
        return found

    @cached_property
    def settings(self) -> configparser.ConfigParser:
        """The rendered airflow.cfg."""
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_string(self.of_kind("ConfigMap")["airflow-config"]["data"]["airflow.cfg"])
        return parser

    @property
    def containers(self) -> Iterator[tuple[Workload, Manifest]]:
        """All containers, with their workload."""
        return ((workload, container) for workload in self.workloads for container in workload.containers)


def render(path: Path, variant: str) -> Rendered:
    """Render the chart, and add the network policies of the project.

    :raises helm.HelmError: if the values do not match the chart's schema, or contradict each other.
    """
    with helm.Chart.load(path) as chart:
        files = chart.render(values(variant), name=RELEASE, namespace=RELEASE)
    texts = [text for name, text in files.items() if not name.endswith("NOTES.txt")]
    texts.append((FOLDER / "network-policy.yaml").read_text())
    return Rendered(variant, [found for text in texts for found in yaml.safe_load_all(text) if found])
