"""Sample the JSON objects of files: which members they have, of which types, and how often.

Only the first and the last bytes of a file are read, and no value is kept. A record is what COPY loads as a row: a JSON
object that is not part of another one.
"""

from __future__ import annotations

import json
import logging
import re
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from sparkify.s3 import Bucket, S3Object

log = logging.getLogger(__name__)

# Concurrent requests.
REQUESTS = 8
# How much larger than its compressed part the decompressed part of a file may be.
EXPANSION = 4
# A file with more members has names that are data; the others are ignored.
MAX_FIELDS = 500

# The JSON types of Python's values. Two further types are needed to count NULLs: an empty string, which COPY loads as
# NULL unless the column is text, and a missing member.
TYPES = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    dict: "object",
    list: "array",
    type(None): "null",
}
EMPTY, MISSING = "empty", "missing"

_HEAD = "bytes=0-"
# The start of the next object, whitespace before it included.
_START = re.compile(r"\s*\{")
_decode = json.JSONDecoder().raw_decode


class Limit(NamedTuple):
    """What is read at most.

    :param size: bytes, of all files together.
    :param files: number of files.
    """

    size: int
    files: int


class Record(NamedTuple):
    """A sampled record.

    :param line: its line in the file; 0 if it is unknown.
    :param modified: when the file was last modified; aware.
    """

    file: str
    line: int
    modified: datetime
    members: dict[str, Any]


@dataclass
class SampledField:
    """The values of one type of a member.

    :param name: the member's name, as it was first spelled.
    :param type: a JSON type, or ``empty`` or ``missing``.
    :param occurrences: number of records.
    :param first_seen: the earliest last modification of their files; aware.
    :param last_seen: the latest one; aware.
    :param file: the URL of the first record's file.
    :param line: its line; 0 if it is unknown.
    """

    name: str
    type: str
    occurrences: int
    first_seen: datetime
    last_seen: datetime
    file: str
    line: int


def spread(items: Sequence[Any], most: int) -> list[Any]:
    """Return at most ``most`` of the items, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[number * (len(items) - 1) // max(most - 1, 1)] for number in range(most)]


def sample(
    bucket: Bucket, objects: Sequence[S3Object], limit: Limit, fold: Callable[[str], str], *, gzip: bool
) -> list[SampledField]:
    """Return the fields of some of the objects; the same for the same objects.

    :param fold: maps the names of the same member to one.
    :param gzip: whether the objects are compressed; then only their beginnings are read.
    :raises S3Error: if one cannot be read.
    """
    chosen = spread([item for item in objects if item.size], limit.files)
    if not chosen:
        return []
    share = limit.size // len(chosen)
    parts = [(item, part) for item in chosen for part in _parts(item.size or 0, share, tail=not gzip)]
    with ThreadPoolExecutor(REQUESTS) as pool:
        bodies = list(pool.map(lambda part: bucket.read_part(*part), parts))
    found: list[Record] = []
    heads_of_lines = set()
    for (item, part), fetched in zip(parts, bodies, strict=True):
        if fetched is None:
            log.info("Not sampled, the file has changed since it was listed: file=%s", item.url)
            continue
        body, modified = fetched
        text = _text(_gunzip(body) if gzip else body)
        record = partial(Record, item.url, modified=modified)
        if part is None or part.startswith(_HEAD):
            records, is_lines = parse(text)
            found += [record(line, members=members) for line, members in records]
            if is_lines:
                heads_of_lines.add(item)
        elif item in heads_of_lines:
            # The first line is cut. The tail of a file without one record per line is not readable.
            found += [record(0, members=members) for _, members in _of_lines(text.partition("\n")[2])]
    read = sum(len(fetched[0]) for fetched in bodies if fetched)
    log.info("Sampled the source: files=%d requests=%d bytes=%d records=%d", len(chosen), len(parts), read, len(found))
    return count(found, fold)


def _parts(size: int, share: int, *, tail: bool) -> list[str | None]:
    """Return the parts of a file that are read, as in the header Range; None is the whole file."""
    if size <= share:
        return [None]
    if not tail:
        return [f"{_HEAD}{share - 1}"]
    return [f"{_HEAD}{share // 2 - 1}", f"bytes=-{share // 2}"]


def _gunzip(body: bytes) -> bytes:
    """Return the content of the beginning of a compressed file; empty if it is corrupt, which COPY reports."""
    try:
        return zlib.decompressobj(wbits=31).decompress(body, EXPANSION * len(body))
    except zlib.error:
        return b""


def _text(body: bytes) -> str:
    return body.decode("utf-8", errors="replace").removeprefix("\ufeff")


def parse(text: str) -> tuple[list[tuple[int, dict[str, Any]]], bool]:
    """Return the records at the beginning of a file with their lines, and whether it has one or more records per line.

    The end of the text may be cut. COPY also accepts objects that span several lines; they end at the first error.
    """
    objects = list(_objects(text))
    if any("\n" in text[start:end] for start, end, _ in objects):
        return [(text.count("\n", 0, start) + 1, members) for start, _, members in objects], False
    return list(_of_lines(text)), True


def _of_lines(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the records of each line with the line's number; invalid and cut lines have none."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("{"):
            for _, _, members in _objects(line):
                yield number, members


def _objects(text: str) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Yield the JSON objects of a text with their start and end, up to the first error."""
    at = 0
    while match := _START.match(text, at):
        try:
            value, at = _decode(text, match.end() - 1)
        except (ValueError, RecursionError):
            return
        yield match.end() - 1, at, value


def count(records: Iterable[Record], fold: Callable[[str], str]) -> list[SampledField]:
    """Count the values of each member by type; records without the member are counted as missing.

    :param fold: maps the names of the same member to one.
    """
    names: dict[str, str] = {}
    # Most records have the same members and types.
    shapes: dict[tuple[tuple[str, str], ...], list[Record]] = {}
    for record in records:
        shape = []
        for name, value in record.members.items():
            key = fold(name)
            names.setdefault(key, name)
            shape.append((key, EMPTY if value == "" else TYPES[type(value)]))
        shapes.setdefault(tuple(shape), []).append(record)
    if len(names) > MAX_FIELDS:
        log.warning("The source has %d members, only the first %d are recorded", len(names), MAX_FIELDS)
    found: dict[tuple[str, str], SampledField] = {}
    for shape_, of_shape in shapes.items():
        types = dict(shape_)
        first, last = min(item.modified for item in of_shape), max(item.modified for item in of_shape)
        for key in [*names][:MAX_FIELDS]:
            kind = types.get(key, MISSING)
            example = of_shape[0]
            field = found.setdefault(
                (key, kind), SampledField(names[key], kind, 0, first, last, example.file, example.line)
            )
            field.occurrences += len(of_shape)
            field.first_seen, field.last_seen = min(field.first_seen, first), max(field.last_seen, last)
    return list(found.values())
