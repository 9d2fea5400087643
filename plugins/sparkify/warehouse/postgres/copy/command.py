"""A parsed COPY statement: https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html ."""

from __future__ import annotations

import re
from dataclasses import dataclass

_URL = re.compile(r"s3://([^/]+)(?:/(.*))?", re.DOTALL)


class CopySyntaxError(ValueError):
    """The local engine does not support the COPY statement; the message never contains a quoted string of it."""


@dataclass(frozen=True)
class CopyCommand:
    """A parsed COPY statement. Access keys in the statement are checked, but not kept.

    :param table: the name in lower case: Redshift folds quoted and unquoted names.
    :param schema: its schema; None to search the search_path.
    :param columns: the column list, in its order; empty without one.
    :param bucket: the bucket of FROM.
    :param prefix: the key prefix of FROM; with MANIFEST the key of the manifest.
    :param json: ``auto``, ``auto ignorecase`` or the ``s3://`` URL of a JSONPaths file.
    :param compression: None, ``gzip``, ``bzip2`` or ``zstd``.
    :param timeformat: None, ``auto``, ``epochsecs`` or ``epochmillisecs``.
    :param maxerror: the number of errors at which the load fails; 0 means 1.
    :param acceptinvchars: the replacement character, or None.
    :param region: the bucket's region; None without one.
    :param iam_role: the role, or ``default``; None without one.
    """

    table: str
    bucket: str
    prefix: str
    schema: str | None = None
    columns: tuple[str, ...] = ()
    json: str = "auto"
    manifest: bool = False
    compression: str | None = None
    timeformat: str | None = None
    maxerror: int = 0
    truncatecolumns: bool = False
    blanksasnull: bool = False
    emptyasnull: bool = False
    acceptinvchars: str | None = None
    region: str | None = None
    iam_role: str | None = None

    @property
    def url(self) -> str:
        """The ``s3://`` URL of FROM."""
        return f"s3://{self.bucket}/{self.prefix}"


def split_url(url: str, what: str) -> tuple[str, str]:
    """Return bucket and key of an ``s3://`` URL.

    :param what: names the URL in the error.
    :raises CopySyntaxError: if it is not an S3 URL.
    """
    if not (match := _URL.fullmatch(url)):
        raise CopySyntaxError(f"{what} must be an S3 URL of the form 's3://bucket/key'")
    return match[1], match[2] or ""
