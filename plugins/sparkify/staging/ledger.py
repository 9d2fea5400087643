"""The ledger of objects: the S3 objects whose rows a staging table holds.

A source that is not partitioned by time is staged incrementally, by object. New and changed objects are staged in
batches, with one COPY and a manifest each. COPY does not report which row came from which object, so the unit of
replacement is the batch: if one of its objects changes or is deleted, it is retired, and its other objects are staged
again.

An object that cannot be loaded is quarantined: it is the only one of a batch with a negative number, which has no rows.
By the same rule it is skipped until it changes or is deleted, and no table loads it.
"""

from __future__ import annotations

import json
import logging
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sparkify.s3 import S3Error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sparkify.s3 import Bucket, S3Object
    from sparkify.warehouse import Warehouse

log = logging.getLogger(__name__)

OBJECTS = "operations.staged_objects"
BATCHES = "operations.staged_batches"

# For the COPY that adds a batch to the ledger. Without COMPUPDATE OFF Redshift samples the first one for encodings.
COPY_OPTIONS = ("FORMAT AS JSON 'auto'", "COMPUPDATE OFF")

# Limits the objects that are read again if one of their batch changes.
BATCH_SIZE = 10_000

# The age from which a manifest is not in use: no task takes as long.
UNUSED_AFTER = timedelta(days=1)


class LedgerEntry(NamedTuple):
    """An object as it was when it was read."""

    etag: str
    size: int
    batch_id: int

    @property
    def is_quarantined(self) -> bool:
        """Whether it could not be loaded."""
        return self.batch_id < 0


@dataclass(frozen=True)
class StagingPlan:
    """The objects that a run stages and the batches that it retires.

    :param objects: the objects to stage, in the order of their keys.
    :param retired: the batches that they replace.
    :param new: number of objects that are not in the ledger.
    :param deleted: number of objects of the ledger that were deleted.
    """

    objects: list[S3Object]
    retired: set[int]
    new: int
    deleted: int


@dataclass
class Batch:
    """A batch of staged objects.

    :param id: its number in the table, ascending.
    :param landing_table: the temporary table with its rows, after its COPY.
    :param rows: number of rows.
    """

    id: int
    objects: list[S3Object]
    landing_table: str = ""
    rows: int = 0


def read(warehouse: Warehouse, table: str) -> tuple[dict[str, LedgerEntry], int]:
    """Return the objects that are staged in a table, or quarantined, by key, and an unused batch number.

    The numbers of retired batches are not reused.
    """
    last = f"SELECT MAX(batch_id) FROM {BATCHES} WHERE table_name = '{table}'"
    rows = warehouse.query(
        f"SELECT object_key, etag, size_bytes, batch_id, ({last}) FROM {OBJECTS} WHERE table_name = '{table}'"
    )
    ((number,),) = [(rows[0][-1],)] if rows else warehouse.query(last)
    return {key: LedgerEntry(etag, size, batch_id) for key, etag, size, batch_id, _ in rows}, (number or 0) + 1


def plan(listed: Iterable[S3Object], entries: Mapping[str, LedgerEntry], *, refresh: bool = False) -> StagingPlan:
    """Compare the objects in S3 with the ledger.

    :param listed: the objects, in the order of their keys.
    :param entries: the ledger: staged and quarantined objects, by key.
    :param refresh: stage everything again.
    """
    listed = list(listed)
    found = {item.key for item in listed}
    deleted = [entry for key, entry in entries.items() if key not in found]
    retired = {entry.batch_id for entry in deleted}
    for item in listed:
        entry = entries.get(item.key)
        if entry and (refresh or (entry.etag, entry.size) != (item.etag, item.size)):
            retired.add(entry.batch_id)
    objects = [item for item in listed if item.key not in entries or entries[item.key].batch_id in retired]
    new = sum(item.key not in entries for item in objects)
    return StagingPlan(objects, retired, new, len(deleted))


def batches(plan: StagingPlan, first_id: int) -> list[Batch]:
    """Split the objects of a plan into batches of a bounded size."""
    starts = range(0, len(plan.objects), BATCH_SIZE)
    return [Batch(first_id + number, plan.objects[at : at + BATCH_SIZE]) for number, at in enumerate(starts)]


def quarantine(objects: Iterable[S3Object], entries: Mapping[str, LedgerEntry]) -> list[Batch]:
    """Return a batch for each object that cannot be loaded, so that it is read again only if it has changed.

    :param entries: the ledger, whose numbers are not reused.
    """
    first = min((entry.batch_id for entry in entries.values()), default=0)
    return [Batch(min(first, 0) - number, [item]) for number, item in enumerate(objects, 1)]


def lines(table: str, batches: Iterable[Batch]) -> str:
    """Return the lines of the ledger for the objects of batches, as JSON."""
    return "\n".join(
        json.dumps(
            {
                "table_name": table,
                "object_key": item.key,
                "etag": item.etag,
                "size_bytes": item.size,
                "batch_id": batch.id,
            }
        )
        for batch in batches
        for item in batch.objects
    )


@contextmanager
def published(bucket: Bucket, stem: str, ending: str, text: str) -> Iterator[str]:
    """Write an object for COPY, and delete it after the block, even if the COPY fails.

    :param stem: the prefix of the key. The key is unique, as another warehouse may stage from the same bucket.
    :param ending: the ending of the key.
    :param text: the content.
    :return: its URL.
    """
    key = f"{stem}-{uuid.uuid4().hex}.{ending}"
    bucket.put(key, text.encode())
    try:
        yield bucket.url(key)
    finally:
        with _errors_logged():
            bucket.delete([key])


def sweep(bucket: Bucket, prefix: str) -> None:
    """Delete the remaining objects of killed tasks; an object younger than a day may be in use."""
    with _errors_logged():
        if left := bucket.older(prefix, datetime.now(UTC) - UNUSED_AFTER):
            bucket.delete(left)
            log.info("Deleted objects of killed tasks: objects=%d prefix=%s", len(left), bucket.url(prefix))


@contextmanager
def _errors_logged() -> Iterator[None]:
    """Log errors of S3 as warnings: a remaining object is harmless, and the next sweep retries."""
    try:
        yield
    except S3Error as error:
        log.warning("Temporary objects in S3 could not be deleted, the next run retries: %s", error)
