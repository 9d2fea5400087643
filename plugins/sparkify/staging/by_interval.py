"""Stage a source that is partitioned by time: a run replaces the rows of its own interval."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sparkify.interval import EARLIEST, LATEST, Interval
from sparkify.sql import predicates, templates
from sparkify.staging.rejects import IMPLAUSIBLE_TIME, TABLE, explain
from sparkify.staging.source_fields import SourceFields
from sparkify.warehouse import CopyFailedError, CopyResult, RejectedRow, WarehouseError
from sparkify.warehouse.copy_result import MAX_REPORTED_REJECTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparkify.interval import Period
    from sparkify.s3 import Bucket, S3Object
    from sparkify.staging.rejects import RejectedRows
    from sparkify.staging.sampling import SampledField
    from sparkify.staging.table import StagingTable

log = logging.getLogger(__name__)

render = templates.renderer(Path(__file__).parent)

# How often files are read again because a concurrent run staged another version of them.
READINGS = 5
# How many rejected rows the message of a failure shows.
SHOWN_REJECTS = 3
PLAUSIBLE = predicates.OfInterval(Interval(EARLIEST, LATEST))


class LandingTable(NamedTuple):
    """A temporary table with all rows of the files of one period; its fields are SQL."""

    name: str
    period: str
    start: str
    end: str
    last: str

    @classmethod
    def of(cls, name: str, period: Interval) -> LandingTable:
        return cls(
            name=name,
            period=str(period),
            start=predicates.literal(period.start),
            end=predicates.literal(period.end),
            last=predicates.literal(period.end - timedelta(microseconds=1)),
        )


@dataclass
class LandedFiles:
    """The files of an interval, loaded into landing tables.

    :param versions: the versions of the files, by the start of their period.
    :param tables: the landing tables.
    :param rejected: number of rejected rows.
    :param rejects: the reported rejected rows, by the start of the period of their file.
    :param empty: number of files without rows.
    :param fields: the sampled fields, by the start of the period; only of periods whose files have changed.
    """

    versions: dict[datetime, str] = field(default_factory=dict)
    tables: list[LandingTable] = field(default_factory=list)
    rejected: int = 0
    rejects: dict[datetime, Sequence[RejectedRow]] = field(default_factory=dict)
    empty: int = 0
    fields: dict[datetime, list[SampledField]] = field(default_factory=dict)


@dataclass(frozen=True)
class IntervalStaging:
    """Stages the files of an interval; the parameters are those of the operator.

    :param rejects: records the rejected rows.
    """

    table: StagingTable
    bucket: Bucket
    key: str
    interval: Interval
    interval_column: str
    file_period: Period
    late_before: str | None
    max_errors: int
    rejects: RejectedRows

    def run(self) -> dict[str, Any]:
        """Replace the interval's rows with those of the files.

        :return: counts by name: rows, strays, late, rejected, files, empty.
        :raises CopyFailedError: if more than ``max_errors`` rows of a period's files are rejected.
        """
        for _ in range(READINGS):
            before = self._versions()
            landed = self._land_files(before)
            replace_rows = partial(self._replace, landed, before)
            if staged := self.table.warehouse.transaction(replace_rows, lock=[self.table.name]):
                counts = {"rejected": landed.rejected, "files": len(landed.tables), "empty": landed.empty}
                return {**staged, **counts}
            log.info(
                "A concurrent run has staged another version of the files of %s, reading them again", self.interval
            )
        raise WarehouseError(
            f"The files of {self.interval} kept changing while concurrent runs staged them, {READINGS} times in a row. "
            "Nothing was changed; the task's retry reads them again."
        )

    def _versions(self) -> dict[datetime, str]:
        """Return the last staged version of the files of each period of the interval."""
        starts = [predicates.literal(period.start) for period in self.interval.periods(self.file_period)]
        rows = self.table.warehouse.query(
            f"SELECT period_start, version FROM operations.staged_periods WHERE table_name = '{self.table.name}' "
            f"AND period_start >= {starts[0]} AND period_start <= {starts[-1]}"
        )
        return {start.replace(tzinfo=UTC): version for start, version in rows}

    def _land_files(self, before: dict[datetime, str]) -> LandedFiles:
        """COPY the files of each period, and sample those that have changed.

        :param before: the versions that were staged before.
        """
        landed = LandedFiles()
        changed: dict[datetime, list[S3Object]] = {}
        for period in self.interval.periods(self.file_period):
            prefix = period.start.strftime(self.key)
            source = self.bucket.url(prefix)
            objects = [item for item in self.bucket.objects(prefix) if not item.is_folder]
            landed.versions[period.start] = hashlib.sha256(repr(objects).encode()).hexdigest()
            landed.rejects[period.start] = ()
            if landed.versions[period.start] != before.get(period.start):
                changed[period.start] = objects
            if not objects:
                log.info("No object found, nothing to stage: source=%s period=%s", source, period)
                continue
            landing = f"landing_{len(landed.tables) + 1}"
            try:
                result = self.table.warehouse.transaction(partial(self._land, landing, source, objects))
            except CopyFailedError as error:
                record = partial(self._record_failed, error.rejects, period.start, before)
                self.table.warehouse.transaction(record, lock=[self.table.name])
                raise
            landed.tables.append(LandingTable.of(landing, period))
            landed.rejected += result.rejected
            landed.rejects[period.start] = result.rejects
            landed.empty += self._warn_of_empty(objects, result)
        landed.fields = self._source_fields.of_periods(changed)
        return landed

    @property
    def _source_fields(self) -> SourceFields:
        return SourceFields(self.table, self.bucket)

    def _land(self, landing: str, source: str, objects: Sequence[S3Object]) -> CopyResult:
        """COPY the files of a period; also reject rows with an invalid timestamp that COPY accepts."""
        try:
            result = self.table.land(landing, source, self.max_errors)
        except CopyFailedError as error:
            if not (error.terminal and error.rejects):
                raise  # the cause is S3, or the declaration of the task
            if all(row.line_number for row in error.rejects):
                raise self._too_many(source, error.rejects) from None
            raise CopyFailedError(
                f"A file of {source} cannot be read: nothing of {self.interval} was staged.\n"
                f"Correct the file and clear the task.\n{explain(error.rejects[:SHOWN_REJECTS])}",
                error.rejects,
            ) from None
        # COPY does not report which file a row came from.
        file = objects[0].url if len(objects) == 1 else source
        rejected, rejects = self._implausible(landing, file)
        if rejected and result.rejected + rejected > self.max_errors:
            raise self._too_many(source, [*result.rejects, *rejects])
        result = replace(
            result,
            rows=result.rows - rejected,
            rejected=result.rejected + rejected,
            rejects=[*result.rejects, *rejects],
        )
        if result.rejected:
            log.warning(
                "Rows were rejected: rows=%d source=%s. operations.rejected_rows has file, line, column and reason.",
                result.rejected, source,
            )  # fmt: skip
        return result

    def _implausible(self, landing: str, file: str) -> tuple[int, list[RejectedRow]]:
        """Return the number of rows with an invalid timestamp, and the first of them.

        COPY accepts every value that a TIMESTAMP can hold, 4713 BC to AD 294276:
        https://docs.aws.amazon.com/redshift/latest/dg/r_Datetime_types.html
        """
        column = self.interval_column
        found = self.table.warehouse.query(
            render(
                "implausible", landing=landing, column=column, plausible=PLAUSIBLE(column), limit=MAX_REPORTED_REJECTS
            )
        )
        rows = [
            RejectedRow(
                file_name=file,
                line_number=0,
                column_name=column,
                error_code=IMPLAUSIBLE_TIME,
                reason=f"{column} is {value}: the warehouse accepts [{EARLIEST:%Y-%m-%d}, {LATEST:%Y-%m-%d})",
                raw_value=value,
            )
            for value, _ in found
        ]
        return (found[0][1] if found else 0), rows

    def _too_many(self, source: str, rejects: Sequence[RejectedRow]) -> CopyFailedError:
        start, end = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (self.interval.start, self.interval.end))
        return CopyFailedError(
            f"More than {self.max_errors} rows of {source} were rejected: nothing of {self.interval} was staged.\n"
            f"Correct the file and clear the task; {TABLE} has file, line, column and reason. Or load the other rows: "
            f"trigger the DAG again with start={start}, end={end} and a max_errors above {self.max_errors}; "
            f"clearing the task cannot change params.\n{explain(rejects[:SHOWN_REJECTS])}",
            rejects,
        )

    def _warn_of_empty(self, objects: Sequence[S3Object], result: CopyResult) -> int:
        """Warn about files without rows, which may be broken uploads; return their number."""
        without_rows = not result.rows and not result.rejected
        empty = [item for item in objects if without_rows or not item.size]
        for item in empty:
            log.warning("File has no rows, check that the upload is complete: file=%s bytes=%d", item.url, item.size)
        return len(empty)

    def _record_failed(self, rows: Sequence[RejectedRow], start: datetime, before: dict[datetime, str]) -> None:
        """Record the rejected rows of files that failed, unless a concurrent run has staged the files meanwhile."""
        if not rows:
            return
        if self._versions().get(start) == before.get(start):
            self.rejects.replace_periods(self.table.warehouse, {start: rows})

    def _replace(self, landed: LandedFiles, before: dict[datetime, str]) -> dict[str, int] | None:
        """Replace the interval's rows with those of the files; return the number of staged, stray and late rows.

        The table is locked: this is the only writer, and sees everything that is committed.

        :param before: the versions that were staged before the files were read.
        :return: None if a concurrent run has staged other versions meanwhile, which may be newer.
        """
        warehouse, table = self.table.warehouse, self.table.name
        now = self._versions()
        if any(version not in (before.get(start), landed.versions[start]) for start, version in now.items()):
            for landing in landed.tables:
                warehouse.script(f"DROP TABLE {landing.name}")
            return None
        # Without those that a concurrent run has recorded for the same files.
        fields = {start: found for start, found in landed.fields.items() if now.get(start) != landed.versions[start]}
        *_, late_before = self._counts()
        warehouse.script(
            render(
                "stage_interval",
                table=table,
                interval=self.interval,
                interval_column=self.interval_column,
                partition_column=self.table.partition_column,
                columns=self.table.columns,
                landings=landed.tables,
                versions=[
                    {"start": predicates.literal(start), "version": text} for start, text in landed.versions.items()
                ],
                owned=predicates.OfInterval(self.interval),
                plausible=PLAUSIBLE(self.interval_column),
                resampled=[predicates.literal(start) for start in fields if start in now],
            )
        )
        self._source_fields.insert_periods(fields)
        self.rejects.replace_periods(warehouse, landed.rejects)
        rows, strays, late_now = self._counts()
        late = max(0, late_now - late_before)
        if strays:
            log.warning("Stray rows, outside the period of their file: rows=%d table=%s", strays, table)
        if late:
            log.warning("Late-arriving rows: rows=%d table=%s before=%s", late, table, self.late_before)
        return {"rows": rows, "strays": strays, "late": late}

    def _counts(self) -> tuple[int, int, int]:
        """Count the interval's rows in the staging table: all, the strays, and those before ``late_before``."""
        partition, moment = self.table.partition_column, self.interval_column
        before = self.late_before and predicates.literal(Interval.parse(self.late_before, self.interval.end).start)
        late = f"COUNT(CASE WHEN {partition} < {before} THEN 1 END)" if before else "0"
        ((rows, strays, early),) = self.table.warehouse.query(
            f"SELECT COUNT(*), COUNT(CASE WHEN {partition} <> {moment} THEN 1 END), {late} "
            f"FROM {self.table.name} WHERE {predicates.OfInterval(self.interval)(partition)}"
        )
        return rows, strays, early
