"""Songs: many small objects in S3, one song each, to a table in PostgreSQL.

What the S3 server can deliver is measured with the same client and without a database; so is what moto's S3 server,
the other one that pip installs without a wait, would deliver in its place.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from importlib.util import find_spec
from statistics import median
from typing import TYPE_CHECKING, Any

import psycopg

from bench import data
from bench.race import Contender, Result, race, run
from bench.report import Goal, Section, compare
from sandbox import generate, servers
from sandbox.lab import TABLES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from bench.scene import Scene

PREFIX = "song_data"
COPY = (
    f"COPY landing ({TABLES['staging_songs']}) FROM 's3://{{}}/{PREFIX}/' IAM_ROLE default "
    "FORMAT AS JSON 'auto' COMPUPDATE OFF STATUPDATE OFF"
)
EMPTY, STAGED = "empty", "staged"
# What the task has COPY fill: the table without its indexes.
LANDING = "CREATE TABLE landing (LIKE staging_songs INCLUDING DEFAULTS)"
OURS, TASK, AGAIN = "ours: COPY", "ours: the task stage_songs", "ours: the task again, nothing new"
LIMIT, BOTO = "the server's limit: fetched and dropped", "boto3 in sequence"
MOTO = "moto's limit: fetched and dropped"
LEAST = 0.8  # of the server's limit
SECONDS = 3.0  # for the task where nothing is new


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be chosen."""
    parser.add_argument("--songs", type=int, nargs="+", default=[15_000, 100_000], help="objects (%(default)s)")
    parser.add_argument("--slice", type=int, default=1_000, help="objects at most for boto3, moto (%(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="rounds (%(default)s)")


def shrink(given: argparse.Namespace) -> None:
    """Choose sizes that are small enough for a test."""
    given.songs, given.slice, given.repeat = [50], 20, 2


def measure(given: argparse.Namespace, scene: Scene, tell: Callable[[str], None]) -> Iterator[Section]:
    """Yield what was found for each size."""
    for songs in given.songs:
        bucket = f"songs-{songs}"
        data.put_songs(scene, bucket, data.options(1, songs))
        source: dict[str, Any] = {"bucket": bucket, "prefix": PREFIX}
        task = {**source, **data.DAY, "tasks": ["stage_songs"]}
        most = min(songs, given.slice)
        with scene.database(EMPTY) as empty, scene.database(STAGED) as staged, _moto(bucket, most) as moto:
            run(scene, Contender("create tables", "task", 0, {**task, "tasks": ["create_tables"]}), empty)
            with psycopg.connect(empty) as connection:
                connection.execute(LANDING)
            run(scene, Contender("stage songs", "task", songs, task), staged)
            contenders = [
                Contender(OURS, "copy_command", songs, {"command": COPY.format(bucket)}, EMPTY),
                Contender(TASK, "task", songs, task, EMPTY),
                Contender(AGAIN, "task", songs, task, STAGED, rows=0),
                Contender(LIMIT, "s3_get", songs, source, EMPTY),
                Contender(BOTO, "boto3_get", most, {**source, "most": most}, EMPTY),
            ]
            if moto:
                contenders.append(Contender(MOTO, "s3_get", most, {**source, "endpoint": moto}, EMPTY))
            yield _section(songs, race(scene, contenders, given.repeat, tell))


@contextmanager
def _moto(bucket: str, songs: int) -> Iterator[str | None]:
    """Run moto's S3 server with so many songs; yield its endpoint, None where it is not installed."""
    if not find_spec("moto"):
        yield None
        return
    import boto3

    from sandbox import aws

    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # it tells of each request
    keys = {"aws_access_key_id": servers.ACCESS_KEY, "aws_secret_access_key": servers.SECRET_KEY}
    with aws.server() as endpoint:
        boto3.client("s3", "us-east-1", endpoint_url=endpoint, **keys).create_bucket(Bucket=bucket)
        store = servers.open_bucket(endpoint, bucket)
        for key, document in generate.songs(data.options(1, songs)):
            store.put(key, document)
        yield endpoint


def _section(songs: int, results: dict[str, Result]) -> Section:
    ours = results[OURS]
    header, rows = compare(results.values(), ours, "objects")
    goals = [
        Goal(f"ours / {LIMIT}:", ours.rate / results[LIMIT].rate, least=LEAST),
        Goal("the task where nothing is new:", median(results[AGAIN].seconds), most=SECONDS, unit=" s"),
    ]
    return Section(f"Staging {songs:,} songs, an object each", header, rows, goals)
