"""The classic ETL script: pandas reads a file, and one INSERT is executed per row.

Common among public solutions of the course that uses this data: ``read_json``, ``iterrows``, psycopg2's ``execute``,
and one commit per file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

INSERT = """
INSERT INTO landing (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location,
    method, page, registration, sessionid, song, status, ts, useragent, userid
) VALUES (
    %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
    TO_TIMESTAMP(%s / 1000.0) AT TIME ZONE 'UTC', %s, CAST(NULLIF(%s, '') AS BIGINT)
)
"""


def prepare(job: Mapping[str, Any]) -> Callable[[], int]:
    """Connect."""
    import pandas
    import psycopg2
    import s3fs  # noqa: F401 - pandas reads S3 with it; imported here so that it is not measured

    connection = psycopg2.connect(job["database"])
    storage = {
        "key": job["access_key"],
        "secret": job["secret_key"],
        "client_kwargs": {"endpoint_url": job["endpoint"], "region_name": job["region"]},
    }

    def run() -> int:
        frame = pandas.read_json(f"s3://{job['bucket']}/{job['key']}", lines=True, dtype=False, storage_options=storage)
        frame = frame.astype(object).where(frame.notna(), None)
        with connection, connection.cursor() as cursor:
            for _, row in frame.iterrows():
                cursor.execute(INSERT, list(row))
        return len(frame)

    return run
