"""Check SQL files for statements that differ between Redshift and PostgreSQL.

python -m sql_rules [FILE ...]
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.airflow import ROOT

if TYPE_CHECKING:
    from sql_rules.rule import Violation

for _name, _level in {"sqlfluff": logging.WARNING, "sqlglot": logging.ERROR}.items():
    logging.getLogger(_name).setLevel(_level)  # sqlglot warns about LOCK


def main(arguments: list[str] | None = None) -> int:
    """Print one line per violation: ``file:line: rule: what is wrong; what to write instead: the SQL``.

    :param arguments: command-line arguments.
    :return: 1 if there are violations, 2 if a file cannot be read, else 0.
    """
    from sql_rules import files

    parser = argparse.ArgumentParser(prog="make check-sql", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="*", type=Path, help=".sql and .yaml files (default: those of include/)")
    given = parser.parse_args(arguments).files
    if unreadable := [path for path in given if not path.is_file() or path.suffix not in (".sql", ".yaml")]:
        print(f"Expected .sql and .yaml files, got {', '.join(map(str, unreadable))}.", file=sys.stderr)
        return 2
    paths = given or files.project_files()
    return show(files.check(paths), paths)


def show(found: list[tuple[Path, Violation]], paths: list[Path]) -> int:
    """Print violations by file and line; return 1 if there are any, else 0.

    :param paths: the files that were checked.
    """
    for path, item in found:
        shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        print(f"{shown}:{item.line}: {item.rule}: {item.message}: {shortened(item.excerpt)}")
    if found:
        print(
            f"Violations: {len(found)}, in files: {len({path for path, _ in found})}. docs/sql.md explains the rules."
        )
    else:
        print(f"No violations in {len(paths)} files.")
    return 1 if found else 0


def shortened(sql: str) -> str:
    """Return SQL truncated to one line of output.

    >>> shortened("SELECT a FROM t")
    'SELECT a FROM t'
    """
    return sql if len(sql) <= 80 else sql[:77] + "..."


if __name__ == "__main__":
    sys.exit(main())
