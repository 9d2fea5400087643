"""Upload a folder or an archive of source files to a bucket."""

from __future__ import annotations

import ast
import tarfile
import tempfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, cast

import xxhash

from sandbox import airflow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from obstore.store import S3Store

# The DAG whose source files are uploaded.
DAG = airflow.ROOT / "dags" / f"{airflow.DAG_ID}.py"

STAGE = "StageToRedshiftOperator"

# Files up to this size are held in memory while they are compared and sent; larger ones go through a temporary file.
IN_MEMORY = 8 * 1024 * 1024
AT_ONCE = 16


class SourceError(Exception):
    """The source is invalid; the message says why."""


@dataclass
class SyncResult:
    """The result of a synchronization: numbers of objects, and bytes of the written ones."""

    written: int = 0
    unchanged: int = 0
    written_bytes: int = 0


def source_folders() -> tuple[str, ...]:
    """Return the top-level folders of the bucket that the DAG's tasks stage, such as ``log_data/``.

    The DAG is parsed, not imported: Airflow reads its settings when it is imported, before they are known here.

    :raises SourceError: if a task's key is not a string.
    """
    found = set()
    for node in ast.walk(ast.parse(DAG.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == STAGE:
            for key in (item.value for item in node.keywords if item.arg == "key"):
                if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
                    raise SourceError(
                        f"Cannot find the files to upload: {DAG}, line {key.lineno}: expected a string as the key of "
                        f"the {STAGE}, got {ast.unparse(key)}."
                    )
                found.add(key.value.partition("/")[0] + "/")
    return tuple(sorted(found))


def sync(source: Path, store: S3Store, progress: Callable[[int], None] = lambda count: None) -> SyncResult:
    """Synchronize the bucket with the source: write files that differ, delete objects that the source lacks.

    :param source: a folder, or a .tar.gz, with ``log_data/``, ``song_data/`` and the folders of further sources.
    :param store: the bucket.
    :param progress: called with the number of compared files.
    :raises SourceError: if the source is missing, is neither, or has none of these folders.
    """
    present = {item["path"]: (item["e_tag"] or "").strip('"') for page in store.list() for item in page}
    folders = source_folders()
    done = SyncResult()
    seen: set[str] = set()

    def send(key: str, body: IO[bytes], digest: str) -> int | None:
        with body:
            if present.get(key) == digest:
                return None
            size = body.seek(0, 2)
            body.seek(0)
            store.put(key, body)
            return size

    def settle(sizes: Iterator[int | None]) -> None:
        for size in sizes:
            done.written += size is not None
            done.unchanged += size is None
            done.written_bytes += size or 0
        progress(len(seen))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        # A window at a time: an archive is read faster than it is sent, and must not accumulate in memory.
        window: list[tuple[str, IO[bytes], str]] = []
        for key, stream in _files(source, folders):
            seen.add(key)
            with _source_errors(source):
                window.append((key, *_spool(stream)))
            if len(window) == AT_ONCE * 4:
                settle(pool.map(lambda item: send(*item), window))
                window = []
        settle(pool.map(lambda item: send(*item), window))
    if not seen:
        raise SourceError(f"{source} contains none of {', '.join(folders)}: check the path.")
    if gone := [key for key in present if key.startswith(folders) and key not in seen]:
        store.delete(gone)
    return done


def keys(source: Path) -> list[str]:
    """Return the keys of the files of a source.

    :raises SourceError: as :func:`sync` does.
    """
    return [key for key, _ in _files(source, source_folders())]


def _files(source: Path, folders: tuple[str, ...]) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield the key and the content of every source file; the content stays open until the next one."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            key = path.relative_to(source).as_posix()
            if path.is_file() and key.startswith(folders):
                with path.open("rb") as stream:
                    yield key, stream
        return
    if not source.exists():
        raise SourceError(f"{source} does not exist.")
    with _source_errors(source), tarfile.open(source) as archive:
        for member in archive:
            found = _key(member.name, folders)
            content = archive.extractfile(member) if member.isfile() and found else None
            if content and found:
                yield found, content
        while archive.fileobj and archive.fileobj.read(1024 * 1024):
            pass  # read to the end, where gzip verifies its checksum


@contextmanager
def _source_errors(source: Path) -> Iterator[None]:
    """Convert errors of reading the source to SourceError."""
    try:
        yield
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise SourceError(f"{source} cannot be read: expected a folder or an intact .tar.gz: {error}") from error


def _key(name: str, folders: tuple[str, ...]) -> str | None:
    """Return the key of an archive's member: its path from one of the folders on; None if it is in none of them."""
    for folder in folders:
        if (at := f"/{name}".find(f"/{folder}")) >= 0:
            return name[at:]
    return None


def _spool(stream: IO[bytes]) -> tuple[IO[bytes], str]:
    """Copy a stream; return the copy, and the ETag of the content. Closing the copy deletes it."""
    copy = cast("IO[bytes]", tempfile.SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115 - the sender closes it
    digest = xxhash.xxh128()
    while block := stream.read(1024 * 1024):
        digest.update(block)
        copy.write(block)
    copy.seek(0)
    return copy, digest.hexdigest()
