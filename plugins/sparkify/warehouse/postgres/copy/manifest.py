"""COPY ... MANIFEST: https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html ."""

from __future__ import annotations

import msgspec

from sparkify.s3 import S3Object
from sparkify.warehouse.copy_result import CopyFailedError
from sparkify.warehouse.postgres.copy.command import CopySyntaxError, split_url


class _Meta(msgspec.Struct):
    content_length: int | None = None  # "the actual size of the file in bytes"


class _Entry(msgspec.Struct):
    url: str
    mandatory: bool = False  # AWS's default
    meta: _Meta | None = None  # as UNLOAD writes it; not required


class _Manifest(msgspec.Struct):
    entries: list[_Entry]


def read_manifest(content: bytes, url: str) -> tuple[list[S3Object], set[S3Object]]:
    """Return the objects of a manifest, in its order, and those of them that may be missing.

    An object listed twice is loaded twice.

    :param content: the manifest, which is never compressed.
    :param url: its URL, for errors.
    :raises CopyFailedError: if it is malformed.
    """
    try:
        manifest = msgspec.json.decode(content, type=_Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CopyFailedError(
            f"{url} is not a properly formed manifest: {error}. "
            'Remedy: write {"entries": [{"url": "s3://bucket/key", "mandatory": true}]}.'
        ) from None
    objects: list[S3Object] = []
    optional: set[S3Object] = set()
    for position, entry in enumerate(manifest.entries):
        try:
            bucket, key = split_url(entry.url, "url")
        except CopySyntaxError:
            key = ""
        if not key:
            raise CopyFailedError(
                f"{url} is not a properly formed manifest: entries[{position}].url must be the URL of an object: "
                f"expected 's3://bucket/key', got {entry.url!r}."
            )
        size = entry.meta.content_length if entry.meta else None
        objects.append(S3Object(bucket, key, size))
        if not entry.mandatory:
            optional.add(objects[-1])
    return objects, optional
