"""The ledger of objects: which objects of S3 a staging table holds the rows of.

A source that is not cut by time is staged by object. An object is taken when it is new or has changed, many in one
batch, with one COPY and a manifest. COPY does not tell which row came from which object, so what is replaced is the
batch: when one of its objects changed or vanished, it is retired, and what is left of it is taken again.

An object that cannot be loaded is quarantined: it is the only one of a batch with a negative number, which has no rows.
So it is left alone until it changes or vanishes, by the same rule, and no table loads it.
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

# Of the COPY that adds a batch to the ledger. Redshift would else sample the first one for encodings.
COPY_OPTIONS = ("FORMAT AS JSON 'auto'", "COMPUPDATE OFF")

# A bound on what is read again when one object of a batch changes.
BATCH_SIZE = 10_000

# The age at which a manifest is of no use to any task.
LEFT_BEHIND = timedelta(days=1)


class Known(NamedTuple):
    """An object as it was when it was read."""

    etag: str
    size: int
    batch_id: int

    @property
    def is_quarantined(self) -> bool:
        """Whether it could not be loaded."""
        return self.batch_id < 0


@dataclass(frozen=True)
class Plan:
    """What a run has to do.

    :param take: the objects to stage, in the order of their keys.
    :param retired: the batches that they replace.
    :param new: how many of the objects were not known before.
    :param vanished: how many known objects are gone.
    """

    take: list[S3Object]
    retired: set[int]
    new: int
    vanished: int


@dataclass
class Batch:
    """Objects that are staged together.

    :param id: its number in the table, ascending.
    :param landing: the temporary table with its rows, once it is read.
    :param rows: how many they are.
    """

    id: int
    objects: list[S3Object]
    landing: str = ""
    rows: int = 0


def read(warehouse: Warehouse, table: str) -> dict[str, Known]:
    """Return the objects that are staged in a table, or quarantined, by key."""
    rows = warehouse.query(f"SELECT object_key, etag, size_bytes, batch_id FROM {OBJECTS} WHERE table_name = '{table}'")
    return {key: Known(etag, size, batch_id) for key, etag, size, batch_id in rows}


def next_batch_id(warehouse: Warehouse, table: str) -> int:
    """Return a number that no batch of the table had, retired ones included."""
    ((last,),) = warehouse.query(f"SELECT MAX(batch_id) FROM {BATCHES} WHERE table_name = '{table}'")
    return (last or 0) + 1


def plan(listed: Iterable[S3Object], known: Mapping[str, Known], *, refresh: bool = False) -> Plan:
    """Compare what S3 lists with what is known.

    :param listed: the objects, in the order of their keys.
    :param known: what is staged or quarantined, by key.
    :param refresh: take everything again.
    """
    objects = list(listed)
    found = {item.key for item in objects}
    vanished = [entry for key, entry in known.items() if key not in found]
    retired = {entry.batch_id for entry in vanished}
    for item in objects:
        entry = known.get(item.key)
        if entry and (refresh or (entry.etag, entry.size) != (item.etag, item.size)):
            retired.add(entry.batch_id)
    take = [item for item in objects if item.key not in known or known[item.key].batch_id in retired]
    new = sum(item.key not in known for item in take)
    return Plan(take, retired, new, len(vanished))


def batches(plan: Plan, first_id: int) -> list[Batch]:
    """Cut the objects of a plan into batches of a bounded size."""
    starts = range(0, len(plan.take), BATCH_SIZE)
    return [Batch(first_id + number, plan.take[at : at + BATCH_SIZE]) for number, at in enumerate(starts)]


def quarantine(objects: Iterable[S3Object], known: Mapping[str, Known]) -> list[Batch]:
    """Return a batch for each object that cannot be loaded: it is read again when it alone has changed.

    :param known: the ledger, whose numbers are not used again.
    """
    first = min((entry.batch_id for entry in known.values()), default=0)
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
    """Write an object for a COPY to read, and delete it afterwards, also if the COPY fails.

    :param stem: the beginning of the key, which is unique: another warehouse may stage from the same bucket.
    :return: its URL.
    """
    key = f"{stem}-{uuid.uuid4().hex}.{ending}"
    bucket.put(key, text.encode())
    try:
        yield bucket.url(key)
    finally:
        with _tidying():
            bucket.delete([key])


def sweep(bucket: Bucket, prefix: str) -> None:
    """Delete what tasks that were killed have left behind; an object younger than a day may be in use."""
    with _tidying():
        if left := bucket.older(prefix, datetime.now(UTC) - LEFT_BEHIND):
            bucket.delete(left)
            log.info("Deleted %d objects below %s that tasks have left behind.", len(left), bucket.url(prefix))


@contextmanager
def _tidying() -> Iterator[None]:
    """Do without: an object that stays does no harm, and the next sweep tries again."""
    try:
        yield
    except S3Error as error:
        log.warning("Objects that are of no more use stay in S3: %s", error)
