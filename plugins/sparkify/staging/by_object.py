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
from sparkify.staging.rejects import EMPTY_OBJECT, Part
from sparkify.warehouse import CopyFailedError, RejectedRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sparkify.s3 import Bucket, S3Object
    from sparkify.staging.ledger import Batch
    from sparkify.staging.rejects import RejectedRows
    from sparkify.staging.target import Target

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
    :param refresh: whether to stage every object again.
    :param rejects: records the rejected rows of quarantined objects.
    """

    target: Target
    bucket: Bucket
    key: str
    manifests: Bucket
    manifest_prefix: str
    refresh: bool
    rejects: RejectedRows
    # The objects that the latest attempt stages, as they were listed.
    _taken: list[S3Object] = field(default_factory=list)
    # Those that cannot be loaded, with the reasons.
    _bad: dict[S3Object, list[RejectedRow]] = field(default_factory=dict)

    def run(self) -> dict[str, Any]:
        """Stage the objects that are new or have changed.

        :return: counts by name: rows, objects, and how many of these are quarantined.
        :raises AirflowSkipException: if no object is new or has changed.
        :raises CopyFailedError: if a COPY fails for a reason other than an invalid object.
        """
        attempt = 1
        while True:
            try:
                # The lock serializes concurrent runs. It is on the ledger, which no other task reads.
                staged = self.target.warehouse.transaction(self._stage, lock=[ledger.OBJECTS])
                break
            except CopyFailedError as error:
                # A listed object may be deleted or replaced before COPY reads it.
                if attempt == ATTEMPTS or not (self._quarantine(error.rejects) or {*self._taken} - {*self._list()}):
                    raise
                attempt += 1
                log.info("COPY failed on some objects, retrying (attempt %d of %d): %s", attempt, ATTEMPTS, error)
        self._warn()
        ledger.sweep(self.manifests, self._folder)
        return staged

    @property
    def _folder(self) -> str:
        return f"{self.manifest_prefix}{self.target.table}/"

    def _list(self) -> list[S3Object]:
        return [item for item in self.bucket.objects(self.key) if not item.is_folder]

    def _stage(self) -> dict[str, Any]:
        warehouse, table = self.target.warehouse, self.target.table
        known = ledger.read(warehouse, table)
        plan = ledger.plan(self._list(), known, refresh=self.refresh)
        self._taken = plan.take
        if not plan.take and not plan.retired:
            bad = sum(entry.is_quarantined for entry in known.values())
            raise AirflowSkipException(
                f"No new or changed objects at {self.bucket.url(self.key)}: {len(known) - bad:,} are staged, "
                f"{bad:,} are quarantined (operations.rejected_rows has the reasons)."
            )
        log.info(
            "Staging objects: new=%d changed_or_in_a_changed_batch=%d deleted=%d",
            plan.new, len(plan.take) - plan.new, plan.vanished,
        )  # fmt: skip
        for item in plan.take:
            if not item.size:
                reason = "The object is empty (0 bytes)"
                self._bad[item] = [RejectedRow(item.url, 0, "", EMPTY_OBJECT, reason)]
        planned = ledger.batches(plan, first_id=ledger.next_batch_id(warehouse, table))
        for batch in planned:
            self._land(batch)
            self._remember([batch])
        batches = [batch for batch in planned if batch.objects]
        quarantined = ledger.quarantine((item for item in plan.take if item in self._bad), known)
        self._remember(quarantined)
        warehouse.script(
            render(
                "stage_objects",
                table=table,
                columns=self.target.columns,
                batches=batches,
                retired=sorted(plan.retired),
                staged_at=predicates.literal(datetime.now(UTC)),
            )
        )
        parts = [Part(self._bad[item], batch_id=batch.id) for batch in quarantined for item in batch.objects]
        self.rejects.replace_batches(warehouse, sorted(plan.retired), parts)
        return {
            "rows": sum(batch.rows for batch in batches),
            "objects": len(plan.take),
            "quarantined": len(quarantined),
        }

    def _land(self, batch: Batch) -> None:
        """COPY a batch, without the objects that have rejected rows.

        Usually that is one COPY. If rows are rejected, it has reported all invalid objects, and a second COPY loads the
        others: COPY does not report which of the loaded rows came from an invalid object.
        """
        batch.landing = f"landing_{batch.id}"
        while True:
            batch.objects = [item for item in batch.objects if item not in self._bad]
            if not batch.objects:
                return
            entries = [
                {"url": item.url, "mandatory": True, "meta": {"content_length": item.size}} for item in batch.objects
            ]
            manifest = json.dumps({"entries": entries})
            with ledger.published(self.manifests, f"{self._folder}batch-{batch.id}", "manifest", manifest) as url:
                loaded = self.target.land(batch.landing, url, MAX_ERRORS, "MANIFEST")
            if not loaded.rejected:
                batch.rows = loaded.rows
                log.info("Staged a batch: batch=%d objects=%d rows=%d", batch.id, len(batch.objects), loaded.rows)
                return
            if not self._quarantine(loaded.rejects):
                raise CopyFailedError(
                    f"COPY rejected {loaded.rejected} rows of {self.bucket.url(self.key)}, of objects that are not "
                    f"listed there: {sorted({row.file_name for row in loaded.rejects})}. Nothing was staged."
                )
            self.target.warehouse.script(f"DROP TABLE {batch.landing}")

    def _quarantine(self, rejects: Iterable[RejectedRow]) -> bool:
        """Add the objects of rejected rows to the quarantine; return whether any of them is new there."""
        named = defaultdict(list)
        for row in rejects:
            named[row.file_name].append(row)
        before = len(self._bad)
        for item in self._taken:
            url = item.url
            rows = named.get(url) or named.get(url.encode()[:NAME_LENGTH].decode(errors="ignore"))
            if rows and item not in self._bad:
                self._bad[item] = [replace(row, file_name=url) for row in rows]
        return len(self._bad) > before

    def _remember(self, batches: Iterable[Batch]) -> None:
        """Add the objects of batches, if there are any, to the ledger."""
        lines = ledger.lines(self.target.table, batches)
        if not lines:
            return
        with ledger.published(self.manifests, f"{self._folder}objects", "json", lines) as url:
            self.target.warehouse.copy(ledger.OBJECTS, url, ledger.COPY_OPTIONS)

    def _warn(self) -> None:
        bad = [self._bad[item][0] for item in self._taken if item in self._bad]
        if not bad:
            return
        shown = [f"{row.file_name} line {row.line_number}: {row.reason}" for row in bad[:SHOWN_OBJECTS]]
        log.warning(
            "%d objects are quarantined, the others are staged. operations.rejected_rows has the reasons. Correct the "
            "objects: the next run stages what has changed. If the table was wrong, run the DAG with full_refresh.\n%s",
            len(bad), "\n".join(shown),
        )  # fmt: skip
