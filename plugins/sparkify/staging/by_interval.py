"""Stage a source that is partitioned by time: a run replaces the rows of its own interval."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkify.interval import PERIODS, Interval
from sparkify.sql import predicates, templates
from sparkify.staging import periods
from sparkify.staging.landing import LandedFiles, LandingTable
from sparkify.staging.period_copy import PLAUSIBLE, PeriodCopy
from sparkify.staging.periods import PeriodFiles
from sparkify.staging.shared import SharedLandings
from sparkify.staging.source_fields import SourceFields
from sparkify.staging.vanished import VanishedFilesError
from sparkify.warehouse import CopyFailedError, CopyResult, RejectedRow, WarehouseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparkify.interval import Period
    from sparkify.s3 import Bucket, S3Object
    from sparkify.staging.periods import StagedPart
    from sparkify.staging.rejects import RejectedRows
    from sparkify.staging.table import StagingTable

log = logging.getLogger(__name__)

render = templates.renderer(Path(__file__).parent)

# How often files are read again because a concurrent run staged another version of them.
READINGS = 5


@dataclass(frozen=True)
class IntervalStaging:
    """Stages the files of an interval; the parameters are those of the operator.

    :param run_id: the DAG run.
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
    accept_vanished: bool
    run_id: str
    rejects: RejectedRows

    def run(self) -> dict[str, Any]:
        """Replace the interval's rows with those of the files.

        :return: counts by name: rows, strays, late, rejected, files, empty.
        :raises CopyFailedError: if more than ``max_errors`` rows of a period's files are rejected.
        :raises VanishedFilesError: if rows would be deleted because their files have vanished.
        """
        for _ in range(READINGS):
            before = self.table.warehouse.transaction(self._look_up)
            landed = self._land_files(before)
            replace_rows = partial(self._replace, landed, before)
            with self.table.warehouse.filling(self.table.name, landed.rows):
                staged = self.table.warehouse.transaction(replace_rows, lock=[self.table.name])
            if staged:
                counts = {"rejected": landed.rejected, "files": len(landed.tables), "empty": landed.empty}
                return {**staged, **counts}
            log.info(
                "A concurrent run has staged another version of the files of %s, reading them again", self.interval
            )
        raise WarehouseError(
            f"The files of {self.interval} kept changing while concurrent runs staged them, {READINGS} times in a row. "
            "Nothing was changed; the task's retry reads them again."
        )

    def _look_up(self) -> dict[datetime, list[StagedPart]]:
        """Return the staged parts, and look the columns up in the same transaction."""
        _ = self.table.columns
        return self._parts()

    def _parts(self) -> dict[datetime, list[StagedPart]]:
        """Return the staged parts of each period of the interval."""
        return self._parts_and()[0]

    def _parts_and(self, *numbers: str) -> tuple[dict[datetime, list[StagedPart]], list[int]]:
        return periods.read(self.table.warehouse, self.table.name, self.interval, self.file_period, *numbers)

    def _land_files(self, before: dict[datetime, list[StagedPart]]) -> LandedFiles:
        """COPY the files of each period, and sample those that have changed.

        :param before: what was staged before.
        """
        landed = LandedFiles()
        changed: dict[datetime, list[S3Object]] = {}
        for period in self.interval.periods(self.file_period):
            prefix = period.start.strftime(self.key)
            objects = [item for item in self.bucket.objects(prefix) if not item.is_folder]
            landed.files[period.start] = PeriodFiles.of(objects)
            landed.rejects[period.start] = ()
            if not _is_latest(landed.files[period.start], before.get(period.start, ())):
                changed[period.start] = objects
            if not objects:
                log.info("No object found, nothing to stage: source=%s period=%s", self.bucket.url(prefix), period)
                continue
            try:
                self._land(landed, period, prefix, objects)
            except CopyFailedError as error:
                record = partial(self._record_failed, error.rejects, period.start, before)
                self.table.warehouse.transaction(record, lock=[self.table.name])
                raise
        landed.fields = self._source_fields.of_periods(changed)
        return landed

    def _land(self, landed: LandedFiles, period: Interval, prefix: str, objects: Sequence[S3Object]) -> None:
        """COPY the files of a period, or take the landing table with what another run has copied."""
        copy = PeriodCopy(self.table, self.bucket, self.interval, self.interval_column, self.max_errors)
        landing = f"landing_{len(landed.tables) + 1}"
        result: CopyResult | None
        # Those of a period that has not ended change before the next run.
        name = self._landings.name(period, landed.files[period.start]) if period.end <= datetime.now(UTC) else ""
        closes = self.interval == period
        landed.is_last = bool(name) and closes
        if name and (self._landings.existing([name]) if closes else self._part(period) != period):
            into_shared = partial(copy.into_shared, self._landings, name, landing, prefix, objects)
            landing, result = self.table.warehouse.transaction(into_shared)
            if landing == name:
                landed.shared.append(name)
                landed.created += [name] if result else []
        else:
            result = self.table.warehouse.transaction(partial(copy.into, landing, prefix, objects))
        landed.tables.append(LandingTable.of(landing, period))
        if result:
            landed.rows += result.rows
            landed.rejected += result.rejected
            landed.rejects[period.start] = result.rejects
            landed.empty += self._warn_of_empty(objects, result)

    @property
    def _landings(self) -> SharedLandings:
        return SharedLandings(self.table)

    def _part(self, period: Interval) -> Interval:
        """Return the part of a period that belongs to the interval."""
        return Interval(max(period.start, self.interval.start), min(period.end, self.interval.end))

    @property
    def _source_fields(self) -> SourceFields:
        return SourceFields(self.table, self.bucket)

    def _warn_of_empty(self, objects: Sequence[S3Object], result: CopyResult) -> int:
        """Warn about files without rows, which may be broken uploads; return their number."""
        without_rows = not result.rows and not result.rejected
        empty = [item for item in objects if without_rows or not item.size]
        for item in empty:
            log.warning("File has no rows, check that the upload is complete: file=%s bytes=%d", item.url, item.size)
        return len(empty)

    def _record_failed(
        self, rows: Sequence[RejectedRow], start: datetime, before: dict[datetime, list[StagedPart]]
    ) -> None:
        """Record the rejected rows of files that failed, unless a concurrent run has staged the files meanwhile."""
        if not rows:
            return
        if self._parts().get(start) == before.get(start):
            self.rejects.replace_periods(self.table.warehouse, {start: rows})

    def _replace(self, landed: LandedFiles, before: dict[datetime, list[StagedPart]]) -> dict[str, int] | None:
        """Replace the interval's rows with those of the files; return the number of staged, stray and late rows.

        The table is locked: this is the only writer, and sees everything that is committed.

        :param before: what was staged before the files were read.
        :return: None if a concurrent run has staged other versions meanwhile, which may be newer.
        :raises VanishedFilesError: if rows would be deleted because their files have vanished.
        """
        warehouse, table = self.table.warehouse, self.table.name
        count_late = f"(SELECT COUNT(*) FROM {table} WHERE {self._owned} AND {self._is_late})"
        now, numbers = self._parts_and(count_late, self.rejects.count(landed.rejects))
        late_before, former_rejects = numbers or (0, None)
        if self._landings.existing(landed.shared) < len(landed.shared) or any(
            {part.version for part in parts} - {part.version for part in before.get(start, ())}
            - {landed.files[start].version}
            for start, parts in now.items()
        ):  # fmt: skip
            for landing in landed.tables:
                if landing.name not in landed.shared:
                    warehouse.script(f"DROP TABLE {landing.name}")
            return None
        if not self.accept_vanished:
            self._refuse_vanished(landed, now)
        # Without those that a concurrent run has recorded for the same files.
        fields = {
            start: found
            for start, found in landed.fields.items()
            if not _is_latest(landed.files[start], now.get(start, ()))
        }
        warehouse.script(
            render(
                "stage_interval",
                table=table,
                interval=self.interval,
                interval_column=self.interval_column,
                partition_column=self.table.partition_column,
                columns=self.table.columns,
                landings=landed.tables,
                parts=self._staged_parts(landed, now),
                literal=predicates.literal,
                text=predicates.text,
                owned=predicates.OfInterval(self.interval),
                plausible=PLAUSIBLE(self.interval_column),
                resampled=[predicates.literal(start) for start in fields if start in now],
            )
        )
        if landed.created or landed.is_last:
            finished = landed.shared if landed.is_last else ()
            self._landings.drop_unused(finished, created=landed.created)
        self._source_fields.insert_periods(fields)
        self.rejects.replace_periods(warehouse, landed.rejects, former=former_rejects)
        is_stray = f"{self.table.partition_column} <> {self.interval_column}"
        ((rows, strays, late_now),) = warehouse.query(
            f"SELECT COUNT(*), COUNT(CASE WHEN {is_stray} THEN 1 END), COUNT(CASE WHEN {self._is_late} THEN 1 END) "
            f"FROM {table} WHERE {self._owned}"
        )
        late = max(0, late_now - late_before)
        if strays:
            log.warning("Stray rows, outside the period of their file: rows=%d table=%s", strays, table)
        if late:
            log.warning("Late-arriving rows: rows=%d table=%s before=%s", late, table, self.late_before)
        return {"rows": rows, "strays": strays, "late": late}

    def _refuse_vanished(self, landed: LandedFiles, now: dict[datetime, list[StagedPart]]) -> None:
        """Raise an error if a period has staged rows, but no files any more.

        The files may have expired in S3, or were deleted by mistake: the rows are the only copy of the data.
        """
        candidates = [
            start
            for start, files in landed.files.items()
            if not files.objects and any(part.version != periods.EMPTY for part in now.get(start, ()))
        ]
        if not candidates:
            return
        span = Interval(candidates[0], candidates[-1] + PERIODS[self.file_period])
        rows = self.table.warehouse.query(
            render(
                "staged_rows",
                table=self.table.name,
                column=self.table.partition_column,
                period=self.file_period,
                span=predicates.OfInterval(span),
            )
        )
        found = {start.replace(tzinfo=UTC): count for start, count in rows}
        if vanished := [start for start in candidates if start in found]:
            raise VanishedFilesError.of_periods(
                self.table.name, self.bucket.url(self.key), self.interval, {start: found[start] for start in vanished}
            )

    def _staged_parts(
        self, landed: LandedFiles, now: dict[datetime, list[StagedPart]]
    ) -> list[tuple[datetime, StagedPart]]:
        """Return the parts of all periods of the interval, after this run."""
        at = datetime.now(UTC)
        after: list[tuple[datetime, StagedPart]] = []
        for period in self.interval.periods(self.file_period):
            files = landed.files[period.start]
            parts = periods.staged(
                now.get(period.start, ()), files, self._part(period), period, run_id=self.run_id, now=at
            )
            if (found := periods.latest(parts)) and found.shrunk_from and found.version == files.version:
                log.warning(
                    "Files have shrunk, check that the upload is complete: period=%s bytes=%d bytes_before=%d",
                    period, files.size_bytes, found.shrunk_from,
                )  # fmt: skip
            after += [(period.start, part) for part in parts]
        return after

    @property
    def _is_late(self) -> str:
        if not self.late_before:
            return "1 = 0"
        moment = Interval.parse(self.late_before, self.interval.end).start
        return f"{self.table.partition_column} < {predicates.literal(moment)}"

    @property
    def _owned(self) -> str:
        return predicates.OfInterval(self.interval)(self.table.partition_column)


def _is_latest(files: PeriodFiles, parts: Sequence[StagedPart]) -> bool:
    """Return whether the version that was staged last is that of the files."""
    found = periods.latest(parts)
    return found is not None and found.version == files.version
