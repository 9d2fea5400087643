"""pandas: ``read_json`` and ``to_sql``, as documented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def prepare(job: Mapping[str, Any]) -> Callable[[], int]:
    """Connect."""
    import pandas
    import s3fs  # noqa: F401 - pandas reads S3 with it; imported here so that it is not measured
    from sqlalchemy import create_engine

    engine = create_engine(job["database"].replace("postgresql:", "postgresql+psycopg2:", 1))
    storage = {
        "key": job["access_key"],
        "secret": job["secret_key"],
        "client_kwargs": {"endpoint_url": job["endpoint"], "region_name": job["region"]},
    }

    def run() -> int:
        frame = pandas.read_json(f"s3://{job['bucket']}/{job['key']}", lines=True, storage_options=storage)
        frame.to_sql("pandas_events", engine, index=False)
        return len(frame)

    return run
