"""Redshift's COPY (JSON in S3) for PostgreSQL: it fails where Redshift fails and loads what Redshift loads."""

from sparkify.copy.audit import create_load_errors
from sparkify.copy.command import CopyCommand
from sparkify.copy.errors import CopyError, CopySyntaxError
from sparkify.copy.load import CopyResult, copy
from sparkify.copy.parse import parse_copy
from sparkify.copy.s3 import list_objects, store_factory

__all__ = [
    "CopyCommand",
    "CopyError",
    "CopyResult",
    "CopySyntaxError",
    "copy",
    "create_load_errors",
    "list_objects",
    "parse_copy",
    "store_factory",
]
