"""The command line of ``make backfill``, and its output."""

from __future__ import annotations

import io
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from sandbox.backfill import _next, _progress, _show, read_job
from sandbox.backfill_client import HOUR, BackfillOptions, BackfillResult, BackfillRun, FailedTask
from sandbox.jobs import LoadJob

START = datetime(2018, 11, 1, tzinfo=UTC)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the output of the command for invalid arguments."""
    with pytest.raises(SystemExit) as caught:
        read_job(list(arguments))
    assert caught.value.code == 2
    return " ".join(capsys.readouterr().err.split())


def run(hour: int, state: str = "success", skipped: str | None = None) -> BackfillRun:
    return BackfillRun(START + hour * HOUR, skipped, f"run-{hour}", state)


def shown(outcome: BackfillResult) -> str:
    """Return the printed results of a backfill."""
    text = io.StringIO()
    console = Console(file=text, width=200)
    _show(outcome, Path("/logs"), console)
    _next(LoadJob(None, START, START + HOUR, hourly=True, state=Path("/state")), outcome, 12.3, console)
    return " ".join(text.getvalue().split())


def test_the_default_is_six_parallel_runs() -> None:
    job, options = read_job(["--from", "2018-11-01", "--to", "2018-11-02"])
    assert (job.start, job.end, job.hourly) == (START, START + timedelta(days=1), True)
    assert options == BackfillOptions(runs=6, reprocess="none", backwards=False)
    _, options = read_job(["--runs", "1", "--reprocess", "completed", "--backwards"])
    assert options == BackfillOptions(runs=1, reprocess="completed", backwards=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--runs", "0"], "Invalid RUNS, the number of parallel runs: expected 1 or more, got 0."),
        (["--reprocess", "all"], "invalid choice: 'all'"),
        (["--from", "2018-11-01T00:30"], "whole hour"),
        (["--from", "2199-01-01", "--to", "2199-01-02"], "TO (2199-01-02 00:00) is in the future"),
        (["--to", "2199-01-01"], "one run loads at most 3,653"),
        (["--to", "9999-12-31"], "out of range, expected 1970-01-01 to 2200-01-01"),
    ],
)
def test_invalid_arguments_are_rejected(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert message in refused(capsys, *arguments)


def test_all_is_well() -> None:
    printed = shown(BackfillResult([run(0), run(1)], Counter(success=2), []))
    assert "2 of 2 succeeded" in printed
    assert "2 of 2 runs passed all checks Done in 12 s" in printed
    assert "make backfill FROM=2018-11-01 TO=2018-11-01T01:00 REPROCESS=completed BACKWARDS=1" in printed


def test_skipped_hours_are_grouped_by_reason() -> None:
    skipped = "already exists"
    hours = [
        run(0, skipped=skipped),
        run(1, skipped=skipped),
        run(2, "failed", skipped),
        run(3),
        run(4, skipped=skipped),
    ]
    printed = shown(BackfillResult(hours, Counter(success=1), [FailedTask(START + 2 * HOUR, "load", "because")]))
    assert "1 of 1 succeeded" in printed
    assert "Skipped by Airflow 4 of 5 hours" in printed
    assert "00:00 to 2018-11-01 02:00 2 hours already exists: loaded before; REPROCESS=completed" in printed
    assert "02:00 to 2018-11-01 03:00 1 hour already exists: their run failed before; REPROCESS=failed" in printed
    assert "04:00 to 2018-11-01 05:00 1 hour already exists: loaded before" in printed
    assert "02:00 load because" in printed
    assert "Not every hour is loaded" in printed


def test_failed_runs_are_counted_and_the_first_explained() -> None:
    hours = [run(hour, "failed") for hour in range(7)]
    checks = Counter(failed=1, upstream_failed=6)
    printed = shown(BackfillResult(hours, checks, [FailedTask(START, "data_quality", "[1 of 11] checks failed")]))
    assert "0 of 7 succeeded" in printed
    assert "0 of 7 runs passed all checks, 1 did not, 6 did not reach them" in printed
    assert "Failed 7 hours; the tasks' logs are in /logs" in printed
    assert "[1 of 11] checks failed" in printed  # not taken for markup
    assert "and 2 more hours" in printed
    assert "REPROCESS=failed reprocess the failed hours, once the cause is fixed" in printed


def test_without_a_terminal_progress_is_printed_as_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.backfill.LINE_EVERY", 0)
    text = io.StringIO()
    with _progress(Console(file=text, width=200)) as report:
        report([run(0), run(1, "running"), run(2, "queued")], [FailedTask(START, "load", "[try] again")])
        report([run(0), run(1, "failed"), run(2, "running")], [])
    lines = text.getvalue().splitlines()
    assert lines[0].strip() == "1 of 3 runs done, 1 running, 0 failed, 0 a minute"
    assert [line.strip() for line in lines[1:3]] == ["↻ 2018-11-01 00:00 load", "[try] again"]
    assert lines[3].strip() == "2 of 3 runs done, 1 running, 1 failed, 60 a minute"
