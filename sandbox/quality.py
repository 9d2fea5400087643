"""``make quality``: print the latest results of the data quality checks."""

from __future__ import annotations

import argparse
import json
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from sandbox import airflow, jobs
from sandbox.last_warehouse import connected
from sparkify.quality import declaration, history

if TYPE_CHECKING:
    from sparkify.quality.history import RecordedResult

CHECKS = airflow.ROOT / "include" / "checks"
SIGNS = {"passed": "[green]✓[/]", "warned": "[yellow]![/]", "failed": "[red]✗[/]"}
# Number of outcomes shown per check, newest last.
RUNS = 24


def main(arguments: list[str] | None = None) -> int:
    """Show the latest results; return the exit code, 1 if a check failed."""
    parser = argparse.ArgumentParser(prog="make quality", description=__doc__)
    parser.add_argument("--state", type=Path, default=airflow.ROOT / ".local", help="folder of the servers' data")
    options = parser.parse_args(arguments)
    console = Console(highlight=False)
    try:
        with connected(options.state.resolve(), "make quality") as found:
            if found is None:
                console.print("No check has been evaluated yet. 'make run' loads data and evaluates the checks.")
                return 2
            name, warehouse = found
            results = history.latest(warehouse, RUNS)
    except jobs.BusyError as error:
        console.print(f"[red]✗[/] {escape(str(error))}", soft_wrap=True)
        return 2
    return show(results, name, console)


def show(results: list[RecordedResult], name: str, console: Console) -> int:
    """Print a line for each check, and what to do about those that did not pass."""
    remedies = {(check.table, check.name): check.remedy for check in declaration.load(CHECKS)}
    checks = [list(group) for _, group in groupby(results, key=lambda item: (item.table, item.check))]
    latest = [outcomes[0] for outcomes in checks]
    passed = sum(item.outcome == "passed" for item in latest)
    newest = max(item.checked_at for item in latest)
    colour = "green" if passed == len(latest) else "red"
    console.print(f"[bold]Data quality[/]  [{colour}]{passed} of {len(latest)} checks passed[/], {escape(name)}")
    console.print(f"Evaluated at {newest:%Y-%m-%d %H:%M} UTC; earlier outcomes are on the right.")
    width = max(len(item.check) for item in latest)
    for table, of_table in groupby(checks, key=lambda outcomes: outcomes[0].table):
        console.print(f"\n[bold]{table}[/]")
        for outcomes in of_table:
            now, *earlier = outcomes
            runs = "".join(SIGNS[item.outcome] for item in reversed(earlier))
            console.print(
                f"{SIGNS[now.outcome]} {escape(now.check):<{width}}  {now.observed:>20}  {runs}", soft_wrap=True
            )
    for item in latest:
        if item.outcome != "passed":
            span = f"{item.interval_start:%Y-%m-%d %H:%M} to {item.interval_end:%Y-%m-%d %H:%M}"
            console.print(
                f"\n{SIGNS[item.outcome]} [bold]{item.table}: {escape(item.check)}[/]  {span}, run {item.run_id}"
            )
            console.print(f"  {escape(item.observed)}, expected {escape(item.expected)}")
            for row in json.loads(item.sample or "[]"):
                fields = ", ".join(f"{key} {value}" for key, value in row.items())
                console.print(f"    {escape(fields)}", soft_wrap=True)
            console.print(f"  [bold]What to do[/]  {escape(remedies.get((item.table, item.check), 'see the run'))}")
    return 1 if any(item.outcome == "failed" for item in latest) else 0


if __name__ == "__main__":
    sys.exit(main())
