"""The ledger of objects: which objects of S3 a staging table holds the rows of.

A source that is not cut by time is staged by object. An object is taken when it is new or has changed, many in one
batch, with one COPY and a manifest. COPY does not tell which row came from which object, so what is replaced is the
batch: when one of its objects changed or vanished, it is retired, and what is left of it is taken again.
"""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sparkify.objects import Bucket, S3Object
    from sparkify.warehouse import Warehouse

OBJECTS = "operations.staged_objects"
BATCHES = "operations.staged_batches"

# Of the COPY that adds a batch to the ledger. Redshift would else sample the first one for encodings.
COPY_OPTIONS = ("FORMAT AS JSON 'auto'", "COMPUPDATE OFF")

# A bound on what is read again when one object of a batch changes.
BATCH_SIZE = 10_000


class Known(NamedTuple):
    """An object as it was when it was staged."""

    etag: str
    size: int
    batch_id: int


@dataclass(frozen=True)
class Plan:
    """What a run has to do.

    :param take: the objects to stage, in the order of their keys.
    :param retired: the batches that they replace.
    :param new: how many of the objects were not staged before.
    :param vanished: how many staged objects are gone.
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


class Published(NamedTuple):
    """URIs of what a batch's COPY commands read: the manifest, and the ledger's lines."""

    manifest: str
    objects: str


def read(warehouse: Warehouse, table: str) -> dict[str, Known]:
    """Return the objects that are staged in a table, by key."""
    rows = warehouse.query(f"SELECT object_key, etag, size_bytes, batch_id FROM {OBJECTS} WHERE table_name = '{table}'")
    return {key: Known(etag, size, batch_id) for key, etag, size, batch_id in rows}


def next_batch_id(warehouse: Warehouse, table: str) -> int:
    """Return a number that no batch of the table had, retired ones included."""
    ((last,),) = warehouse.query(f"SELECT MAX(batch_id) FROM {BATCHES} WHERE table_name = '{table}'")
    return (last or 0) + 1


def plan(listed: Iterable[S3Object], known: Mapping[str, Known], *, refresh: bool = False) -> Plan:
    """Compare what S3 lists with what is staged.

    :param listed: the objects, in the order of their keys.
    :param known: what is staged, by key.
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


@contextmanager
def published(batch: Batch, table: str, bucket: str, manifests: Bucket, prefix: str) -> Iterator[Published]:
    """Write a batch's manifest and its lines of the ledger to S3, and delete them when they are read.

    They stay where COPY failed, for whoever looks into it.

    :param bucket: the bucket of the objects.
    :param manifests: the bucket to write to.
    :param prefix: the beginning of the keys to write.
    """
    stem = f"{prefix}{table}/batch-{batch.id}-{uuid.uuid4().hex}"
    entries = [
        {"url": f"s3://{bucket}/{item.key}", "mandatory": True, "meta": {"content_length": item.size}}
        for item in batch.objects
    ]
    lines = (
        json.dumps(
            {
                "table_name": table,
                "object_key": item.key,
                "etag": item.etag,
                "size_bytes": item.size,
                "batch_id": batch.id,
            }
        )
        for item in batch.objects
    )
    keys = [f"{stem}.manifest", f"{stem}.objects.json"]
    manifests.put(keys[0], json.dumps({"entries": entries}).encode())
    manifests.put(keys[1], "\n".join(lines).encode())
    yield Published(*(f"s3://{manifests.name}/{key}" for key in keys))
    manifests.delete(keys)
