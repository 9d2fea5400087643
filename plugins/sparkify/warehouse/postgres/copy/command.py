"""What a COPY statement says: https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html ."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sparkify.warehouse.postgres.copy.errors import CopySyntaxError

_URL = re.compile(r"s3://([^/]+)(?:/(.*))?", re.DOTALL)


@dataclass(frozen=True)
class CopyCommand:
    """A COPY statement, understood. Keys given in the statement are checked and forgotten.

    :param table: the name, folded to lower case as Redshift folds quoted and unquoted names alike.
    :param schema: its schema, or None to search the search_path.
    :param columns: the column list, in its order; empty when there is none.
    :param bucket: the bucket of FROM.
    :param prefix: the key prefix of FROM; with MANIFEST the manifest's whole key.
    :param json: ``auto``, ``auto ignorecase`` or the ``s3://`` URL of a JSONPaths file.
    :param compression: None, ``gzip``, ``bzip2`` or ``zstd``.
    :param timeformat: None, ``auto``, ``epochsecs`` or ``epochmillisecs``.
    :param maxerror: the number of errors at which the load fails; 0 and 1 mean the same.
    :param acceptinvchars: the replacement character, or None.
    :param compupdate: accepted for Redshift's sake; PostgreSQL has no column encodings.
    :param statupdate: whether the caller should ANALYZE afterwards; None when the statement does not say.
    :param region: the bucket's region, or None.
    :param iam_role: the role, ``default``, or None when the statement names none.
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
    compupdate: str | None = None
    statupdate: bool | None = None
    region: str | None = None
    iam_role: str | None = None

    @property
    def url(self) -> str:
        """The ``s3://`` URL of FROM."""
        return f"s3://{self.bucket}/{self.prefix}"


def split_url(url: str, what: str) -> tuple[str, str]:
    """Return bucket and key of an ``s3://`` URL.

    :param what: names the URL in the error.
    :raises CopySyntaxError: if it is not such a URL.
    """
    if not (match := _URL.fullmatch(url)):
        raise CopySyntaxError(f"{what} must be an S3 URL of the form 's3://bucket/key'")
    return match[1], match[2] or ""
