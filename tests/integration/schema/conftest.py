"""A loaded warehouse, and copies of its DDL and SELECTs to change."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from sparkify.operators import CreateTablesOperator, LoadDimensionOperator
from sparkify.warehouse.postgres.session import Postgres
from tests.conftest import ROOT
from tests.support.data import event

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.lab import Lab
    from tests.conftest import CopyOf

DDL = ROOT / "include" / "sql" / "ddl"
INDEXES = ROOT / "include" / "sql" / "postgres" / "indexes.sql"
USERS = (ROOT / "include" / "sql" / "load" / "users.sql").read_text()
FIVE, SIX = ("2018-11-01T05:00", "2018-11-01T06:00"), ("2018-11-01T06:00", "2018-11-01T07:00")


def load_hours(lab: Lab) -> None:
    """Load two hours, of two users."""
    lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1, userId="8"), event("2018-11-01T06:10", 2, userId="9")])
    lab.run(*FIVE)
    lab.run(*SIX)


@pytest.fixture
def loaded(copy_of: CopyOf) -> Lab:
    """A lab with two loaded hours, of two users."""
    return copy_of(load_hours)


@pytest.fixture
def ddl(tmp_path: Path) -> Path:
    """A copy of the DDL."""
    return shutil.copytree(DDL, tmp_path / "ddl")


@pytest.fixture
def folder(ddl: Path) -> Path:
    """A copy of the DDL in which users have two more columns."""
    replace(
        ddl / "users.sql",
        "    level VARCHAR(16),\n",
        "    level VARCHAR(16),\n    initials VARCHAR(2),\n    country VARCHAR(2) ENCODE zstd NOT NULL DEFAULT 'US',\n",
    )
    return ddl


@pytest.fixture
def select() -> str:
    """The SELECT of users with the new columns."""
    assert "    e.level,\n" in USERS
    return USERS.replace(
        "    e.level,\n",
        "    e.level,\n    LEFT(e.firstname, 1) || LEFT(e.lastname, 1) AS initials,\n"
        "    CAST('US' AS VARCHAR(2)) AS country,\n",
    )


def replace(path: Path, old: str, new: str) -> None:
    """Change a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def create(lab: Lab, folder: Path, changes: str = "additive") -> dict[str, Any]:
    """Apply the DDL; return the result of the task.

    :param changes: which changes are applied.
    """
    task = CreateTablesOperator(
        task_id="create", ddl=[str(folder)], postgres_sql=[INDEXES.read_text()], schema_changes=changes
    )
    found: dict[str, Any] = lab.execute(task, start=FIVE[0], end=FIVE[1])
    return found


def load(
    lab: Lab, hour: tuple[str, str], select: str, *, folder: Path = DDL, changes: str = "additive"
) -> dict[str, Any]:
    """Load users; return the result of the task.

    :param select: the SELECT of users.
    :param folder: the DDL.
    :param changes: which changes of the structure are applied.
    """
    start, end = hour
    task = LoadDimensionOperator(
        task_id="load",
        table="users",
        keys=["user_id"],
        sql=select,
        interval_start=start,
        interval_end=end,
        schema_changes=changes,
        ddl=[str(folder)],
        postgres_sql=[INDEXES.read_text()],
    )
    found: dict[str, Any] = lab.execute(task, start=start, end=end)
    return found


def structure(lab: Lab, table: str) -> dict[str, Any]:
    """Return what the catalogue knows of a table and its indexes."""
    columns = lab.query(
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull, col_description(attrelid, attnum) "
        f"FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname"
    )
    name = table.rpartition(".")[2]
    indexes = lab.query(f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename = '{name}' ORDER BY 1")
    keys = lab.query(
        f"SELECT conname, contype FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype = 'p'"
    )
    comment = lab.one(f"SELECT obj_description('{table}'::regclass)")
    return {"columns": columns, "indexes": indexes, "keys": keys, "comment": comment}


def killed_at_every_statement(
    monkeypatch: pytest.MonkeyPatch, work: Callable[[], Any], first: int = 0, step: int = 1
) -> int:
    """Repeat some work until it succeeds; it ends some statements later each time, and rolls back.

    :param first: the number of statements before the first kill.
    :param step: how many statements later it ends each time.
    :return: the number of statements.
    """
    execute = Postgres._execute
    survived = first
    while True:
        left = survived

        def broken(self: Postgres, cursor: Any, statement: str, values: Any = None) -> None:
            nonlocal left
            execute(self, cursor, statement, values)
            left -= 1
            if left < 0:
                raise KeyboardInterrupt(statement)

        with monkeypatch.context() as patch:
            patch.setattr(Postgres, "_execute", broken)
            try:
                work()
            except KeyboardInterrupt:
                survived += step
                continue
        return survived
