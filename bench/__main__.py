"""``make bench``: measure throughput and latency against named baselines, in the same call.

python -m bench [BENCHMARK] [--smoke] [--write] [options of the benchmark]
"""

from __future__ import annotations

import argparse
import importlib
import shlex
import sys
from typing import TYPE_CHECKING

from rich.console import Console

from bench import results
from bench.race import ContenderError
from bench.testbed import describe_environment, open_testbed

if TYPE_CHECKING:
    from collections.abc import Sequence

BENCHMARKS = {
    "staging": "events from a file in S3 into a table",
    "songs": "many small objects in S3 into a table",
    "star": "the star schema from staged data",
    "firstload": "files in S3 to the checked star schema, beside a DuckDB script and the code before",
    "roundtrips": "an hour on a database that answers slowly, beside the code before",
    "reconcile": "a pass of the reconciliation over ten years of files",
    "history": "an hour on a short and on a long history",
    "parallel": "100 hourly runs at once beside 6",
    "scd2": "the history of users beside a full rebuild and a dbt snapshot",
    "month": "a month in one run, with and without the marts",
    "day": "the largest day that an hourly run loads within ten minutes",
    "years": "an hour, an old hour, the audit and the page on ten years of history",
    "page": "the panels of the warehouse page on a year of plays",
    "runs": "hourly runs, and a month in one run, on Airflow's scheduler",
    "start": "parsing of a DAG file, start of a task",
    "commands": "make run and make up, beside the code before",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a benchmark, or all if none is named, and print its results.

    :param arguments: command-line arguments; by default those of the process.
    :return: the exit code.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if not {*arguments} & {*BENCHMARKS, "-h", "--help"}:
        return max(main([name, *arguments]) for name in BENCHMARKS)
    console = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 160)
    parser = argparse.ArgumentParser(prog="make bench", description="Measure speed against named baselines.")
    names = parser.add_subparsers(dest="name", required=True)
    for name, text in BENCHMARKS.items():
        module = importlib.import_module(f"bench.{name}")
        options = names.add_parser(name, help=text, description=module.__doc__)
        options.add_argument("--smoke", action="store_true", help="tiny sizes, for tests; ignore the numbers")
        options.add_argument("--write", action="store_true", help=f"write the results to {results.FILE.name}")
        module.add_arguments(options)
    given = parser.parse_args(arguments)
    module = importlib.import_module(f"bench.{given.name}")
    if given.smoke:
        module.shrink(given)
    environment = describe_environment()
    console.print(environment, soft_wrap=True)
    tables = []
    try:
        with open_testbed() as testbed:
            for table in module.measure(given, testbed, lambda text: console.print(f"  {text}", style="dim")):
                table.show(console)
                tables.append(table)
    except ValueError as error:
        parser.error(str(error))
    except ContenderError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    if given.write:
        command = f'make bench ARGS="{shlex.join(arguments)}"'.replace(" --write", "")
        results.write(given.name, command, environment, tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
