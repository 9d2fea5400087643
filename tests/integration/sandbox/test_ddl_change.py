"""A change of the DDL gives another warehouse, which each command says."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import psycopg
import pytest
from rich.console import Console

from sandbox import jobs, notebook, servers
from sandbox.live_state import SupervisorFiles
from sandbox.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def change_ddl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that replaces the DDL."""
    folder = tmp_path / "ddl"
    folder.mkdir()
    monkeypatch.setattr(jobs, "DDL", folder)

    def change(text: str) -> None:
        (folder / "songplays.sql").write_text(text)

    return change


@pytest.fixture
def job(tmp_path: Path) -> jobs.LoadJob:
    """A job with a file of its own."""
    source = tmp_path / "data"
    (source / "log_data").mkdir(parents=True)
    (source / "log_data" / "2018-11-01-events.json").write_text("{}")
    parser = jobs.parser("", "")
    options = parser.parse_args(["--data", str(source), "--state", str(tmp_path / "state")])
    return jobs.read_job(parser, options, hourly=False)


def started(job: jobs.LoadJob) -> str:
    """Start the servers of a job, put a play into the warehouse, and return the printed lines as one."""
    text = io.StringIO()
    with (
        jobs.start_servers(job, Terminal(Console(file=text, width=100))) as ready,
        psycopg.connect(ready.database) as connection,
    ):
        connection.execute("CREATE TABLE IF NOT EXISTS songplays AS SELECT 1 AS songplay_id")
    return " ".join(text.getvalue().split())


def test_a_load_says_that_it_starts_with_an_empty_warehouse(
    job: jobs.LoadJob, change_ddl: Callable[[str], None]
) -> None:
    change_ddl("CREATE TABLE songplays (a INT)")
    first = job.database
    assert "The DDL has changed" not in started(job) + started(job)
    change_ddl("CREATE TABLE songplays (a INT, b INT)")
    printed = started(job)
    assert (
        f"The DDL has changed since this data was loaded: starting with an empty warehouse, {job.database}" in printed
    )
    assert f"The old one is kept as database {first}, and used again if you undo the change" in printed
    assert "`make clean` removes all." in printed
    assert "The DDL has changed" not in started(job)
    change_ddl("CREATE TABLE songplays (a INT)")
    assert "The DDL has changed" not in started(job)


def test_the_notebook_says_that_the_data_is_in_another_warehouse(
    job: jobs.LoadJob, change_ddl: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    change_ddl("CREATE TABLE songplays (a INT)")
    started(job)
    first = job.database
    change_ddl("CREATE TABLE songplays (a INT, b INT)")
    assert notebook.main(["--data", str(job.source), "--state", str(job.state)]) == 2
    printed = " ".join(capsys.readouterr().out.split())
    assert f"The DDL has changed since this data was loaded (database {first}). Load it first: make run" in printed


def test_other_data_is_not_a_former_warehouse(tmp_path: Path) -> None:
    with servers.postgres(tmp_path / "postgres") as server:
        names = ["data-012345", "data-6789ab", "data-012345-6789ab", "data-airflow", "database-012345"]
        for name in [*names, jobs.warehouse_name("data")]:
            server.create_database(name)
        assert sorted(jobs.former_warehouses(server, "data")) == ["data-012345", "data-6789ab"]


def test_the_use_of_a_warehouse_begins_with_each_change(tmp_path: Path) -> None:
    files = SupervisorFiles(tmp_path)
    files.folder.mkdir()
    first = files.use_warehouse("one")
    assert (first.since, first.former) == (None, "")
    assert files.use_warehouse("one") == first
    second = files.use_warehouse("two")
    assert second.since
    assert second.former == "one"
    assert files.use_warehouse("two") == second
    third = files.use_warehouse("one")  # its runs of the meantime loaded the other one
    assert third.since
    assert third.since > second.since
    assert third.former == "two"
