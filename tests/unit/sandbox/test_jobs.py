"""Load jobs: the command line, the names of databases and buckets, and the lock."""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox import jobs
from sandbox.jobs import SAMPLE, LoadJob
from sandbox.run import next_commands, read_job
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2018, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS = ["2018/11/2018-11-03", "2018/11/2018-11-05", "2018/12/2018-12-01"]
KEYS = [*(f"log_data/{day}-events.json" for day in DAYS), "song_data/A/B/C/TRABC.json", "README.md"]

# A name is a path's last part: anything but a slash and NUL.
names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=200)


def folder(path: Path, keys: list[str] = KEYS) -> Path:
    for key in keys:
        file = path / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}")
    return path


def archive(path: Path, keys: list[str] = KEYS) -> Path:
    file = path / "data.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        for key in keys:
            member = tarfile.TarInfo(f"some/folder/{key}")
            member.size = 2
            tar.addfile(member, io.BytesIO(b"{}"))
    return file


def job(source: Path | None = None, start: datetime = START, end: datetime = START + DAY) -> LoadJob:
    return LoadJob(source, start, end, hourly=False, state=Path("/state"))


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the output of the command for invalid arguments."""
    with pytest.raises(SystemExit) as caught:
        read_job(list(arguments))
    assert caught.value.code == 2
    return " ".join(capsys.readouterr().err.split())


def test_without_data_the_sample_is_loaded() -> None:
    found = read_job([])
    first = datetime.combine(SAMPLE.start, datetime.min.time(), UTC)
    assert (found.source, found.start, found.end) == (None, first, first + timedelta(days=SAMPLE.days))
    assert found.hourly is False


@pytest.mark.parametrize("make", [folder, archive])
def test_the_range_is_found_in_the_data(make: Callable[[Path], Path], tmp_path: Path) -> None:
    source = make(tmp_path)
    found = read_job(["--data", str(source)])
    assert found.source == source
    assert (found.start, found.end) == (START + 2 * DAY, START + 31 * DAY)


def test_one_end_of_the_range_may_be_given(tmp_path: Path) -> None:
    source = str(folder(tmp_path))
    found = read_job(["--data", source, "--from", "2018-11-04"])
    assert (found.start, found.end) == (START + 3 * DAY, START + 31 * DAY)
    found = read_job(["--data", source, "--to", "2018-11-04"])
    assert (found.start, found.end) == (START + 2 * DAY, START + 3 * DAY)


def test_a_given_range_is_not_derived_from_the_data(tmp_path: Path) -> None:
    found = read_job(["--data", str(tmp_path / "absent"), "--from", "2018-11-01", "--to", "2018-11-02"])
    assert (found.start, found.end) == (START, START + DAY)


def test_data_may_be_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path / "data")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert read_job(["--data", "data"]).source == read_job(["--data", "~/data"]).source == tmp_path / "data"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2018-11-01", START),
        ("2018-11-01T05:00", START + timedelta(hours=5)),
        ("2018-11-01T05:00+02:00", START + timedelta(hours=3)),
        ("2018-11-01T05:00Z", START + timedelta(hours=5)),
    ],
)
def test_times_without_a_zone_are_utc(text: str, moment: datetime) -> None:
    assert read_job(["--from", text, "--to", "2019-01-01"]).start == moment


def test_an_invalid_day_is_rejected(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("yesterday", "0218-11-01", "0001-01-01T00:00:00+14:00"):
        printed = refused(capsys, "--from", text)
        assert f"--from: '{text}' is " in printed
        assert "expected a day such as 2018-11-01" in printed


def test_a_mistyped_year_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    printed = refused(capsys, "--from", "1998-11-01", "--to", "2018-11-02")
    assert "7,306 days long and one run loads at most 3,653" in printed


@pytest.mark.parametrize("end", ["2018-11-01", "2018-10-31"])
def test_the_range_must_not_be_empty(end: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"TO ({end} 00:00) must be after FROM (2018-11-01 00:00)" in refused(
        capsys, "--from", "2018-11-01", "--to", end
    )


@pytest.mark.parametrize("make", [folder, archive])
@pytest.mark.parametrize(
    "keys",
    [
        ["song_data/A/B/C/TRABC.json"],
        ["song_data/A/2018-11-01.json", "log_data/2018/11/events.json"],
        ["log_data/2018/02/2018-02-30-events.json"],
    ],
)
def test_data_without_days_needs_a_range(
    make: Callable[[Path, list[str]], Path], keys: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = make(tmp_path, keys)
    message = refused(capsys, "--data", str(source))
    assert f"{source} has no log_data/YYYY/MM/YYYY-MM-DD-events.json: set FROM and TO." in message


def test_missing_data_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"{tmp_path / 'absent'} does not exist." in refused(capsys, "--data", str(tmp_path / "absent"))


def test_broken_data_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = archive(tmp_path)
    file.write_bytes(file.read_bytes()[:-20])
    assert f"{file} cannot be read: expected a folder or an intact .tar.gz" in refused(capsys, "--data", str(file))


@pytest.mark.parametrize("arguments", [["--from", "2018-11-01T00:30"], ["--to", "2018-11-02T00:30"]])
def test_hourly_runs_need_whole_hours(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Airflow's hours are those of the clock: a run from 00:30 would load the hour from 00:00."""
    given_range = {"--from": "2018-11-01", "--to": "2018-11-02", **dict([arguments])}
    words = [word for pair in given_range.items() for word in pair]
    assert read_job(words)
    assert "whole hour" in refused(capsys, *words, "--hourly")


@given(names)
@example("2018.tar.gz")
@example(".hidden")
@example("データ")
@example("x" * 39 + "-y")
@example("-" * 60)
def test_a_name_is_a_bucket_and_a_database(name: str) -> None:
    """S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html; PostgreSQL: 63 bytes."""
    found = job(Path("/data") / name)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", found.name)
    assert not found.name.startswith("xn--")
    assert len(found.name.encode()) <= 63
    assert len(found.metadata.encode()) <= 63
    assert found.metadata.startswith(found.name)


@given(st.lists(names.map(lambda name: Path("/data") / name), min_size=2, max_size=2, unique_by=str))
def test_data_from_two_places_does_not_mix(sources: list[Path]) -> None:
    one, other = sources
    assert job(one).name != job(other).name


def test_data_of_one_name_in_two_folders_does_not_mix() -> None:
    assert job(Path("/one/data.tar.gz")).name != job(Path("/other/data.tar.gz")).name


def test_the_name_is_the_same_next_time() -> None:
    """Pinned: another name would load all data again, into another database."""
    assert job(Path("/data/Sparkify Sample.tar.gz")).name == "sparkify-sample-14f540"
    assert job(None).name == "sparkify-sample"
    assert job(Path("/data/x"), START, START + 9 * DAY).name == job(Path("/data/x")).name


hours = st.integers(0, 20_000).map(lambda hour: START + timedelta(hours=hour))


@given(names, hours, st.integers(1, 500))
def test_the_command_does_the_job_again(name: str, start: datetime, length: int) -> None:
    done = job((Path("/data") / name).resolve(), start, start + timedelta(hours=length))
    make, run, *words = shlex.split(done.command("run"))
    assert (make, run) == ("make", "run")
    arguments = dict(word.split("=", 1) for word in words)
    again = read_job(["--data", arguments["DATA"], "--from", arguments["FROM"], "--to", arguments["TO"]])
    assert (again.source, again.start, again.end) == (done.source, done.start, done.end)


def test_the_command_is_short() -> None:
    assert job(Path("/data/x")).command("run") == "make run DATA=/data/x FROM=2018-11-01 TO=2018-11-02"
    assert job(None).command("run") == "make run FROM=2018-11-01 TO=2018-11-02"


def test_the_next_commands_use_what_was_loaded() -> None:
    after_sample = list(next_commands(job(None)))
    assert after_sample[:2] == ["make up", "make notebook"]
    assert "make run FROM=2018-11-01 TO=2018-11-02 HOURLY=1" in after_sample
    after_data = list(next_commands(job(Path("/data/x"))))
    assert after_data[:2] == ["make up", "make notebook DATA=/data/x FROM=2018-11-01 TO=2018-11-02"]


@pytest.mark.parametrize(("command", "remedy"), [("make run", "wait until"), ("make up", "`make down` stops it")])
def test_two_commands_do_not_share_a_state(command: str, remedy: str, tmp_path: Path) -> None:
    with (
        jobs.lock_state(tmp_path / "state", command),
        pytest.raises(jobs.BusyError) as refusal,
        jobs.lock_state(tmp_path / "state", "make run"),
    ):
        pytest.fail("both work on it")
    assert str(refusal.value).startswith(f"{command} (process {os.getpid()}) is using {tmp_path / 'state'}: {remedy}")
    with jobs.lock_state(tmp_path / "state", "make run"), jobs.lock_state(tmp_path / "other", "make run"):
        pass


def test_the_owner_of_a_state_is_known(tmp_path: Path) -> None:
    assert jobs.lock_owner(tmp_path) is None
    for command in ("make backfill", "make up"):
        with jobs.lock_state(tmp_path, command):
            assert jobs.lock_owner(tmp_path) == (os.getpid(), command)
        assert jobs.lock_owner(tmp_path) is None


def test_a_state_is_free_when_its_owner_is_killed(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from sandbox import jobs\n"
    code += "with jobs.lock_state(Path(sys.argv[1]), 'make up'): print('locked', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "plugins")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        process.stdout.readline()
        assert jobs.lock_owner(tmp_path) == (process.pid, "make up")
        process.kill()
    assert jobs.lock_owner(tmp_path) is None
