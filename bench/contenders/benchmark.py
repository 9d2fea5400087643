"""A benchmark of any checkout of the project, with its own servers and its own code.

python bench/contenders/benchmark.py NAME [options of the benchmark]: prints the rows of its tables as JSON.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys


def main(name: str, *arguments: str) -> list[list[list[str]]]:
    """Return the rows of each table."""
    from bench.testbed import open_testbed

    module = importlib.import_module(f"bench.{name}")
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    with open_testbed() as testbed:
        return [table.rows for table in module.measure(parser.parse_args(arguments), testbed, lambda text: None)]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])) + "\n")
