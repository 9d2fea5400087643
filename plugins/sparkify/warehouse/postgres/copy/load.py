"""Run a COPY: from the objects in S3 to the rows in the table, as one statement."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from sparkify.s3 import S3Error, list_objects, read_object
from sparkify.warehouse.postgres.copy.audit import next_query_id, store_rejects
from sparkify.warehouse.postgres.copy.command import split_url
from sparkify.warehouse.postgres.copy.compression import decompress
from sparkify.warehouse.postgres.copy.conversion import Conversion
from sparkify.warehouse.postgres.copy.errors import CopyError, Reject
from sparkify.warehouse.postgres.copy.fetch import Fetcher
from sparkify.warehouse.postgres.copy.files import FileReader
from sparkify.warehouse.postgres.copy.jsonpaths import read_jsonpaths
from sparkify.warehouse.postgres.copy.manifest import read_manifest
from sparkify.warehouse.postgres.copy.records import RecordReader
from sparkify.warehouse.postgres.copy.table import Table, describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sparkify.s3 import OpenStore, S3Object
    from sparkify.warehouse.postgres.copy.columns import Value
    from sparkify.warehouse.postgres.copy.command import CopyCommand

# Rows of stl_load_errors that one COPY may write, and one of each further file; the count it reports is exact.
STORED_REJECTS = 1_000
_SHOWN_REJECTS = 3
# How the values that the converters return travel in the binary format. Dates and timestamps are the integers they
# are on the wire; that saves building a datetime for each.
_WIRE = {"varchar": "text", "char": "text", "date": "int4", "timestamp": "int8", "timestamptz": "int8"}


@dataclass(frozen=True)
class CopyResult:
    """What a COPY did.

    :param rows: rows loaded.
    :param rejected: rows, or pieces of a file, left out; each stands in ``stl_load_errors`` under ``query_id``.
    :param objects: objects read.
    :param bytes: their size in S3.
    :param query_id: the local ``pg_last_copy_id()``.
    :param rejects: the first of those that were left out.
    """

    rows: int
    rejected: int
    objects: int
    bytes: int
    query_id: int
    rejects: Sequence[Reject] = ()


class _TooManyErrors(Exception):
    """MAXERROR is reached."""


class _Rejects:
    """Counts rejected rows, keeps the first of all and of each file, and ends the load when MAXERROR is reached."""

    def __init__(self, maxerror: int) -> None:
        self._limit = max(maxerror, 1)  # "Set this value to 0 or 1 if you want the load to fail" at the first error
        self.count = 0
        self.kept: list[Reject] = []
        self._files: set[str] = set()

    def add(self, reject: Reject) -> None:
        self.count += 1
        if len(self.kept) < STORED_REJECTS or reject.filename not in self._files:
            self.kept.append(reject)
            self._files.add(reject.filename)
        if self.count >= self._limit:
            raise _TooManyErrors


def copy(
    connection: psycopg.Connection[Any],
    command: CopyCommand,
    *,
    open_store: OpenStore,
    audit: Callable[[], psycopg.Connection[Any]],
) -> CopyResult:
    """Run a COPY: all of it is loaded, or nothing.

    :param connection: the session. With autocommit the COPY commits by itself; else it is part of the transaction,
        which a failed COPY leaves usable and as it was.
    :param command: what :func:`~sparkify.warehouse.postgres.copy.parse_copy` returned.
    :param open_store: opens a bucket, such as :func:`~sparkify.s3.stores` returns.
    :param audit: opens a second connection to the same database, on which rejected rows are logged and committed.
    :raises CopyError: if the load fails; the message has the rows, the reasons and what to do.
    :raises psycopg.Error: if PostgreSQL fails for a reason that lies not in the data, such as a conflict with another
        transaction, so that the caller's retry sees it.
    """
    started = datetime.now(UTC)
    table = describe(connection, command)
    query_id = next_query_id(connection, audit)
    rejects = _Rejects(command.maxerror)
    fetcher = Fetcher(open_store)

    def log() -> None:
        if rejects.kept:
            store_rejects(
                audit,
                rejects.kept,
                query_id=query_id,
                table=table.oid,
                session=connection.info.backend_pid,
                user=connection.info.user,
                started=started,
            )

    try:
        records = _record_reader(fetcher, command, table)
        objects = _objects(fetcher, command)
        with connection.transaction():
            rows = _load(connection, command, table, fetcher, objects, records, rejects)
            log()  # before the commit: no row is rejected without a log entry
    except _TooManyErrors:
        raise _failure(command, rejects, query_id, _attempt(log)) from None
    except (CopyError, S3Error) as error:
        note = _attempt(log)
        more = error.rejects if isinstance(error, CopyError) else ()
        raise CopyError(
            f"{error}{note}", rejects=[*rejects.kept, *more], rejected=rejects.count, query_id=query_id
        ) from error.__cause__
    except (psycopg.IntegrityError, psycopg.DataError) as error:
        reason = error.diag.message_primary or type(error).__name__
        note = _attempt(log)
        raise CopyError(
            f"COPY into {_shown(command)} failed and nothing was loaded: {reason}{note}", query_id=query_id
        ) from error
    return CopyResult(rows, rejects.count, fetcher.objects, fetcher.size, query_id, tuple(rejects.kept))


def _record_reader(fetcher: Fetcher, command: CopyCommand, table: Table) -> RecordReader:
    conversion = Conversion.of(command)
    if command.json in ("auto", "auto ignorecase"):
        return RecordReader(table.columns, conversion, ignorecase=command.json == "auto ignorecase")
    bucket, key = split_url(command.json, "JSON")
    content = read_object(fetcher.store(bucket), bucket, key)
    return RecordReader(table.columns, conversion, paths=read_jsonpaths(content, command.json, len(table.columns)))


def _objects(fetcher: Fetcher, command: CopyCommand) -> Sequence[S3Object]:
    store = fetcher.store(command.bucket)
    if command.manifest:
        objects, fetcher.optional = read_manifest(read_object(store, command.bucket, command.prefix), command.url)
        return objects
    found = list(list_objects(store, command.bucket, command.prefix))
    if not found:
        raise CopyError(
            f"The specified S3 prefix '{command.prefix}' does not exist in bucket '{command.bucket}'. "
            "Remedy: correct the key in FROM; it is case-sensitive."
        )
    return sorted(found, key=lambda item: item.key)


def _load(
    connection: psycopg.Connection[Any],
    command: CopyCommand,
    table: Table,
    fetcher: Fetcher,
    objects: Sequence[S3Object],
    records: RecordReader,
    rejects: _Rejects,
) -> int:
    """Load the objects and return the number of rows."""
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(table.name, names)
    with connection.cursor() as cursor, cursor.copy(statement) as target:
        target.set_types([_WIRE.get(column.type, column.type) for column in table.columns])
        format_row = target.formatter.write_row

        def emit(rows: Iterable[Sequence[Value]]) -> None:
            for row in rows:  # what Copy.write_row() does, with a call less for each row
                if data := format_row(row):
                    target.write(data)

        reader = FileReader(records, emit, rejects.add)
        with closing(fetcher.read(objects)) as files:  # a load that fails must not go on fetching
            for item, pieces in files:
                content = decompress(pieces, command.compression, item.url) if command.compression else pieces
                reader.read(item.url, content)
        if not fetcher.objects:
            # "Regardless of any mandatory settings, COPY will terminate if no files are found."
            raise CopyError(f"{command.url}: none of the files the manifest lists exists. Remedy: correct its URLs.")
    return reader.rows


def _shown(command: CopyCommand) -> str:
    return f"'{command.schema}.{command.table}'" if command.schema else f"'{command.table}'"


def _failure(command: CopyCommand, rejects: _Rejects, query_id: int, note: str) -> CopyError:
    lines = [
        f"Load into table {_shown(command)} failed. Check 'stl_load_errors' system table for details "
        f"(query = {query_id}). {rejects.count} rejected with MAXERROR {command.maxerror}; nothing was loaded.{note}",
        *(str(reject) for reject in rejects.kept[:_SHOWN_REJECTS]),
    ]
    return CopyError("\n".join(lines), rejects=rejects.kept, rejected=rejects.count, query_id=query_id)


def _attempt(log: Callable[[], None]) -> str:
    """Log the rejected rows of a failed load; return what to add to its error when even that fails."""
    try:
        log()
    except psycopg.Error as error:
        return f" (The rejected rows could not be written to stl_load_errors: {type(error).__name__}.)"
    return ""
