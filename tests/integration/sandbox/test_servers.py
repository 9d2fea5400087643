"""The two servers: their behaviour, and that they leave no process behind."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import psycopg
import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

from sandbox import jobs, servers
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

# Starts both servers, tells where they are, and waits for its end.
CHILD = """
import sys
from pathlib import Path
from sandbox import jobs, servers
servers.exit_on_signals()
folder = Path(sys.argv[1])
with servers.postgres(folder / "postgres") as postgres, servers.s3(folder / "s3") as s3:
    print(postgres.uri(), s3.endpoint, flush=True)
    sys.stdin.read()
"""

# Loses the exit, as Python does in a callback of the garbage collector, and some libraries do.
DEAF = """
import signal, sys
from sandbox import servers
servers.exit_on_signals()
try:
    signal.raise_signal(int(sys.argv[1]))
except BaseException:
    servers.leave_if_signalled()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path, as a unix socket needs, that the servers' user can traverse."""
    with tempfile.TemporaryDirectory(prefix="sparkify-servers-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)
        servers.stop_leftovers(Path(name))


@contextmanager
def child(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a process that runs both servers on a folder, and wait until they run."""
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
        (collation,) = connection.execute("SELECT datcollate FROM pg_database WHERE datname = CURRENT_DATABASE()")
    assert [word for (word,) in rows] == sorted(words)
    assert encoding == "UTF8"
    assert collation == ("C",)  # not C.UTF-8, whose order is the same, but slower


def test_a_database_is_created_once(postgres: servers.PostgresServer, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE kept (a INTEGER)")
    name = database.rpartition("/")[2].partition("?")[0]
    assert postgres.create_database(name) == database
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT COUNT(*) FROM kept").fetchone() == (0,)


def test_s3_accepts_its_own_key(s3: servers.S3Server) -> None:
    store = servers.bucket(s3, "own-key")
    store.put("a", b"1")
    assert bytes(store.get("a").bytes()) == b"1"


@pytest.mark.parametrize(
    ("access", "secret"),
    [(servers.ACCESS_KEY, "wrong"), ("wrong", servers.SECRET_KEY)],
    ids=["wrong secret", "wrong key"],
)
def test_s3_rejects_another_key(s3: servers.S3Server, access: str, secret: str) -> None:
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


def test_s3_rejects_requests_without_a_key(s3: servers.S3Server) -> None:
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
def test_servers_stop_when_their_process_is_signalled(folder: Path, number: signal.Signals) -> None:
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


def test_leftovers_of_others_are_left_alone(
    folder: Path, postgres: servers.PostgresServer, s3: servers.S3Server
) -> None:
    """A folder whose name has the same prefix is another folder."""
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


@pytest.mark.parametrize(
    "name", ["it's a clone/x y", 'a "quoted" $HOME `id`; \\ %41 #é,b', "/".join(["a-rather-long-name"] * 8)]
)
def test_any_folder_name_works(folder: Path, name: str) -> None:
    """Nothing goes through a shell, and a socket's path is limited to 107 bytes."""
    place = folder / name
    for number in range(2):  # with new data, and with data that is there
        with servers.postgres(place / "postgres") as server, servers.s3(place / "s3") as s3:
            assert running(folder) == ["postgres", "rclone"]
            with psycopg.connect(server.create_database("a")) as connection:
                assert connection.execute("SHOW data_directory").fetchone() == (str(place / "postgres"),)
            store = servers.bucket(s3, "bucket")
            store.put(f"key {number}", b"1")
            assert (place / "s3" / "bucket" / f"key {number}").read_bytes() == b"1"
            assert servers.running_postgres(place / "postgres") == server
    assert servers.running_postgres(place / "postgres") is None


@pytest.mark.parametrize("name", ["x" * 90, "a,b"])
def test_a_folder_that_cannot_hold_a_socket_is_named(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder / name))
    with (
        pytest.raises(RuntimeError, match=rf"cannot create its socket in {folder}.*expected at most .* Set TMPDIR"),
        servers.postgres(folder / "postgres"),
    ):
        pytest.fail("it started")


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    with servers.postgres(folder / "postgres"):
        pass
    (folder / "postgres" / "postgresql.auto.conf").write_text("work_mem = 'no size'\n")
    with (
        pytest.raises(RuntimeError, match=r'(?s)did not start on .*invalid value for parameter "work_mem"'),
        servers.postgres(folder / "postgres"),
    ):
        pytest.fail("it started")
    assert running(folder) == []


def as_another(words: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command as an unrelated user."""
    return subprocess.run(
        words, user="nobody", group="nogroup", extra_groups=[], capture_output=True, text=True, check=False, **options
    )


root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def modes(folder: Path) -> dict[str, int]:
    """Return the permissions of others, and of the group, for each file and folder."""
    return {str(path): path.stat().st_mode & 0o077 for path in [folder, *folder.rglob("*")] if not path.is_symlink()}


@pytest.mark.parametrize("before", [None, 0o755, 0o777])
def test_a_state_is_private(folder: Path, before: int | None) -> None:
    """If this user is root, the group of PostgreSQL's user may traverse it, to reach the databases."""
    state = folder / "state"
    if before:
        state.mkdir()
        state.chmod(before)
    with jobs.lock_state(state, "a test"), servers.postgres(state / "postgres"), servers.s3(state / "s3") as s3:
        servers.bucket(s3, "bucket").put("key", b"1")
        (state / "folder").mkdir()
        (state / "folder" / "file").write_text("secret")
        found = modes(state)
        assert found.pop(str(state)) == (0o010 if os.geteuid() == 0 else 0)
        assert {mode for path, mode in found.items() if "/postgres/" not in path} == {0}
        assert found[str(state / "postgres")] == 0
    if os.geteuid() == 0:
        assert state.stat().st_gid == pwd.getpwnam("pgserver").pw_gid


@root_only
def test_another_user_reads_nothing(folder: Path) -> None:
    state = folder / "state"
    with jobs.lock_state(state, "a test"), servers.postgres(state / "postgres") as server:
        (state / "password").write_text("secret")
        for path in (state, state / "password", state / "postgres", state / "postgres" / "log", Path(server.host)):
            tried = as_another(["ls", "-l", str(path / "x") if path == state else str(path)])
            assert "Permission denied" in tried.stderr
        tried = as_another([str(servers.psql()), server.uri(), "-c", "SELECT 1"])
        assert "Permission denied" in tried.stderr


@root_only
def test_an_ordinary_user_runs_both(folder: Path) -> None:
    """In their own folder, which others cannot enter."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    os.chown(home, pwd.getpwnam("nobody").pw_uid, -1)
    if (child := os.fork()) == 0:  # another interpreter may be in a folder that only root can enter
        try:
            tempfile.tempdir = str(home)
            os.setgroups([])
            os.setgid(pwd.getpwnam("nobody").pw_gid)
            os.setuid(pwd.getpwnam("nobody").pw_uid)
            with (
                jobs.lock_state(home / "state", "a test"),
                servers.postgres(home / "state" / "postgres") as postgres,
                servers.s3(home / "state" / "s3"),
                psycopg.connect(postgres.uri()) as connection,
            ):
                os._exit(connection.info.backend_pid == 0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert running(folder) == ["postgres", "rclone"]
    found = modes(home / "state")
    assert {mode for path, mode in found.items() if "/postgres/" not in path} == {0}
    server = servers.running_postgres(home / "state" / "postgres")
    assert server
    assert psutil.Process(server.pid).username() == "nobody"


def test_folders_that_others_cannot_enter_are_not_opened_wide(folder: Path) -> None:
    """PostgreSQL's user may traverse them if this user is root; no other user may list or change the content."""
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with servers.postgres(closed / "state" / "postgres"):
        pass
    assert closed.stat().st_mode & 0o777 == (0o701 if os.geteuid() == 0 else 0o700)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_not_lost_if_its_exit_is_caught(number: signal.Signals) -> None:
    ended = subprocess.run([sys.executable, "-c", DEAF, str(number.value)], cwd=ROOT, check=False)
    assert ended.returncode == 128 + number
