"""dlt: from the source ``filesystem`` to the destination ``postgres``, as documented.

https://dlthub.com/docs/dlt-ecosystem/verified-sources/filesystem/basic
https://dlthub.com/docs/dlt-ecosystem/destinations/postgres
"""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


def prepare(job: Mapping[str, Any]) -> Callable[[], int]:
    """Create the pipeline.

    :param job: with ``fast``, whether Arrow reads the files and COPY loads them as CSV, the fastest of the documented
        settings; otherwise the default settings are used.
    """
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

    import dlt
    import pyarrow.json
    from dlt.common.configuration.specs import AwsCredentials
    from dlt.sources import filesystem as source

    credentials = AwsCredentials(
        aws_access_key_id=job["access_key"],
        aws_secret_access_key=job["secret_key"],
        region_name=job["region"],
        endpoint_url=job["endpoint"],
    )
    # dlt requires a password and a host; the socket in the URI takes precedence over them.
    database = job["database"].replace("@/", ":none@localhost/", 1)
    folder = tempfile.mkdtemp(dir=job["folder"])
    pipeline = dlt.pipeline(
        "bench", pipelines_dir=folder, destination=dlt.destinations.postgres(database), dataset_name="dlt"
    )
    files = source.filesystem(f"s3://{job['bucket']}", credentials=credentials, file_glob=job["key"])

    @dlt.transformer  # type: ignore[untyped-decorator]  # dlt is in a separate environment
    def read_arrow(items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            with item.open() as file:
                yield pyarrow.json.read_json(file)

    events = files | (read_arrow() if job["fast"] else source.read_jsonl())

    def run() -> int:
        pipeline.run(events.with_name("events"), loader_file_format="csv" if job["fast"] else None)
        return int(pipeline.last_trace.last_normalize_info.row_counts["events"])

    return run
