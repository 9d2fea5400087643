"""A session with the warehouse, on either engine.

SQL is written once, in Redshift's dialect. :mod:`sparkify.warehouse.redshift` executes it unchanged,
:mod:`sparkify.warehouse.postgres` translates a few statements first.
"""

from __future__ import annotations

import logging
import re
import time
from abc import ABC, abstractmethod
from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from sparkify.sql.scripts import label, statements
from sparkify.warehouse.errors import WarehouseError
from sparkify.warehouse.secrets import Secrets
from sparkify.warehouse.transactions import TransactionGuard, retrying
from sparkify.warehouse.unreachable import Reason, describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType
    from typing import Self

    from airflow.sdk import Connection

    from sparkify.warehouse.copy_result import CopyResult

log = logging.getLogger(__name__)

T = TypeVar("T")

# Names of a connection's extra fields that contain a secret.
_SECRET = re.compile("password|secret|token", re.IGNORECASE)

# Rows of an INSERT ... VALUES statement. It may have 32,767 parameters, so tables may have up to 32 columns.
INSERTED_AT_ONCE = 1_000


class Warehouse(ABC):
    """One database session. Use it as a context manager; it connects on entry.

    A transaction that writes declares the tables it locks, see :meth:`transaction`. The session locks them first and
    does not write without a lock, so a transaction that has waited for a lock sees everything that earlier ones have
    committed.

    Secrets are redacted in errors of the session and in the log of its driver, see :attr:`secrets`.

    :param connection: the Airflow connection of the database.
    :param aws_conn_id: the Airflow connection with the credentials for COPY to read S3, if it needs any.
    """

    engine: ClassVar[str]
    # The placeholder of a parameter in a statement.
    placeholder: ClassVar[str]
    # The number of changed rows up to which statistics are left to the database itself.
    unanalyzed: ClassVar[int] = 1_000
    # The loggers of the driver, which may log statements, or errors that contain them.
    loggers: ClassVar[Sequence[str]] = ()

    def __init__(self, connection: Connection, aws_conn_id: str | None = None) -> None:
        self.connection = connection
        self.aws_conn_id = aws_conn_id
        self.secrets = Secrets()
        self._session: Any = None
        self._exit = ExitStack()
        self._guard = TransactionGuard()
        self._following: list[tuple[Callable[[], object], Sequence[str]]] = []

    def __enter__(self) -> Self:
        self._exit.enter_context(self.secrets.out_of(self.loggers))
        try:
            with self.secrets.redacted():
                extra = self.connection.extra_dejson
                self.secrets.add(
                    self.connection.password, *(str(extra[name]) for name in filter(_SECRET.search, extra))
                )
                self._session = self._begin_session()
        except BaseException:
            self._exit.close()
            raise
        self._exit.callback(self._session.close)  # rolls back what is not committed
        return self

    def _begin_session(self) -> Any:
        try:
            return self._connect()
        except Exception as error:
            reason = self._why_unreachable(error)
            if reason is None:
                raise
            text = " ".join(self.secrets.redact(self._text(error)).split())
            raise WarehouseError(describe(reason, self.connection, text)) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    def another(self) -> Self:
        """Return another session with the same database, as a context manager."""
        return type(self)(self.connection, self.aws_conn_id)

    def autocommit(self, sql: str) -> None:
        """Execute a statement outside of a transaction, such as Redshift's ALTER COLUMN TYPE."""
        with self._guard.transaction(()), self.secrets.redacted():
            self._session.autocommit = True
            try:
                self._run(sql)
            finally:
                self._session.autocommit = False

    def transaction(self, work: Callable[[], T], lock: Iterable[str] = ()) -> T:
        """Run ``work`` in one transaction and commit it; if it has only read, end it without a commit.

        Under snapshot isolation a transaction sees what was committed when its snapshot was taken. Its first SELECT,
        DML or DDL takes the snapshot; LOCK does not. So LOCK is the first statement: once it holds the lock, the
        transaction sees what all earlier ones have written.
        https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html,
        https://www.postgresql.org/docs/current/sql-lock.html

        After a serialization conflict or a deadlock (PostgreSQL 40001 and 40P01, Redshift 1023), the transaction is
        rolled back and ``work`` is retried from its start, with random exponential backoff. ``work`` must therefore
        have no side effects outside of this session. The retry also locks the tables that the failed attempt wrote to:
        under SERIALIZABLE Redshift judges conflicts by whole tables, and another transaction that writes to one of them
        could abort it again.
        https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation-serializable-isolation-troubleshooting.html

        :param work: sends the statements.
        :param lock: the tables to lock, always in alphabetical order. Required to write rows; not to read, to create
            or drop, or to write to the session's own temporary tables and to tables that the transaction has created.
        :return: what ``work`` returns.
        :raises WarehouseError: if ``work`` writes without a lock, sends its own LOCK, or begins a transaction.
        """
        attempts = retrying(self._is_conflict, lambda error: self.secrets.redact(self._text(error)))
        result: T = attempts(self._attempt, work, set(lock))
        following, self._following = self._following, []
        for bookkeeping, locked in following:
            self.transaction(bookkeeping, locked)
        return result

    def after_commit(self, work: Callable[[], object], lock: Iterable[str]) -> None:
        """Run ``work`` in a transaction of its own, after the current one is committed.

        For bookkeeping in a table that many transactions write to, and that may lag behind if the session is lost in
        between. The current transaction then needs no lock on that table, and does not conflict with the others.
        """
        self._following.append((work, tuple(lock)))

    def _attempt(self, work: Callable[[], T], lock: set[str]) -> T:
        self._following = []
        with self._guard.transaction(lock):
            try:
                if lock:
                    tables = ", ".join(sorted(lock))
                    self._run(f"-- Wait for other writers of {tables}.\nLOCK {tables}")
                result = work()
                with self.secrets.redacted():
                    # Commits wait for each other: https://docs.aws.amazon.com/redshift/latest/dg/r_STL_COMMIT_STATS.html
                    if self._guard.has_only_read:
                        self._session.rollback()
                    else:
                        self._session.commit()
            except BaseException:
                lock |= self._guard.written
                self._rollback()
                raise
        return result

    def _rollback(self) -> None:
        try:
            self._session.rollback()
        except Exception as error:  # noqa: BLE001 - the connection is gone, and with it the transaction
            log.debug("No rollback: %s", self.secrets.redact(str(error)))

    def script(self, sql: str, *, level: int = logging.INFO) -> int:
        """Execute the statements of ``sql`` in sequence.

        Each is logged with its leading comment, the number of affected rows and its seconds; the SQL itself is not
        logged.

        :param level: of the log.
        :return: rows affected by the last statement; 0 if the database does not report it.
        """
        rows = 0
        for statement in statements(sql):
            with self.secrets.redacted():
                self._guard.check(statement)
            rows = self._run(statement, level)
        return rows

    def _run(self, statement: str, level: int = logging.INFO) -> int:
        started = time.monotonic()
        name = self.secrets.redact(label(statement))
        with self._session.cursor() as cursor:
            try:
                with self.secrets.redacted():
                    self._execute(cursor, statement)
            except Exception as error:
                error.add_note(f"Statement: {name}")
                raise
            rows = max(cursor.rowcount or 0, 0)
        log.log(level, "%s: %s rows, %.2f s", name, f"{rows:,}", time.monotonic() - started)
        return rows

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT."""
        return self.table(sql)[1]

    def table(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the column names and the rows of a SELECT; outside a transaction it runs in its own."""
        return self.transaction(lambda: self._table(sql)) if not self._guard.in_transaction else self._table(sql)

    def _table(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        with self._session.cursor() as cursor, self.secrets.redacted():
            self._guard.check(sql)
            self._execute(cursor, sql)
            return [column[0] for column in cursor.description], [tuple(row) for row in cursor.fetchall()]

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert values from outside the database, many rows per statement.

        :param table: the table.
        :param columns: the columns of the rows.
        :param rows: their values, sent as parameters. Timestamps are naive, like TIMESTAMP.
        """
        row = f"({', '.join([self.placeholder] * len(columns))})"
        with self._session.cursor() as cursor:
            for start in range(0, len(rows), INSERTED_AT_ONCE):
                self._guard.check_write(f"INSERT INTO {table}", [table])
                chunk = rows[start : start + INSERTED_AT_ONCE]
                statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * len(chunk))}"
                with self.secrets.redacted():
                    self._execute(cursor, statement, [value for values in chunk for value in values])
        log.info("INSERT INTO %s: %s rows", table, f"{len(rows):,}")

    def columns(self, table: str) -> list[str]:
        """Return the column names of a table, in order."""
        return self.table(f"SELECT * FROM {table} LIMIT 0")[0]

    def copy(self, target: str, source: str, options: Sequence[str] = ()) -> CopyResult:
        """Load S3 objects into a table with COPY.

        The command is logged without its authorization, which may contain a secret.

        :param target: a table, or a table with a list of columns: ``songs (song_id, title)``.
        :param source: URI of a key prefix or of a manifest: ``s3://bucket/key``.
        :param options: the rest of the command: format and options of COPY.
        :raises CopyFailedError: if it fails, with the rejected rows; nothing is loaded then.
        """
        head, tail = f"COPY {target} FROM '{source}'", " ".join(options)
        with self.secrets.redacted():
            self._guard.check(head)
        log.info("%s", self.secrets.redact(f"{head} {tail}"))
        started = time.monotonic()
        with self.secrets.redacted():
            result = self.secrets.redact(self._copy(f"{head} {self._authorization()} {tail}"))
        seconds = time.monotonic() - started
        log.info("Copied %s rows, %s rejected, %.2f s", f"{result.rows:,}", f"{result.rejected:,}", seconds)
        return result

    def analyze(self, table: str, changed: int) -> None:
        """Refresh the planner's statistics of a table if a large part of it has changed.

        With the statistics from before a large load, a query may take a hundred times as long. An hourly load changes a
        small part, and triggers no ANALYZE; both databases analyze tables in the background, too.

        :param changed: rows that the caller has written and committed.
        """
        if self._is_outdated(table, changed):
            self.transaction(lambda: self.script(f"ANALYZE {table}"))

    def _is_outdated(self, table: str, changed: int) -> bool:
        """Return whether ANALYZE is due.

        Redshift itself skips a table if less than a tenth of it has changed:
        https://docs.aws.amazon.com/redshift/latest/dg/r_ANALYZE.html
        """
        return changed > self.unanalyzed

    def expects_many(self, select: str) -> bool:
        """Return whether a SELECT probably returns so many rows that :meth:`filling` a table with them pays."""
        return False

    def filling(self, table: str, rows: int | None = None) -> AbstractContextManager[None]:
        """Return a context in which many rows are inserted into a table, which may be empty; outside of transactions.

        Redshift has no indexes, and needs none.

        :param rows: their number; many, if it is not known.
        """
        return nullcontext()

    def _text(self, error: BaseException) -> str:
        """Return the message of an error."""
        return str(error).strip()

    def read_only(self, seconds: float) -> None:
        """Begin a read-only transaction for the rest of the session, with a statement timeout.

        :param seconds: the timeout of a statement.
        """
        self._guard.begin_read_only()
        with self.secrets.redacted():
            self._begin_read_only(seconds)

    @abstractmethod
    def _begin_read_only(self, seconds: float) -> None:
        """Begin a read-only transaction; see :meth:`read_only`."""

    @abstractmethod
    def _copy(self, command: str) -> CopyResult:
        """Execute a COPY command."""

    @abstractmethod
    def _authorization(self) -> str:
        """Return the authorization clause for COPY."""

    def address(self) -> tuple[str, str]:
        """Return OpenLineage's namespace of the database server, and the name of the database.

        https://openlineage.io/docs/spec/naming
        """
        hook = self._hook()
        info = hook.get_openlineage_database_info(hook.get_connection(self.connection.conn_id))
        return f"{info.scheme}://{info.authority}", info.database

    @abstractmethod
    def _hook(self) -> Any:
        """Return the Airflow hook of the connection."""

    @abstractmethod
    def _connect(self) -> Any:
        """Open a connection with autocommit off."""

    @abstractmethod
    def _execute(self, cursor: Any, statement: str, values: Sequence[Any] | None = None) -> None:
        """Execute one statement with the ``values`` of its placeholders."""

    @abstractmethod
    def _is_conflict(self, error: BaseException) -> bool:
        """Return whether a concurrent transaction is the cause, so that a retry can succeed."""

    @abstractmethod
    def _why_unreachable(self, error: BaseException) -> Reason | None:
        """Return why the connection failed; None if ``error`` has another cause."""
