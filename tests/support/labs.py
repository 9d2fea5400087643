"""Create labs from templates of databases: tables are created, and a lab is loaded, once per process of the tests."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import psycopg
import pytest
from psycopg import sql

from sandbox import servers
from sandbox.airflow import connections
from sandbox.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# PostgreSQL's template of a database without tables.
EMPTY = "template0"


class _Original(NamedTuple):
    """A lab that is never changed, the name of its database, and the objects of its bucket."""

    lab: Lab
    database: str
    objects: dict[str, bytes]


class Labs:
    """The labs on the servers of a process.

    :param postgres: the server of their databases.
    :param s3: the server of their buckets.
    """

    def __init__(self, postgres: servers.PostgresServer, s3: servers.S3Server) -> None:
        self._postgres = postgres
        self._s3 = s3
        self._originals: dict[Callable[[Lab], object], _Original] = {}

    def create(self, template: str | None = None, *, bucket: str = "") -> tuple[Lab, str]:
        """Create a lab; return it and the name of its database.

        :param template: the database to copy; by default one with the warehouse's tables, which are empty.
        :param bucket: its bucket; by default a new one with the name of the database.
        """
        template = template or self._original(_create_tables, EMPTY).database
        name = f"lab-{uuid.uuid4().hex[:12]}"
        uri = self._postgres.create_database(name, template, "file_copy")
        bucket = bucket or name
        return Lab(uri, servers.bucket(self._s3, bucket), bucket, connections(self._postgres, name, self._s3)), name

    @contextmanager
    def dropped(self) -> Iterator[Callable[..., Lab]]:
        """Return :meth:`create` without the names; the databases are dropped at the end."""
        names: list[str] = []

        def make(template: str | None = None, *, bucket: str = "") -> Lab:
            lab, name = self.create(template, bucket=bucket)
            names.append(name)
            return lab

        yield make
        with psycopg.connect(self._postgres.uri(), autocommit=True) as connection:
            for name in names:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextmanager
    def copy(self, load: Callable[[Lab], object]) -> Iterator[Lab]:
        """Return a copy of a lab that is loaded, with the same bucket; its files are restored at the end.

        :param load: loads it; called once.
        """
        original = self._original(load)
        with self.dropped() as make:
            lab = make(original.database, bucket=original.lab.bucket)
            yield lab
        found = _objects(lab)
        for key in found.keys() - original.objects.keys():
            lab.store.delete(key)
        for key, body in original.objects.items():
            if found.get(key) != body:
                lab.put(key, body)

    def _original(self, load: Callable[[Lab], object], template: str | None = None) -> _Original:
        if load not in self._originals:
            lab, name = self.create(template)
            with pytest.MonkeyPatch.context() as patch:
                load(connect(lab, patch))
            self._originals[load] = _Original(lab, name, _objects(lab))
        return self._originals[load]


def connect(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Define a lab's connections for Airflow; return the lab."""
    for variable, value in lab.environment.items():
        monkeypatch.setenv(variable, value)
    return lab


def _create_tables(lab: Lab) -> None:
    lab.run("2018-11-01", "2018-11-02", tasks=["create_tables"])


def _objects(lab: Lab) -> dict[str, bytes]:
    return {item["path"]: bytes(lab.store.get(item["path"]).bytes()) for batch in lab.store.list() for item in batch}
