"""COPY the files of a period, and reject what COPY accepts but the warehouse does not."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sparkify.interval import EARLIEST, LATEST, Interval
from sparkify.sql import predicates, templates
from sparkify.staging.rejects import IMPLAUSIBLE_TIME, TABLE, explain
from sparkify.warehouse import CopyFailedError, CopyResult, RejectedRow
from sparkify.warehouse.copy_result import MAX_REPORTED_REJECTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparkify.s3 import Bucket, S3Object
    from sparkify.staging.shared import SharedLandings
    from sparkify.staging.table import StagingTable

log = logging.getLogger(__name__)

render = templates.renderer(Path(__file__).parent)

# How many rejected rows the message of a failure shows.
SHOWN_REJECTS = 3
PLAUSIBLE = predicates.OfInterval(Interval(EARLIEST, LATEST))


@dataclass(frozen=True)
class PeriodCopy:
    """COPY of the files of a period.

    :param interval: the interval that the run stages, for messages.
    :param interval_column: the column with a row's timestamp.
    :param max_errors: rows that may be rejected.
    """

    table: StagingTable
    bucket: Bucket
    interval: Interval
    interval_column: str
    max_errors: int

    def into(self, landing: str, prefix: str, objects: Sequence[S3Object], *, exists: bool = False) -> CopyResult:
        """COPY the files of a period into a landing table; also reject rows with an invalid timestamp.

        :param landing: its name.
        :param prefix: the prefix of the files' keys.
        :param objects: the files.
        :param exists: whether the table was created already; otherwise it is a temporary one.
        :raises CopyFailedError: if more than ``max_errors`` rows are rejected, or S3 fails.
        """
        source = self.bucket.url(prefix)
        try:
            result = self.table.land(landing, source, self.max_errors, exists=exists)
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

    def into_shared(
        self, landings: SharedLandings, name: str, landing: str, prefix: str, objects: Sequence[S3Object]
    ) -> tuple[str, CopyResult | None]:
        """Fill a shared landing table, unless another run has; or a temporary one, if the files cannot be shared.

        :param name: the name of the shared table.
        :param landing: that of the temporary one.
        :return: the name of the table, and the result of the COPY; None if another run has filled the table.
        :raises CopyFailedError: see :meth:`into`.
        """
        if landings.existing([name]):
            log.info("Reading what another run has copied: source=%s table=%s", self.bucket.url(prefix), name)
            return name, None
        landings.create(name)
        result = self.into(name, prefix, objects, exists=True)
        # COPY may have read another version than the one that was listed, after which the table is named.
        is_same = [item for item in self.bucket.objects(prefix) if not item.is_folder] == [*objects]
        if result.rows and not result.rejected and is_same:
            return name, result
        self.table.warehouse.script(
            f"-- Keep what was read for this run only.\nCREATE TEMP TABLE {landing} AS SELECT {name}.* FROM {name};\n"
            f"DROP TABLE {name}"
        )
        return landing, result
