"""The contract holds for the second source: any history of runs results in the tables of a single run."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tests.second_source.activity import dag
from tests.second_source.records import TABLES, Record, put, utc
from tests.support.data import source_fields
from tests.support.labs import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.lab import Lab

# Includes midnight, and hours of one and two digits.
START = utc("2015-01-01T21:00")
HOURS = 6
PROCESSES = 3
EXAMPLES = int(os.environ.get("INVARIANT_EXAMPLES", "4"))


class Contents(NamedTuple):
    """All that is in the bucket.

    :param broken: the hours of files with a line that is rejected.
    """

    records: tuple[Record, ...]
    broken: tuple[int, ...]

    def put(self, lab: Lab) -> None:
        """Replace the content of the bucket."""
        lines = [(START + timedelta(hours=hour), '{"id": "x"}') for hour in self.broken]
        put(lab, [*self.records, *self.records[:2]], *lines)


class Run(NamedTuple):
    """A run of the DAG over [start, end), in hours from START."""

    start: int
    end: int


hours = st.integers(0, HOURS - 1)
# Few values, so that conflicts are likely.
records = st.builds(
    lambda file, minute, **fields: Record(
        START + timedelta(hours=file), at=(START + timedelta(minutes=minute)).replace(tzinfo=None), **fields
    ),
    file=hours,
    minute=st.integers(-120, HOURS * 60 + 120),
    event=st.integers(1, 6),
    kind=st.sampled_from(["PushEvent", "WatchEvent", None]),
    actor=st.sampled_from([1, 2, None]),
    repository=st.sampled_from([1, 2, None]),
    name=st.sampled_from(["o/a", "o/b", None]),
    organization=st.sampled_from([None, 9]),
    commits=st.sampled_from([None, 0, 2]),
    public=st.sampled_from([True, None]),
    as_text=st.booleans(),
)
contents = st.builds(
    Contents,
    st.lists(records, max_size=12).map(tuple),
    st.lists(hours, max_size=2, unique=True).map(tuple),
)
single = st.tuples(hours, st.integers(1, HOURS)).map(lambda pair: Run(pair[0], min(sum(pair), HOURS)))


@st.composite
def covers(draw: st.DrawFn) -> tuple[Run, ...]:
    """Return runs that cover the period, split anywhere, with repetitions and overlaps, in any order."""
    cuts = draw(st.lists(st.integers(1, HOURS - 1), max_size=4, unique=True).map(sorted))
    runs = [Run(start, end) for start, end in pairwise([0, *cuts, HOURS])]
    return tuple(draw(st.permutations([*runs, *draw(st.lists(single, max_size=2))])))


def _run(lab: Lab, run: Run) -> None:
    os.environ.update(lab.environment)
    start, end = (f"{START + timedelta(hours=hour):%Y-%m-%dT%H:%M}" for hour in run)
    lab.run(start, end, dag=dag, max_errors=99, accept_vanished=True)


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    """Processes that run the DAG's tasks, each with its own connections."""
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.mark.slow
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    print_blob=True,
    phases=[phase for phase in Phase if phase is not Phase.shrink or EXAMPLES > 50],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    before=st.lists(st.tuples(contents, st.lists(single, max_size=2).map(tuple)), max_size=2),
    files=contents,
    runs=covers(),
)
def test_any_history_results_in_the_tables_of_a_single_run(
    before: list[tuple[Contents, tuple[Run, ...]]],
    files: Contents,
    runs: tuple[Run, ...],
    make_lab: Callable[..., Lab],
    processes: ProcessPoolExecutor,
) -> None:
    """The files change between runs; at the end, runs cover all of them."""
    note(f"Before: {before}, then {files}, {runs}")
    lab, expected = make_lab(EMPTY), make_lab(EMPTY)
    for step, of_step in [*before, (files, runs)]:
        step.put(lab)
        for future in [processes.submit(_run, lab, run) for run in of_step]:
            future.result(timeout=120)
    files.put(expected)
    processes.submit(_run, expected, Run(0, HOURS)).result(timeout=120)
    assert lab.tables(TABLES) == expected.tables(TABLES)
    assert rejected(lab) == rejected(expected)
    assert source_fields(lab) == source_fields(expected)


def rejected(lab: Lab) -> list[tuple[Any, ...]]:
    """Return the rejected rows, without the run that read them."""
    return lab.query(
        f"SELECT table_name, period_start, REPLACE(file_name, '{lab.bucket}', ''), line_number, column_name, "
        "error_code, reason, raw_value FROM operations.rejected_rows ORDER BY 1, 2, 3, 4, 5, 6, 7, 8"
    )
