"""What the source delivers: the sampled fields of staged files, recorded in ``operations.source_fields``.

They are written in the transaction that stages the files. A sample depends on the files of its period, or of its batch,
only: any order, parallelism and repetition of runs records the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC
from functools import cached_property
from typing import TYPE_CHECKING

from sparkify.staging.rejects import clip
from sparkify.staging.sampling import Limit, sample, spread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sparkify.s3 import Bucket, S3Object
    from sparkify.staging.ledger import Batch
    from sparkify.staging.sampling import SampledField
    from sparkify.staging.table import StagingTable

TABLE = "operations.source_fields"

COLUMNS = (
    "table_name",
    "period_start",
    "batch_id",
    "field_name",
    "column_name",
    "json_type",
    "occurrences",
    "first_seen",
    "last_seen",
    "file_name",
    "line_number",
)
# A task reads at most a megabyte: of a period always as much, so that its sample does not depend on the run's interval.
PERIODS, OF_PERIOD = 15, Limit(size=64_000, files=4)
OBJECTS = Limit(size=960_000, files=64)
# The lengths of the columns, in bytes.
_NAME, _FILE = 256, 4_096


@dataclass(frozen=True)
class SourceFields:
    """The fields of a source: the members of its JSON objects.

    A source in another format, or in a compression other than GZIP, is not sampled.

    :param table: the staging table.
    :param bucket: the bucket of its files.
    """

    table: StagingTable
    bucket: Bucket

    def of_periods(self, files: Mapping[datetime, Sequence[S3Object]]) -> dict[datetime, list[SampledField]]:
        """Sample the files of some periods; of more than :data:`PERIODS` periods, sample an even spread.

        :param files: the files by the start of their period.
        :return: the fields by the start of the period; empty for a period that was not sampled.
        :raises S3Error: if a file cannot be read.
        """
        chosen = spread([start for start, objects in files.items() if objects], PERIODS)
        return {start: self._sample(files[start], OF_PERIOD) if start in chosen else [] for start in files}

    def of_batches(self, batches: Sequence[Batch]) -> dict[int, list[SampledField]]:
        """Sample the objects of batches.

        :return: the fields by the number of the batch.
        :raises S3Error: if an object cannot be read.
        """
        chosen = spread(batches, OBJECTS.files)
        limit = Limit(*(total // max(len(chosen), 1) for total in OBJECTS))
        return {batch.id: self._sample(batch.objects, limit) for batch in chosen}

    def insert_periods(self, sampled: Mapping[datetime, Sequence[SampledField]]) -> None:
        """Record the fields of periods; the caller's transaction has deleted the former ones."""
        self._insert([self._row(item, start=start) for start, fields in sampled.items() for item in fields])

    def insert_batches(self, sampled: Mapping[int, Sequence[SampledField]]) -> None:
        """Record the fields of batches."""
        self._insert([self._row(item, batch_id=batch_id) for batch_id, fields in sampled.items() for item in fields])

    @cached_property
    def _format(self) -> str | None:
        """``auto``, ``auto ignorecase``, the URI of a JSONPaths file; None if the source is not sampled."""
        options = {word.upper() for option in self.table.options for word in option.split()[:1]}
        found = re.search(r"JSON\s+(?:AS\s+)?'(.*)'", self.table.format, re.IGNORECASE)
        return found[1] if found and not options & {"BZIP2", "LZOP", "ZSTD"} else None

    def _sample(self, objects: Sequence[S3Object], limit: Limit) -> list[SampledField]:
        if self._format is None:
            return []
        gzip = any(option.upper() == "GZIP" for option in self.table.options)
        return sample(self.bucket, objects, limit, self._folded, gzip=gzip)

    def _folded(self, name: str) -> str:
        """Return the name that COPY compares: https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html."""
        return name.lower() if self._format == "auto ignorecase" else name

    def _insert(self, rows: Sequence[Sequence[object]]) -> None:
        if rows:
            self.table.warehouse.insert(TABLE, COLUMNS, rows)

    def _row(
        self, field: SampledField, *, start: datetime | None = None, batch_id: int | None = None
    ) -> tuple[object, ...]:
        column = self._folded(field.name)
        first, last = (start, start) if start else (field.first_seen, field.last_seen)
        return (
            self.table.name,
            start and _naive(start),
            batch_id,
            clip(field.name, _NAME),
            column if (self._format or "").startswith("auto") and column in self.table.columns else None,
            field.type,
            field.occurrences,
            _naive(first),
            _naive(last),
            clip(field.file, _FILE),
            field.line,
        )


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
