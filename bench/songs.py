"""Songs: many small objects in S3, one song each, to a table in PostgreSQL.

The throughput of the S3 server is measured with the same client and without a database, and compared with that of
moto's S3 server, which can also be installed with pip.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from importlib.util import find_spec
from statistics import median
from typing import TYPE_CHECKING, Any

import psycopg

from bench import data
from bench.race import Contender, ContenderResult, race, run
from bench.results import Goal, ResultTable, compare
from sandbox import generate, servers
from sandbox.lab import TABLES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from bench.testbed import Testbed

PREFIX = "song_data"
COPY = (
    f"COPY landing ({TABLES['staging_songs']}) FROM 's3://{{}}/{PREFIX}/' IAM_ROLE default "
    "FORMAT AS JSON 'auto' COMPUPDATE OFF STATUPDATE OFF"
)
EMPTY, STAGED = "empty", "staged"
# The target of COPY: like the task's temporary table, without indexes.
LANDING = "CREATE TABLE landing (LIKE staging_songs INCLUDING DEFAULTS)"
OURS, TASK, AGAIN = "ours: COPY", "ours: task stage_songs", "ours: task stage_songs, no new objects"
LIMIT, BOTO = "upper bound: fetch without loading", "boto3 in sequence"
MOTO = "upper bound with moto: fetch without loading"
LEAST = 0.8  # goal: minimum ratio to the upper bound
SECONDS = 3.0  # goal: maximum for the task without new objects


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command-line options."""
    parser.add_argument("--songs", type=int, nargs="+", default=[15_000, 100_000], help="objects (%(default)s)")
    parser.add_argument("--slice", type=int, default=1_000, help="maximum objects for boto3 and moto (%(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="rounds (%(default)s)")


def shrink(given: argparse.Namespace) -> None:
    """Choose sizes that are small enough for a test."""
    given.songs, given.slice, given.repeat = [50], 20, 2


def measure(given: argparse.Namespace, testbed: Testbed, progress: Callable[[str], None]) -> Iterator[ResultTable]:
    """Yield a result table for each size."""
    for songs in given.songs:
        bucket = f"songs-{songs}"
        data.put_songs(testbed, bucket, data.options(1, songs))
        source: dict[str, Any] = {"bucket": bucket, "prefix": PREFIX}
        task = {**source, **data.DAY, "tasks": ["stage_songs"]}
        most = min(songs, given.slice)
        with testbed.database(EMPTY) as empty, testbed.database(STAGED) as staged, _moto(bucket, most) as moto:
            run(testbed, Contender("create tables", "task", 0, {**task, "tasks": ["create_tables"]}), empty)
            with psycopg.connect(empty) as connection:
                connection.execute(LANDING)
            run(testbed, Contender("stage songs", "task", songs, task), staged)
            contenders = [
                Contender(OURS, "copy_command", songs, {"command": COPY.format(bucket)}, EMPTY),
                Contender(TASK, "task", songs, task, EMPTY),
                Contender(AGAIN, "task", songs, task, STAGED, rows=0),
                Contender(LIMIT, "s3_get", songs, source, EMPTY),
                Contender(BOTO, "boto3_get", most, {**source, "most": most}, EMPTY),
            ]
            if moto:
                contenders.append(Contender(MOTO, "s3_get", most, {**source, "endpoint": moto}, EMPTY))
            yield _table(songs, race(testbed, contenders, given.repeat, progress))


@contextmanager
def _moto(bucket: str, songs: int) -> Iterator[str | None]:
    """Run moto's S3 server with the given number of songs; yield its endpoint, or None if moto is not installed."""
    if not find_spec("moto"):
        yield None
        return
    import boto3

    from sandbox import aws

    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # it logs each request
    keys = {"aws_access_key_id": servers.ACCESS_KEY, "aws_secret_access_key": servers.SECRET_KEY}
    with aws.server() as endpoint:
        boto3.client("s3", "us-east-1", endpoint_url=endpoint, **keys).create_bucket(Bucket=bucket)
        store = servers.open_bucket(endpoint, bucket)
        for key, document in generate.songs(data.options(1, songs)):
            store.put(key, document)
        yield endpoint


def _table(songs: int, results: dict[str, ContenderResult]) -> ResultTable:
    ours = results[OURS]
    header, rows = compare(results.values(), ours, "objects")
    goals = [
        Goal(f"ours / {LIMIT}:", ours.rate / results[LIMIT].rate, least=LEAST),
        Goal("task stage_songs without new objects:", median(results[AGAIN].seconds), most=SECONDS, unit=" s"),
    ]
    return ResultTable(f"Staging {songs:,} songs, one object each", header, rows, goals)
