"""The classic ETL script: each line is parsed and inserted by a statement of its own, each file is a transaction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

INSERT = """
INSERT INTO landing (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location,
    method, page, registration, sessionid, song, status, ts, useragent, userid
) VALUES (
    %(artist)s, %(auth)s, %(firstName)s, %(gender)s, %(itemInSession)s, %(lastName)s, %(length)s, %(level)s,
    %(location)s, %(method)s, %(page)s, %(registration)s, %(sessionId)s, %(song)s, %(status)s,
    TO_TIMESTAMP(%(ts)s / 1000.0) AT TIME ZONE 'UTC', %(userAgent)s, CAST(NULLIF(%(userId)s, '') AS BIGINT)
)
"""


def prepare(job: Mapping[str, Any]) -> Callable[[], int]:
    """Connect."""
    import boto3
    import psycopg2

    s3 = boto3.client(
        "s3",
        endpoint_url=job["endpoint"],
        aws_access_key_id=job["access_key"],
        aws_secret_access_key=job["secret_key"],
        region_name=job["region"],
    )
    connection = psycopg2.connect(job["database"])

    def run() -> int:
        count = 0
        with connection, connection.cursor() as cursor:
            for line in s3.get_object(Bucket=job["bucket"], Key=job["key"])["Body"].iter_lines():
                cursor.execute(INSERT, json.loads(line))
                count += 1
        return count

    return run
