"""Stage a set of objects incrementally: a run stages new and changed objects, and quarantines invalid ones."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from sparkify.sql import predicates, templates
from sparkify.staging import ledger
from sparkify.staging.rejects import EMPTY_OBJECT, explain
from sparkify.staging.source_fields import SourceFields
from sparkify.staging.vanished import VanishedFilesError
from sparkify.warehouse import CopyFailedError, RejectedRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sparkify.s3 import Bucket, S3Object
    from sparkify.staging.ledger import Batch, LedgerEntry
    from sparkify.staging.rejects import RejectedRows
    from sparkify.staging.table import StagingTable

log = logging.getLogger(__name__)

render = templates.renderer(Path(__file__).parent)

# How often a run retries after a failed COPY, each time without an object that made it fail. COPY reports only one
# object that it cannot decompress, however many there are.
ATTEMPTS = 100
# So that COPY reports all invalid objects at once, it may reject as many rows as possible:
# https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-load.html
MAX_ERRORS = 99_999
# SYS_LOAD_ERROR_DETAIL truncates file names to this number of bytes:
# https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html
NAME_LENGTH = 256
# How many quarantined objects the log lists.
SHOWN_OBJECTS = 10


@dataclass
class ObjectStaging:
    """Stages the objects under a prefix; the parameters are those of the operator.

    :param manifests: the bucket of ``manifest_prefix``.
    :param refresh: whether to stage all objects again.
    :param max_vanished: the largest share of the staged objects that may have vanished, from 0 to 1.
    :param rejects: records the rejected rows of quarantined objects.
    """

    table: StagingTable
    bucket: Bucket
    key: str
    manifests: Bucket
    manifest_prefix: str
    refresh: bool
    max_vanished: float
    rejects: RejectedRows
    # The objects that the latest attempt stages.
    _planned: list[S3Object] = field(default_factory=list)
    # The objects that cannot be loaded, with their rejected rows.
    _invalid: dict[S3Object, list[RejectedRow]] = field(default_factory=dict)

    def run(self) -> dict[str, Any]:
        """Stage the objects that are new or have changed.

        :return: counts by name: rows, objects, and how many of these are quarantined.
        :raises AirflowSkipException: if no object is new or has changed.
        :raises CopyFailedError: if a COPY fails for a reason other than an invalid object.
        :raises VanishedFilesError: if more than ``max_vanished`` of the staged objects have vanished.
        """
        attempt = 1
        while True:
            try:
                # The lock serializes concurrent runs. It is on the ledger, which no other task reads.
                staged = self.table.warehouse.transaction(self._stage, lock=[ledger.OBJECTS])
                break
            except CopyFailedError as error:
                # A listed object may be deleted or replaced before COPY reads it.
                if attempt == ATTEMPTS or not (self._quarantine(error.rejects) or {*self._planned} - {*self._list()}):
                    raise
                attempt += 1
                log.info("COPY failed on some objects, retrying (attempt %d of %d): %s", attempt, ATTEMPTS, error)
        self._warn()
        ledger.sweep(self.manifests, self._folder)
        return staged

    @property
    def _folder(self) -> str:
        return f"{self.manifest_prefix}{self.table.name}/"

    def _list(self) -> list[S3Object]:
        return [item for item in self.bucket.objects(self.key) if not item.is_folder]

    def _stage(self) -> dict[str, Any]:
        warehouse, table = self.table.warehouse, self.table.name
        entries, first_id = ledger.read(warehouse, table)
        listed = self._list()
        self._refuse_vanished(listed, entries)
        plan = ledger.plan(listed, entries, refresh=self.refresh)
        self._planned = plan.objects
        if not plan.objects and not plan.retired:
            count = sum(entry.is_quarantined for entry in entries.values())
            raise AirflowSkipException(
                f"No new or changed objects at {self.bucket.url(self.key)}: {len(entries) - count:,} are staged, "
                f"{count:,} are quarantined (operations.rejected_rows has the reasons)."
            )
        log.info(
            "Staging objects: new=%d changed_or_in_a_changed_batch=%d deleted=%d",
            plan.new, len(plan.objects) - plan.new, plan.deleted,
        )  # fmt: skip
        for item in plan.objects:
            if not item.size:
                reason = "The object is empty (0 bytes)"
                self._invalid[item] = [RejectedRow(item.url, 0, "", EMPTY_OBJECT, reason)]
        planned = ledger.batches(plan, first_id=first_id)
        for batch in planned:
            self._land(batch)
            self._record([batch])
        batches = [batch for batch in planned if batch.objects]
        quarantined = ledger.quarantine((item for item in plan.objects if item in self._invalid), entries)
        self._record(quarantined)
        warehouse.script(
            render(
                "stage_objects",
                table=table,
                columns=self.table.columns,
                batches=batches,
                retired=sorted(plan.retired),
                staged_at=predicates.literal(datetime.now(UTC)),
            )
        )
        source_fields = SourceFields(self.table, self.bucket)
        source_fields.insert_batches(source_fields.of_batches(batches))
        rejects = {batch.id: self._invalid[item] for batch in quarantined for item in batch.objects}
        self.rejects.replace_batches(warehouse, sorted(plan.retired), rejects)
        return {
            "rows": sum(batch.rows for batch in batches),
            "objects": len(plan.objects),
            "quarantined": len(quarantined),
        }

    def _refuse_vanished(self, listed: Iterable[S3Object], entries: Mapping[str, LedgerEntry]) -> None:
        """Raise an error if many of the staged objects are not listed any more: that is rarely intended."""
        staged = [key for key, entry in entries.items() if not entry.is_quarantined]
        vanished = sorted({*staged} - {item.key for item in listed})
        if len(vanished) > self.max_vanished * len(staged):
            raise VanishedFilesError.of_objects(
                self.table.name, self.bucket.url(self.key), vanished, len(staged), self.max_vanished
            )

    def _land(self, batch: Batch) -> None:
        """COPY a batch, without the objects that have rejected rows.

        Usually that is one COPY. If rows are rejected, it has reported all invalid objects, and a second COPY loads the
        others: COPY does not report which of the loaded rows came from an invalid object.
        """
        batch.landing_table = f"landing_{batch.id}"
        while True:
            batch.objects = [item for item in batch.objects if item not in self._invalid]
            if not batch.objects:
                return
            entries = [
                {"url": item.url, "mandatory": True, "meta": {"content_length": item.size}} for item in batch.objects
            ]
            manifest = json.dumps({"entries": entries})
            with ledger.published(self.manifests, f"{self._folder}batch-{batch.id}", "manifest", manifest) as url:
                result = self.table.land(batch.landing_table, url, MAX_ERRORS, "MANIFEST")
            if not result.rejected:
                batch.rows = result.rows
                log.info("Staged a batch: batch=%d objects=%d rows=%d", batch.id, len(batch.objects), result.rows)
                return
            if not self._quarantine(result.rejects):
                raise CopyFailedError(
                    f"COPY rejected {result.rejected} rows of {self.bucket.url(self.key)}, of objects that are not "
                    f"listed there: {sorted({row.file_name for row in result.rejects})}. Nothing was staged.",
                    terminal=False,  # the next attempt lists the objects again
                )
            self.table.warehouse.script(f"DROP TABLE {batch.landing_table}")

    def _quarantine(self, rejects: Iterable[RejectedRow]) -> bool:
        """Quarantine the objects of rejected rows; return whether any of them was not quarantined yet."""
        named = defaultdict(list)
        for row in rejects:
            named[row.file_name].append(row)
        before = len(self._invalid)
        for item in self._planned:
            url = item.url
            rows = named.get(url) or named.get(url.encode()[:NAME_LENGTH].decode(errors="ignore"))
            if rows and item not in self._invalid:
                self._invalid[item] = [replace(row, file_name=url) for row in rows]
        return len(self._invalid) > before

    def _record(self, batches: Iterable[Batch]) -> None:
        """Add the objects of batches, if there are any, to the ledger."""
        lines = ledger.lines(self.table.name, batches)
        if not lines:
            return
        with ledger.published(self.manifests, f"{self._folder}objects", "json", lines) as url:
            self.table.warehouse.copy(ledger.OBJECTS, url, ledger.COPY_OPTIONS)

    def _warn(self) -> None:
        first = [self._invalid[item][0] for item in self._planned if item in self._invalid]
        if not first:
            return
        log.warning(
            "%d objects are quarantined, the others are staged. operations.rejected_rows has the reasons. Correct the "
            "objects: the next run stages what has changed. If the table was wrong, run the DAG with full_refresh.\n%s",
            len(first), explain(first[:SHOWN_OBJECTS]),
        )  # fmt: skip
