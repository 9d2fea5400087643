"""boto3 in sequence: list, fetch and parse the objects, without loading them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def prepare(job: Mapping[str, Any]) -> Callable[[], int]:
    """Create the client.

    :param job: with ``most``, the maximum number of objects.
    """
    import boto3

    s3 = boto3.client(
        "s3",
        endpoint_url=job["endpoint"],
        aws_access_key_id=job["access_key"],
        aws_secret_access_key=job["secret_key"],
        region_name=job["region"],
    )

    def run() -> int:
        songs: list[Any] = []
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=job["bucket"], Prefix=job["prefix"]):
            keys = [item["Key"] for item in page["Contents"][: job["most"] - len(songs)]]
            songs += [json.load(s3.get_object(Bucket=job["bucket"], Key=key)["Body"]) for key in keys]
            if len(songs) == job["most"]:
                break
        return len(songs)

    return run
