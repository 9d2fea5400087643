"""COPY ... MANIFEST: https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html ."""

from __future__ import annotations

import msgspec

from sparkify.copy.command import split_url
from sparkify.copy.errors import CopyError, CopySyntaxError
from sparkify.copy.s3 import S3Object


class _Entry(msgspec.Struct):
    url: str
    mandatory: bool = False  # AWS's default; a further key such as UNLOAD's "meta" is not required and ignored


class _Manifest(msgspec.Struct):
    entries: list[_Entry]


def read_manifest(content: bytes, url: str) -> list[S3Object]:
    """Return the objects a manifest lists, in its order; one listed twice is loaded twice.

    :param content: the manifest, which is never compressed.
    :param url: where it is, for errors.
    :raises CopyError: when it is not properly formed.
    """
    try:
        manifest = msgspec.json.decode(content, type=_Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CopyError(
            f"{url} is not a properly formed manifest: {error}. "
            'Remedy: write {"entries": [{"url": "s3://bucket/key", "mandatory": true}]}.'
        ) from None
    objects = []
    for position, entry in enumerate(manifest.entries):
        try:
            bucket, key = split_url(entry.url, "url")
        except CopySyntaxError:
            key = ""
        if not key:
            raise CopyError(
                f"{url} is not a properly formed manifest: entries[{position}].url must be bucket and whole key of an "
                f"object, 's3://bucket/key', not {entry.url!r}."
            )
        objects.append(S3Object(bucket, key, mandatory=entry.mandatory))
    return objects
