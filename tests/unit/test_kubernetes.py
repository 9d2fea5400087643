"""deploy/kubernetes, without the Helm chart: its files agree with docker-compose.yaml, Dockerfile and the scripts."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from containers.users import ROLES
from tests.conftest import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
VALUES: dict[str, Any] = yaml.safe_load((FOLDER / "values.yaml").read_text())
SITE: dict[str, Any] = yaml.safe_load((FOLDER / "site.yaml").read_text())
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
# Each component, and its service of docker-compose.yaml.
COMPONENTS = {
    "apiServer": "airflow-api-server",
    "scheduler": "airflow-scheduler",
    "dagProcessor": "airflow-dag-processor",
    "triggerer": "airflow-triggerer",
    "workers": "airflow-worker",
    "migrateDatabaseJob": "airflow-init",
    "createUserJob": "airflow-init",
    "redis": "redis",
}
# Settings that Kubernetes has from elsewhere, or that differ on purpose.
DIFFERENT = {
    "AIRFLOW__CORE__EXECUTOR": "the value `executor`",
    "AIRFLOW__CORE__AUTH_MANAGER": "the chart's default",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "the chart's default",
    "AIRFLOW__FAB__COOKIE_SECURE": "the web UI is behind TLS",
    "AIRFLOW__API__BASE_URL": "site.yaml",
    "AIRFLOW_VAR_SPARKIFY_BUCKET": "site.yaml",
    "AIRFLOW_VAR_SPARKIFY_ALERT_EMAIL": "optional, site.yaml",
    "AIRFLOW_VAR_SPARKIFY_ALERT_TOPIC": "optional, site.yaml",
    "AIRFLOW__SPARKIFY__QUEUE": "optional, site.yaml",
    "AIRFLOW__SPARKIFY__RECONCILE_SCHEDULE": "optional, site.yaml",
    "DUMB_INIT_SETSID": "the chart's default",
}


def settings(component: str) -> dict[str, str]:
    """Return what the values set for a component, as environment variables."""
    found = {
        f"AIRFLOW__{section}__{key}".upper(): str(value)
        for section, entries in VALUES["config"].items()
        for key, value in entries.items()
    }
    extra = yaml.safe_load(VALUES["extraEnv"])
    own = VALUES["workers"]["celery"] if component == "workers" else VALUES[component]
    return found | {entry["name"]: entry["value"] for entry in [*extra, *own["env"]] if "value" in entry}


@pytest.mark.parametrize("component", ["apiServer", "scheduler", "dagProcessor", "triggerer", "workers"])
def test_components_have_the_settings_of_compose(component: str):
    declared = SERVICES[COMPONENTS[component]]["environment"]
    # ${NAME:-default}
    compose = {name: re.sub(r"^\$\{\w+:-(.*)}$", r"\1", value) for name, value in declared.items()}
    expected = {name: value for name, value in compose.items() if name not in DIFFERENT}
    found = settings(component)
    assert {name: found.get(name, "").lower() for name in expected} == {k: v.lower() for k, v in expected.items()}
    assert set(DIFFERENT) <= set(SERVICES["airflow-worker"]["environment"])


def test_the_site_has_the_settings_that_differ():
    assert SITE["config"]["api"]["base_url"].startswith("https://")
    assert {entry["name"] for entry in SITE["env"]} >= {"AIRFLOW_VAR_SPARKIFY_BUCKET"}
    assert SITE["config"]["logging"]["remote_base_log_folder"].startswith("s3://")


@pytest.mark.parametrize("component", COMPONENTS)
def test_memory_limits_are_those_of_compose(component: str):
    own = VALUES["workers"]["celery"] if component == "workers" else VALUES[component]
    compose = SERVICES[COMPONENTS[component]]["deploy"]["resources"]["limits"]["memory"]
    assert own["resources"]["limits"]["memory"] == f"{compose}i"


def test_the_image_is_that_of_the_dockerfile():
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert f"ARG AIRFLOW_VERSION={VALUES['airflowVersion']}\n" in dockerfile
    assert dockerfile.rstrip().endswith("FROM base AS airflow")  # the target that `docker build` builds
    pod = VALUES["securityContexts"]["pod"]
    assert f"{pod['runAsUser']}:{pod['runAsGroup']}" == SERVICES["airflow-worker"]["user"]
    assert VALUES["defaultAirflowRepository"] == SERVICES["airflow-worker"]["image"].partition(":")[0]
    script = VALUES["createUserJob"]["args"][-1].removeprefix("/opt/airflow/")
    assert (ROOT / script).is_file()


def test_all_users_are_created():
    environment = {entry["name"] for entry in VALUES["createUserJob"]["env"] if "valueFrom" in entry}
    assert environment == {f"{user.upper()}_PASSWORD" for user in ROLES}
