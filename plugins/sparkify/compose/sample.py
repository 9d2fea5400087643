"""The service ``sample``: an app that writes events into the bucket, and sees to it that each hour is loaded.

It does in containers what :mod:`sparkify.local.live` does on a laptop.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psycopg
from obstore.exceptions import BaseError

from sparkify.local import airflow, feed, live_hours

if TYPE_CHECKING:
    from datetime import date

    from obstore.store import S3Store

URL = "http://airflow-api-server:8080"
USER = "operator"
# Is touched while all is well, once the first hours are loaded: the health check looks at it.
LOADED = Path("/tmp/loaded")  # noqa: S108 - of a container that nobody else is in


def main() -> None:
    """Write and order until the container is stopped."""
    metadata = os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("+psycopg", "", 1)
    store = _bucket(os.environ["AIRFLOW_VAR_SPARKIFY_BUCKET"])
    start = feed.first_day(store)
    app = feed.Feed(feed.options(start), store)
    _tell(f"The app writes what has happened since {start}.")
    said = ""
    while True:
        try:
            report = app.advance(datetime.now(UTC))
            if _order(metadata, start, datetime.fromisoformat(report.at)):
                LOADED.touch()
            now = f"{report.songs:,} songs; {'loaded' if LOADED.exists() else 'loading'}"
        except (BaseError, OSError, psycopg.Error, httpx.HTTPError) as error:
            # A part is down, or starts: what is missing is written and ordered the next time.
            now = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        if now != said:
            _tell(now)
            said = now
        # By the clock, as the feed of a laptop: the run of an hour finds its file whole. Often until the first load.
        step = feed.EVERY if LOADED.exists() else 5
        time.sleep(step - time.time() % step)


def _bucket(name: str) -> S3Store:
    """Open the bucket of the connection ``aws``, and create it where it is missing."""
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    from sparkify.objects import store_opener

    hook = S3Hook("aws")
    if not hook.check_for_bucket(name):
        hook.create_bucket(name, region_name=hook.region_name)
    return store_opener("aws")(name)


def _order(metadata: str, start: date, until: datetime) -> bool:
    """Start the schedules that never were, load what none loads; return whether anything has been loaded yet."""
    loaded = any(run.state == "success" for run in live_hours.runs(metadata, airflow.DAG_ID))
    # The report first: the days that are loaded while it is paused pass it by. The audit is for what is loaded.
    for dag_id in (airflow.REPORT_ID, airflow.DAG_ID, *([airflow.AUDIT_ID] if loaded else [])):
        schedule = live_hours.schedule(metadata, dag_id)
        if schedule is None:
            return loaded  # not parsed yet: the next time
        # One that had a run, and was paused since, stays paused.
        if schedule.paused and not live_hours.ever_ran(metadata, dag_id):
            _client().patch(f"/api/v2/dags/{dag_id}", json={"is_paused": False}).raise_for_status()
    schedule = live_hours.schedule(metadata, airflow.DAG_ID)
    if schedule and not schedule.paused:
        begin = datetime(start.year, start.month, start.day, tzinfo=UTC)
        live_hours.catch_up(metadata, airflow.DAG_ID, begin, until, _client, _tell_once)
    return loaded


def _client() -> httpx.Client:
    """Return a client of Airflow's API, logged in: seldom needed, so a new one each time."""
    client = httpx.Client(base_url=URL, timeout=60, trust_env=False)
    answer = client.post("/auth/token", json={"username": USER, "password": os.environ["OPERATOR_PASSWORD"]})
    answer.raise_for_status()
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return client


def _tell(text: str) -> None:
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {text}", flush=True)


_tell_once = cache(_tell)


if __name__ == "__main__":
    main()
