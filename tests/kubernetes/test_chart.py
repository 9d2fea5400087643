"""The official Helm chart with the values of deploy/kubernetes: valid, and the same settings as elsewhere."""

from __future__ import annotations

import json
import re
import shutil
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import helm_python as helm
import kubernetes_validate
import psycopg
import pytest
import yaml

from tests.conftest import ROOT
from tests.kubernetes import chart
from tests.kubernetes.chart import environment

if TYPE_CHECKING:
    from tests.kubernetes.chart import Rendered

pytestmark = pytest.mark.kubernetes

# The oldest release that Kubernetes still maintains, and the latest whose API is known here.
RELEASES = ("1.34", kubernetes_validate.latest_version().rpartition(".")[0])
HOME = "/opt/airflow"
# Parts of the image that no volume may hide.
BAKED = [f"{HOME}/{name}" for name in ("dags", "plugins", "include", "containers")]
# ScaledObject is not in the API of Kubernetes: https://keda.sh/docs/latest/reference/scaledobject-spec/
SCALED_OBJECT = {
    "scaleTargetRef": {"kind", "name", "envSourceContainerName"},
    "triggers": {"type", "metadata"},
    "": {"scaleTargetRef", "triggers", "pollingInterval", "cooldownPeriod", "minReplicaCount", "maxReplicaCount"},
}


def test_the_chart_is_downloaded_once_and_verified(archive: Path, tmp_path: Path):
    (tmp_path / "site").mkdir()
    published = Path(shutil.copy(archive, tmp_path / "site" / chart.ARCHIVE))
    handler = partial(SimpleHTTPRequestHandler, directory=str(published.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        helm.repo_index_generate(published.parent, base_url=url)
        places = [tmp_path / "none" / chart.ARCHIVE, tmp_path / "cache" / chart.ARCHIVE]
        assert chart.find(places, url) == places[1]
        published.unlink()
        assert chart.find(places, url) == places[1]  # no second download
        server.shutdown()
    places[1].write_bytes(places[1].read_bytes() + b" ")
    with pytest.raises(ValueError, match=f"expected SHA-256 {chart.SHA256}, got "):
        chart.find(places)


@pytest.mark.parametrize("variant", chart.VARIANTS)
def test_the_values_match_the_schema_of_the_chart(archive: Path, variant: str):
    with helm.Chart.load(archive) as loaded:
        assert loaded.version == chart.VERSION
        loaded.validate_schema(chart.values(variant))
        assert set(chart.values(variant)) <= set(loaded.values)  # the schema allows others, which have no effect
        with pytest.raises(helm.HelmValuesError, match="replica"):
            loaded.validate_schema(chart.values(variant) | {"apiServer": {"replica": 2}})


def test_manifests_match_the_api_of_kubernetes(rendered: Rendered):
    pods = [rendered.pod_template] if rendered.pod_template else []
    unknown = set()
    for manifest in [*rendered.manifests, *pods]:
        for release in RELEASES:
            try:
                assert kubernetes_validate.validate(manifest, release, strict=True) == release
            except kubernetes_validate.SchemaNotFoundError:
                unknown.add(manifest["kind"])
    assert unknown == ({"ScaledObject"} if rendered.variant == "celery" else set())


def test_the_folders_are_those_of_the_image(rendered: Rendered):
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert f"WORKDIR {HOME}\n" in dockerfile
    assert set(re.findall(r"^COPY --chown=airflow:0 (\w+) \1$", dockerfile, re.MULTILINE)) >= {
        path.removeprefix(f"{HOME}/") for path in BAKED
    }
    assert f"ENV PYTHONPATH={HOME}/plugins\n" in dockerfile  # Airflow's default, and where tasks import from
    found = rendered.settings
    assert found["core"]["dags_folder"] == f"{HOME}/dags"
    assert "plugins_folder" not in found["core"]  # $AIRFLOW_HOME/plugins
    bundles = json.loads(found["dag_processor"]["dag_bundle_config_list"])
    assert [(bundle["name"], bundle["kwargs"]) for bundle in bundles] == [("dags-folder", {})]
    assert "airflow_local_settings.py" not in rendered.of_kind("ConfigMap")["airflow-config"]["data"]
    site: dict[str, Any] = yaml.safe_load((chart.FOLDER / "site.yaml").read_text())
    for workload, container in rendered.containers:
        if workload.is_airflow:
            assert container["image"] == f"{site['defaultAirflowRepository']}:{site['defaultAirflowTag']}"
            assert "command" not in container  # the image's entrypoint
            assert "PYTHONPATH" not in environment(container)
            assert environment(container)["AIRFLOW_HOME"] == HOME
            assert not [m for m in container["volumeMounts"] if f"{m['mountPath']}/".startswith(tuple(BAKED))]
    if rendered.variant == "kubernetes":
        section = found["kubernetes_executor"]
        image = f"{section['worker_container_repository']}:{section['worker_container_tag']}"
        assert image == f"{site['defaultAirflowRepository']}:{site['defaultAirflowTag']}"
    else:
        compose = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
        redis = next(workload for workload in rendered.workloads if workload.component == "redis")
        assert redis.containers[0]["image"] == compose["redis"]["image"]


def test_the_rendered_settings_are_those_of_the_values(rendered: Rendered):
    found = rendered.settings
    for section, entries in chart.values(rendered.variant)["config"].items():
        for name, value in entries.items():
            assert found[section][name] == str(value)
    compose = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]["airflow-worker"]["environment"]
    for name in ("AUTH_MANAGER", "EXECUTION_API_SERVER_URL"):  # the chart's own
        assert found["core"][name.lower()] == compose[f"AIRFLOW__CORE__{name}"]
    assert found["logging"]["remote_base_log_folder"].startswith("s3://")
    expected = {"celery": "CeleryExecutor", "kubernetes": "KubernetesExecutor"}[rendered.variant]
    assert found["core"]["executor"] == expected


def test_the_commands_of_the_readme_are_what_is_tested():
    text = (chart.FOLDER / "README.md").read_text().replace("\\\n", "")
    commands = re.findall(
        r"^helm (?:install|upgrade) (\S+) apache-airflow/airflow --version (\S+) (.*)$", text, re.MULTILINE
    )
    assert len(commands) == 3
    for release, version, rest in commands:
        assert (release, version) == (chart.RELEASE, chart.VERSION)
        assert f"--namespace {chart.RELEASE} " in rest
        files = [Path(name) for name in re.findall(r"--values (\S+)", rest)]
        assert [(ROOT / name).is_file() for name in files] == [True, False]  # site.yaml is a copy
        assert tuple(name.name for name in files) == chart.VARIANTS["celery"]
    assert f"--values deploy/kubernetes/{chart.VARIANTS['kubernetes'][1]}`" in text
    assert "kubectl apply --namespace airflow --filename deploy/kubernetes/network-policy.yaml" in text
    assert f"Apache Airflow {chart.VERSION}," in (chart.FOLDER / "values.yaml").read_text()


def test_keda_scales_the_workers(rendered: Rendered):
    found = rendered.of_kind("ScaledObject")
    if rendered.variant == "kubernetes":
        assert not found
        assert "worker" not in {workload.component for workload in rendered.workloads if workload.kind != "Pod"}
        return
    (scaled,) = found.values()
    spec = scaled["spec"]
    (trigger,) = spec["triggers"]
    assert scaled["apiVersion"] == "keda.sh/v1alpha1"
    assert set(spec) == SCALED_OBJECT[""]
    assert set(spec["scaleTargetRef"]) == SCALED_OBJECT["scaleTargetRef"]
    assert set(trigger) == SCALED_OBJECT["triggers"]
    target = spec["scaleTargetRef"]
    worker = next(found for found in rendered.workloads if (found.kind, found.name) == (target["kind"], target["name"]))
    assert worker.component == "worker"
    assert "replicas" not in rendered.of_kind("Deployment")[worker.name]["spec"]  # an upgrade would reset them
    container = next(found for found in worker.containers if found["name"] == target["envSourceContainerName"])
    connection = environment(container)[trigger["metadata"]["connectionFromEnv"]]
    assert connection == {"secretKeyRef": {"name": "sparkify-keda", "key": "connection"}}
    assert trigger["type"] == "postgresql"
    concurrency = rendered.settings["celery"]["worker_concurrency"]
    assert f"COUNT(*)::decimal / {concurrency})" in trigger["metadata"]["query"]
    assert 0 <= spec["minReplicaCount"] < spec["maxReplicaCount"]


def test_the_user_of_keda_may_only_count_tasks(archive: Path, database: str):
    """The README's statements, on PostgreSQL."""
    (statements,) = re.findall(r"```sql\n(.*?)```", (chart.FOLDER / "README.md").read_text(), re.DOTALL)
    (scaled,) = chart.render(archive, "celery").of_kind("ScaledObject").values()
    with psycopg.connect(database) as connection:  # rolled back: roles are shared by all databases
        connection.execute("CREATE TABLE task_instance (state text, queue text, executor_config text)")
        connection.execute("INSERT INTO task_instance SELECT 'queued', 'default' FROM generate_series(1, 5)")
        connection.execute("INSERT INTO task_instance VALUES ('success', 'default')")
        connection.execute(statements)
        connection.execute("SET ROLE keda")
        counted = connection.execute(scaled["spec"]["triggers"][0]["metadata"]["query"]).fetchone()
        assert counted == (2,)  # workers, of four tasks each
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT executor_config FROM task_instance")
        connection.rollback()


def test_components_are_checked_for_health(rendered: Rendered):
    for workload in rendered.workloads:
        if workload.kind == "Deployment":
            assert "livenessProbe" in workload.spec["containers"][0], workload.name
