"""``make bench``: what is claimed of speed, measured beside named baselines in the same call.

python -m bench [BENCHMARK] [--smoke] [--write] [options of the benchmark]
"""

from __future__ import annotations

import argparse
import importlib
import shlex
import sys
from typing import TYPE_CHECKING

from rich.console import Console

from bench import report
from bench.race import ContenderError
from bench.scene import circumstances, scene

if TYPE_CHECKING:
    from collections.abc import Sequence

BENCHMARKS = {
    "staging": "events from a file in S3 into a table",
    "songs": "many small objects in S3 into a table",
    "star": "the star schema from what is staged",
    "history": "an hour on a short and on a long history",
    "runs": "hours, and a month in one run, on Airflow's scheduler",
    "start": "the first answer, a DAG file's parsing, a task's start",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a benchmark, or all of them where none is named, and print what it found; return the exit code.

    :param arguments: those after the program's name, by default the process's own.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if not {*arguments} & {*BENCHMARKS, "-h", "--help"}:
        return max(main([name, *arguments]) for name in BENCHMARKS)
    console = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 160)
    parser = argparse.ArgumentParser(prog="make bench", description="Measure speed beside named baselines.")
    names = parser.add_subparsers(dest="name", required=True)
    for name, text in BENCHMARKS.items():
        module = importlib.import_module(f"bench.{name}")
        options = names.add_parser(name, help=text, description=module.__doc__)
        options.add_argument("--smoke", action="store_true", help="small enough for a test; its numbers mean nothing")
        options.add_argument("--write", action="store_true", help=f"put what is found into {report.FILE.name}")
        module.add_arguments(options)
    given = parser.parse_args(arguments)
    module = importlib.import_module(f"bench.{given.name}")
    if given.smoke:
        module.shrink(given)
    where = circumstances()
    console.print(where, soft_wrap=True)
    sections = []
    try:
        with scene() as ready:
            for section in module.measure(given, ready, lambda text: console.print(f"  {text}", style="dim")):
                section.show(console)
                sections.append(section)
    except ValueError as error:
        parser.error(str(error))
    except ContenderError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    if given.write:
        command = f'make bench ARGS="{shlex.join(arguments)}"'.replace(" --write", "")
        report.write(given.name, command, where, sections)
    return 0


if __name__ == "__main__":
    sys.exit(main())
