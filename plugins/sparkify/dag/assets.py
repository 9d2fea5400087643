"""The assets that the DAGs share: what one writes and another waits for."""

from __future__ import annotations

from airflow.sdk import Asset


def table(name: str) -> Asset:
    """Return the asset of a table of the warehouse."""
    return Asset(name=f"sparkify.{name}", uri=f"x-warehouse://sparkify/{name}", group="sparkify")


def source(prefix: str) -> Asset:
    """Return the asset of the objects in S3 below a prefix of the source's bucket."""
    return Asset(name=f"sparkify.{prefix}", uri=f"x-s3://sparkify/{prefix}", group="sparkify")


# Whole days (UTC) that are loaded and checked. Each event is of one day: its partition key is the day, 2018-11-01.
# An event also says that a day, published before, has changed.
DAYS = Asset(name="sparkify.days", uri="x-warehouse://sparkify/days", group="sparkify")
