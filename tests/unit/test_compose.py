"""docker-compose.yaml, Dockerfile and .env.example, without a container engine."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from cryptography.fernet import Fernet

from containers import env, pin
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

TEXT = (ROOT / "docker-compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = (ROOT / ".env.example").read_text()
SETTINGS = dict(line.split("=", 1) for line in EXAMPLE.splitlines() if line and not line.startswith("#"))
# Secrets that every deployment requires; the others are for optional alert channels.
MISSING = r'give it one in \.env, or have "make env" write that file'
REQUIRED = re.findall(rf"\$\{{SPARKIFY_NEVER_SET:\+\$\{{(\w+):\?{MISSING}}}}}", TEXT)
OPTIONAL = {"AIRFLOW_CONN_SMTP_ALERTS", "AIRFLOW_CONN_SLACK_ALERTS"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_confined(name: str):
    service = SERVICES[name]
    assert service["user"].split(":")[0] not in ("", "0", "root")
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert set(service["deploy"]["resources"]["limits"]) == {"memory", "pids"}
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert all(volume.split(":")[0] in COMPOSE["volumes"] for volume in service.get("volumes", []))


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"airflow-init"}))
def test_a_service_restarts_and_has_a_health_check(name: str):
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert {"test", "interval", "timeout", "retries", "start_period"} <= set(service["healthcheck"])


def test_local_replacements_of_aws_are_optional():
    always = {name for name, service in SERVICES.items() if "profiles" not in service}
    assert set(SERVICES) - always == {"warehouse", "s3", "aws", "sample", "mail"}
    assert all(set(SERVICES[name].get("depends_on", ())) <= always for name in always)


def test_the_example_contains_exactly_the_settings():
    used = set(re.findall(r"\$\{(\w+)", TEXT)) - {"SPARKIFY_NEVER_SET", "SPARKIFY_TAG", "MAIL_PORT"}
    secrets = {secret["environment"] for secret in COMPOSE["secrets"].values()}
    assert used | secrets == set(SETTINGS) - {"COMPOSE_PROFILES"}


def test_secrets_are_files_without_defaults():
    secrets = {secret["environment"] for secret in COMPOSE["secrets"].values()}
    assert set(REQUIRED) == secrets - OPTIONAL
    # Apart from ``secrets``, only the check for missing secrets may use the variable of a secret.
    rest = {name: value for name, value in COMPOSE.items() if name != "x-required"}
    assert not [name for name in secrets if f"${{{name}" in yaml.safe_dump(rest)]


def given(name: str) -> set[str]:
    """Return the secrets of a service."""
    secrets = SERVICES[name].get("secrets", [])
    return {secret if isinstance(secret, str) else secret["source"] for secret in secrets}


def test_services_have_only_the_secrets_that_they_use():
    airflow = {"postgres_password", "fernet_key", "jwt_secret", "api_secret"}
    connections = {"conn_redshift", "conn_aws", "conn_smtp_alerts", "conn_slack_alerts"}
    assert {name: given(name) for name in SERVICES if given(name)} == {
        "postgres": {"postgres_password"},
        "warehouse": {"warehouse_password"},
        "redis": {"redis_password"},
        "s3": {"s3_secret_key"},
        "airflow-init": airflow | {"admin_password", "operator_password", "viewer_password"},
        "airflow-api-server": airflow | connections,
        "airflow-scheduler": airflow | {"redis_password"},
        "airflow-dag-processor": airflow | connections,
        "airflow-triggerer": airflow | connections,
        # Neither tasks nor the sample app have a secret of Airflow itself.
        "airflow-worker": connections | {"redis_password"},
        "sample": {"operator_password", "conn_aws"},
    }


def test_only_services_with_the_password_are_in_the_network_of_a_server():
    members = {
        network: {name for name, service in SERVICES.items() if network in service["networks"]}
        for network in COMPOSE["networks"]
    }
    assert members == {
        "metadata": {
            "postgres",
            *(name for name in SERVICES if name != "postgres" and "postgres_password" in given(name)),
        },
        "queue": {"redis", *(name for name in SERVICES if name != "redis" and "redis_password" in given(name))},
        "warehouse": {"warehouse", "s3", "aws", *(name for name in SERVICES if "conn_aws" in given(name))},
        "edge": {"mail", *(name for name in SERVICES if "conn_smtp_alerts" in given(name))},
    }
    # Services with published ports are in the only external network: Docker publishes no port of an internal one.
    assert [name for name, network in COMPOSE["networks"].items() if not (network or {}).get("internal")] == ["edge"]
    assert {name for name, service in SERVICES.items() if "ports" in service} <= members["edge"]


def test_services_without_secrets_have_a_read_only_root_filesystem():
    """Compose writes secrets from environment variables to the root filesystem of the container."""
    read_only = {name for name, service in SERVICES.items() if service.get("read_only")}
    assert read_only == {name for name in SERVICES if not given(name)}
    assert all(SERVICES[name]["tmpfs"] for name in read_only)


def test_only_a_proxy_on_this_machine_is_trusted(tmp_path: Path):
    """Its requests have the address of the gateway, which the entrypoint looks up."""
    assert "FORWARDED_ALLOW_IPS" not in TEXT
    folder = ROOT / "containers"
    assert "FORWARDED_ALLOW_IPS=$(/opt/airflow/containers/gateway)" in (folder / "entrypoint").read_text()
    routes = tmp_path / "route"
    header = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    local = "eth1\t000013AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
    default = "eth0\t00000000\t010412AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"

    def gateway(text: str) -> str:
        routes.write_text(text)
        return subprocess.run([folder / "gateway", routes], capture_output=True, text=True, check=True).stdout

    assert gateway(header + local + default) == "172.18.4.1\n"
    assert gateway(header + local) == ""  # no trusted proxy


def test_secrets_are_passed_as_variables(tmp_path: Path):
    """Kubernetes mounts the token of a service account as a folder beside them."""
    (tmp_path / "run" / "kubernetes.io" / "serviceaccount").mkdir(parents=True)
    (tmp_path / "run" / "AIRFLOW_CONN_AWS").write_text('{"conn_type": "aws"}')
    (tmp_path / "run" / "REDIS_PASSWORD").write_text("pw")
    (tmp_path / "run" / "AIRFLOW_CONN_SLACK_ALERTS").touch()
    script = tmp_path / "entrypoint"
    text = (ROOT / "containers" / "entrypoint").read_text()
    script.write_text(text.replace("/run/secrets", str(tmp_path / "run")))
    words = ["env", "-i", "AIRFLOW_VAR_A=", "AIRFLOW_VAR_B=b", "bash", str(script), "/usr/bin/env"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert {name: value for name, value in found.items() if "_" in name[1:]} == {
        "AIRFLOW_CONN_AWS": '{"conn_type": "aws"}',
        "AIRFLOW_VAR_B": "b",
        "AIRFLOW__CELERY__BROKER_URL": "redis://:pw@redis:6379/0",
        "AIRFLOW__CELERY__RESULT_BACKEND": "redis://:pw@redis:6379/1",
    }


def test_images_are_pinned_by_the_digest_of_their_tag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "bin").mkdir()
    docker = tmp_path / "bin" / "docker"
    services = {
        name: {key: service[key] for key in ("image", "build") if key in service} for name, service in SERVICES.items()
    }
    # The path in a shebang must not contain a space.
    docker.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$0.py" "$@"\n')
    script = docker.with_name("docker.py")
    script.write_text(
        "import hashlib, sys\n"
        "if sys.argv[1] == 'compose': sys.exit(print(open('compose.json').read()))\n"
        "if 'redis' in sys.argv[4]: sys.exit('not found')\n"
        "print('sha256:' + hashlib.sha256(sys.argv[4].encode()).hexdigest())\n"
    )
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(docker.parent), prepend=":")
    monkeypatch.setattr(pin, "ROOT", tmp_path)
    pin._digest.cache_clear()
    shutil.copy(ROOT / "Dockerfile", tmp_path)
    (tmp_path / "compose.json").write_text(json.dumps({"services": services}))
    assert pin.main() == 1
    assert "imagetools inspect redis:7.2-bookworm" in capsys.readouterr().err
    assert not (tmp_path / "docker-compose.pinned.yaml").exists()

    script.write_text(script.read_text().replace("'redis'", "'nothing'"))
    assert pin.main() == 0
    found = yaml.safe_load((tmp_path / "docker-compose.pinned.yaml").read_text())["services"]
    assert set(found) == set(SERVICES)

    def digest(image: str) -> str:
        return f"@sha256:{hashlib.sha256(image.encode()).hexdigest()}"

    base = re.findall(r"^FROM (\S+) AS base$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[0]
    assert base == "apache/airflow:${AIRFLOW_VERSION}-python3.12${AIRFLOW_DIGEST}"
    version = re.findall(r"^ARG AIRFLOW_VERSION=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[0]
    for name, service in SERVICES.items():
        if "build" in service:
            image = f"apache/airflow:{version}-python3.12"
            assert found[name] == {"build": {"args": {"AIRFLOW_DIGEST": digest(image)}}}
        else:
            assert found[name] == {"image": service["image"] + digest(service["image"])}


def test_the_image_has_the_required_version_of_airflow():
    version = re.search(r"^ARG AIRFLOW_VERSION=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert version
    assert f"apache-airflow=={version[1]}\n" in (ROOT / "requirements.txt").read_text()


def test_generated_secrets_are_unique():
    generated, other = (
        dict(line.split("=", 1) for line in env.fill(EXAMPLE).splitlines() if "=" in line and line[0] != "#")
        for _ in range(2)
    )
    filled = {name for name, value in SETTINGS.items() if generated[name] != value}
    assert filled == {name for name in REQUIRED if not name.startswith("AIRFLOW_CONN")}
    assert len({generated[name] for name in filled}) == len(filled)
    assert all(generated[name] != other[name] for name in filled)
    Fernet(generated["AIRFLOW_FERNET_KEY"])
    # https://datatracker.ietf.org/doc/html/rfc7518#section-3.2: a key for SHA-512 has at least 64 bytes.
    assert len(generated["AIRFLOW_JWT_SECRET"]) >= 64


def test_the_file_is_private_and_never_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / ".env"
    assert env.main([str(path)]) == 0
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text()
    assert env.main([str(path)]) == 1
    assert path.read_text() == text
    assert not re.search(r"[0-9a-f]{16}", capsys.readouterr().out)


@pytest.fixture
def compose(tmp_path: Path) -> Path:
    """Copy the file to a folder; skip the test if Compose is not installed."""
    words = ["docker", "compose", "version"]
    if not shutil.which("docker") or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not installed")
    shutil.copy(ROOT / "docker-compose.yaml", tmp_path)
    return tmp_path


def config(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ``docker compose config``."""
    words = ["docker", "compose", "--profile", "*", "config"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def test_the_config_of_compose_contains_no_secret(compose: Path):
    env.main([str(compose / ".env")])
    done = config(compose)
    assert not done.returncode, done.stderr
    settings = dict(line.split("=", 1) for line in (compose / ".env").read_text().splitlines() if "=" in line)
    assert [name for name in REQUIRED if settings[name] in done.stdout] == []


@pytest.mark.parametrize("name", REQUIRED)
def test_compose_reports_a_missing_secret(compose: Path, name: str):
    text = env.fill(EXAMPLE)
    (compose / ".env").write_text(re.sub(rf"^{name}=.*$", f"{name}=", text, flags=re.MULTILINE))
    done = config(compose)
    assert done.returncode
    assert f"{name} is missing a value" in done.stderr
    assert "make env" in done.stderr
