"""Redshift's isolation levels, as AWS documents them, at the endpoint."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import redshift_connector

from tests.redshift.client import open_session
from tests.redshift.isolation import Isolation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from sandbox.lab import Lab
    from tests.redshift.endpoint import Endpoint
    from tests.redshift.isolation import Level

pytestmark = pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning")  # of redshift_connector

LEVELS: list[Level] = ["SNAPSHOT", "SERIALIZABLE"]
SERIALIZABLE = pytest.mark.parametrize("level", ["SERIALIZABLE"])


class Session:
    """A client that sends statements as they are, in a transaction."""

    def __init__(self) -> None:
        self._connection = open_session()
        self._pool = ThreadPoolExecutor(1)

    def run(self, *statements: str) -> list[Any]:
        """Execute statements; return the rows of the last one."""
        with self._connection.cursor() as cursor:
            for sql in statements:
                cursor.execute(sql)
            return [row[0] for row in cursor.fetchall()] if cursor.description else []

    def waits(self, lab: Lab, sql: str) -> Callable[[], list[Any]]:
        """Start a statement that must wait for a lock; return a function that waits for its result."""
        started = self._pool.submit(self.run, sql)
        waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted"
        while not lab.one(waiting):
            assert not started.done()
        return lambda: started.result(timeout=60)

    def close(self) -> None:
        self._connection.close()
        self._pool.shutdown(wait=False)  # another session may hold the lock that it waits for


@pytest.fixture(params=LEVELS)
def level(request: pytest.FixtureRequest) -> Level:
    found: Level = request.param
    return found


@pytest.fixture
def sessions(redshift: Lab, endpoint: Endpoint, level: Level) -> Iterator[tuple[Session, Session, Session]]:
    """Return three sessions with an endpoint, and two tables, with rows 1 and 2."""
    endpoint.isolation = Isolation(level)
    with psycopg.connect(redshift.uri) as connection:
        for table in ("tab1", "tab2"):
            connection.execute(f"CREATE TABLE {table} (n INTEGER)")
            connection.execute(f"INSERT INTO {table} VALUES (1), (2)")
    opened = Session(), Session(), Session()
    yield opened
    for session in opened:
        session.close()


Sessions = tuple[Session, Session, Session]

CONFLICT = pytest.raises(redshift_connector.ProgrammingError, match="Serializable isolation violation on table - ")


def conflict_if(expected: bool) -> AbstractContextManager[object]:
    """Expect that a statement conflicts, or that it does not."""
    return CONFLICT if expected else nullcontext()


def test_each_transaction_reads_what_the_other_writes(sessions: Sessions, level: Level) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation-serializable-isolation-troubleshooting.html."""
    first, second, _ = sessions
    first.run("SELECT n FROM tab1", "INSERT INTO tab2 VALUES (3)")
    second.run("INSERT INTO tab1 VALUES (3)")
    if level == "SERIALIZABLE":
        with CONFLICT:
            second.run("SELECT n FROM tab2")
        second.run("rollback")
    else:
        assert sorted(second.run("SELECT n FROM tab2")) == [1, 2]
        second.run("commit")
    first.run("commit")
    assert len(first.run("SELECT n FROM tab2")) == 3


def test_a_transaction_that_read_the_table_cannot_write_to_it_after_another(
    sessions: Sessions, redshift: Lab, level: Level
) -> None:
    first, second, _ = sessions
    first.run("INSERT INTO tab1 SELECT n + 10 FROM tab1")
    second.run("SELECT n FROM tab1")
    waiting = second.waits(redshift, "INSERT INTO tab1 VALUES (100)")
    first.run("commit")
    with conflict_if(level == "SERIALIZABLE"):
        waiting()


@pytest.mark.parametrize("write", ["INSERT INTO tab1 VALUES (3)", "DELETE FROM tab1 WHERE n < 3"])
def test_a_first_statement_that_writes_waits_and_is_not_stale(sessions: Sessions, redshift: Lab, write: str) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_Serializable_isolation_example.html."""
    first, second, _ = sessions
    first.run(write)
    waiting = second.waits(redshift, write)
    first.run("commit")
    waiting()
    second.run("commit")
    assert len(first.run("SELECT n FROM tab1")) == (0 if "DELETE" in write else 4)


def test_the_same_rows_conflict_at_both_levels(sessions: Sessions, redshift: Lab) -> None:
    first, second, _ = sessions
    second.run("SELECT n FROM tab2")
    first.run("UPDATE tab1 SET n = 5 WHERE n = 1")
    waiting = second.waits(redshift, "UPDATE tab1 SET n = 6 WHERE n = 1")
    first.run("commit")
    with CONFLICT:
        waiting()


def test_different_rows_of_a_table_conflict_if_it_is_judged_whole(
    sessions: Sessions, redshift: Lab, level: Level
) -> None:
    first, second, _ = sessions
    second.run("SELECT n FROM tab2")
    first.run("UPDATE tab1 SET n = 5 WHERE n = 1")
    waiting = second.waits(redshift, "UPDATE tab1 SET n = 6 WHERE n = 2")
    first.run("commit")
    with conflict_if(level == "SERIALIZABLE"):
        waiting()


def test_a_reader_may_complete_a_cycle(sessions: Sessions, level: Level) -> None:
    """The second writes before the first, which has not seen it; the reader has seen the second, and not the first."""
    first, second, reader = sessions
    first.run("SELECT n FROM tab1")
    second.run("INSERT INTO tab1 VALUES (3)", "commit")
    reader.run("SELECT n FROM tab1", "SELECT n FROM tab2", "commit")
    if level == "SERIALIZABLE":
        with CONFLICT:
            first.run("INSERT INTO tab2 VALUES (3)")
    else:
        first.run("INSERT INTO tab2 VALUES (3)")


def test_lock_takes_no_snapshot(sessions: Sessions, redshift: Lab) -> None:
    """Whoever locks the tables it uses before anything else sees what others have committed, and never conflicts."""
    first, second, _ = sessions
    first.run("LOCK tab1, tab2", "SELECT n FROM tab1", "INSERT INTO tab2 VALUES (3)")
    waiting = second.waits(redshift, "LOCK tab1, tab2")
    first.run("commit")
    waiting()
    assert len(second.run("SELECT n FROM tab2")) == 3
    second.run("INSERT INTO tab1 VALUES (3)", "commit")


def test_begin_takes_no_snapshot_and_a_select_does(sessions: Sessions) -> None:
    first, second, _ = sessions
    first.run("SELECT 1", "commit", "begin")
    second.run("INSERT INTO tab1 VALUES (3)", "commit")
    assert len(first.run("SELECT n FROM tab1")) == 3
    second.run("INSERT INTO tab1 VALUES (4)", "commit")
    assert len(first.run("SELECT n FROM tab1")) == 3


def test_a_query_waits_for_a_lock_and_a_lock_waits_for_a_query(sessions: Sessions, redshift: Lab) -> None:
    """Whether the query then sees what it has waited for, AWS does not document."""
    load, analyst, _ = sessions
    load.run("LOCK tab1", "INSERT INTO tab1 VALUES (3)")
    waiting = analyst.waits(redshift, "SELECT n FROM tab1")
    load.run("commit")
    waiting()
    waiting = load.waits(redshift, "LOCK tab1")
    analyst.run("commit")
    waiting()


def test_a_query_does_not_wait_for_a_write_without_a_lock(sessions: Sessions) -> None:
    load, analyst, _ = sessions
    load.run("DELETE FROM tab1")
    assert len(analyst.run("SELECT n FROM tab1")) == 2


@SERIALIZABLE
def test_an_aborted_transaction_does_not_count(sessions: Sessions) -> None:
    first, second, _ = sessions
    first.run("SELECT n FROM tab1", "INSERT INTO tab2 VALUES (3)", "rollback")
    second.run("INSERT INTO tab1 VALUES (3)", "SELECT n FROM tab2", "commit")
