"""``make run``: servers, data, Airflow, query results; and no process is left behind."""

from __future__ import annotations

import re
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.support.processes import left_behind, row_counts, start_command, succeeded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox import servers
    from sandbox.lab import Lab


def run(state: Path, *arguments: str) -> str:
    """Run the command successfully and return its output."""
    return succeeded(start_command(state, *arguments))


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for the servers' data, shared by the tests; the first one sets it up."""
    folder = tmp_path_factory.mktemp("run")
    yield folder
    assert left_behind(folder) == []


def test_run_from_scratch(state: Path) -> None:
    printed = run(state)
    rows = row_counts(printed)
    assert rows["staging_events"] > 10_000
    assert 0 < rows["songplays"] < rows["staging_events"]
    assert rows["time"] <= rows["songplays"]
    passed, of = re.search(r"(\d+) of (\d+) checks passed", printed).groups()  # type: ignore[union-attr]
    assert passed == of
    assert int(of) > 10
    for answer in ("Most played songs", "Busiest hours", "Browsers by plays", "What next?", "make up", "make notebook"):
        assert answer in printed
    assert left_behind(state) == []
    quality = succeeded(start_command(state, module="sandbox.quality"))
    assert f"{of} of {of} checks passed, database sparkify-sample\n" in quality
    assert left_behind(state) == []


@pytest.mark.slow
def test_the_notebook_shows_what_was_loaded(state: Path) -> None:
    printed = run(state)
    process = start_command(state, module="sandbox.notebook")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    found = re.search(r"Open (\S+\.html) in a browser", output)
    assert found
    assert f"<strong>{row_counts(printed)['songplays']:,} plays</strong> on 2 days" in Path(found[1]).read_text()
    assert left_behind(state) == []


@pytest.mark.slow
def test_hourly_runs_result_in_the_same_tables(state: Path) -> None:
    hours = ["--from", "2018-11-01T14:00", "--to", "2018-11-01T17:00"]
    fresh = state / "hourly"
    hourly = run(fresh, *hours, "--hourly")
    assert len(re.findall(r"\d events, ", hourly)) == 3 + 1  # the hours, and the generated rows
    at_once = run(state / "range", *hours)
    assert row_counts(hourly) == row_counts(at_once)


@pytest.mark.slow
@pytest.mark.sample
def test_the_real_sample_gives_the_known_tables(state: Path, sample: Path) -> None:
    job = ["--data", str(sample), "--from", "2018-11-01", "--to", "2018-11-11"]
    printed = run(state, *job)
    assert (
        row_counts(printed).items()
        >= {
            "staging_events": 1882,
            "staging_songs": 2892,
            "songplays": 1594,
            "users": 79,
            "songs": 2892,
            "artists": 2614,
            "time": 1594,
        }.items()
    )
    assert re.search(r"You're The One +Dwight Yoakam +10\s", printed)
    assert re.findall(r"^ +(\d\d) +(\d+) *$", printed, re.MULTILINE) == [
        ("16", "118"),
        ("18", "104"),
        ("14", "86"),
        ("17", "84"),
        ("15", "82"),
    ]
    again = run(state, *job)
    assert "0 objects written" in again
    assert re.search(r"– stage_songs +nothing new", again)
    assert (
        again[again.index("Rows per table") : again.index("Done")]
        == printed[printed.index("Rows per table") : printed.index("Done")]
    )


@pytest.mark.slow
def test_an_invalid_file_fails_with_its_location_and_leaves_no_process(state: Path, tmp_path: Path) -> None:
    file = tmp_path / "data" / "log_data" / "2018" / "11" / "2018-11-01-events.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"sessionId": 1, "itemInSession": 0, "ts": }')
    process = start_command(state, "--data", str(tmp_path / "data"))
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "2018-11-01-events.json line 1" in printed
    assert "The run failed." in printed
    assert left_behind(state) == []


@pytest.mark.parametrize(
    ("number", "after"),
    [(signal.SIGTERM, "Upload to S3"), (signal.SIGTERM, "stage_events"), (signal.SIGINT, "create_tables")],
    ids=["SIGTERM before Airflow", "SIGTERM between or in tasks", "SIGINT between or in tasks"],
)
def test_an_interrupt_stops_the_command_and_the_servers(tmp_path: Path, number: signal.Signals, after: str) -> None:
    process = start_command(tmp_path / "state")
    assert process.stdout
    printed = ""
    for line in process.stdout:
        printed += line
        if after in line:
            break
    assert {"postgres", "rclone"} <= set(left_behind(tmp_path / "state")), printed
    process.send_signal(number)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode in (128 + number, -number)
    assert "Rows per table" not in printed
    deadline = time.monotonic() + 10
    while left_behind(tmp_path / "state") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left_behind(tmp_path / "state") == []


@pytest.mark.sample
def test_the_sample_in_every_detail(sample_lab: Lab) -> None:
    """Expected values, computed from the files with an independent query engine."""
    sample_lab.run("2018-11-01", "2018-11-11")
    assert sample_lab.one("SELECT COUNT(*) FROM songplays WHERE song_id IS NOT NULL") == 23
    assert dict(sample_lab.query("SELECT level, COUNT(*) FROM users GROUP BY 1")) == {"free": 63, "paid": 16}
    by_hour = (
        "SELECT t.hour, COUNT(*) FROM songplays p JOIN time t USING (start_time) GROUP BY 1 ORDER BY 2 DESC LIMIT 3"
    )
    assert sample_lab.query(by_hour) == [(16, 159), (18, 139), (17, 126)]
    by_weekday = "SELECT t.weekday, COUNT(*) FROM songplays p JOIN time t USING (start_time) GROUP BY 1 ORDER BY 1"
    assert [plays for _, plays in sample_lab.query(by_weekday)] == [356, 154, 174, 172, 407, 187, 144]
    assert sample_lab.one("SELECT COUNT(DISTINCT DATE_TRUNC('hour', start_time)) FROM songplays") == 168
    changed = "SELECT COUNT(*) FROM (SELECT user_id FROM songplays GROUP BY 1 HAVING COUNT(DISTINCT level) > 1) AS u"
    assert sample_lab.one(changed) == 4


def test_servers_listen_on_this_machine_only(s3: servers.S3Server) -> None:
    listening = {item.laddr.ip for item in psutil.Process(s3.pid).net_connections() if item.status == "LISTEN"}
    assert listening == {"127.0.0.1"}
