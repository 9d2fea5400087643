"""COPY of the real sample loads the values that Python's JSON parser returns."""

from __future__ import annotations

import json
import tarfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Loader

pytestmark = pytest.mark.sample

EVENTS = (
    "artist varchar(1024), auth varchar(32), firstname varchar(256), gender varchar(16), iteminsession int not null, "
    "lastname varchar(256), length double precision, level varchar(16), location varchar(1024), method varchar(16), "
    "page varchar(64), registration double precision, sessionid bigint not null, song varchar(1024), status int, "
    "ts timestamp not null, useragent varchar(2048), userid bigint"
)
SONGS = (
    "num_songs int, artist_id varchar(32) not null, artist_latitude double precision, artist_longitude "
    "double precision, artist_location varchar(1024), artist_name varchar(1024), song_id varchar(32) not null, "
    "title varchar(1024), duration double precision, year int"
)


def members(sample: Path, folder: str) -> dict[str, bytes]:
    with tarfile.open(sample) as archive:
        files = [item for item in archive.getmembers() if item.isfile() and item.name.startswith(folder)]
        return {item.name: archive.extractfile(item).read() for item in files}  # type: ignore[union-attr]


def expected(contents: dict[str, bytes], columns: str) -> list[tuple[Any, ...]]:
    names = [column.split()[0] for column in columns.split(", ")]
    rows = []
    for content in contents.values():
        for line in content.splitlines():
            if line.strip():
                record = {name.lower(): value for name, value in json.loads(line).items()}
                if "ts" in record:
                    record["userid"] = int(record["userid"]) if record["userid"] else None
                    record["ts"] = datetime.fromtimestamp(0, UTC).replace(tzinfo=None) + timedelta(
                        milliseconds=record["ts"]
                    )
                for name in {"title", "artist_name", "artist_location"} & record.keys():
                    record[name] = str(record[name])  # a song is called 5, a place 27: without quotation marks
                rows.append(tuple(record[name] for name in names))
    return rows


@pytest.mark.parametrize(("folder", "columns"), [("log_data", EVENTS), ("song_data/A/A", SONGS)])
def test_sample(loader: Loader, sample: Path, folder: str, columns: str):
    contents = members(sample, folder)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(loader.put, contents, contents.values()))
    loader.table(columns)
    result = loader.copy(f"{folder}/", "TIMEFORMAT 'epochmillisecs'", format="JSON 'auto ignorecase'")
    rows = expected(contents, columns)
    assert sorted(loader.rows(), key=repr) == sorted(rows, key=repr)
    assert (result.rows, result.rejected) == (len(rows), 0)
