"""The files of a source that is partitioned by time, as they are in the bucket: one listing for all periods."""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING

from sparkify.s3 import S3Error
from sparkify.staging.periods import PeriodFiles

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sparkify.interval import Interval
    from sparkify.s3 import Bucket, S3Object


def versions(bucket: Bucket, key: str, periods: Iterable[Interval]) -> dict[datetime, str]:
    """List the files of periods, and return their versions, by the start of the period; none for one without files.

    As for COPY, a period has every object whose key begins with its prefix. An object may belong to several periods:
    the pattern ``%-H`` gives hour 1 the objects of hours 10 to 19 as well. S3 lists keys in order, so those of a prefix
    are adjacent, and memory holds the objects of one period, not of all:
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html

    :param key: a strftime pattern for the start of a period.
    :raises S3Error: if the bucket cannot be listed, or if its keys are not in order (a directory bucket).
    """
    starts: dict[str, list[datetime]] = {}
    for period in periods:
        starts.setdefault(period.start.strftime(key), []).append(period.start)
    if not starts:
        return {}
    lengths = sorted({len(prefix) for prefix in starts})
    found: dict[str, str] = {}
    current: dict[str, list[S3Object]] = {}

    def finish(prefixes: Iterable[str]) -> None:
        found.update({prefix: PeriodFiles.of(current.pop(prefix)).version for prefix in prefixes})

    # Character by character, and the common prefix of the first and the last is that of all.
    for item in bucket.objects(os.path.commonprefix([min(starts), max(starts)])):  # noqa: RUF071
        if item.is_folder:
            continue
        finish([prefix for prefix in current if not item.key.startswith(prefix)])
        for length in lengths:
            prefix = item.key[:length]
            if len(prefix) < length or prefix not in starts:
                continue
            if prefix in found:
                raise S3Error(
                    f"The listing of {bucket.url(prefix)} is not in the order of keys: {item.key!r} is out of order. "
                    "Directory buckets are not supported: move the files to a general purpose bucket.",
                    terminal=True,
                )
            current.setdefault(prefix, []).append(item)
    finish(list(current))
    return {start: version for prefix, version in found.items() for start in starts[prefix]}
