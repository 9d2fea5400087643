"""A client's session with the endpoint, backed by a session with PostgreSQL."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from struct import pack
from typing import TYPE_CHECKING

import psycopg
from psycopg import generators, pq

from sparkify.sql import scripts
from sparkify.warehouse import CopyFailedError
from sparkify.warehouse.postgres import copy
from tests.redshift import alterations, catalogue, wire
from tests.redshift.faults import serialization_error
from tests.redshift.isolation import Transaction
from tests.redshift.login import login
from tests.redshift.translation import translate
from tests.redshift.wire import Reader, ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from sqlglot import exp

    from tests.redshift.endpoint import Endpoint

_COPY = re.compile(r"\s*COPY\b", re.IGNORECASE)


@dataclass
class Statement:
    """A prepared statement.

    :param name: chosen by the client.
    :param sql: as the client sent it.
    :param definition: the syntax tree of a CREATE TABLE or ALTER TABLE.
    :param additional: further statements for PostgreSQL.
    """

    name: bytes
    sql: str
    definition: exp.Create | exp.Alter | None = None
    additional: list[str] = field(default_factory=list)

    @property
    def is_copy(self) -> bool:
        return _COPY.match(self.sql) is not None


@dataclass
class Portal:
    """A prepared statement with its parameters.

    :param results: the requested format of each column: 0 text, 1 binary.
    """

    statement: Statement
    parameters: Sequence[bytes | None]
    formats: list[int]
    results: list[int]


class Session:
    """Serves one client until either side closes the session."""

    def __init__(self, endpoint: Endpoint, channel: wire.Channel) -> None:
        self._endpoint = endpoint
        self._channel = channel
        self._statements: dict[bytes, Statement] = {}
        self._portals: dict[bytes, Portal] = {}
        self._transaction: Transaction | None = None
        self._handlers: dict[bytes, Callable[[Reader], None]] = {
            b"P": self._parse,
            b"D": self._describe,
            b"B": self._bind,
            b"E": self._execute,
            b"C": self._close,
            b"H": lambda body: None,  # Flush: nothing is buffered
        }

    def run(self) -> None:
        """Log the client in and process its messages."""
        try:
            user, database = login(self._channel, self._endpoint)
            with self._connect(database) as self._backend:
                self._prepare(database)
                self._confirm_login(user)
                try:
                    self._process_messages()
                finally:
                    self._end_transaction(committed=False)
        except ServerError as error:
            self._channel.send_error(error)

    # --- start-up ---

    def _connect(self, database: str) -> psycopg.Connection[Any]:
        try:
            # A transaction on Redshift reads one snapshot.
            return psycopg.connect(
                self._endpoint.postgres.uri(database),
                autocommit=True,
                options=r"-c default_transaction_isolation=repeatable\ read -c client_min_messages=error",
            )
        except psycopg.OperationalError:
            raise ServerError("3D000", f'database "{database}" does not exist', fatal=True) from None

    def _prepare(self, database: str) -> None:
        """Create Redshift's system views and functions, once per database."""
        with self._endpoint.lock:
            if database not in self._endpoint.databases:
                copy.create_load_errors(self._backend)
                self._backend.execute(catalogue.SYSTEM)
                self._endpoint.databases.add(database)

    def _confirm_login(self, user: str) -> None:
        self._channel.send(b"R", pack("!i", 0))
        for name, value in {
            "client_encoding": "UNICODE",
            "server_protocol_version": str(wire.PROTOCOL_VERSION),
            "server_version": "8.0.2",  # the PostgreSQL version that Redshift reports
            "session_authorization": user,
        }.items():
            self._channel.send(b"S", name.encode() + b"\0" + value.encode() + b"\0")
        self._channel.send(b"K", pack("!ii", self._backend.info.backend_pid, 0))
        self._ready()

    def _ready(self) -> None:
        states = {pq.TransactionStatus.IDLE: b"I", pq.TransactionStatus.INTRANS: b"T"}
        self._channel.send(b"Z", states.get(self._status, b"E"))

    @property
    def _status(self) -> pq.TransactionStatus:
        return pq.TransactionStatus(self._backend.pgconn.transaction_status)

    # --- transactions ---

    def _before(self, sql: str) -> None:
        """Take the locks that Redshift takes for a statement of a transaction, before its snapshot."""
        command = scripts.command(sql)
        if self._status != pq.TransactionStatus.INTRANS or command.verb in ("BEGIN", "COMMIT", "ROLLBACK"):
            return
        self._transaction = self._transaction or Transaction(self._backend.info.backend_pid)
        if command.verb == "LOCK":
            self._transaction.locked.update(command.names)
            return
        if command.verb in scripts.WRITES:
            lock = f"LOCK TABLE {', '.join(command.names)} IN SHARE ROW EXCLUSIVE MODE"
            self._checked(self._backend.pgconn.exec_(lock.encode()))
        self._endpoint.isolation.begin(self._transaction)

    def _after(self, sql: str) -> None:
        """Abort the transaction if it conflicts with concurrent ones."""
        if self._transaction and self._status == pq.TransactionStatus.INTRANS and scripts.command(sql).verb != "LOCK":
            self._endpoint.isolation.check(self._transaction, sql, self._backend)

    def _end_transaction(self, *, committed: bool) -> None:
        if self._transaction:
            self._endpoint.isolation.end(self._transaction, committed=committed)
            self._transaction = None

    # --- statements ---

    def _process_messages(self) -> None:
        failed = False  # if so, ignore messages up to the next Sync
        while True:
            kind, body = self._channel.read()
            if kind == b"X":
                return
            if kind == b"S":
                failed = False
                self._ready()
            elif not failed:
                try:
                    self._handle(kind, Reader(body))
                except ServerError as error:
                    if error.fatal:
                        raise
                    self._abort()
                    self._channel.send_error(error)
                    failed = True

    def _handle(self, kind: bytes, body: Reader) -> None:
        try:
            self._handlers[kind](body)
        except psycopg.Error as error:  # of a statement of the endpoint itself
            raise self._server_error(error.sqlstate or "XX000", str(error), error.diag.schema_name) from None

    def _abort(self) -> None:
        """Abort PostgreSQL's transaction after an error that the endpoint raised."""
        self._end_transaction(committed=False)
        if self._status == pq.TransactionStatus.INTRANS:
            self._backend.pgconn.exec_(b"DO $$ BEGIN RAISE EXCEPTION 'refused'; END $$")

    def _parse(self, body: Reader) -> None:
        name, sql = body.text(), body.text().decode()
        types = [body.int4() for _ in range(body.int2())]
        statement = Statement(name, sql)
        if not statement.is_copy:
            statement.definition = catalogue.definition(sql)
            first, *statement.additional = translate(sql, statement.definition)
            self._before(sql)  # PostgreSQL takes the snapshot when it parses the statement
            self._checked(self._backend.pgconn.prepare(name, first.encode(), types))
        self._statements[name] = statement
        self._channel.send(b"1")

    def _describe(self, body: Reader) -> None:
        if body.take(1) != b"S":
            raise ServerError("0A000", "the endpoint describes prepared statements only")
        statement = self._statements[body.text()]
        if statement.is_copy:
            self._channel.send(b"t", pack("!h", 0))
            self._channel.send(b"n")
            return
        described = self._checked(self._description(statement.name))
        self._channel.send(b"t", wire.parameter_description(described))
        if described.nfields:
            self._channel.send(b"T", wire.row_description(described))
        else:
            self._channel.send(b"n")

    def _description(self, name: bytes) -> pq.abc.PGresult:
        """Describe a prepared statement; describe_prepared() would hold the GIL while PostgreSQL waits for a lock."""
        self._backend.pgconn.send_describe_prepared(name)
        (described,) = self._backend.wait(generators.execute(self._backend.pgconn))
        return described

    def _bind(self, body: Reader) -> None:
        portal, statement = body.text(), self._statements[body.text()]
        formats = body.int2s()
        parameters = [body.value() for _ in range(body.int2())]
        self._portals[portal] = Portal(statement, parameters, formats, body.int2s())
        self._channel.send(b"2")

    def _close(self, body: Reader) -> None:
        kind, name = body.take(1), body.text()
        if kind == b"S" and (statement := self._statements.pop(name, None)) and not statement.is_copy:
            self._checked(self._backend.pgconn.close_prepared(name))
        self._channel.send(b"3")

    def _execute(self, body: Reader) -> None:
        portal = self._portals[body.text()]
        statement = portal.statement
        fault = self._endpoint.receive(statement.sql)
        if fault and not fault.after_execution:
            fault.inject()
        self._before(statement.sql)
        response = self._copy(statement.sql) if statement.is_copy else self._forward(portal)
        if self._status == pq.TransactionStatus.IDLE:
            self._end_transaction(committed=response.endswith(b"COMMIT\0"))
        self._after(statement.sql)
        if fault:
            fault.inject()
        self._channel.send_all(response)

    def _forward(self, portal: Portal) -> bytes:
        """Execute a statement on PostgreSQL; return the messages with its result."""
        server, statement = self._backend.pgconn, portal.statement
        values: Any = portal.parameters  # None is NULL; psycopg's signature lacks it
        in_transaction = self._status != pq.TransactionStatus.IDLE
        # PostgreSQL reports that a transaction is aborted.
        definition = statement.definition if self._status != pq.TransactionStatus.INERROR else None
        alterations.check(self._backend, definition, in_transaction=in_transaction)
        with catalogue.recorded(self._backend, definition):
            result = self._checked(server.exec_prepared(statement.name, values, portal.formats, 1))
            for addition in statement.additional:
                self._checked(server.exec_(addition.encode()))
        rows = wire.data_rows(result, portal.results) if result.nfields else b""
        return rows + wire.message(b"C", (result.command_status or b"") + b"\0")

    @staticmethod
    def _checked(result: pq.abc.PGresult) -> pq.abc.PGresult:
        """Return a successful result.

        :raises ServerError: if it is an error; conflicts have Redshift's code and message.
        """
        if result.status in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK, pq.ExecStatus.EMPTY_QUERY):
            return result
        found = {name: value.decode() for name in pq.DiagnosticField if (value := result.error_field(name)) is not None}
        names = pq.DiagnosticField
        raise Session._server_error(found[names.SQLSTATE], found[names.MESSAGE_PRIMARY], found.get(names.SCHEMA_NAME))

    @staticmethod
    def _server_error(code: str, message: str, schema: str | None) -> ServerError:
        if code == "40001":
            return serialization_error()
        if code == "23505" and schema == "pg_catalog":
            return ServerError("XX000", "could not complete because of conflict with concurrent transaction")
        return ServerError(code, message)

    def _copy(self, sql: str) -> bytes:
        """Execute a COPY with the endpoint's access to S3; return the completion message."""
        if self._status == pq.TransactionStatus.INERROR:
            raise ServerError("25P02", "current transaction is aborted")
        try:
            command = copy.parse_copy(sql)
            self._endpoint.authorize(command, sql)
            done = copy.copy(
                self._backend, command, open_store=self._endpoint.open_store, audit=self._second_connection
            )
        except copy.CopySyntaxError as error:
            raise ServerError("42601", str(error)) from None
        except CopyFailedError as error:
            raise ServerError("XX000", str(error).partition("(query")[0].strip()) from None
        except psycopg.Error as error:
            raise ServerError(error.sqlstate or "XX000", str(error)) from None
        if done.rejected and done.query_id:
            self._show_rejects(done.query_id)
        # As on Redshift, a COPY without rejected rows has an id, too.
        copy_id = f"{done.query_id}" if done.query_id else "nextval('public.copy_query_id')"
        for name, value in {"copy_id": copy_id, "copy_count": f"{done.rows}"}.items():
            self._backend.execute(f"SELECT set_config('endpoint.{name}', CAST({value} AS TEXT), false)")
        return wire.message(b"C", b"COPY\0")

    def _second_connection(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._endpoint.postgres.uri(self._backend.info.dbname))

    def _show_rejects(self, query_id: int) -> None:
        """Copy rejects logged after the session's snapshot into it: Redshift's logs ignore snapshots."""
        with self._second_connection() as other:
            rows = other.execute("SELECT * FROM public.stl_load_errors WHERE query = %s", [query_id]).fetchall()
        marks = ", ".join(["%s"] * len(rows[0]))
        self._backend.cursor().executemany(f"INSERT INTO public.endpoint_load_errors VALUES ({marks})", rows)
