"""What tasks parse again and again: SQL templates, declared tables, data quality checks.

A process that forks tasks parses it once, see ``airflow_local_settings.py``. The caches are keyed by content or checked
against the file, so a task that finds another file parses that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkify.quality import declaration
from sparkify.schema import descriptions
from sparkify.sql import templates
from sparkify.warehouse import ddl

if TYPE_CHECKING:
    from pathlib import Path


def fill(package: Path, include: Path) -> None:
    """Fill the caches that tasks read.

    :param package: the folder of this package, with its SQL templates.
    :param include: the folder of the declared tables and checks.
    :raises Exception: if a file is missing or invalid.
    """
    for file in package.rglob("*.sql"):
        templates.environment(file.parent).get_template(file.name)
    declaration.load(include / "checks")
    indexes = [file.read_text(encoding="utf-8") for file in (include / "sql" / "postgres").glob("*.sql")]
    for statement in ddl.read(*(include / "sql" / name for name in ("ddl", "views", "metrics")), indexes=indexes):
        _ = statement.fingerprint
        descriptions.describe(statement)
