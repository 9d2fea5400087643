"""The terminal output of the commands: progress, task results, checks and query results."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from sparkify.sql.heading import heading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, datetime

    from rich.console import Console

    from sandbox.airflow import TaskResult

SQL = Path(__file__).parents[1] / "include" / "sql"
DDL = Path(__file__).parents[1] / "include" / "sql" / "ddl"
SIGNS = {"success": "[green]✓[/]", "skipped": "[yellow]–[/]", "failed": "[red]✗[/]", "warned": "[yellow]![/]"}


class ProgressStep:
    """A running step.

    :param state: ``success`` or ``failed``.
    :param result: its result, printed at its end.
    :param seconds: its duration, if that is not the time since it was first shown.
    """

    def __init__(self, title: str, spinner: Spinner) -> None:
        self.title = title
        self.state = "success"
        self.result = ""
        self.seconds: float | None = None
        self._spinner = spinner

    def update(self, progress: str) -> None:
        """Show the progress of the step."""
        self._spinner.update(text=Text.from_markup(f"{self.title}  [dim]{progress}[/]"))


class Terminal:
    """Prints the progress and the results of a command."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._last = time.monotonic()
        self._began = time.monotonic()

    def title(self, start: datetime, end: datetime, source: Path | None) -> None:
        """Print the range and the source of the data; None is the generated sample."""
        span = f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
        name = escape(str(source)) if source else "generated sample"
        self.console.print(f"[bold]Sparkify warehouse[/]  {span}, {name}\n", soft_wrap=True)

    def heading(self, text: str) -> None:
        """Print a heading."""
        self.console.print(f"\n[bold]{text}[/]")
        self._last = time.monotonic()

    @contextmanager
    def step(self, title: str) -> Iterator[ProgressStep]:
        """Show a step while it runs, and print its result and duration at its end."""
        began = time.monotonic()
        spinner = Spinner("dots", title, style="status.spinner")
        # Without redirection, unlike Console.status(): Airflow's logs belong into their file.
        with Live(spinner, console=self.console, transient=True, redirect_stdout=False, redirect_stderr=False):
            step = ProgressStep(title, spinner)
            try:
                yield step
            except BaseException:
                self._line("failed", title, "", time.monotonic() - began)
                raise
        seconds = time.monotonic() - began if step.seconds is None else step.seconds
        self._line(step.state, title, step.result, seconds)

    def task(self, task: TaskResult) -> None:
        """Print the result of a task."""
        text = _counts(task.result) if task.state == "success" else "nothing new" if task.state == "skipped" else ""
        now = time.monotonic()
        self._line(task.state, task.task_id, text, now - self._last)
        if task.error:
            self.console.print(f"    [red]{escape(task.error)}[/]", soft_wrap=True)
        self._last = now

    def hour(self, start: datetime, tasks: list[TaskResult], seconds: float) -> None:
        """Print the result of an hour's run."""
        results = {task.task_id: task.result for task in tasks}
        failed = [task for task in tasks if task.state == "failed"]
        events = results.get("stage_events", {}).get("rows", 0)
        plays = results.get("load_songplays", {}).get("rows", 0)
        self._line(
            "failed" if failed else "success", f"{start:%Y-%m-%d %H:%M}", f"{events:,} events, {plays:,} plays", seconds
        )
        for task in failed:
            self.console.print(f"    [red]{task.task_id}: {escape(task.error)}[/]", soft_wrap=True)

    def _line(self, state: str, title: str, text: str, seconds: float) -> None:
        self.console.print(f"{SIGNS[state]} {title:<34} {text:<34} [dim]{seconds:>6.1f} s[/]", soft_wrap=True)

    def failed(self, log: Path, checks: list[dict[str, Any]]) -> None:
        """Print that the run failed, and where its logs are."""
        self._checks(checks)
        self.console.print(f"\n[red bold]The run failed.[/] The tasks' logs are in {log}.", soft_wrap=True)
        self.console.print("Loads are atomic: fix the cause and run the same command again.")

    def results(self, database: str, checks: list[dict[str, Any]]) -> None:
        """Print the row counts, the checks and the results of the analytic queries.

        :param database: URI of the warehouse.
        """
        import psycopg

        from sparkify.sql import predicates, templates

        self.tables(database)
        self._checks(checks)
        render = templates.renderer(SQL)
        with psycopg.connect(database) as connection:
            self._metrics(connection.execute(render("report/metrics", scope=predicates.plausible())).fetchall())
            for path in sorted((SQL / "analytics").glob("*.sql"), key=lambda path: path.name, reverse=True):
                sql = render(f"analytics/{path.stem}", scope=predicates.plausible())
                cursor = connection.execute(sql)
                self._query(sql, [column.name for column in cursor.description or []], cursor.fetchall())

    def tables(self, database: str) -> None:
        """Print the number of rows of each table.

        :param database: URI of the warehouse.
        """
        import psycopg

        from sparkify.warehouse import ddl

        counts = Table("Table", box=SIMPLE_HEAD)
        counts.add_column("Rows", justify="right")
        with psycopg.connect(database) as connection:
            for table in ddl.tables(DDL):
                row = connection.execute(f"SELECT COUNT(*) FROM {table.name}").fetchone()
                counts.add_row(table.name, f"{row[0]:,}" if row else "")
        self.console.print("\n[bold]Rows per table[/]")
        self.console.print(counts)

    def _checks(self, checks: list[dict[str, Any]]) -> None:
        if not checks:
            return
        passed = sum(check["passed"] for check in checks)
        colour = "green" if passed == len(checks) else "red"
        self.console.print(f"[bold]Data quality[/]  [{colour}]{passed} of {len(checks)} checks passed[/]")
        for check in checks:
            sign = SIGNS["success" if check["passed"] else "warned" if check["severity"] == "warn" else "failed"]
            text = "" if check["passed"] else f": {check['observed']}, expected {check['expected']}"
            self.console.print(f"  {sign} {check['table']:<16} {check['check']}{text}", soft_wrap=True)
        self.console.print()

    def _metrics(self, rows: list[tuple[str, date, Any]]) -> None:
        """Print the latest value of each metric.

        :param rows: the name, the first day of the period and the value of metrics, in order.
        """
        from sparkify.schema import metrics

        catalogue = metrics.read(SQL / "metrics")
        table = Table("Metric", box=SIMPLE_HEAD)
        for name in ("Latest", "Unit", "Period"):
            table.add_column(name, justify="right" if name == "Latest" else "left")
        for name, (day, value) in {name: (day, value) for name, day, value in rows}.items():
            metric = catalogue[name]
            shown = f"{value:,.1f}" if metric.unit in ("%", "hours", "minutes") else f"{value:,.0f}"
            table.add_row(metric.title, shown, metric.unit, f"{metric.grain[0]} {day}")
        self.console.print("[bold]Metrics[/]")
        self.console.print(table)

    def _query(self, sql: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
        self.console.print(f"[bold]{heading(sql).title}[/]")
        table = Table(box=SIMPLE_HEAD)
        for column in columns:
            table.add_column(column, justify="left" if column in ("song", "artist", "browser") else "right")
        for row in rows:
            texts = (f"{value:,}" if isinstance(value, int) else "" if value is None else str(value) for value in row)
            table.add_row(*texts)
        self.console.print(table)

    def next(self, commands: Mapping[str, str]) -> None:
        """Print the next commands.

        :param commands: their purposes, by command.
        """
        self.console.print(f"[bold]Done[/] in {time.monotonic() - self._began:.0f} s. What next?")
        for command, purpose in commands.items():
            self.console.print(f"  [bold]{escape(command)}[/]\n      {escape(purpose)}", soft_wrap=True)


def _counts(result: dict[str, Any]) -> str:
    return ", ".join(
        f"{value:,} {name}" for name, value in result.items() if name != "seconds" and (value or name == "rows")
    )
