"""Run a COPY: load the objects in S3 into a table, as one statement."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from sparkify.s3 import S3Error, list_objects, read_object
from sparkify.warehouse.copy_result import MAX_REPORTED_REJECTS, CopyFailedError, CopyResult
from sparkify.warehouse.postgres.copy.audit import store_rejects
from sparkify.warehouse.postgres.copy.command import split_url
from sparkify.warehouse.postgres.copy.compression import decompress
from sparkify.warehouse.postgres.copy.conversion import ConversionOptions
from sparkify.warehouse.postgres.copy.errors import explain
from sparkify.warehouse.postgres.copy.fetch import Fetcher
from sparkify.warehouse.postgres.copy.files import FileReader
from sparkify.warehouse.postgres.copy.jsonpaths import read_jsonpaths
from sparkify.warehouse.postgres.copy.manifest import read_manifest
from sparkify.warehouse.postgres.copy.records import RecordReader
from sparkify.warehouse.postgres.copy.target import CopyTarget, find_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sparkify.s3 import OpenStore, S3Object
    from sparkify.warehouse.copy_result import RejectedRow
    from sparkify.warehouse.postgres.copy.columns import Value
    from sparkify.warehouse.postgres.copy.command import CopyCommand

_SHOWN_REJECTS = 3
# The types of the binary format for the converters' values. Dates and timestamps are the integers of the wire format,
# which saves a datetime object for each.
_WIRE = {"varchar": "text", "char": "text", "date": "int4", "timestamp": "int8", "timestamptz": "int8"}


class _TooManyErrors(Exception):
    """The number of rejected rows has reached MAXERROR."""


class _Rejects:
    """Counts the rejected rows, keeps those to report, and stops the load at MAXERROR."""

    def __init__(self, maxerror: int) -> None:
        self._limit = max(maxerror, 1)  # "Set this value to 0 or 1 if you want the load to fail" at the first error
        self.count = 0
        self.reported: list[RejectedRow] = []
        self._files: set[str] = set()

    def add(self, row: RejectedRow) -> None:
        self.count += 1
        if len(self.reported) < MAX_REPORTED_REJECTS or row.file_name not in self._files:
            self.reported.append(row)
            self._files.add(row.file_name)
        if self.count >= self._limit:
            raise _TooManyErrors


def copy(
    connection: psycopg.Connection[Any],
    command: CopyCommand,
    *,
    open_store: OpenStore,
    audit: Callable[[], psycopg.Connection[Any]],
) -> CopyResult:
    """Run a COPY, atomically.

    :param connection: the session. With autocommit the COPY commits; otherwise it is part of the transaction, and if it
        fails, the transaction is as it was before and can continue.
    :param command: the result of :func:`~sparkify.warehouse.postgres.copy.parse_copy`.
    :param open_store: opens a bucket, see :func:`~sparkify.s3.stores`.
    :param audit: opens a second connection to the same database, which commits the rejected rows.
    :raises CopyFailedError: if the load fails; the message has the rows, the reasons and the remedies.
    :raises psycopg.Error: if PostgreSQL fails for a reason other than the data, such as a serialization conflict, for
        the caller to retry.
    """
    started = datetime.now(UTC)
    target = find_target(connection, command)
    rejects = _Rejects(command.maxerror)
    fetcher = Fetcher(open_store)
    query_id: int | None = None

    def log() -> None:
        nonlocal query_id
        if rejects.reported:
            query_id = store_rejects(
                audit,
                rejects.reported,
                table=target.oid,
                session=connection.info.backend_pid,
                user=connection.info.user,
                started=started,
            )

    try:
        records = _record_reader(fetcher, command, target)
        objects = _objects(fetcher, command)
        with connection.transaction():
            rows = _load(connection, command, target, fetcher, objects, records, rejects)
            log()  # before the commit: no row is rejected without a log entry
    except _TooManyErrors:
        note = _attempt(log)
        raise _failure(command, rejects, query_id, note) from None
    except (CopyFailedError, S3Error) as error:
        note = _attempt(log)
        more = error.rejects if isinstance(error, CopyFailedError) else ()
        raise CopyFailedError(f"{error}{note}", [*rejects.reported, *more], terminal=error.terminal) from None
    except (psycopg.IntegrityError, psycopg.DataError) as error:
        reason = error.diag.message_primary or type(error).__name__
        note = _attempt(log)
        raise CopyFailedError(f"COPY into {_shown(command)} failed and nothing was loaded: {reason}{note}") from None
    return CopyResult(rows, rejects.count, rejects.reported, query_id)


def _record_reader(fetcher: Fetcher, command: CopyCommand, target: CopyTarget) -> RecordReader:
    conversion = ConversionOptions.of(command)
    if command.json in ("auto", "auto ignorecase"):
        return RecordReader(target.columns, conversion, ignorecase=command.json == "auto ignorecase")
    bucket, key = split_url(command.json, "JSON")
    content = read_object(fetcher.store(bucket), bucket, key)
    return RecordReader(target.columns, conversion, paths=read_jsonpaths(content, command.json, len(target.columns)))


def _objects(fetcher: Fetcher, command: CopyCommand) -> Sequence[S3Object]:
    store = fetcher.store(command.bucket)
    if command.manifest:
        objects, fetcher.optional = read_manifest(read_object(store, command.bucket, command.prefix), command.url)
        return objects
    found = list(list_objects(store, command.bucket, command.prefix))
    if not found:
        raise CopyFailedError(
            f"The specified S3 prefix '{command.prefix}' does not exist in bucket '{command.bucket}'. "
            "Remedy: correct the key in FROM; it is case-sensitive.",
            terminal=False,  # the objects may have been deleted since they were listed
        )
    return sorted(found, key=lambda item: item.key)


def _load(
    connection: psycopg.Connection[Any],
    command: CopyCommand,
    target: CopyTarget,
    fetcher: Fetcher,
    objects: Sequence[S3Object],
    records: RecordReader,
    rejects: _Rejects,
) -> int:
    """Load the objects and return the number of rows."""
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in target.columns)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(target.name, names)
    with connection.cursor() as cursor, cursor.copy(statement) as writer:
        writer.set_types([_WIRE.get(column.type, column.type) for column in target.columns])
        format_row = writer.formatter.write_row

        def emit(rows: Iterable[Sequence[Value]]) -> None:
            for row in rows:  # as Copy.write_row() does, with one call less per row
                if data := format_row(row):
                    writer.write(data)

        reader = FileReader(records, emit, rejects.add)
        with closing(fetcher.read(objects)) as files:  # a load that fails stops fetching
            for item, pieces in files:
                content = decompress(pieces, command.compression, item.url) if command.compression else pieces
                reader.read(item.url, content)
        if not fetcher.objects:
            # "Regardless of any mandatory settings, COPY will terminate if no files are found."
            raise CopyFailedError(
                f"{command.url}: none of the files in the manifest exists. Remedy: correct its URLs.", terminal=False
            )
    return reader.rows


def _shown(command: CopyCommand) -> str:
    return f"'{command.schema}.{command.table}'" if command.schema else f"'{command.table}'"


def _failure(command: CopyCommand, rejects: _Rejects, query_id: int | None, note: str) -> CopyFailedError:
    lines = [
        f"Load into table {_shown(command)} failed. Check 'stl_load_errors' system table for details "
        f"(query = {query_id or 'unknown'}). {rejects.count} rejected with MAXERROR {command.maxerror}; "
        f"nothing was loaded.{note}",
        *map(explain, rejects.reported[:_SHOWN_REJECTS]),
    ]
    return CopyFailedError("\n".join(lines), rejects.reported)


def _attempt(log: Callable[[], None]) -> str:
    """Log the rejected rows of a failed load; return a note for its error if that fails, too."""
    try:
        log()
    except psycopg.Error as error:
        return f" (The rejected rows could not be written to stl_load_errors: {type(error).__name__}.)"
    return ""
