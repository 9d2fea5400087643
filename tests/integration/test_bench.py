"""The benchmarks report all contenders and goals; the measured values are not tested."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from bench import __main__ as command
from bench import (
    before,
    commands,
    data,
    day,
    days,
    firstload,
    history,
    month,
    parallel,
    race,
    reconcile,
    results,
    roundtrips,
    runs,
    scd2,
    songs,
    staging,
    star,
    start,
    years,
)
from sparkify.interval import PERIODS
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.lab import Lab

pytestmark = pytest.mark.slow

# Their packages are not in the project's locks; CI does not install them.
FOREIGN = [] if not race.OTHERS.exists() else [staging.DLT_FAST, staging.DLT, staging.PANDAS, staging.ROWS]
FIRST_LOAD = [firstload.OURS, firstload.BASELINE, *([firstload.DUCKDB] if FOREIGN else [])]
NUMBER = r"[\d,.]+"
SPREAD = rf"{NUMBER} \({NUMBER} to {NUMBER}\)"


def smoke(name: str) -> str:
    """Run a benchmark with its smallest input; return its output."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", name, "--smoke"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "plugins:dags:."},
        capture_output=True,
        text=True,
        check=False,
        timeout=480,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def require_history() -> None:
    """Skip a test whose baseline is a commit that the clone lacks."""
    known = subprocess.run(["git", "cat-file", "-e", before.COMMIT], cwd=ROOT, capture_output=True, check=False)
    if known.returncode:
        pytest.skip(f"This clone lacks the commit of the baseline, {before.COMMIT[:7]}.")


@pytest.mark.parametrize(
    ("name", "contenders", "goals"),
    [
        ("staging", [staging.OURS, staging.TASK, staging.BASELINE, staging.LIMIT, *FOREIGN], 3 + len(FOREIGN)),
        ("songs", [songs.OURS, songs.TASK, songs.AGAIN, songs.LIMIT, songs.BOTO, songs.MOTO], 2),
        ("star", [star.OURS, star.MARTS, star.BASELINE, star.CLASSIC], 1),
        ("firstload", [*FIRST_LOAD], len(FIRST_LOAD) - 1),
        ("month", [month.OURS, month.STAR], 1),
    ],
)
def test_all_contenders_are_reported_with_time_and_memory(name: str, contenders: list[str], goals: int) -> None:
    if name in ("staging", "star", "firstload"):
        require_history()
    printed = smoke(name)
    rows = re.findall(rf"^  (\S.*?)  +{NUMBER}  +{SPREAD}  +{NUMBER}  .* {NUMBER}  +{NUMBER} *$", printed, re.MULTILINE)
    assert rows == contenders
    assert len(re.findall(r"^  (?:met|MISSED): .* \(goal: ", printed, re.MULTILINE)) == goals


def test_the_start_benchmark_reports_every_dag_file() -> None:
    printed = smoke("start")
    rows = re.findall(rf"^  (\S.*?)  +{SPREAD}  +{NUMBER}  +{NUMBER} *$", printed, re.MULTILINE)
    files = sorted((ROOT / "dags").glob("*.py"))
    assert rows == [*(start.PARSE.format(file.name) for file in files), start.TASK, start.BARE]
    assert len(re.findall(r"^  (?:met|MISSED): .* \(goal: ", printed, re.MULTILINE)) == len(files) + 1


def test_the_commands_benchmark_compares_make_run_with_the_code_before() -> None:
    require_history()
    printed = smoke("commands")
    rows = re.findall(rf"^  (\S.*?)  +{SPREAD} *$", printed, re.MULTILINE)
    assert rows == 2 * [commands.OURS, commands.BASELINE]
    assert re.findall(r"^make \w+, .*\b", printed, re.MULTILINE) == [found.title for found in commands.COMMANDS[:2]]
    assert len(re.findall(r"^  (?:met|MISSED): ours, as a share", printed, re.MULTILINE)) == 2


def test_a_benchmark_of_the_code_before_is_run_by_that_code(tmp_path: Path) -> None:
    require_history()
    with before.checkout(tmp_path) as former:
        (rows,) = before.script(former, "benchmark", "start", "--repeat", "1", "--no-clone")  # an option of that code
    assert [name for name, *_ in rows][-2:] == [start.TASK, start.BARE]
    assert all(re.fullmatch(SPREAD, milliseconds) for _, milliseconds, *_ in rows)


def test_the_roundtrips_benchmark_counts_statements_and_commits() -> None:
    require_history()
    printed = smoke("roundtrips")
    rows = re.findall(rf"^  (\S.*?)  +({NUMBER})  +({NUMBER})  +{SPREAD} *$", printed, re.MULTILINE)
    assert [name for name, _, _ in rows] == 2 * [roundtrips.OURS, roundtrips.BASELINE]
    for ours, former in (rows[:2], rows[2:]):
        assert all(int(mine) < int(other) for mine, other in zip(ours[1:], former[1:], strict=True))
    assert len(re.findall(r"^  (?:met|MISSED): ours, as a share", printed, re.MULTILINE)) == 2


def test_the_reconcile_benchmark_reports_time_and_memory() -> None:
    printed = smoke("reconcile")
    rows = re.findall(rf"^  (a file for each \w+) +{NUMBER} +{SPREAD} +{NUMBER} +{NUMBER} *$", printed, re.MULTILINE)
    assert rows == [f"a file for each {period}" for period in reversed(PERIODS)]
    goals = [f"{source.goal:g} s" for source in reconcile.sources(3)]
    assert (
        re.findall(r"^  (?:met|MISSED): a pass over \d+ files: .* \(goal: at most (.*)\)$", printed, re.MULTILINE)
        == goals
    )


def test_the_history_benchmark_reports_every_task_on_every_history(lab: Lab) -> None:
    printed = smoke("history")
    built = re.findall(r"^ *(\d+x): +[\d,]+ events, +[\d,]+ plays", printed, re.MULTILINE)
    assert built == ["1x", "2x", "3x"]
    rows = re.findall(rf"^  (\S.*?)(?:  +{SPREAD}){{3}}(?:  +\d+\.\d\d){{2}} *$", printed, re.MULTILINE)
    tasks = [*(task.task_id for task in lab.dag.topological_sort()), *history.TOTALS]
    assert rows == [*tasks, history.BASELINE, *tasks]
    assert re.findall(r"^  (?:met|MISSED): (.*?): \d", printed, re.MULTILINE) == [
        "cost of an hour, 3x to 1x history",
        "cost of an old hour, 3x to 1x history",
        "load tasks of an old hour to those of an hour, 3x history",
    ]
    assert re.search(r"Peak memory of the process that runs all tasks: [1-9]\d+ MB", printed)


def test_the_parallel_benchmark_loads_all_hours_at_once() -> None:
    printed = smoke("parallel")  # it fails if the tables differ from those of a single run
    row = rf"^  (\S.*?)  +(\d+)  +{SPREAD}  +{SPREAD}  +{NUMBER}  +({NUMBER})  +\d+  +(\d+)  +(\d+) *$"
    few, many = re.findall(row, printed, re.MULTILINE)
    assert [few[:2], many[:2]] == [(parallel.OURS.format(2), "6"), (parallel.OURS.format(6), "6")]
    assert int(few[2]) <= 3 < int(many[2]) <= 7  # connections, with that of the benchmark
    assert [few[3:], many[3:]] == 2 * [("0", "0")]  # deadlocks, retried tasks
    assert len(re.findall(r"^  (?:met|MISSED): .* \(goal: ", printed, re.MULTILINE)) == 3


def test_the_day_benchmark_reports_every_size_and_the_largest_day() -> None:
    printed = smoke("day")
    rows = re.findall(rf"^  (\S.*?)  +([\d,]+)(?:  +{NUMBER}){{6}} *$", printed, re.MULTILINE)
    names = [day.OURS, day.AGAIN, day.CLASSIC]
    assert rows == [(name, events) for events in ("1,000", "2,000") for name in names]
    assert re.findall(r"^(ours: [a-z ]+): .*within 600 s", printed, re.MULTILINE) == [day.OURS, day.AGAIN]


def test_the_largest_day_is_on_the_line_through_the_sizes_around_it() -> None:
    def loads(*seconds: float) -> list[day.Load]:
        return [
            day.Load("ours", events, 500 * events, race.Measurement(events, second, 0, 0, 0), 0)
            for events, second in zip((1_000_000, 2_000_000, 4_000_000), seconds, strict=True)
        ]

    between, beyond, falling = map(day.largest, (loads(100, 500, 700), loads(100, 200, 300), loads(1, 2, 1)))
    assert between.startswith("ours: 3.0 million events, 1.5 GB, within 600 s (between 2,000,000 and 4,000,000")
    assert beyond.startswith("ours: 10.0 million events, 5.0 GB, within 600 s (extrapolated from 2,000,000 and")
    assert "too small" in falling


def test_copies_of_an_event_have_other_users_and_sessions(lab: Lab, tmp_path: Path) -> None:
    class Bed:
        folder = tmp_path

        def bucket(self, name: str) -> Any:
            return lab.store

    given = data.options(60, songs=5)
    plays = data.put_events(Bed(), "", given, 60, 3)  # type: ignore[arg-type]
    lab.run(data.DAY["start"], data.DAY["end"], tasks=["stage_events", "load_songplays"])
    assert lab.counts()["staging_events"] == 180
    assert lab.counts()["songplays"] == plays
    distinct = "COUNT(DISTINCT sessionid), COUNT(DISTINCT userid)"
    ((sessions, users),) = lab.query(f"SELECT {distinct} FROM staging_events")
    ((of_first, users_of_first),) = lab.query(f"SELECT {distinct} FROM staging_events WHERE sessionid % 3 = 0")
    assert (sessions, users) == (3 * of_first, 3 * users_of_first)


def test_the_years_benchmark_compares_a_long_history_with_a_short_one() -> None:
    printed = smoke("years")
    rows = re.findall(rf"^  (\S.*?)(?:  +{SPREAD}){{2}}  +{NUMBER}  +-?{NUMBER} *$", printed, re.MULTILINE)
    panels = [years.PANELS.format(asked) for asked in ("28d", "all")]
    assert rows == [years.HOUR, years.OLD, years.AUDIT, history.BASELINE, *panels]
    assert re.search(r"bytes per play; 100,000,000 plays would have \d+\.", printed)
    assert re.findall(r"^  (?:met|MISSED): (.*?): \d", printed, re.MULTILINE) == [
        "cost of an hour, 2 years to 1",
        "cost of an old hour, 2 years to 1",
    ]


def test_the_scd2_benchmark_compares_spans_with_those_of_the_rebuild() -> None:
    printed = smoke("scd2")
    row = rf"^  (\S.*?)(?:  +{SPREAD}){{2}}  +\d+\.\d\d  +({NUMBER})  +({NUMBER}) *$"
    rows = re.findall(row, printed, re.MULTILINE)
    names = [scd2.OURS, scd2.REBUILD, *([scd2.DBT] if race.OTHERS.exists() else [])]
    assert [name for name, _, _ in rows] == names * 2
    assert all((spans == correct) == (name != scd2.DBT) for name, spans, correct in rows)
    assert len(re.findall(r"^  (?:met|MISSED): cost of an hour .* 15x to 1x history: ", printed, re.MULTILINE)) == 2


def test_a_changed_hour_has_another_level_and_a_late_event(lab: Lab) -> None:
    hours = days.upload(days.options(days=15, users=20, songs=1), lab.store)
    hour = days.middle(days.timed(1)[0], 15)
    assert hour == datetime(2018, 12, 11, 9, tzinfo=UTC)
    assert min(hours) == days.END

    def events() -> list[dict[str, Any]]:
        return [
            json.loads(line)
            for line in bytes(lab.store.get("log_data/2018/12/2018-12-11-events.json").bytes()).splitlines()
        ]

    before = events()
    days.change(lab.store, hour)
    *after, late = events()
    ((old, new),) = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    assert {new["level"], old["level"]} == {"free", "paid"}
    assert {**new, "level": old["level"]} == old
    end = hour.timestamp() * 1000 + 3_600_000
    assert (late["ts"], late["userId"], late["level"]) == (end - 1, old["userId"], old["level"])


@pytest.mark.scheduler
def test_the_runs_benchmark_reports_each_way_to_load_hours() -> None:
    printed = smoke("runs")
    row = rf"^  (\S.*?)  +(\d+)  +(\d+)  +{NUMBER}  +{SPREAD}(?:  +{NUMBER}){{3}} *$"
    rows = re.findall(row, printed, re.MULTILINE)
    names = [runs.RANGE.format(1), *runs.NAMES.values()]
    assert rows == [(name, "1", tasks) for name, tasks in zip(names, ("18", "18", "18", "4"), strict=True)]
    assert re.search(r"(?s)CPU seconds per hourly task.* are Airflow's own.*this project's", printed)


def test_an_unexpected_count_is_an_error() -> None:
    measured = race.Measurement(9, 1.0, 1.0, 1, 1)
    with pytest.raises(race.ContenderError, match="incomplete: expected a count of 10, got 9"):
        race.check(race.Contender("incomplete", "none", 10), measured)


@pytest.mark.parametrize(
    ("goal", "met"),
    [
        (results.Goal("a ratio:", 0.6, least=0.6), True),
        (results.Goal("a ratio:", 0.59, least=0.6), False),
        (results.Goal("a time:", 3.0, most=3), True),
        (results.Goal("a time:", 3.1, most=3), False),
    ],
)
def test_a_goal_includes_its_limit(goal: results.Goal, met: bool) -> None:
    assert goal.met is met
    assert str(goal).startswith("met" if met else "MISSED")


def test_write_replaces_the_results_and_keeps_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "benchmarks.md"
    file.write_text("before\n<!-- star -->\nold\n<!-- end of star -->\nafter\n")
    found = results.ResultTable(
        "Title", ["", "seconds"], [["ours", "1"]], [results.Goal("time:", 1, most=2, unit=" s")]
    )
    results.write("star", "make bench", "on a machine", [found], file)
    results.write("star", "make bench", "on a machine", [found], file)
    text = file.read_text()
    assert text.startswith("before\n<!-- star -->\n")
    assert text.endswith("<!-- end of star -->\nafter\n")
    assert "old" not in text
    assert text.count("| ours | 1 |") == text.count("- met: time: 1 s (goal: at most 2 s)") == 1


def test_write_fails_without_its_markers(tmp_path: Path) -> None:
    file = tmp_path / "benchmarks.md"
    file.write_text("nothing\n")
    with pytest.raises(ValueError, match="<!-- star -->"):
        results.write("star", "make bench", "on a machine", [], file)
    assert file.read_text() == "nothing\n"


def test_the_document_has_markers_for_every_benchmark() -> None:
    text = results.FILE.read_text()
    assert re.findall(r"<!-- end of (\w+) -->", text) == re.findall(r"<!-- (\w+) -->", text) == [*command.BENCHMARKS]
