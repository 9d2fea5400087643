"""PostgreSQL as the stand-in for Redshift: the same SQL; :mod:`sparkify.warehouse.postgres.copy` implements COPY."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sparkify.warehouse.errors import WarehouseError
from sparkify.warehouse.postgres import dialect, filling
from sparkify.warehouse.session import Warehouse
from sparkify.warehouse.unreachable import CONNECT_TIMEOUT, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from obstore.store import S3Store

    from sparkify.warehouse.copy_result import CopyResult

# libpq's messages for failed connections, which have no SQLSTATE. The last two cover all others.
_REASONS = (
    (r"authentication|no password supplied|role \S+ does not exist|no pg_hba\.conf entry", Reason.AUTHENTICATION),
    (r"database \S+ does not exist", Reason.DATABASE),
    (r"timeout expired", Reason.TIMEOUT),
    (r"\bSSL\b|certificate", Reason.TLS),
    (r"too many (clients|connections)|remaining connection slots", Reason.FULL),
    (r"FATAL:", Reason.REFUSED),
    (r"", Reason.UNREACHABLE),
)


class Postgres(Warehouse):
    """A session with a PostgreSQL database."""

    engine = "postgres"
    placeholder = "%s"
    loggers = ("psycopg",)
    unanalyzed = 100  # without statistics PostgreSQL's planner knows less than Redshift's

    def _hook(self) -> Any:
        from airflow.providers.postgres.hooks.postgres import PostgresHook

        return PostgresHook(postgres_conn_id=self.connection.conn_id, connection=self.connection)

    def _connect(self) -> Any:
        import psycopg

        hook = self._hook()
        hook.connection.extra = json.dumps({"connect_timeout": CONNECT_TIMEOUT, **hook.connection.extra_dejson})
        session = hook.get_conn()
        # Redshift's isolation is a snapshot for the whole transaction; READ COMMITTED is weaker.
        session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        _take_any_time(session)
        return session

    def _execute(self, cursor: Any, statement: str, values: Sequence[Any] | None = None) -> None:
        # One round trip; the row count that the caller reads is that of the statement itself, the first.
        cursor.execute("\n;\n".join(dialect.to_postgres(statement)), values)

    def _is_outdated(self, table: str, changed: int) -> bool:
        if not super()._is_outdated(table, changed):
            return False
        # autovacuum's own threshold; but it runs once a minute, and the next task does not wait for it
        ((known,),) = self.query(f"SELECT reltuples FROM pg_class WHERE oid = CAST('{table}' AS regclass)")
        return bool(changed > max(known, 0) / 10)

    def expects_many(self, select: str) -> bool:
        ((plan,),) = self.query(f"EXPLAIN (FORMAT JSON) {select}")
        return bool(plan[0]["Plan"]["Plan Rows"] >= filling.LEAST_ROWS)

    def filling(self, table: str, rows: int | None = None) -> AbstractContextManager[None]:
        return filling.filling(self, table) if rows is None or rows >= filling.LEAST_ROWS else nullcontext()

    def _begin_read_only(self, seconds: float) -> None:
        """Begin the transaction, with enough memory to sort all plays without spilling to disk."""
        self._session.read_only = True
        with self._session.cursor() as cursor:
            cursor.execute(f"SET statement_timeout TO {seconds * 1000:.0f}")
            cursor.execute("SET work_mem TO '128MB'")

    def _copy(self, command: str) -> CopyResult:
        from sparkify.warehouse.postgres.copy import CopySyntaxError, copy, parse_copy

        try:
            parsed = parse_copy(command)
        except CopySyntaxError as error:
            raise WarehouseError(str(error), terminal=True) from None
        return copy(self._session, parsed, open_store=self._open_store, audit=self._connect)

    def _authorization(self) -> str:
        return "IAM_ROLE default"  # required by COPY's grammar: this process reads S3 itself, with the aws connection

    @cached_property
    def _open_store(self) -> Callable[[str], S3Store]:
        from sparkify.s3 import stores_of

        return stores_of(self.aws_conn_id)

    def _is_conflict(self, error: BaseException) -> bool:
        from psycopg import errors

        if isinstance(error, errors.SerializationFailure | errors.DeadlockDetected):
            return True
        # Two sessions create the same table concurrently: the second finds it in the catalog.
        return isinstance(error, errors.DuplicateTable | errors.DuplicateSchema | errors.DuplicateObject) or (
            isinstance(error, errors.UniqueViolation) and error.diag.schema_name == "pg_catalog"
        )

    def _why_unreachable(self, error: BaseException) -> Reason | None:
        import psycopg

        if isinstance(error, psycopg.errors.ConnectionTimeout):
            return Reason.TIMEOUT
        if not isinstance(error, psycopg.OperationalError):
            return None
        return next(reason for pattern, reason in _REASONS if re.search(pattern, str(error)))


def _take_any_time(session: Any) -> None:
    """Return timestamps that Python cannot represent, such as the year 10001 or 44 BC, as text instead of a DataError.

    redshift_connector delivers the first or the last moment of Python in its place.
    """
    from psycopg import DataError
    from psycopg.types import datetime as types

    class Timestamp(types.TimestampLoader):
        def load(self, data: Any) -> Any:
            try:
                return super().load(data)
            except DataError:
                return bytes(data).decode()

    class Date(types.DateLoader):
        def load(self, data: Any) -> Any:
            try:
                return super().load(data)
            except DataError:
                return bytes(data).decode()

    session.adapters.register_loader("timestamp", Timestamp)
    session.adapters.register_loader("date", Date)
