"""What docker-compose.yaml, Dockerfile and .env.example promise, without an engine."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from cryptography.fernet import Fernet

from sparkify.compose import env
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

TEXT = (ROOT / "docker-compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = (ROOT / ".env.example").read_text()
SETTINGS = dict(line.split("=", 1) for line in EXAMPLE.splitlines() if line and not line.startswith("#"))
# What has to be there whatever runs; the others are of a channel that is wanted.
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
def test_a_service_comes_back_and_says_how_it_is(name: str):
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert {"test", "interval", "timeout", "retries", "start_period"} <= set(service["healthcheck"])


def test_with_aws_nothing_runs_in_its_place():
    always = {name for name, service in SERVICES.items() if "profiles" not in service}
    assert set(SERVICES) - always == {"warehouse", "s3", "aws", "sample", "mail"}
    assert all(set(SERVICES[name].get("depends_on", ())) <= always for name in always)


def test_every_setting_is_in_the_example_and_nothing_else_is():
    used = set(re.findall(r"\$\{(\w+)", TEXT)) - {"SPARKIFY_NEVER_SET", "SPARKIFY_TAG", "MAIL_PORT"}
    secrets = {secret["environment"] for secret in COMPOSE["secrets"].values()}
    assert used | secrets == set(SETTINGS) - {"COMPOSE_PROFILES"}


def test_a_secret_is_a_file_and_has_no_default():
    secrets = {secret["environment"] for secret in COMPOSE["secrets"].values()}
    assert set(REQUIRED) == secrets - OPTIONAL
    # The one place where a secret is named, but as the name of a secret, is the refusal to start without.
    rest = {name: value for name, value in COMPOSE.items() if name != "x-required"}
    assert not [name for name in secrets if f"${{{name}" in yaml.safe_dump(rest)]


def test_a_worker_has_no_secret_of_airflow_itself():
    given = {secret["source"] for secret in SERVICES["airflow-worker"]["secrets"]}
    assert given == {"redis_password", "conn_redshift", "conn_aws", "conn_smtp_alerts", "conn_slack_alerts"}


def test_the_image_has_the_airflow_of_the_requirements():
    version = re.search(r"^ARG AIRFLOW_VERSION=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert version
    assert f"apache-airflow=={version[1]}\n" in (ROOT / "requirements.txt").read_text()


def test_every_secret_is_generated_and_each_time_another():
    made, other = (
        dict(line.split("=", 1) for line in env.fill(EXAMPLE).splitlines() if "=" in line and line[0] != "#")
        for _ in range(2)
    )
    filled = {name for name, value in SETTINGS.items() if made[name] != value}
    assert filled == {name for name in REQUIRED if not name.startswith("AIRFLOW_CONN")}
    assert len({made[name] for name in filled}) == len(filled)
    assert all(made[name] != other[name] for name in filled)
    Fernet(made["AIRFLOW_FERNET_KEY"])
    # https://datatracker.ietf.org/doc/html/rfc7518#section-3.2: a key of SHA-512 has its 64 bytes.
    assert len(made["AIRFLOW_JWT_SECRET"]) >= 64


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
    """A folder with the file; skips where there is no Compose to read it."""
    words = ["docker", "compose", "version"]
    if not shutil.which("docker") or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not installed")
    shutil.copy(ROOT / "docker-compose.yaml", tmp_path)
    return tmp_path


def config(folder: Path) -> subprocess.CompletedProcess[str]:
    """Have Compose read the file."""
    words = ["docker", "compose", "--profile", "*", "config"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def test_compose_shows_no_secret(compose: Path):
    env.main([str(compose / ".env")])
    done = config(compose)
    assert not done.returncode, done.stderr
    settings = dict(line.split("=", 1) for line in (compose / ".env").read_text().splitlines() if "=" in line)
    assert [name for name in REQUIRED if settings[name] in done.stdout] == []


@pytest.mark.parametrize("name", REQUIRED)
def test_compose_refuses_to_start_without(compose: Path, name: str):
    text = env.fill(EXAMPLE)
    (compose / ".env").write_text(re.sub(rf"^{name}=.*$", f"{name}=", text, flags=re.MULTILINE))
    done = config(compose)
    assert done.returncode
    assert f"{name} is missing a value" in done.stderr
    assert "make env" in done.stderr
