"""``make status``: the health of each component, and the supervisor's state file."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from sandbox import jobs, live, status, up
from sandbox.deployment import PortError, take_port
from sandbox.feeder import FeederProgress
from sandbox.live_state import Component, StartupStep, StateRecorder, SupervisorFiles, SupervisorState
from sandbox.status import Health, airflow_health, feeder_health, moment, source_days, span

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)
ANSWER: dict[str, dict[str, Any]] = {
    "metadatabase": {"status": "healthy"},
    "scheduler": {"status": "healthy", "latest_scheduler_heartbeat": "2026-11-20T12:00:26.5+00:00"},
    "triggerer": {"status": "unhealthy", "latest_triggerer_heartbeat": "2026-11-20T11:00:00+00:00"},
    "dag_processor": {"status": None, "latest_dag_processor_heartbeat": None},
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("scheduler", Health(True, "healthy, heartbeat 3 s ago")),
        ("triggerer", Health(False, "unhealthy, heartbeat 60 min ago")),
        ("dag_processor", Health(False, "unknown, no heartbeat yet")),
        ("another", Health(False, "unknown, no heartbeat yet")),
    ],
)
def test_the_health_of_airflow_s_components(name: str, expected: Health) -> None:
    assert airflow_health(ANSWER, name, NOW) == expected


def test_without_a_response_the_health_is_unknown() -> None:
    assert airflow_health(None, "scheduler", NOW) == Health(False, "unknown: the api-server does not respond")


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (None, Health(False, "has not written anything yet")),
        (
            FeederProgress("2026-11-20T12:00:00.1+00:00", 1234, None, 500),
            Health(True, "1,234 events today, written 29 s ago"),
        ),
        (
            FeederProgress("2026-11-20T11:50:00+00:00", 1234, None, 500),
            Health(False, "1,234 events today, written 10 min ago"),
        ),
        (FeederProgress("2026-11-20T12:00:00+00:00", 1, None, 5, "refused"), Health(False, "cannot write: refused")),
    ],
)
def test_the_health_of_the_feeder(progress: FeederProgress | None, expected: Health) -> None:
    assert feeder_health(progress, NOW) == expected


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(seconds=-3), "0 s"),
        (timedelta(seconds=119), "119 s"),
        (timedelta(seconds=120), "2 min"),
        (timedelta(minutes=119, seconds=59), "119 min"),
        (timedelta(hours=2), "2 h 0 min"),
        (timedelta(days=2, hours=3), "2 d 3 h"),
    ],
)
def test_spans_are_short(length: timedelta, text: str) -> None:
    assert span(length) == text


def test_the_days_of_the_source_are_counted_by_state() -> None:
    today = datetime.now(UTC).replace(hour=10, minute=2, second=3, tzinfo=None)
    rows = [
        {"state": "failed", "days": 1, "since": datetime(2018, 11, 1, 5)},  # noqa: DTZ001 - as in the database
        {"state": "up to date", "days": 1000, "since": None},
        {"state": "up to date", "days": 58, "since": None},
        {"state": "changed", "days": 1, "since": today},
        {"state": "changed", "days": 2, "since": today + timedelta(seconds=1)},
        {"state": "missing", "days": 1, "since": today},
        {"state": "vanished", "days": 2, "since": None},
    ]
    assert source_days(rows) == (
        "1,058 days up to date; 3 changed since 10:02:03 UTC; 1 never loaded since 10:02:03 UTC; 2 vanished; "
        "1 [red]failed[/] since 2018-11-01 05:00 UTC"
    )
    assert source_days(rows[:1]) == "1 day [red]failed[/] since 2018-11-01 05:00 UTC"
    assert source_days([]) == "no files staged yet"


def test_moments_of_today_have_no_day() -> None:
    today = datetime.now(UTC).replace(hour=3, minute=4, second=5)
    assert moment(today.isoformat()) == "03:04:05"
    assert moment("2018-11-01T03:04:05+00:00") == "2018-11-01 03:04"


def example(**more: Any) -> SupervisorState:
    process = psutil.Process()
    values: dict[str, Any] = {
        "pid": os.getpid(),
        "begun": "2026-11-20T12:00:00+00:00",
        "url": "http://127.0.0.1:8080",
        "steps": [StartupStep("Start", "success", "so", 1.5)],
        "components": {"one": Component(process.pid, process.create_time(), "2026-11-20T12:00:00+00:00")},
        **more,
    }
    return SupervisorState(**values)


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    files = SupervisorFiles(tmp_path)
    recorder = StateRecorder(files, example(phase="ready"))
    assert files.load() == recorder.state
    assert status.port(recorder.state) == 8080
    assert (files.folder.stat().st_mode & 0o077) == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        '{"pid": 1}',
        json.dumps({**json.loads(example().text()), "new": 1}),
        json.dumps({**json.loads(example().text()), "components": []}),
    ],
)
def test_a_state_of_another_version_is_ignored(text: str, tmp_path: Path) -> None:
    files = SupervisorFiles(tmp_path)
    files.folder.mkdir()
    (files.folder / "state.json").write_text(text)
    assert files.load() is None


def test_a_state_without_its_owner_is_not_running(tmp_path: Path) -> None:
    """After a crash or a reboot another process may have the id."""
    files = SupervisorFiles(tmp_path)
    StateRecorder(files, example(phase="ready"))
    assert files.running() is None
    with jobs.lock_state(tmp_path, jobs.UP):
        assert files.running() == example(phase="ready")
    with jobs.lock_state(tmp_path, "make run"), pytest.raises(jobs.BusyError, match=r"make run .*wait until it ends"):
        files.running()


def test_a_stale_state_does_not_lead_to_a_foreign_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as foreign:
        pid, created = foreign.pid, psutil.Process(foreign.pid).create_time()
        component = Component(pid, created, "2026-11-20T12:00:00+00:00")
        StateRecorder(SupervisorFiles(tmp_path), example(phase="ready", pid=pid, components={"scheduler": component}))
        assert up.main(["status", "--state", str(tmp_path)]) == up.NOT_RUNNING
        assert "was killed, or the machine went down" in " ".join(capsys.readouterr().out.split())
        assert up.main(["down", "--state", str(tmp_path)]) == 0
        assert "Nothing is running." in capsys.readouterr().out
        assert foreign.poll() is None
        foreign.kill()


def test_the_exit_of_a_process_is_recorded_and_left_to_its_parent() -> None:
    ends = []
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as killed:
        assert live._exit_of(killed.pid) == ""
        killed.kill()
        while not (how := live._exit_of(killed.pid)):
            pass
        ends.append(how)
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]) as failed:
        while not (how := live._exit_of(failed.pid)):
            pass
        ends.append(how)
        assert failed.wait() == 3
    assert ends == ["was killed by SIGKILL", "exited with code 3"]
    assert live._exit_of(os.getppid()) == ""  # nobody's child
    assert live._exit_of(failed.pid) == "exited"


def test_a_step_is_recorded_with_its_progress(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = SupervisorFiles(tmp_path)
    recorder = StateRecorder(files, SupervisorState(1, "2026-11-20T12:00:00+00:00"))

    def recorded() -> tuple[str, str]:
        state = files.load()
        assert state
        return state.steps[-1].state, state.steps[-1].result

    with recorder.step("One") as update:
        assert recorded() == ("running", "")
        update("half")
        assert recorded() == ("running", "half")
    assert recorded() == ("success", "half")
    with pytest.raises(KeyError), recorder.step("Two"):
        raise KeyError
    assert recorded() == ("failed", "")
    assert [line.split(" ", 2)[2] for line in capsys.readouterr().out.splitlines()] == ["One", "Two"]


def test_a_port_that_is_taken_is_named_with_its_owner() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortError, match=rf"Port {port} is taken \(process {os.getpid()}, "):
            take_port(port)
    assert take_port(port) == port
    assert take_port(None) != 0


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_an_invalid_port_is_rejected(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        up.main(["up", f"--port={port}"])
    assert "is not a port" in capsys.readouterr().err
