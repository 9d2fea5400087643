"""Stage files from S3 with COPY."""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from sparkify import ledger, scopes, strategies
from sparkify.interval import Interval
from sparkify.objects import Bucket
from sparkify.operators.base import Flow, WarehouseOperator
from sparkify.rejects import Part, RejectedRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from sparkify.interval import Period
    from sparkify.warehouse import Loaded, RejectedRow, Warehouse

log = logging.getLogger(__name__)

# How often files are read anew because a concurrent run staged another version of them.
READINGS = 5


class Landing(NamedTuple):
    """A temporary table with all rows of the file of one period; its fields are SQL."""

    table: str
    period: str
    start: str
    end: str
    last: str


class Landed(NamedTuple):
    """What was read of the files of an interval.

    :param versions: of the files, by the start of their period.
    :param landings: where their rows are.
    :param rejected: how many rows COPY left out.
    :param rejects: what is told of them.
    """

    versions: dict[datetime, str]
    landings: list[Landing]
    rejected: int
    rejects: list[Part]


class StageToRedshiftOperator(WarehouseOperator):
    """Bring a staging table up to date with files in S3.

    With ``interval_column`` the source is cut by time. The run reads the files whose period overlaps its interval,
    replaces what the table holds of the interval, and leaves the rest alone. A row outside its file's own period is
    not dropped: the run that closes the period takes it, and counts it as a stray. No file is no error: an hour may
    have no events.

    Without it the source is a set of objects under a prefix. The run takes those that are new or have changed since
    they were last taken, through a manifest, and skips when there are none. The table has a column ``batch_id``.

    COPY reads into a temporary table first; the staging table changes in one short transaction. What was staged is
    remembered in the tables of include/sql/ddl/operations.sql, rejected rows included: those of the files as they were
    read last, also where there were too many and COPY failed.

    :param table: the staging table. (templated)
    :param bucket: the S3 bucket. (templated)
    :param key: the key, or the beginning of the keys, of the objects. With ``interval_column`` strftime codes in it
        stand for the start of a file's period: ``log_data/%Y/%m/%Y-%m-%d-events.json``. (templated)
    :param format: COPY's data format, such as ``JSON 'auto'`` or ``JSON 'auto ignorecase'``. (templated)
    :param jsonpaths: URI of a JSONPaths file in S3, in place of ``format``. (templated)
    :param copy_options: further options of COPY, such as ``TIMEFORMAT 'epochmillisecs'``.
    :param max_errors: rows that COPY may reject of a period's files, or of a batch, before it fails;
        ``operations.rejected_rows`` has the reasons. (templated)
    :param interval_column: the column that holds a row's time.
    :param late_before: rows of the interval before this moment that were not staged yet count as late: either they
        came after their own hour was loaded, or that hour is still to be loaded. ISO 8601; only with
        ``interval_column``. (templated)
    :param file_period: what one file covers, ``hour`` or ``day``; only with ``interval_column``.
    :param partition_column: the audit column of ``table`` that holds the moment by which a run owns the row; only
        with ``interval_column``.
    :param full_refresh: ``"True"`` to take every object again; only without ``interval_column``. (templated)
    :param manifest_bucket: where manifests are written; by default ``bucket``. (templated)
    :param manifest_prefix: the beginning of their keys. (templated)
    """

    template_fields: Sequence[str] = (
        *WarehouseOperator.template_fields,
        "table",
        "bucket",
        "key",
        "format",
        "jsonpaths",
        "max_errors",
        "late_before",
        "full_refresh",
        "manifest_bucket",
        "manifest_prefix",
    )
    ui_color = "#f9d5c4"

    def __init__(
        self,
        *,
        table: str,
        bucket: str,
        key: str,
        format: str = "JSON 'auto'",
        jsonpaths: str | None = None,
        copy_options: Sequence[str] = (),
        max_errors: int | str = 0,
        interval_column: str | None = None,
        late_before: str | None = None,
        file_period: Period = "day",
        partition_column: str = "interval_time",
        full_refresh: bool | str = False,
        manifest_bucket: str | None = None,
        manifest_prefix: str = "manifests/",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table = table
        self.bucket = bucket
        self.key = key
        self.format = format
        self.jsonpaths = jsonpaths
        self.copy_options = tuple(copy_options)
        self.max_errors = max_errors
        self.interval_column = interval_column
        self.late_before = late_before
        self.file_period = file_period
        self.partition_column = partition_column if interval_column else "batch_id"
        self.full_refresh = full_refresh
        self.manifest_bucket = manifest_bucket
        self.manifest_prefix = manifest_prefix

    @property
    def flow(self) -> Flow:
        return Flow(writes=self.table, bucket=self.bucket, key=self.key)

    def work(self, context: Context) -> dict[str, Any]:
        rejects = RejectedRows(self.table, context["dag_run"].run_id)
        with self.warehouse() as warehouse:
            stage = self._stage_interval if self.interval_column else self._stage_batches
            staged = stage(warehouse, rejects)
            warehouse.analyze(self.table, staged["rows"])
            return staged

    # --- a source cut by time ---

    def _stage_interval(self, warehouse: Warehouse, rejects: RejectedRows) -> dict[str, Any]:
        from sparkify.warehouse import WarehouseError

        columns = self._source_columns(warehouse)
        for _ in range(READINGS):
            before = self._versions(warehouse)
            landed = self._land_files(warehouse, columns, rejects, before)
            replace = partial(self._replace, warehouse, columns, landed, before, rejects)
            if staged := warehouse.transaction(replace, lock=[self.table]):
                return {**staged, "rejected": landed.rejected, "files": len(landed.landings)}
            log.info("A concurrent run has staged another version of these files: reading them again.")
        raise WarehouseError(
            f"The files of {self.interval} kept changing while concurrent runs staged them, {READINGS} times in a row. "
            "Nothing was changed; the next attempt of the task reads them again."
        )

    def _versions(self, warehouse: Warehouse) -> dict[datetime, str]:
        """Return the version of the files that was staged last, for each period of the interval."""
        starts = [scopes.literal(period.start) for period in self.interval.periods(self.file_period)]
        rows = warehouse.query(
            f"SELECT period_start, version FROM operations.staged_periods WHERE table_name = '{self.table}' "
            f"AND period_start >= {starts[0]} AND period_start <= {starts[-1]}"
        )
        return {start.replace(tzinfo=UTC): version for start, version in rows}

    def _land_files(
        self, warehouse: Warehouse, columns: list[str], rejects: RejectedRows, before: dict[datetime, str]
    ) -> Landed:
        """COPY the files of each period.

        :param before: the versions that were staged before.
        """
        from sparkify.warehouse import CopyFailedError

        bucket = Bucket(self.bucket, self.aws_conn_id)
        versions: dict[datetime, str] = {}
        landings: list[Landing] = []
        rejected = 0
        parts: list[Part] = []
        for period in self.interval.periods(self.file_period):
            prefix = period.start.strftime(self.key)
            objects = list(bucket.objects(prefix))
            versions[period.start] = hashlib.sha256(repr(objects).encode()).hexdigest()
            if not objects:
                log.info("No object at s3://%s/%s: nothing to stage for %s.", self.bucket, prefix, period)
                continue
            landing = f"landing_{len(landings) + 1}"
            source = f"s3://{self.bucket}/{prefix}"
            try:
                loaded = warehouse.transaction(partial(self._land, warehouse, landing, columns, source))
            except CopyFailedError as error:
                warehouse.transaction(
                    partial(self._keep_failed, warehouse, rejects, error.rejects, period.start, before),
                    lock=[self.table],
                )
                raise
            rejected += loaded.rejected
            landings.append(_landing(landing, period))
            parts.append(Part(loaded.rejects, period.start))
        return Landed(versions, landings, rejected, parts)

    def _keep_failed(
        self,
        warehouse: Warehouse,
        rejects: RejectedRows,
        rows: Sequence[RejectedRow],
        start: datetime,
        before: dict[datetime, str],
    ) -> None:
        """Remember what a COPY that failed has rejected, unless a concurrent run has staged the files meanwhile."""
        if not rows:
            return
        if self._versions(warehouse).get(start) == before.get(start):
            rejects.replace_periods(warehouse, [start], [Part(rows, start)])

    def _replace(
        self,
        warehouse: Warehouse,
        columns: list[str],
        landed: Landed,
        before: dict[datetime, str],
        rejects: RejectedRows,
    ) -> dict[str, int] | None:
        """Replace the interval's rows with what was landed; return how many are staged, stray and late.

        The table is locked: this is the only writer, and sees all that is committed.

        :param before: the versions that were staged before they were read.
        :return: None where a concurrent run has staged other files meanwhile. They may be newer.
        """
        versions, landings = landed.versions, landed.landings
        now = self._versions(warehouse)
        if any(version not in (before.get(start), versions[start]) for start, version in now.items()):
            for landing in landings:
                warehouse.script(f"DROP TABLE {landing.table}")
            return None
        *_, late_before = self._counts(warehouse)
        warehouse.script(
            strategies.render(
                "stage_interval",
                table=self.table,
                interval=self.interval,
                interval_column=self.interval_column,
                partition_column=self.partition_column,
                columns=columns,
                landings=landings,
                versions=[{"start": scopes.literal(start), "version": text} for start, text in versions.items()],
                owned=scopes.OfInterval(self.interval),
            )
        )
        rejects.replace_periods(warehouse, list(versions), landed.rejects)
        rows, strays, late_now = self._counts(warehouse)
        late = max(0, late_now - late_before)
        if strays:
            log.warning("%d rows lie outside the period of the file that delivered them.", strays)
        if late:
            log.warning("%d rows before %s had not been staged when their hour was loaded.", late, self.late_before)
        return {"rows": rows, "strays": strays, "late": late}

    def _counts(self, warehouse: Warehouse) -> tuple[int, int, int]:
        """Count the interval's rows in the staging table: all, the strays, and those before ``late_before``."""
        partition, moment = self.partition_column, self.interval_column
        before = self.late_before and scopes.literal(Interval.parse(self.late_before, self.interval.end).start)
        late = f"COUNT(CASE WHEN {partition} < {before} THEN 1 END)" if before else "0"
        ((rows, strays, early),) = warehouse.query(
            f"SELECT COUNT(*), COUNT(CASE WHEN {partition} <> {moment} THEN 1 END), {late} "
            f"FROM {self.table} WHERE {scopes.OfInterval(self.interval)(partition)}"
        )
        return rows, strays, early

    # --- a set of objects ---

    def _stage_batches(self, warehouse: Warehouse, rejects: RejectedRows) -> dict[str, Any]:
        from sparkify.warehouse import CopyFailedError

        def keep_failed(rows: Sequence[RejectedRow]) -> None:
            rejects.replace_batches(warehouse, [], [Part(rows)])

        try:
            # The lock makes runs take turns. It is on the ledger, which nobody else reads.
            return warehouse.transaction(partial(self._stage_objects, warehouse, rejects), lock=[ledger.OBJECTS])
        except CopyFailedError as error:
            if error.rejects:
                warehouse.transaction(partial(keep_failed, error.rejects), lock=[ledger.OBJECTS])
            raise
        except AirflowSkipException:
            # What made a COPY fail was removed.
            warehouse.transaction(partial(keep_failed, ()), lock=[ledger.OBJECTS])
            raise

    def _stage_objects(self, warehouse: Warehouse, rejects: RejectedRows) -> dict[str, Any]:
        known = ledger.read(warehouse, self.table)
        listed = Bucket(self.bucket, self.aws_conn_id).objects(self.key)
        plan = ledger.plan(listed, known, refresh=str(self.full_refresh).lower() == "true")
        if not plan.take and not plan.retired:
            raise AirflowSkipException(
                f"Nothing new: the {len(known):,} objects at s3://{self.bucket}/{self.key} are staged as they are."
            )
        log.info(
            "%d objects are new, %d changed or are staged again with one that did, %d vanished.",
            plan.new, len(plan.take) - plan.new, plan.vanished,
        )  # fmt: skip
        columns = self._source_columns(warehouse)
        manifests = Bucket(self.manifest_bucket or self.bucket, self.aws_conn_id)
        rejected = 0
        parts = []
        batches = ledger.batches(plan, first_id=ledger.next_batch_id(warehouse, self.table))
        for batch in batches:
            landing = f"landing_{batch.id}"
            with ledger.published(batch, self.table, self.bucket, manifests, self.manifest_prefix) as published:
                loaded = self._land(warehouse, landing, columns, published.manifest, "MANIFEST")
                warehouse.copy(ledger.OBJECTS, published.objects, ledger.COPY_OPTIONS)
            rejected += loaded.rejected
            parts.append(Part(loaded.rejects, batch_id=batch.id))
            batch.landing, batch.rows = landing, loaded.rows
            log.info("Batch %d: %s objects, %s rows.", batch.id, f"{len(batch.objects):,}", f"{loaded.rows:,}")
        warehouse.script(
            strategies.render(
                "stage_objects",
                table=self.table,
                columns=columns,
                batches=batches,
                retired=sorted(plan.retired),
                staged_at=scopes.literal(datetime.now(UTC)),
            )
        )
        rejects.replace_batches(warehouse, sorted(plan.retired), parts)
        return {"rows": sum(batch.rows for batch in batches), "rejected": rejected, "objects": len(plan.take)}

    # --- both ---

    def _land(self, warehouse: Warehouse, landing: str, columns: list[str], source: str, *options: str) -> Loaded:
        """COPY into a new temporary table that is like the staging table."""
        warehouse.script(f"CREATE TEMP TABLE {landing} (LIKE {self.table} INCLUDING DEFAULTS)")
        options = (
            *options,
            f"FORMAT AS JSON '{self.jsonpaths}'" if self.jsonpaths else f"FORMAT AS {self.format}",
            f"MAXERROR {int(self.max_errors) + 1}",  # COPY fails when it meets that many
            *self.copy_options,
        )
        loaded = warehouse.copy(f"{landing} ({', '.join(columns)})", source, options)
        if loaded.rejected:
            log.warning(
                "%d rows of %s were rejected: operations.rejected_rows has file, line, column and reason.",
                loaded.rejected, source,
            )  # fmt: skip
        return loaded

    def _source_columns(self, warehouse: Warehouse) -> list[str]:
        columns = warehouse.columns(self.table)
        if self.partition_column not in columns:
            raise AirflowFailException(
                f"The staging table {self.table} has no column {self.partition_column}: it is where a run marks the "
                "rows that are its own."
            )
        return [column for column in columns if column != self.partition_column]


def _landing(table: str, period: Interval) -> Landing:
    return Landing(
        table=table,
        period=str(period),
        start=scopes.literal(period.start),
        end=scopes.literal(period.end),
        last=scopes.literal(period.end - timedelta(microseconds=1)),
    )
