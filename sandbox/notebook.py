"""``make notebook``: execute the notebook on the data that ``make run`` has loaded, and render it as HTML."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from sandbox import airflow, jobs, servers, upload
from sandbox.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTEBOOK = airflow.ROOT / "include" / "notebooks" / "sparkify.ipynb"


class NothingLoadedError(Exception):
    """The warehouse is missing or empty; the message says how to load it."""


class CellError(Exception):
    """A cell of the notebook failed; the message names it."""


def main(arguments: list[str] | None = None) -> int:
    """Execute the notebook and write it as HTML; return the exit code."""
    parser = jobs.parser("make notebook", __doc__)
    parser.add_argument("--check", action="store_true", help="only check that the data is loaded")
    options = parser.parse_args(arguments)
    job = jobs.read_job(parser, options, hourly=False)
    servers.exit_on_signals()
    console = Console(highlight=False)
    try:
        with jobs.lock_state(job.state, "make notebook"):
            if options.check:
                with _loaded(job):
                    return 0
            page = _make(job, Terminal(console))
    except (upload.SourceError, jobs.BusyError, NothingLoadedError, CellError) as error:
        console.print(f"[red]✗[/] {escape(str(error))}", soft_wrap=True)
        return 1 if isinstance(error, CellError) else 2
    console.print(f"\nOpen {page} in a browser.", soft_wrap=True)
    return 0


def _make(job: jobs.LoadJob, terminal: Terminal) -> Path:
    with _loaded(job) as postgres:
        os.environ["AIRFLOW_HOME"] = str(job.state / "airflow")
        os.environ["AIRFLOW_CONN_REDSHIFT"] = airflow.postgres_connection(postgres, job.name)
        page = job.state / f"{job.name}.html"
        with terminal.step("Execute the notebook"):
            page.write_text(execute(NOTEBOOK), encoding="utf-8")
    return page


@contextmanager
def _loaded(job: jobs.LoadJob) -> Iterator[servers.PostgresServer]:
    """Start the server of the job's warehouse.

    :raises NothingLoadedError: if the warehouse is missing or empty.
    """
    remedy = f"Load it first: {job.command('run')}"
    if not (job.state / "postgres").is_dir():
        raise NothingLoadedError(f"This data has not been loaded. {remedy}")
    with servers.postgres(job.state / "postgres") as postgres:
        if not _has_plays(postgres, job.name):
            raise NothingLoadedError(f"This data has not been loaded. {remedy}")
        yield postgres


def _has_plays(postgres: servers.PostgresServer, database: str) -> bool:
    import psycopg

    try:
        with psycopg.connect(postgres.uri(database)) as connection:
            return connection.execute("SELECT 1 FROM songplays LIMIT 1").fetchone() is not None
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
        return False


def execute(notebook: Path) -> str:
    """Execute a notebook in this environment and return it with its results, as self-contained HTML.

    :raises CellError: if a cell or its output fails.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter

    def check(cell: Any, cell_index: int, execute_reply: Any) -> None:
        # Not execute_reply: its status is "ok" if a chart fails, which is drawn after its cell has run.
        for output in cell.outputs:
            if output.output_type == "error":
                raise CellError(
                    f"Cell {cell_index + 1} of {notebook.name}, starting with {cell.source.partition(chr(10))[0]!r}, "
                    f"failed: {output.ename}: {' '.join(output.evalue.split())}"
                )

    book = nbformat.read(notebook, as_version=4)
    NotebookClient(
        book,
        kernel_name="python3",
        resources={"metadata": {"path": str(notebook.parent)}},
        extra_arguments=["--log-level=ERROR"],  # hide the kernel's messages about its connection
        on_cell_executed=check,
    ).execute()
    # The template loads scripts for formulas, diagrams and widgets, which the notebook does not use.
    no_scripts = dict.fromkeys(
        ["mathjax_url", "mermaid_js_url", "require_js_url", "jquery_url"], "data:text/javascript,"
    )
    exporter = HTMLExporter(template_name="classic", **no_scripts)
    page: str = exporter.from_notebook_node(book)[0]
    return page


if __name__ == "__main__":
    sys.exit(main())
