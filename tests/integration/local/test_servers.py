"""The two servers: what they promise, and that nothing of them is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

from sparkify.local import servers
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

# Starts both servers, tells where they are, and waits for its end.
CHILD = """
import sys
from pathlib import Path
from sparkify.local import servers
servers.exit_on_signals()
folder = Path(sys.argv[1])
with servers.postgres(folder / "postgres") as postgres, servers.s3(folder / "s3") as s3:
    print(postgres.uri(), s3.endpoint, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path, as a unix socket needs, that the servers' own user can enter."""
    with tempfile.TemporaryDirectory(prefix="sparkify-servers-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)
        servers.stop_leftovers(Path(name))


@contextmanager
def child(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that runs both servers on a folder, once they run."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder)],
        # A killed process leaves its temporary files: here they go with the folder.
        env={**os.environ, "PYTHONPATH": str(ROOT / "plugins"), "TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("postgresql://")
        try:
            yield process
        finally:
            process.kill()


def running(folder: Path) -> list[str]:
    """Return the servers that work on a folder."""
    return sorted(
        process.info["name"]
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] in ("postgres", "rclone")
        and any(str(folder) in word for word in process.info["cmdline"] or [])
    )


def test_text_compares_by_code_point(database: str) -> None:
    """As on Redshift: https://docs.aws.amazon.com/redshift/latest/dg/c_collation_sequences.html."""
    words = ["a", "B", "Ä", "z", "_", "é", "Z", "1", "𝄞", "\ue000"]
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT word FROM UNNEST(%s::text[]) AS t (word) ORDER BY word", [words]).fetchall()
        (encoding,) = connection.execute("SHOW server_encoding").fetchone() or ("",)
    assert [word for (word,) in rows] == sorted(words)
    assert encoding == "UTF8"


def test_a_database_is_created_once(postgres: servers.Postgres, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE kept (a INTEGER)")
    name = database.rpartition("/")[2].partition("?")[0]
    assert postgres.create_database(name) == database
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT COUNT(*) FROM kept").fetchone() == (0,)


def test_s3_takes_its_own_key(s3: servers.S3) -> None:
    store = servers.bucket(s3, "own-key")
    store.put("a", b"1")
    assert bytes(store.get("a").bytes()) == b"1"


@pytest.mark.parametrize(
    ("access", "secret"),
    [(servers.ACCESS_KEY, "wrong"), ("wrong", servers.SECRET_KEY)],
    ids=["wrong secret", "wrong key"],
)
def test_s3_refuses_another_key(s3: servers.S3, access: str, secret: str) -> None:
    servers.bucket(s3, "wrong-key").put("a", b"1")
    stranger = S3Store(
        "wrong-key",
        endpoint=s3.endpoint,
        access_key_id=access,
        secret_access_key=secret,
        region=servers.REGION,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )
    with pytest.raises((BaseError, PermissionError)):
        stranger.get("a")
    with pytest.raises((BaseError, PermissionError)):
        stranger.put("b", b"2")


def test_s3_refuses_whoever_has_no_key(s3: servers.S3) -> None:
    servers.bucket(s3, "no-key").put("a", b"1")
    stranger = S3Store(
        "no-key",
        endpoint=s3.endpoint,
        skip_signature=True,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )
    with pytest.raises((BaseError, PermissionError)):
        stranger.get("a")


def test_s3_that_cannot_start_says_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RCLONE_TIMEOUT", "not a time")
    with pytest.raises(RuntimeError, match=r"did not start\. It printed:\n.*not a time"), servers.s3(folder / "s3"):
        pytest.fail("it started")
    assert running(folder) == []


def test_servers_stop_with_their_context(folder: Path) -> None:
    with servers.postgres(folder / "postgres"), servers.s3(folder / "s3"):
        assert running(folder) == ["postgres", "rclone"]
    assert running(folder) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_servers_stop_with_a_process_that_is_told_to(folder: Path, number: signal.Signals) -> None:
    with child(folder) as process:
        process.send_signal(number)
        assert process.wait(30) == 128 + number
    assert running(folder) == []


def test_leftovers_of_a_killed_process_are_stopped(folder: Path) -> None:
    with child(folder) as process:
        process.kill()
        process.wait(10)
    assert running(folder) == ["postgres", "rclone"]
    assert sorted(servers.stop_leftovers(folder)) == ["postgres", "rclone"]
    assert running(folder) == []
    assert servers.stop_leftovers(folder) == []


def test_leftovers_of_others_are_left_alone(folder: Path, postgres: servers.Postgres, s3: servers.S3) -> None:
    """A folder whose name begins the same is another folder."""
    other = folder.with_name(folder.name + "-other")
    with servers.s3(other) as server:
        assert servers.stop_leftovers(folder) == []
        assert psutil.pid_exists(server.pid)
    other.rmdir()
    assert psutil.pid_exists(s3.pid)


def test_the_server_of_a_killed_process_is_taken_over(folder: Path) -> None:
    with child(folder) as process:
        process.kill()
        process.wait(10)
    with servers.postgres(folder / "postgres") as server, psycopg.connect(server.uri()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        with servers.s3(folder / "s3") as fresh:
            servers.bucket(fresh, "again").put("a", b"1")
            assert running(folder) == ["postgres", "rclone"]
    assert running(folder) == []


@pytest.mark.parametrize("started", ["before", "after"])
def test_a_number_that_is_another_process_by_now_does_not_keep_the_server(folder: Path, started: str) -> None:
    with child(folder) as process:
        process.kill()
        process.wait(10)
    listed = folder / "postgres" / ".handle_pids.json"
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        listed.write_text(f"[{other.pid}]")
        created = psutil.Process(other.pid).create_time()
        moment = created + (5 if started == "before" else -5)  # of the last change of the list
        os.utime(listed, (moment, moment))
        with servers.postgres(folder / "postgres"):
            pass
        # One that was there when the list was written is a user of the server: it is to stop it.
        assert ("postgres" in running(folder)) == (started == "before")
        other.kill()
