"""The service ``sample``: an app that writes events to the bucket, and unpauses the DAGs that load them.

It does in containers what :mod:`sandbox.live` does on a laptop.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from obstore.exceptions import BaseError

from sandbox import feeder
from sandbox.api import AirflowClient
from sandbox.first_load import FirstLoad

if TYPE_CHECKING:
    from obstore.store import S3Store

URL = "http://airflow-api-server:8080"
USER = "operator"
# Touched while the service is healthy, once the first hours are loaded; the health check polls it.
LOADED = Path("/tmp/loaded")  # noqa: S108 - in a container without other users


def main() -> None:
    """Write events, and unpause the DAGs, until the container is stopped."""
    store = _bucket(os.environ["AIRFLOW_VAR_SPARKIFY_BUCKET"])
    start = feeder.first_day(store)
    app = feeder.Feeder(feeder.options(start), store)
    client = AirflowClient(URL, USER, os.environ["OPERATOR_PASSWORD"], timeout=60)
    first_load = FirstLoad(client, start)
    _log(f"Writing the events since {start}")
    logged = ""
    while True:
        try:
            progress = app.advance(datetime.now(UTC))
            if first_load.advance():
                LOADED.touch()
            status = f"{progress.songs:,} songs; {'loaded' if LOADED.exists() else 'loading'}"
        except (BaseError, OSError, httpx.HTTPError) as error:
            # A service is down or starting: the next iteration retries.
            status = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        if status != logged:
            _log(status)
            logged = status
        # Aligned to the clock, like `make up`: the run of an hour finds its complete file. More often until the first
        # load.
        step = feeder.EVERY if LOADED.exists() else 5
        time.sleep(step - time.time() % step)


def _bucket(name: str) -> S3Store:
    """Open the bucket of the connection ``aws``; create it if it is missing."""
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    from sparkify.s3 import stores_of

    hook = S3Hook("aws")
    if not hook.check_for_bucket(name):
        hook.create_bucket(name, region_name=hook.region_name)
    return stores_of("aws")(name)


def _log(text: str) -> None:
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {text}", flush=True)


if __name__ == "__main__":
    main()
