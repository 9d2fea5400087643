"""The assets that the DAGs share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import Asset

if TYPE_CHECKING:
    from airflow.sdk import AssetWatcher


def table(name: str) -> Asset:
    """Return the asset of a table of the warehouse."""
    return Asset(name=f"sparkify.{name}", uri=f"x-warehouse://sparkify/{name}", group="sparkify")


def source(prefix: str) -> Asset:
    """Return the asset of the S3 objects with a prefix in the source's bucket."""
    return Asset(name=f"sparkify.{prefix}", uri=f"x-s3://sparkify/{prefix}", group="sparkify")


def arrivals(watcher: AssetWatcher) -> Asset:
    """Return the asset of arriving objects: each event means that some have arrived, not which.

    :param watcher: of the queue in which S3 announces them.
    """
    return Asset(name="sparkify.arrivals", uri="x-s3://sparkify/arrivals", group="sparkify", watchers=[watcher])


# Whole days (UTC) that are loaded and have passed their checks. Each event is about one day: its partition key is the
# day, 2018-11-01. A day is published again when it has been reprocessed.
DAYS = Asset(name="sparkify.days", uri="x-warehouse://sparkify/days", group="sparkify")
