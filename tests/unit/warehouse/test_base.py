"""What the engines share: connections, transactions, scripts, logs."""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import Connection
from hypothesis import given
from hypothesis import strategies as st

from sparkify.warehouse import CopyResult, Warehouse, WarehouseError
from sparkify.warehouse.session import INSERTED_AT_ONCE
from sparkify.warehouse.transactions import ATTEMPTS
from sparkify.warehouse.unreachable import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence


class ConflictError(Exception):
    """The database's error for a serialization conflict."""


class UnreachableError(Exception):
    """The driver's error without a connection."""


class Session:
    """A connection that records the calls; it is its own cursor."""

    rowcount = 0
    description = [("one", 23), ("two", 25)]  # noqa: RUF012

    def __init__(self) -> None:
        self.events: list[str] = []
        self.values: list[list[Any]] = []

    def cursor(self) -> Session:
        return self

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def fetchall(self) -> list[list[int]]:
        return [[1, 2], [3, 4]]

    def commit(self) -> None:
        self.events.append("commit")

    def rollback(self) -> None:
        self.events.append("rollback")

    def close(self) -> None:
        self.events.append("close")


class Engine(Warehouse):
    """The smallest engine; ``fail`` is raised instead of connecting or executing."""

    engine = "test"
    placeholder = ":"

    def __init__(self, session: Session, fail: Exception | None = None, rows: dict[str, int] | None = None) -> None:
        super().__init__(Connection(conn_id="warehouse", conn_type="redshift", host="db.example", password="hidden"))
        self.session = session
        self.fail = fail
        self.rows = rows or {}

    def _hook(self) -> Any:
        raise NotImplementedError

    def _connect(self) -> Any:
        if self.fail:
            raise self.fail
        return self.session

    def _begin_read_only(self, seconds: float) -> None:
        self.session.events.append("begin read only")

    def _execute(self, cursor: Any, statement: str, values: Sequence[Any] | None = None) -> None:
        if statement == "BROKEN":
            raise ZeroDivisionError("division by zero")
        self.session.events.append(statement)
        if values is not None:
            self.session.values.append(list(values))
        self.session.rowcount = self.rows.get(statement, -1)

    def _copy(self, command: str) -> CopyResult:
        self.session.events.append(command)
        return CopyResult(1234, 5)

    def _authorization(self) -> str:
        return "CREDENTIALS 'hidden'"

    def _is_conflict(self, error: BaseException) -> bool:
        return isinstance(error, ConflictError)

    def _why_unreachable(self, error: BaseException) -> Reason | None:
        return Reason.UNREACHABLE if isinstance(error, UnreachableError) else None


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that a transaction would have paused."""
    paused: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", paused.append)
    return paused


class Work:
    """Work that fails with a number of conflicts, then succeeds."""

    def __init__(self, session: Session, conflicts: int) -> None:
        self.session = session
        self.conflicts = conflicts

    def __call__(self) -> str:
        self.session.events.append("work")
        self.conflicts -= 1
        if self.conflicts >= 0:
            raise ConflictError("could not serialize access\nDETAIL: of no interest")
        return "done"


def test_a_transaction_is_committed(session: Session, pauses: list[float]) -> None:
    with Engine(session) as engine:
        assert engine.transaction(Work(session, 0)) == "done"
    assert session.events == ["work", "commit", "close"]
    assert pauses == []


def test_a_conflict_is_retried(session: Session, pauses: list[float], caplog: pytest.LogCaptureFixture) -> None:
    with Engine(session) as engine:
        assert engine.transaction(Work(session, 2)) == "done"
    assert session.events == ["work", "rollback", "work", "rollback", "work", "commit", "close"]
    first, second = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert first.getMessage() == (
        f"Serialization conflict, retrying in {pauses[0]:.1f} s (attempt 2 of {ATTEMPTS}): could not serialize access"
    )
    assert f"(attempt 3 of {ATTEMPTS})" in second.getMessage()


def test_a_transaction_that_has_only_read_is_not_committed(session: Session) -> None:
    def read_and_write() -> None:
        engine.query("SELECT 1")
        engine.script("CREATE TEMP TABLE t (a INTEGER)")

    with Engine(session) as engine:
        engine.transaction(lambda: engine.query("SELECT 1"), lock=["a"])
        engine.transaction(read_and_write)
    lock = "-- Wait for other writers of a.\nLOCK a"
    read = ["SELECT 1", "rollback"]
    assert session.events == [lock, *read, "SELECT 1", "CREATE TEMP TABLE t (a INTEGER)", "commit", "close"]


def test_a_conflict_at_commit_is_retried(
    session: Session, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = iter([ConflictError(), None])

    def commit() -> None:
        if error := next(commits):
            raise error

    monkeypatch.setattr(session, "commit", commit)
    with Engine(session) as engine:
        engine.transaction(Work(session, 0))
    assert session.events == ["work", "rollback", "work", "close"]


def test_the_number_of_attempts_is_limited(session: Session, pauses: list[float]) -> None:
    with Engine(session) as engine, pytest.raises(ConflictError):
        engine.transaction(Work(session, ATTEMPTS))
    assert session.events == ["work", "rollback"] * ATTEMPTS + ["close"]
    assert len(pauses) == ATTEMPTS - 1


def test_pauses_are_random_and_grow(session: Session, pauses: list[float]) -> None:
    for _ in range(50):
        with Engine(session) as engine, pytest.raises(ConflictError):
            engine.transaction(Work(session, ATTEMPTS))
    by_attempt = [pauses[number :: ATTEMPTS - 1] for number in range(ATTEMPTS - 1)]
    assert all(len(set(found)) > 1 for found in by_attempt)
    assert all(max(found) <= 0.1 * 2**number for number, found in enumerate(by_attempt))
    assert sum(by_attempt[-1]) > 10 * sum(by_attempt[0])


@pytest.mark.parametrize("error", [ValueError("no"), WarehouseError("no"), KeyboardInterrupt()])
def test_another_error_is_not_retried(session: Session, pauses: list[float], error: BaseException) -> None:
    def work() -> None:
        raise error

    with Engine(session) as engine, pytest.raises(type(error)):
        engine.transaction(work)
    assert session.events == ["rollback", "close"]
    assert pauses == []


def test_a_rollback_that_fails_does_not_hide_the_cause(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def rollback() -> None:
        raise OSError("the connection is gone")

    monkeypatch.setattr(session, "rollback", rollback)
    with Engine(session) as engine, pytest.raises(ZeroDivisionError):
        engine.transaction(lambda: engine.script("BROKEN"))


def test_the_error_of_an_unreachable_warehouse_has_the_remedy(session: Session) -> None:
    with pytest.raises(WarehouseError) as caught, Engine(session, UnreachableError("timeout expired\n")):
        pytest.fail("connected")
    message = str(caught.value)
    assert "db.example:(default port) (Airflow connection 'warehouse', type redshift) is unreachable" in message
    assert "is unreachable: timeout expired. Check that it is running (a paused cluster must be resumed)" in message
    assert "hidden" not in message


def test_another_error_at_connecting_is_passed_on(session: Session) -> None:
    with pytest.raises(LookupError), Engine(session, LookupError()):
        pytest.fail("connected")


def test_a_script_is_executed_statement_by_statement(session: Session) -> None:
    with Engine(session, rows={"SELECT ';';": 3, "DELETE FROM t": 2}) as engine:
        assert engine.transaction(lambda: engine.script("\nSELECT ';';\n\n  DELETE FROM t\n"), lock=["t"]) == 2
    assert session.events[1:3] == ["SELECT ';';", "DELETE FROM t"]


@pytest.mark.parametrize("sql", ["", " \n "])
def test_an_empty_script_is_nothing(session: Session, sql: str) -> None:
    with Engine(session) as engine:
        assert engine.script(sql) == 0
    assert session.events == ["close"]


def test_an_unknown_row_count_is_zero(session: Session) -> None:
    with Engine(session) as engine:
        assert engine.transaction(lambda: engine.script("CREATE TABLE t (a INTEGER)")) == 0


def test_the_log_has_the_label_of_a_statement_and_not_its_sql(
    session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    statement = "-- Take the newest: of each key.\nSELECT 'hidden'"
    with caplog.at_level(logging.DEBUG), Engine(session, rows={statement: 1234567}) as engine:
        engine.transaction(lambda: engine.script(statement))
    assert "Take the newest: 1,234,567 rows, " in caplog.text
    assert "hidden" not in caplog.text


def test_an_error_names_its_statement(session: Session) -> None:
    with Engine(session) as engine, pytest.raises(ZeroDivisionError) as caught:
        engine.transaction(lambda: engine.script("BROKEN"))
    assert caught.value.__notes__ == ["Statement: BROKEN"]


def test_a_query_returns_tuples(session: Session) -> None:
    with Engine(session) as engine:
        assert engine.query("SELECT 1") == [(1, 2), (3, 4)]
        assert engine.table("SELECT 1") == (["one", "two"], [(1, 2), (3, 4)])
        assert engine.columns("songs") == ["one", "two"]
    # Each is its own transaction: none keeps a snapshot or a lock.
    assert session.events == ["SELECT 1", "rollback"] * 2 + ["SELECT * FROM songs LIMIT 0", "rollback", "close"]


class TestLocks:
    """A lock comes before the transaction's snapshot, and nothing is written without one."""

    def test_the_tables_are_locked_first_in_one_order(self, session: Session) -> None:
        with Engine(session) as engine:
            engine.transaction(lambda: engine.script("DELETE FROM b"), lock=["b", "a", "b"])
        assert session.events == ["-- Wait for other writers of a, b.\nLOCK a, b", "DELETE FROM b", "commit", "close"]

    def test_bookkeeping_has_a_transaction_of_its_own_after_the_commit(
        self, session: Session, pauses: list[float]
    ) -> None:
        with Engine(session) as engine:
            fails = Work(session, 1)

            def work() -> None:
                engine.after_commit(lambda: engine.script("DELETE FROM b"), lock=["b"])
                fails()

            def fails_at_last() -> None:
                engine.after_commit(lambda: engine.script("never"), lock=["c"])
                raise WarehouseError("invalid")

            engine.transaction(work, lock=["a"])
            with pytest.raises(WarehouseError):
                engine.transaction(fails_at_last)
            engine.transaction(lambda: None)
        first, second = (f"-- Wait for other writers of {table}.\nLOCK {table}" for table in "ab")
        failed = [first, "work", "rollback"]
        committed = [first, "work", "commit", second, "DELETE FROM b", "commit"]
        assert session.events == [*failed, *committed, "rollback", "commit", "close"]

    def test_each_attempt_locks_again(self, session: Session, pauses: list[float]) -> None:
        with Engine(session) as engine:
            engine.transaction(Work(session, 1), lock=["a"])
        lock = "-- Wait for other writers of a.\nLOCK a"
        assert session.events == [lock, "work", "rollback", lock, "work", "commit", "close"]

    def test_a_retry_also_locks_what_the_failed_attempt_wrote(self, session: Session, pauses: list[float]) -> None:
        with Engine(session) as engine:
            fails = Work(session, 1)

            def work() -> None:
                engine.script("CREATE TEMP TABLE t AS SELECT 1; DELETE FROM t; INSERT INTO Operations.B (n) SELECT 1")
                fails()

            engine.transaction(work, lock=["c"])
            engine.transaction(lambda: engine.script("DELETE FROM c"), lock=["c"])
        locks = [event.split("\n")[-1] for event in session.events if "LOCK" in event]
        assert locks == ["LOCK c", "LOCK c, operations.b", "LOCK c"]

    @pytest.mark.parametrize(
        "statement",
        [
            "INSERT INTO t (a) VALUES (1)",
            "-- Drop it.\n/* all */ delete from t",
            "DELETE FROM t USING u WHERE t.a = u.a",
            "UPDATE t SET a = 1",
            "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN UPDATE SET b = u.b",
            "COPY t FROM 's3://bucket/key'",
            "TRUNCATE t",
            "WITH u AS (SELECT 1 AS a) DELETE FROM t USING u WHERE t.a = u.a",
            "WITH u AS (SELECT 1 AS a)\n-- Drop them.\nDELETE FROM t USING u WHERE t.a = u.a",
            "WITH gone AS (DELETE FROM t RETURNING a) SELECT a FROM gone",
            "INSERT /* rows */ INTO t (a) VALUES (1)",
            "DELETE -- all\nFROM t",
        ],
    )
    def test_a_write_without_a_lock_is_refused(self, session: Session, statement: str) -> None:
        with Engine(session) as engine:
            for send in (engine.script, engine.query):
                with pytest.raises(
                    WarehouseError, match=r"writes to t, .* no lock.* transaction\(work, lock=\[\.\.\.\]\)"
                ):
                    engine.transaction(partial(send, statement))
        assert session.events == ["rollback", "rollback", "close"]

    def test_an_insert_or_a_copy_without_a_lock_is_refused(self, session: Session) -> None:
        with Engine(session) as engine:
            for work in (lambda: engine.insert("t", ["a"], [[1]]), lambda: engine.copy("t (a)", "s3://bucket/key")):
                with pytest.raises(WarehouseError, match="writes to t, and its transaction holds no lock"):
                    engine.transaction(work)
        assert session.events == ["rollback", "rollback", "close"]

    @pytest.mark.parametrize(
        "statement",
        [
            "SELECT a FROM t",
            "-- UPDATE t\nSELECT 'DELETE FROM t' AS a",
            "WITH u AS (SELECT 1 AS a) SELECT a FROM u",
            "CREATE TABLE IF NOT EXISTS t (a INTEGER)",
            "DROP TABLE IF EXISTS t",
            "ANALYZE t",
            "CREATE TEMP TABLE u AS SELECT a FROM t;\nINSERT INTO u (a) VALUES (1);\nDELETE FROM u WHERE a = 1",
            "CREATE TEMPORARY TABLE U (LIKE t INCLUDING DEFAULTS);\nCOPY u FROM 's3://bucket/key'",
            "CREATE /* b */ TEMP -- c\n TABLE u (a INTEGER);\nDELETE FROM u",
            'CREATE TEMP TABLE "my u" (a INTEGER);\nDELETE FROM "my u"',
            'CREATE TEMP TABLE u (a INTEGER);\nDELETE FROM "u"',
            "WITH u AS (SELECT 1 AS a) SELECT ') DELETE FROM t' AS b FROM u",
            "SELECT 'LOCK t' AS a -- LOCK t",
            "/* not yet:\nLOCK t */ SELECT a FROM t",
        ],
    )
    def test_a_statement_that_needs_no_lock(self, session: Session, statement: str) -> None:
        with Engine(session) as engine:
            engine.transaction(lambda: engine.script(statement))
        assert session.events[-2] in ("commit", "rollback")  # rather than an error before the statement
        assert session.events[0].rstrip(";") == statement.partition(";")[0]

    def test_a_write_to_a_table_whose_name_begins_like_a_temporary_one_is_refused(self, session: Session) -> None:
        script = 'CREATE TEMP TABLE "my u" (a INTEGER);\nDELETE FROM "my t"'
        with Engine(session) as engine, pytest.raises(WarehouseError, match='writes to "my t", and its transaction'):
            engine.transaction(lambda: engine.script(script))

    @pytest.mark.parametrize("statement", ["LOCK t", "-- Wait.\nlock table t", "/* a */ LOCK -- b\n t"])
    def test_a_lock_in_the_middle_is_refused(self, session: Session, statement: str) -> None:
        with Engine(session) as engine:
            for lock in ([], ["t"]):
                with pytest.raises(WarehouseError, match="must precede the transaction's snapshot"):
                    engine.transaction(lambda: engine.script(statement), lock=lock)
        assert statement not in session.events

    def test_nothing_is_written_outside_of_a_transaction(self, session: Session) -> None:
        with Engine(session) as engine:
            for work in (
                lambda: engine.script("CREATE TABLE t (a INTEGER)"),
                lambda: engine.insert("t", ["a"], [[1]]),
                lambda: engine.copy("t", "s3://bucket/key"),
            ):
                with pytest.raises(WarehouseError, match=r"within Warehouse\.transaction\(\)"):
                    work()
            with pytest.raises(WarehouseError, match="holds no lock"):
                engine.query("DELETE FROM t")
        assert session.events == ["rollback", "close"]

    def test_a_transaction_in_another_is_refused(self, session: Session) -> None:
        with Engine(session) as engine, pytest.raises(WarehouseError, match="Nested transaction"):
            engine.transaction(lambda: engine.transaction(lambda: None, lock=["t"]))
        assert session.events == ["rollback", "close"]

    def test_a_read_only_session_is_one_transaction(self, session: Session) -> None:
        with Engine(session) as engine:
            engine.read_only(5)
            engine.query("SELECT 1")
            with pytest.raises(WarehouseError, match="holds no lock"):
                engine.query("DELETE FROM t")
            with pytest.raises(WarehouseError, match="Nested transaction"):
                engine.transaction(lambda: None, lock=["t"])
        assert session.events == ["begin read only", "SELECT 1", "close"]


CALLS = {
    "read": lambda engine: engine.query("SELECT a FROM t"),
    "create": lambda engine: engine.script("CREATE TEMP TABLE u AS SELECT a FROM t"),
    "change": lambda engine: engine.script("UPDATE t SET a = 1"),
    "insert": lambda engine: engine.insert("t", ["a"], [[1]]),
    "copy": lambda engine: engine.copy("t", "s3://bucket/key"),
    "lock": lambda engine: engine.script("LOCK t"),
}


@given(
    calls=st.lists(
        st.sampled_from(sorted(CALLS))
        | st.tuples(
            st.lists(st.sampled_from(sorted(CALLS)), max_size=4), st.lists(st.sampled_from("tu"), max_size=2)
        ),
        max_size=6,
    )
)  # fmt: skip
def test_rows_are_written_only_after_a_lock_that_came_first(
    calls: list[str | tuple[list[str], list[str]]],
) -> None:
    """Any calls, in and outside of transactions, whose errors the caller ignores."""
    session = Session()

    def call(engine: Engine, names: list[str]) -> None:
        for name in names:
            with suppress(WarehouseError):
                CALLS[name](engine)

    with Engine(session) as engine:
        for names in calls:
            if isinstance(names, str):
                call(engine, [names])
            else:
                engine.transaction(partial(call, engine, names[0]), lock=names[1])
    transaction: list[str] = []
    for sent in session.events:
        if sent in ("commit", "rollback"):
            transaction = []
            continue
        transaction.append(sent)
        assert ("LOCK" in sent) <= (len(transaction) == 1)
        if sent.startswith(("UPDATE", "INSERT", "COPY")):
            assert "LOCK" in transaction[0]
    assert session.events[-1] == "close"
    assert transaction in ([], ["close"])


def test_insert_sends_values_as_parameters_of_many_rows(session: Session) -> None:
    rows = [(number, f"'{number}'") for number in range(INSERTED_AT_ONCE + 1)]
    with Engine(session) as engine:
        engine.transaction(lambda: engine.insert("t", ["a", "b"], rows), lock=["t"])
        engine.transaction(lambda: engine.insert("t", ["a", "b"], []))
    full = ", ".join(["(:, :)"] * INSERTED_AT_ONCE)
    assert session.events[1:3] == [f"INSERT INTO t (a, b) VALUES {full}", "INSERT INTO t (a, b) VALUES (:, :)"]
    assert session.events[3:] == ["commit", "commit", "close"]
    assert [len(values) for values in session.values] == [2 * INSERTED_AT_ONCE, 2]
    assert session.values[1] == [INSERTED_AT_ONCE, f"'{INSERTED_AT_ONCE}'"]


def test_copy_is_logged_without_its_authorization(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), Engine(session) as engine:
        copy = partial(engine.copy, "t (a)", "s3://bucket/key", ["FORMAT AS JSON 'auto'", "MAXERROR 1"])
        assert engine.transaction(copy, lock=["t"]) == CopyResult(1234, 5)
    command = "COPY t (a) FROM 's3://bucket/key' {}FORMAT AS JSON 'auto' MAXERROR 1"
    assert session.events[1] == command.format("CREDENTIALS 'hidden' ")
    assert command.format("") in caplog.text
    assert "Copied 1,234 rows, 5 rejected" in caplog.text
    assert "hidden" not in caplog.text
