"""Folders and archives in a bucket."""

from __future__ import annotations

import gzip
import io
import os
import random
import re
import subprocess
import sys
import tarfile
import uuid
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox import servers, upload
from sandbox.upload import SourceError, SyncResult, sync
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from obstore.store import S3Store

    Make = Callable[[Path, dict[str, bytes]], Path]

FILES = {
    "log_data/2018/11/2018-11-01-events.json": b'{"page": "Home"}\n' * 100,
    "log_data/2018/11/2018-11-02-events.json": b"",
    "song_data/A/B/C/TRABC.json": '{"title": "Für Elise"}'.encode(),
    "song_data/A/B/C/TRABC with space.json": b"{}",
}
SIZE = sum(len(body) for body in FILES.values())


def folder(path: Path, files: dict[str, bytes]) -> Path:
    for key, body in files.items():
        file = path / "data" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    return path / "data"


def archive(path: Path, files: dict[str, bytes], prefix: str = "") -> Path:
    file = path / "data.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        for key, body in files.items():
            member = tarfile.TarInfo(prefix + key)
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return file


@pytest.fixture
def store(s3: servers.S3Server) -> S3Store:
    """An empty bucket."""
    return servers.bucket(s3, f"upload-{uuid.uuid4().hex[:12]}")


def content(store: S3Store) -> dict[str, bytes]:
    keys = [item["path"] for page in store.list() for item in page]
    return {key: bytes(store.get(key).bytes()) for key in keys}


both = pytest.mark.parametrize("make", [folder, archive])


@both
def test_files_become_objects(make: Make, store: S3Store, tmp_path: Path) -> None:
    source = make(tmp_path, FILES)
    assert sync(source, store) == SyncResult(written=4, written_bytes=SIZE)
    assert content(store) == FILES
    assert sorted(upload.keys(source)) == sorted(FILES)


@both
def test_unchanged_files_are_not_sent_again(make: Make, store: S3Store, tmp_path: Path) -> None:
    source = make(tmp_path, FILES)
    sync(source, store)
    assert sync(source, store) == SyncResult(unchanged=4)


def test_a_folder_and_its_archive_are_the_same(store: S3Store, tmp_path: Path) -> None:
    sync(folder(tmp_path, FILES), store)
    assert sync(archive(tmp_path, FILES, prefix="./backup/of/"), store) == SyncResult(unchanged=4)


@both
def test_a_change_of_the_same_length_is_sent(make: Make, store: S3Store, tmp_path: Path) -> None:
    sync(make(tmp_path, FILES), store)
    changed = {**FILES, "song_data/A/B/C/TRABC with space.json": b"[]"}
    assert sync(make(tmp_path, changed), store) == SyncResult(written=1, written_bytes=2, unchanged=3)
    assert content(store) == changed


@both
def test_only_source_files_that_are_gone_are_deleted(make: Make, store: S3Store, tmp_path: Path) -> None:
    sync(make(tmp_path, FILES), store)
    others = {"manifests/batch-1.manifest": b"{}", "log_database/x.json": b"{}", "jsonpaths/songs.json": b"{}"}
    for key, body in others.items():
        store.put(key, body)
    left = {key: FILES[key] for key in list(FILES)[1:3]}
    (tmp_path / "after").mkdir()
    assert sync(make(tmp_path / "after", left), store) == SyncResult(unchanged=2)
    assert content(store) == {**left, **others}


@both
def test_other_files_of_the_source_stay_where_they_are(make: Make, store: S3Store, tmp_path: Path) -> None:
    source = make(tmp_path, {**FILES, "README.md": b"#", "log_database/x.json": b"{}", ".git/log": b""})
    sync(source, store)
    assert set(content(store)) == set(FILES)


@pytest.fixture
def dag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The DAG, with the third source of README's "Make it yours"."""
    file = tmp_path / "dag.py"
    (task,) = re.findall(r"```python\n(    with stage:\n.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    file.write_text(upload.DAG.read_text() + task)
    monkeypatch.setattr(upload, "DAG", file)
    return file


@both
def test_the_files_of_a_new_source_are_uploaded(dag: Path, make: Make, store: S3Store, tmp_path: Path) -> None:
    ratings = {"ratings/2018/11/01/05/ratings.json": b"{}"}
    source = make(tmp_path, {**FILES, **ratings, "others/x.json": b"{}"})
    sync(source, store)
    assert content(store) == FILES | ratings
    (tmp_path / "after").mkdir()
    sync(make(tmp_path / "after", FILES), store)
    assert content(store) == FILES


def test_a_key_that_is_not_a_string_is_reported(dag: Path, store: S3Store, tmp_path: Path) -> None:
    dag.write_text(dag.read_text().replace('"ratings/%Y/%m/%d/%H/"', "RATINGS"))
    with pytest.raises(SourceError, match=r"dag\.py, line \d+: expected a string as the key .*, got RATINGS\."):
        sync(folder(tmp_path, FILES), store)


def test_an_archive_may_hold_more_than_files(store: S3Store, tmp_path: Path) -> None:
    source = tmp_path / "data.tar"
    with tarfile.open(source, "w") as tar:
        for name, kind in [("log_data", tarfile.DIRTYPE), ("log_data/a", tarfile.SYMTYPE)]:
            member = tarfile.TarInfo(name)
            member.type = kind
            member.linkname = "/etc/passwd"
            tar.addfile(member)
        member = tarfile.TarInfo("log_data/b.json")
        member.size = 2
        tar.addfile(member, io.BytesIO(b"{}"))
    sync(source, store)
    assert content(store) == {"log_data/b.json": b"{}"}


@both
def test_progress_is_reported(make: Make, store: S3Store, tmp_path: Path) -> None:
    files = {f"song_data/{number:03}.json": b"{}" for number in range(150)}
    told: list[int] = []
    sync(make(tmp_path, files), store, told.append)
    assert told == sorted(told)
    assert told[-1] == 150
    assert len(told) > 1


def test_a_missing_source(store: S3Store, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"absent does not exist\."):
        sync(tmp_path / "absent", store)


@both
def test_a_source_of_something_else(make: Make, store: S3Store, tmp_path: Path) -> None:
    source = make(tmp_path, {"photos/cat.jpg": b"meow"})
    store.put("log_data/x.json", b"{}")
    with pytest.raises(SourceError, match=r"contains none of log_data/, song_data/: check the path"):
        sync(source, store)
    assert content(store) == {"log_data/x.json": b"{}"}  # nothing was deleted for it


def test_a_file_that_is_not_an_archive(store: S3Store, tmp_path: Path) -> None:
    source = tmp_path / "data.tar.gz"
    source.write_text("not an archive")
    with pytest.raises(SourceError, match="a folder or an intact"):
        sync(source, store)


# gzip keeps as it is what it cannot compress: damage is then found by the checksum only.
STORED = random.Random(1).randbytes(200_000)
COMPRESSED = "".join(f'{{"item": {number}}}\n' for number in range(50_000)).encode()


def damaged(whole: bytes, how: str) -> bytes:
    if how == "cut":
        return whole[: len(whole) // 2]
    if how == "cut before the checksum":
        return whole[:-8]
    if how == "garbled":  # the next block is of no type that there is
        packer = zlib.compressobj(wbits=31)
        return packer.compress(gzip.decompress(whole)[:100_000]) + packer.flush(zlib.Z_FULL_FLUSH) + 100 * b"\xff"
    at = len(whole) // 2
    return whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]


@pytest.mark.parametrize("how", ["cut", "cut before the checksum", "changed", "garbled"])
@pytest.mark.parametrize("body", [STORED, COMPRESSED], ids=["stored", "compressed"])
def test_a_damaged_archive_is_refused_and_deletes_nothing(
    how: str, body: bytes, store: S3Store, tmp_path: Path
) -> None:
    store.put("log_data/old.json", b"{}")
    source = archive(tmp_path, {"log_data/a.json": body, "log_data/b.json": b"{}"})
    source.write_bytes(damaged(source.read_bytes(), how))
    with pytest.raises(SourceError, match=r"data\.tar\.gz cannot be read: expected a folder or an intact \.tar\.gz"):
        sync(source, store)
    assert "log_data/old.json" in content(store)
    with pytest.raises(SourceError):
        upload.keys(source)


BIG = 200 * 1024 * 1024
UPLOAD = """
import re, sys
from pathlib import Path
from sandbox import servers, upload
server = servers.S3Server(sys.argv[1], Path(sys.argv[2]), 0)
store = servers.bucket(server, sys.argv[3])
print(upload.sync(Path(sys.argv[4]), store), upload.sync(Path(sys.argv[4]), store))
# Not ru_maxrss, which counts the memory of the process that this one was forked from.
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux's /proc")
def test_a_large_file_does_not_fill_the_memory(s3: servers.S3Server, store: S3Store, tmp_path: Path) -> None:
    source = folder(tmp_path, {"log_data/big.json": b""})
    with (source / "log_data" / "big.json").open("wb") as file:
        file.truncate(BIG)
    bucket = str(store.config["bucket"])
    done = subprocess.run(
        [sys.executable, "-c", UPLOAD, s3.endpoint, str(s3.root), bucket, str(source)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "plugins")},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    synced, memory = done.stdout.splitlines()
    assert synced == f"{SyncResult(written=1, written_bytes=BIG)} {SyncResult(unchanged=1)}"
    assert int(memory) * 1024 < BIG
    assert store.head("log_data/big.json")["size"] == BIG
