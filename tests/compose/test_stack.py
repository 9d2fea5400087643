"""The stack of containers works, and goes on working when parts of it are killed, replaced or restored.

The tests share one stack, and run in this order.
"""

from __future__ import annotations

import json
import re
import shlex
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.compose.stack import CADDY, DAG, MAIL, ComposeStack, block, require, wait_for
from tests.compose.web_server import URL, log_in, web_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1800)]

SECRETS = ("_PASSWORD", "_SECRET", "_KEY")


@pytest.fixture
def yesterday(stack: ComposeStack) -> datetime:
    """The start of the sample's first day, which is loaded completely."""
    first = stack.warehouse("SELECT DATE_TRUNC('day', MIN(start_time)) FROM songplays")
    return datetime.fromisoformat(first).replace(tzinfo=UTC)


@pytest.fixture
def end(yesterday: datetime) -> str:
    """The end of that day; data before it no longer changes."""
    return f"{yesterday + timedelta(days=1):%Y-%m-%d}"


def everything_shown(stack: ComposeStack) -> str:
    """Return the rendered configuration, the containers' settings and command lines, and all logs."""
    return stack.logs.read_text(errors="replace") + stack.sh(
        "docker compose config; docker inspect $(docker compose ps -aq); "
        "for id in $(docker compose ps -q); do docker top $id -eo pid,args; done; "
        "docker compose exec -T airflow-scheduler bash -c 'find logs -type f -exec cat {} +'"
    )


def secrets(stack: ComposeStack) -> dict[str, str]:
    """Return the secrets of .env."""
    return {name: value for name, value in stack.settings().items() if name.endswith(SECRETS)}


@pytest.fixture(autouse=True)
def _no_secret_is_shown(stack: ComposeStack) -> Iterator[None]:
    """Search for secrets after each test, because the next one may replace a container."""
    yield
    shown = everything_shown(stack)
    assert [name for name, value in secrets(stack).items() if value in shown] == []


def hourly(hour: datetime) -> dict[str, str]:
    """Return the request for a run of one hour, with a logical date that no scheduled run has."""
    return {"logical_date": (hour + timedelta(hours=1, minutes=30)).isoformat()}


def states(stack: ComposeStack) -> dict[str, str]:
    """Return the health of each container that has a health check."""
    lines = stack.sh("docker compose ps --format json").splitlines()
    return {row["Name"]: row["Health"] for line in lines if (row := json.loads(line))["Health"]}


def workers(stack: ComposeStack) -> list[str]:
    """Return the containers of the workers."""
    return stack.sh("docker compose ps -q airflow-worker").split()


def test_an_incomplete_env_file_is_rejected(stack: ComposeStack, tmp_path: Path):
    output = replace(stack, folder=tmp_path).sh(
        f"cp {stack.folder}/docker-compose.yaml .; cp {stack.folder}/.env.example .env; ! docker compose up -d --wait"
    )
    assert re.search(r'_PASSWORD is missing a value: give it one in \.env, or have "make env" write that file', output)


def test_the_sample_is_loaded_at_the_start(stack: ComposeStack):
    assert int(stack.warehouse("SELECT COUNT(*) FROM songplays")) > 1000
    assert set(states(stack).values()) == {"healthy"}
    assert len(workers(stack)) == 2
    assert stack.sh("docker compose exec -T s3 ls /opt/airflow/objects/sparkify/log_data").strip()


def test_users_must_log_in_and_have_the_permissions_of_their_role(stack: ComposeStack):
    runs = f"/api/v2/dags/{DAG}/dagRuns"
    assert httpx.get(f"{stack.url}/api/v2/dags", trust_env=False).status_code == 401
    wrong = httpx.post(f"{stack.url}/auth/token", json={"username": "admin", "password": "admin"}, trust_env=False)
    assert wrong.status_code == 401
    with httpx.Client(base_url=stack.url, timeout=60, trust_env=False) as browser:
        log_in(browser, "viewer", "viewer")
        assert browser.get("/api/v2/dags").status_code == 401
        log_in(browser, "viewer", stack.password("viewer"))
        assert browser.get("/api/v2/dags").is_success
    viewer, operator, admin = map(stack.client, ("viewer", "operator", "admin"))
    assert viewer.get("/api/v2/dags").json()["total_entries"] >= 3
    assert viewer.get("/api/v2/connections").status_code == 403
    assert viewer.post(runs, json={"logical_date": None}).status_code == 403
    assert operator.get(runs).is_success
    assert operator.post("/api/v2/variables", json={"key": "mine", "value": "1"}).is_success
    assert operator.delete("/api/v2/variables/mine").is_success
    assert admin.get("/api/v2/config").status_code == 403  # it cannot be read over the network


def test_the_warehouse_page_shows_the_sample(stack: ComposeStack):
    viewer = stack.client("viewer")
    assert httpx.get(f"{stack.url}/sparkify/", trust_env=False).status_code == 401
    assert viewer.get("/sparkify/").is_success
    for panel in viewer.get("/sparkify/api/panels").raise_for_status().json():
        answer = viewer.get(f"/sparkify/api/panels/{panel['name']}")
        assert answer.is_success, answer.text


def test_no_container_runs_as_root_and_only_web_ports_are_published(stack: ComposeStack):
    pages = {"airflow-api-server": stack.environment["AIRFLOW_PORT"], "mail": stack.environment["MAIL_PORT"]}
    found = json.loads(stack.sh("docker inspect $(docker compose ps -aq)"))
    for container in found:
        name = container["Name"]
        if container["State"]["Running"]:
            processes = stack.sh(f"docker top {container['Id']} -eo pid,uid").splitlines()[1:]
            assert "0" not in [line.split()[1] for line in processes], name
        published = [bound for ports in container["NetworkSettings"]["Ports"].values() for bound in ports or []]
        port = pages.get(container["Config"]["Labels"]["com.docker.compose.service"])
        assert published == ([{"HostIp": "127.0.0.1", "HostPort": port}] if port else []), name


def test_a_service_reaches_only_what_it_needs(stack: ComposeStack):
    """Other networks cannot be resolved; an internal one has no internet access."""
    script = (
        "import socket, sys\n"
        "for target in sys.argv[1:]:\n"
        "    try: socket.create_connection((target.split(':')[0], int(target.split(':')[1])), 5)\n"
        "    except OSError: continue\n"
        "    print(target)\n"
    )
    everything = {"postgres:5432", "redis:6379", "warehouse:5432", "s3:9000", "aws:5000", "airflow-api-server:8080"}
    for service, reached in {
        "airflow-worker": everything - {"postgres:5432"},
        "airflow-scheduler": {"postgres:5432", "redis:6379", "airflow-api-server:8080"},
        "sample": everything - {"postgres:5432", "redis:6379"},
    }.items():
        output = stack.sh(
            f"docker compose exec -T {service} python -c {shlex.quote(script)} {' '.join(sorted(everything))}"
        )
        assert set(output.split()) == reached, service
    out = {}
    for service in ("airflow-worker", "airflow-scheduler", "sample", "postgres", "redis", "s3"):
        routes = stack.sh(f"docker compose exec -T {service} cat /proc/net/route").splitlines()[1:]
        out[service] = [route for route in routes if route.split()[1] == "00000000"]
    assert [service for service, routes in out.items() if routes] == ["airflow-worker"]


def test_forwarded_headers_are_only_trusted_from_the_published_port(stack: ComposeStack):
    header, page = "curl -fsS -o /dev/null -H 'X-Forwarded-For: 203.0.113.{}'", "/api/v2/version"
    stack.sh(f"{header.format(1)} {stack.url}{page}")
    stack.sh(f"docker compose exec -T airflow-worker {header.format(2)} http://airflow-api-server:8080{page}")
    shown = stack.sh("docker compose logs airflow-api-server")
    assert "client_addr=203.0.113.1:" in shown
    assert "203.0.113.2" not in shown


def test_the_stand_in_for_other_aws_services_responds(stack: ComposeStack):
    code = "from airflow.providers.amazon.aws.hooks.sns import SnsHook; print(SnsHook('aws').get_conn().list_topics())"
    assert "'Topics': []" in stack.sh(f'docker compose run --rm --no-deps -T airflow-worker python -c "{code}"')


def test_empty_settings_are_not_passed_on(stack: ComposeStack):
    code = "import os; print([name for name in os.environ if 'TOPIC' in name or 'SLACK' in name])"
    assert "[]" in stack.sh(f'docker compose run --rm --no-deps -T airflow-worker python -c "{code}"')


def test_hours_are_loaded_by_two_workers(stack: ComposeStack, yesterday: datetime, end: str):
    before = stack.tables(end)
    hours = [yesterday + timedelta(hours=number) for number in range(12, 18)]
    first, last = hours[0], hours[-1] + timedelta(hours=1)
    stack.warehouse(f"DELETE FROM songplays WHERE start_time >= '{first:%F %T}' AND start_time < '{last:%F %T}'")
    assert stack.tables(end) != before
    runs = [stack.trigger(hourly(hour)) for hour in hours]
    for run in runs:
        stack.wait_for_run(run)
    hosts = {host for run in runs for _, state, _, host in stack.tasks(run) if state == "success"}
    assert len(hosts) == 2
    assert stack.tables(end) == before


def test_an_alert_is_sent_by_email(stack: ComposeStack, end: str):
    require(MAIL)
    stack.warehouse("UPDATE artists SET latitude = 91 WHERE artist_id = (SELECT MIN(artist_id) FROM artists)")
    stack.wait_for_run(stack.trigger({"logical_date": f"{end}T00:30:00Z"}, "sparkify_audit"))
    stack.warehouse("UPDATE artists SET latitude = NULL WHERE latitude = 91")
    with httpx.Client(base_url=f"http://127.0.0.1:{stack.environment['MAIL_PORT']}/api/v1", trust_env=False) as mail:

        def about_it() -> list[dict[str, Any]]:
            found = mail.get("/messages").raise_for_status().json()["messages"]
            return [message for message in found if "every latitude is valid" in message["Subject"]]

        (message,) = wait_for(about_it, "the mail", 30)
        text = mail.get(f"/message/{message['ID']}").raise_for_status().json()["HTML"]
    assert [to["Address"] for to in message["To"]] == [stack.environment["ALERT_EMAIL"]]
    assert message["From"]["Address"] == "airflow@example.com"
    assert f"{stack.url}/dags/sparkify_audit/runs/" in text


def test_a_removed_worker_finishes_its_task_first(stack: ComposeStack, yesterday: datetime, end: str):
    before = stack.tables(end)
    stack.sh("docker compose up -d --wait --scale airflow-worker=3")
    assert len(workers(stack)) == 3
    with stack.locked("songplays"):
        run = stack.trigger(hourly(yesterday + timedelta(hours=19)))
        task, host = stack.task_that_waits(run)
        stopping = stack.begin("docker compose up -d --scale airflow-worker=0")
        command = f"docker logs {host} 2>&1 | grep 'Warm shutdown' || true"
        wait_for(lambda: stack.sh(command), "the warm shutdown of the worker", 60)
        time.sleep(15)  # more than Docker's default of ten seconds
    stopping.communicate(timeout=180)
    assert workers(stack) == []
    assert (task, "success", 1, host) in list(stack.tasks(run))
    assert "forwarding to task subprocess" not in stack.logs.read_text(errors="replace")  # the task was not interrupted
    stack.sh("docker compose up -d --wait")
    stack.wait_for_run(run)
    assert {number for _, state, number, _ in stack.tasks(run) if state == "success"} == {1}
    assert stack.tables(end) == before


def test_the_task_of_a_killed_worker_is_retried(stack: ComposeStack, yesterday: datetime, end: str):
    before = stack.tables(end)
    with stack.locked("songplays"):
        run = stack.trigger(hourly(yesterday + timedelta(hours=20)))
        task, host = stack.task_that_waits(run)
        client = stack.address(host)
        stack.sh(f"docker kill {host}")
        # The database notices that the client has gone.
        wait_for(lambda: "" if stack.waiting(client) else "none", f"the end of {stack.waiting(client)}", 60)
    stack.wait_for_run(run, timeout=600)
    again = [(name, number) for name, _, number, ran_by in stack.tasks(run) if number > 1 and ran_by != host]
    assert again == [(task, 2)]
    assert stack.tables(end) == before
    stack.sh("docker compose up -d --wait")
    assert len(workers(stack)) == 2


def test_the_metadata_database_restarts_under_a_run(stack: ComposeStack, yesterday: datetime, end: str):
    before = stack.tables(end)
    run = stack.trigger(hourly(yesterday + timedelta(hours=21)))
    stack.sh("docker compose restart postgres")
    stack.wait_for_run(run, timeout=600)
    assert stack.tables(end) == before
    wait_for(lambda: "well" if set(states(stack).values()) == {"healthy"} else "", "everything healthy", 180)


def test_a_backup_restores_both_databases(stack: ComposeStack, end: str):
    output = stack.sh("docker compose exec -T postgres sh -c 'pg_dump --version; postgres --version'")
    client, server = map(int, re.findall(r"\) (\d+)", output))
    if client < server:  # it fails; the official image has the same version of both
        pytest.skip(f"this image's pg_dump is of PostgreSQL {client}, its server of {server}")
    before = stack.tables(end)
    runs = int(stack.metadata("SELECT COUNT(*) FROM dag_run"))
    stack.sh(block("Back up"))
    stack.metadata("DELETE FROM dag_run")
    stack.warehouse("DROP TABLE songplays; TRUNCATE time")
    stack.sh(block("Restore"))
    assert stack.tables(end) == before
    assert stack.warehouse("SELECT datcollate FROM pg_database WHERE datname = 'sparkify'") == "C"
    assert int(stack.metadata("SELECT COUNT(*) FROM dag_run")) >= runs


def test_an_upgrade_keeps_the_data(stack: ComposeStack, end: str):
    before = stack.tables(end)
    image = stack.sh("docker image inspect -f '{{.Id}}' sparkify-airflow:test")
    with (stack.folder / "requirements.txt").open("a") as file:
        file.write("# Changed.\n")
    stack.sh(block("Upgrade"), timeout=1800)
    assert stack.sh("docker image inspect -f '{{.Id}}' sparkify-airflow:test") != image
    assert set(stack.sh("docker compose ps --format '{{.Image}}'").split()) >= {"sparkify-airflow:test"}
    assert stack.tables(end) == before
    assert stack.client("viewer").get("/api/v2/dags").is_success


def test_a_scan_for_secrets_would_find_one(stack: ComposeStack):
    shown = everything_shown(stack)
    # The scan covers the output of tasks and services, removed ones included, and that of Compose and Docker.
    expected = {
        "data_quality",
        "User viewer: role Viewer.",
        "Warm shutdown",
        "POSTGRES_PASSWORD_FILE",
        "rclone serve s3",
    }
    assert {text for text in expected if text not in shown} == set()
    assert len(secrets(stack)) == 10


def test_the_data_survives_down_and_up(stack: ComposeStack, end: str):
    before = stack.tables(end)
    stack.sh(block("Check the health"))
    stack.sh(block("Stop"))
    assert stack.sh("docker compose ps -aq") == ""
    stack.sh("docker compose up -d --wait")
    assert stack.tables(end) == before
    assert stack.client("operator").get("/api/v2/dags").is_success
    assert stack.client("viewer").get(f"/api/v2/dags/{DAG}/dagRuns").json()["total_entries"] >= 8


def test_users_log_in_over_tls(stack: ComposeStack, tmp_path: Path):
    require(CADDY)
    with web_server(stack, tmp_path) as browser:
        answers = [
            browser.get("/api/v2/auth/login"),
            log_in(browser, "viewer", stack.password("viewer")),
            browser.get("/auth/"),
        ]
        assert all(browser.get(page).is_success for page in ("/", "/api/v2/dags", "/sparkify/"))
    targets = [browser.base_url.join(answer.headers["location"]) for answer in answers]
    assert [target for target in targets if not str(target).startswith(URL)] == []
    cookies = [cookie for answer in answers for cookie in answer.headers.get_list("set-cookie")]
    assert {cookie.split("=")[0] for cookie in cookies} == {"session", "_token"}
    assert [cookie for cookie in cookies if not {"Secure", "HttpOnly"} <= set(cookie.split("; "))] == []
