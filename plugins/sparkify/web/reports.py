"""The daily reports: listed and read in S3, so that nobody needs its console."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sparkify.web.panels import PanelError

if TYPE_CHECKING:
    from sparkify.s3 import Bucket

CONNECTION = "aws"
VARIABLE = "sparkify_bucket"
# As the DAG sparkify_report writes them.
KEY = "reports/%Y/%m/%Y-%m-%d.html"
LISTED = 14
# One request lists the reports of a year; older ones than these years are not listed.
YEARS = 20


def latest(name: str = "", today: date | None = None) -> dict[str, Any]:
    """Return the ``days`` of the latest reports, at most :data:`LISTED`, newest first, ISO 8601.

    :param name: ignored; required by :class:`~sparkify.web.cache.Cache`.
    :param today: for tests.
    :raises PanelError: if the bucket cannot be listed.
    """
    from sparkify.s3 import S3Error

    this_year = (today or datetime.now(UTC).date()).year
    days: list[str] = []
    try:
        bucket = _bucket()
        for year in range(this_year, this_year - YEARS, -1):
            keys = [item.key for item in bucket.objects(f"reports/{year:04}/")]
            days += sorted((match[1] for match in map(_named, keys) if match), reverse=True)
            if len(days) >= LISTED:
                break
    except S3Error as error:
        raise PanelError("reports", str(error)) from error
    return {"days": days[:LISTED]}


def _named(key: str) -> re.Match[str] | None:
    return re.fullmatch(r"reports/\d{4}/\d\d/(\d{4}-\d\d-\d\d)\.html", key)


def read(day: date) -> bytes | None:
    """Return the report of a day, HTML; None if there is none.

    :raises PanelError: if it cannot be read.
    """
    from sparkify.s3 import S3Error, read_object, stores_of

    key = f"{day:{KEY}}"
    try:
        bucket = _bucket()
        if not any(item.key == key for item in bucket.objects(key)):
            return None
        return read_object(stores_of(CONNECTION)(bucket.name), bucket.name, key)
    except S3Error as error:
        raise PanelError("reports", str(error)) from error


def _bucket() -> Bucket:
    from airflow.models.variable import Variable

    from sparkify.s3 import Bucket

    try:
        return Bucket(Variable.get(VARIABLE), CONNECTION)
    except KeyError:
        raise PanelError(
            "reports", f"The Airflow Variable {VARIABLE!r} does not exist. Create it with the name of the bucket."
        ) from None
