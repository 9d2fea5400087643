"""A local Redshift endpoint: the wire protocol in front of PostgreSQL, and COPY from a local S3 server.

It supports what redshift_connector uses: TLS, password digests, prepared statements, binary formats, one statement per
call. It refuses SQL that Redshift is known to refuse and translates the rest for PostgreSQL. It records the statements
and injects faults.
"""

from __future__ import annotations

import json
import ssl
import threading
from contextlib import suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING

from sparkify.warehouse import CopyFailedError
from tests.redshift import wire
from tests.redshift.isolation import Isolation
from tests.redshift.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from obstore.store import S3Store

    from sandbox import servers
    from sparkify.warehouse.postgres.copy import CopyCommand
    from tests.redshift.faults import Fault

PASSWORD = "Etl/secret+of+the+test1"
ROLE = "arn:aws:iam::123456789012:role/sparkify-copy"
# Differs from the bucket's region, so COPY has to name that.
REGION = "eu-central-1"


class Endpoint:
    """The server, as a context manager.

    :param postgres: the server of the data; its databases are those of the cluster.
    :param open_store: opens the buckets that the cluster's role can read.
    :param region: the region of the buckets.
    :param tls: with the server's certificate. A client that does not ask for TLS is refused.
    """

    user = "etl"
    password = PASSWORD

    def __init__(
        self, postgres: servers.PostgresServer, open_store: Callable[[str], S3Store], region: str, tls: ssl.SSLContext
    ) -> None:
        self.postgres = postgres
        self.open_store = open_store
        self.tls = tls
        self.lock = threading.Lock()
        self.databases: set[str] = set()
        self.startups: list[dict[str, str]] = []
        self.received: list[str] = []
        self.faults: list[Fault] = []
        self.isolation = Isolation()
        self._region = region
        endpoint = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                channel = wire.Channel(self.request)
                try:
                    with suppress(wire.Closed, ssl.SSLError):
                        Session(endpoint, channel).run()
                finally:  # the client would wait for ever
                    channel.close()

        class Server(ThreadingTCPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def connection(self, database: str, **fields: object) -> str:
        """Return the Airflow connection to a database, as the environment defines it."""
        settings = {
            "conn_type": "redshift",
            "host": "localhost",
            "port": self._server.server_address[1],
            "login": self.user,
            "password": self.password,
            "schema": database,
            **fields,
        }
        return json.dumps(settings)

    def receive(self, sql: str) -> Fault | None:
        """Record a statement before its execution; return the fault to inject, if any."""
        with self.lock:
            self.received.append(sql)
            return next((fault for fault in self.faults if fault.matches(sql)), None)

    def statements(self, start: str) -> list[str]:
        """Return the received statements that begin with ``start``."""
        return [sql for sql in self.received if sql.startswith(start)]

    def authorize(self, command: CopyCommand, sql: str) -> None:
        """Check the role and the region of a COPY as Redshift does.

        :raises CopyFailedError: if it is refused.
        """
        if command.iam_role not in (ROLE, "default") and "aws_access_key_id=" not in sql:
            raise CopyFailedError(f"User is not authorized to assume IAM Role {command.iam_role}")
        if (command.region or REGION) != self._region:
            raise CopyFailedError(
                "S3ServiceException:The bucket you are attempting to access must be addressed using the specified "
                "endpoint. Please send all future requests to this endpoint.,Status 301,Error PermanentRedirect"
            )
