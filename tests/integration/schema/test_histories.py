"""Schema changes between random histories of runs leave the tables of a single run under the new schema."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from sparkify.warehouse import ddl
from tests.conftest import ROOT
from tests.integration.schema.conftest import killed_at_every_statement, replace
from tests.integration.test_invariant import DAYS, PROCESSES, Files, History, Run, contents, histories, single
from tests.support import baseline
from tests.support.labs import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from sandbox.lab import Lab

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("UPGRADE_EXAMPLES", "2"))
# A run is killed once every so many statements.
STEP = 4
# The hours that the dumps have loaded.
BASELINE = 2 * 24 + 8
# The changes of the next release: of the DDL, and of the SELECTs.
CHANGES = {
    "ddl/users.sql": [
        ("    gender VARCHAR(16),\n", "    gender INTEGER,\n    country VARCHAR(2) NOT NULL,\n"),
        ("    first_name VARCHAR(256),\n", "    first_name VARCHAR(300),\n"),
    ],
    "load/users.sql": [
        (
            "    e.gender,\n",
            "    CASE e.gender WHEN 'F' THEN 1 END AS gender,\n    CAST('US' AS VARCHAR(2)) AS country,\n",
        )
    ],
    "ddl/songplays.sql": [
        ("    user_agent VARCHAR(2048),\n", "    user_agent VARCHAR(2048),\n    page VARCHAR(64),\n"),
        ("SORTKEY (start_time);", "SORTKEY (start_time, user_id);"),
    ],
    "load/songplays.sql": [("    e.useragent AS user_agent,\n", "    e.useragent AS user_agent,\n    e.page,\n")],
    "ddl/songs.sql": [("    song_id VARCHAR(32) NOT NULL,\n", "    song_id VARCHAR(40) NOT NULL,\n")],
    "ddl/staging_events.sql": [("    status INTEGER,\n", "    status BIGINT,\n")],
    "ddl/operations/bookkeeping.sql": [
        ("    object_key VARCHAR(4096) NOT NULL,", "    object_key VARCHAR(5000) NOT NULL,")
    ],
}
limits = settings(
    max_examples=EXAMPLES,
    deadline=None,
    print_blob=True,
    phases=[phase for phase in Phase if phase is not Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the next release's schema."""
    return write_release(tmp_path_factory.mktemp("release"))


def write_release(folder: Path) -> Path:
    """Copy the project with the next release's schema to a folder; return it."""
    for name in ("dags", "include"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file, changes in CHANGES.items():
        for old, new in changes:
            replace(folder / "include" / "sql" / file, old, new)
    # The history keeps the former type, so that the two are not comparable.
    check = "              OR COALESCE(u.gender, '') <> COALESCE(h.gender, '')\n"
    replace(folder / "include" / "checks" / "users_history.yaml", check, "")
    return folder


def _use(dags: str) -> None:
    sys.path.insert(0, dags)


@contextmanager
def workers(project: Path) -> Iterator[ProcessPoolExecutor]:
    """Start processes that run the DAG of a project."""
    spawn = multiprocessing.get_context("spawn")
    arguments = (str(project / "dags"),)
    with ProcessPoolExecutor(PROCESSES, mp_context=spawn, initializer=_use, initargs=arguments) as pool:
        yield pool


@pytest.fixture(scope="module")
def old() -> Iterator[ProcessPoolExecutor]:
    """Processes with this release."""
    with workers(ROOT) as pool:
        yield pool


@pytest.fixture(scope="module")
def new(release: Path) -> Iterator[ProcessPoolExecutor]:
    """Processes with the next release."""
    with workers(release) as pool:
        yield pool


def _run(lab: Lab, run: Run, changes: str) -> None:
    os.environ.update(lab.environment)
    # A check fails if the app sends no level.
    tasks = [task for task in lab.dag.task_ids if task not in ("data_quality", "publish_days")]
    lab.run(*run.range, tasks=tasks, max_errors=99, schema_changes=changes, accept_vanished=True)


def replay(history: History, lab: Lab, pool: ProcessPoolExecutor, *, changes: str) -> None:
    """Replay a history on a lab, the runs of a step concurrently."""
    steps = [*history.before, (history.files, history.runs)]
    for files, runs in [*steps, *([(history.files, (history.last,))] if history.last else [])]:
        files.put(lab)
        wait(pool.submit(_run, lab, run, changes) for run in runs)


def wait(futures: Iterable[Any]) -> None:
    for future in list(futures):
        future.result(timeout=240)


@contextmanager
def readers(lab: Lab) -> Iterator[None]:
    """Read all tables meanwhile, in both isolation levels; fail if a query fails."""
    problems: list[str] = []
    done = threading.Event()
    tables = [name for (name,) in lab.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]

    def poll(level: psycopg.IsolationLevel) -> None:
        with psycopg.connect(lab.uri) as connection:
            connection.isolation_level = level
            while not done.is_set():
                for table in tables:
                    try:
                        connection.execute(f"SELECT COUNT(*) FROM {table}")
                        connection.commit()
                    except psycopg.Error as error:
                        problems.append(f"{level.name}: {table}: {error}")
                        connection.rollback()

    levels = (psycopg.IsolationLevel.READ_COMMITTED, psycopg.IsolationLevel.REPEATABLE_READ)
    threads = [threading.Thread(target=poll, args=(level,)) for level in levels]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert problems == []


def rows(lab: Lab, project: Path) -> dict[str, Any]:
    """Return the rows of the tables of a project, and their structure."""
    declared = ddl.tables(project / "include" / "sql" / "ddl")
    found: dict[str, Any] = lab.tables({table.name: ", ".join(table.columns) for table in declared})
    types = (
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = '{}'::regclass"
    )
    for table in declared:
        columns = lab.query(types.format(table.name) + " AND attnum > 0 AND NOT attisdropped ORDER BY attname")
        found[f"structure of {table.name}"] = columns
    return found


@limits
@given(before=histories, upgrades=st.lists(single, min_size=1, max_size=3), after=histories)
def test_random_histories_before_during_and_after_a_change(
    before: History,
    upgrades: list[Run],
    after: History,
    make_lab: Callable[..., Lab],
    old: ProcessPoolExecutor,
    new: ProcessPoolExecutor,
    release: Path,
) -> None:
    """The first runs of the new release are concurrent: one applies the changes."""
    note(f"Before: {before}\nUpgrades: {upgrades}\nAfter: {after}")
    lab = make_lab(EMPTY)
    replay(before, lab, old, changes="additive")
    with readers(lab):
        wait(new.submit(_run, lab, run, "all") for run in upgrades)
        replay(after, lab, new, changes="additive")
    expected = make_lab(EMPTY)
    replay(History((), after.files, (Run(0, DAYS * 24),)), expected, new, changes="additive")
    assert rows(lab, release) == rows(expected, release)


@limits
@given(after=histories)
@pytest.mark.parametrize("dump", baseline.DUMPS, ids=lambda path: path.stem)
def test_random_histories_after_an_upgrade_of_an_earlier_release(
    after: History, make_lab: Callable[..., Lab], new: ProcessPoolExecutor, release: Path, dump: Path
) -> None:
    note(f"After: {after}")
    lab, expected = make_lab(EMPTY), make_lab(EMPTY)
    baseline.restore(lab, dump)
    with readers(lab):
        wait([new.submit(_run, lab, Run(0, 5), "all")])
        replay(after, lab, new, changes="additive")
    baseline.put_files(baseline.history(expected))
    after.files.put(expected)
    wait([new.submit(_run, expected, Run(0, BASELINE), "additive")])
    assert rows(lab, release) == rows(expected, release)


@given(files=contents, first=st.integers(0, STEP - 1))
@settings(limits, max_examples=1)
@pytest.mark.parametrize("dump", baseline.DUMPS, ids=lambda path: path.stem)
def test_an_upgrade_that_is_killed_at_any_statement(
    files: Files, first: int, make_lab: Callable[..., Lab], monkeypatch: pytest.MonkeyPatch, dump: Path
) -> None:
    """The first run of today's release ends after one in four of its statements, and is repeated."""
    lab, expected = make_lab(EMPTY), make_lab(EMPTY)
    tasks = ["create_tables", "load_songs", "load_artists", "load_songplays", "load_users", "load_time"]

    def run(on: Lab, last: int, only: list[str] | None = None) -> None:
        for variable, value in on.environment.items():
            monkeypatch.setenv(variable, value)
        on.run(*Run(0, last).range, tasks=only, max_errors=99, schema_changes="all", accept_vanished=True)

    baseline.restore(lab, dump)
    with readers(lab):
        assert (
            sum(killed_at_every_statement(monkeypatch, partial(run, lab, 5, [task]), first, STEP) for task in tasks)
            > 100
        )
        files.put(lab)
        run(lab, DAYS * 24)
    baseline.put_files(baseline.history(expected))
    files.put(expected)
    run(expected, BASELINE)
    assert rows(lab, ROOT) == rows(expected, ROOT)
