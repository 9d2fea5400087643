"""An hour on a database that answers slowly: a delay for each statement, and one for each commit.

On Redshift each statement is a round trip, and may be compiled or queued; a commit waits for the other nodes. The
baseline is the code before this project counted them, from its own commit. The tasks run one after the other, without a
scheduler, so that the seconds are those of the statements.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bench import before, days
from bench.results import Goal, ResultTable, spread
from sandbox import airflow

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from bench.testbed import Testbed

BUCKET = "roundtrips"
OURS, BASELINE = "ours", before.NAME
HOURS = {"busy": "an hour with events", "quiet": "an hour without a file"}
SHARE = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command-line options."""
    parser.add_argument("--statement", type=float, default=50, help="delay of a statement, in ms (%(default)s)")
    parser.add_argument("--commit", type=float, default=250, help="delay of a commit, in ms (%(default)s)")
    parser.add_argument("--users", type=int, default=100, help="users of about eight events a day (%(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="rounds (%(default)s)")


def shrink(given: argparse.Namespace) -> None:
    """Choose sizes that are small enough for a test."""
    given.statement, given.commit, given.users, given.repeat = 1, 1, 20, 1


def measure(given: argparse.Namespace, testbed: Testbed, progress: Callable[[str], None]) -> Iterator[ResultTable]:
    """Yield a table for each of the two hours.

    :raises ContenderError: if the repository lacks the baseline's commit.
    """
    start, busy = days.END - timedelta(days=1), days.END - timedelta(hours=8)
    quiet = days.END + timedelta(hours=5)
    ranges = {"first": (start, busy), "busy": (busy, busy + timedelta(hours=1)),
              "quiet": (quiet, quiet + timedelta(hours=1))}  # fmt: skip
    job = {
        "bucket": BUCKET,
        "statement": given.statement / 1000,
        "commit": given.commit / 1000,
        **{name: [moment.isoformat() for moment in found] for name, found in ranges.items()},
    }
    days.upload(days.options(1, given.users, given.users), testbed.bucket(BUCKET))
    results: dict[str, list[dict[str, Any]]] = {OURS: [], BASELINE: []}
    with before.checkout(testbed.folder) as former:
        for number in range(given.repeat):
            for name, checkout in ((OURS, airflow.ROOT), (BASELINE, former)):
                progress(f"round {number + 1} of {given.repeat}: {name}")
                results[name].append(_hours(testbed, checkout, job))
    for hour, title in HOURS.items():
        yield _table(hour, title, results, given)


def _table(
    hour: str, title: str, results: Mapping[str, list[dict[str, Any]]], given: argparse.Namespace
) -> ResultTable:
    seconds = {name: [found[hour]["seconds"] for found in rounds] for name, rounds in results.items()}
    return ResultTable(
        f"Round trips of {title}",
        ["", "statements", "commits", "seconds: median (min to max)"],
        [
            (name, *(f"{rounds[-1][hour][what]:,}" for what in ("statement", "commit")), spread(seconds[name]))
            for name, rounds in results.items()
        ],
        [Goal("ours, as a share of the time before:", min(seconds[OURS]) / min(seconds[BASELINE]), most=SHARE)],
        [f"All tasks of the DAG in sequence; {given.statement:g} ms per statement, {given.commit:g} ms per commit."],
    )


def _hours(testbed: Testbed, checkout: Path, job: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of the hours, as a checkout of the project runs them in a database of its own."""
    with testbed.database("roundtrips") as uri:
        environment = testbed.connections("roundtrips")
        arguments = json.dumps({**job, "database": uri, "environment": environment})
        found: dict[str, Any] = before.script(checkout, "hours", arguments, environment=environment)
        return found
