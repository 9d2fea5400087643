"""COPY from a bucket to a database, both for a single test."""

from __future__ import annotations

import json
import uuid
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import obstore
import psycopg
import pytest
from psycopg.rows import dict_row

from sandbox import servers
from sparkify.s3 import stores
from sparkify.warehouse.postgres.copy import copy, parse_copy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from obstore.store import S3Store

    from sparkify.warehouse import CopyResult


class Loader:
    """Puts objects into its own bucket, and runs COPY in its own database."""

    def __init__(self, uri: str, server: servers.S3Server) -> None:
        self.uri = uri
        self.server = server
        self.endpoint = server.endpoint
        self.open_store: Callable[[str], S3Store] = stores(self.endpoint, None, self.session())
        self.bucket = self.new_bucket()
        self.connection = psycopg.connect(uri, autocommit=True)

    @staticmethod
    @cache
    def session(key: str = servers.ACCESS_KEY, secret: str = servers.SECRET_KEY) -> boto3.Session:
        return boto3.Session(key, secret, region_name=servers.REGION)

    def new_bucket(self) -> str:
        name = f"copy-{uuid.uuid4().hex[:12]}"
        servers.bucket(self.server, name)
        return name

    def put(self, key: str, content: bytes | str, bucket: str | None = None) -> str:
        """Store an object and return its URL."""
        bucket = bucket or self.bucket
        obstore.put(self.open_store(bucket), key, content.encode() if isinstance(content, str) else content)
        return f"s3://{bucket}/{key}"

    def put_lines(self, key: str, *records: object) -> str:
        return self.put(key, "".join(json.dumps(record) + "\n" for record in records))

    def put_manifest(self, key: str, *entries: dict[str, object]) -> str:
        return self.put(key, json.dumps({"entries": entries}))

    def table(self, columns: str, name: str = "t") -> None:
        self.connection.execute(f"CREATE TABLE {name} ({columns})")

    def audit(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.uri)

    def copy(
        self,
        source: str = "",
        options: str = "",
        *,
        table: str = "t",
        format: str = "JSON 'auto'",
        connection: psycopg.Connection[Any] | None = None,
        open_store: Callable[[str], S3Store] | None = None,
        audit: Callable[[], psycopg.Connection[Any]] | None = None,
    ) -> CopyResult:
        """Run COPY from a key prefix of the bucket, or from a URL."""
        url = source if "://" in source else f"s3://{self.bucket}/{source}"
        return copy(
            connection or self.connection,
            parse_copy(f"COPY {table} FROM '{url}' IAM_ROLE default FORMAT AS {format} {options}"),
            open_store=open_store or self.open_store,
            audit=audit or self.audit,
        )

    def rows(self, table: str = "t", order: str = "1") -> list[tuple[Any, ...]]:
        return self.connection.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()

    def load_errors(self) -> list[dict[str, Any]]:
        """Return stl_load_errors with its padding trimmed."""
        with psycopg.connect(self.uri, row_factory=dict_row) as connection:
            rows = connection.execute("SELECT * FROM stl_load_errors ORDER BY query, filename, line_number").fetchall()
        return [{k: v.rstrip() if isinstance(v, str) else v for k, v in row.items()} for row in rows]


@pytest.fixture
def loader(database: str, s3: servers.S3Server) -> Iterator[Loader]:
    made = Loader(database, s3)
    with made.connection:
        yield made
