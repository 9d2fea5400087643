"""Redshift's COPY (JSON in S3) for PostgreSQL: it fails where Redshift fails and loads what Redshift loads."""

from sparkify.warehouse.postgres.copy.audit import create_load_errors
from sparkify.warehouse.postgres.copy.command import CopyCommand
from sparkify.warehouse.postgres.copy.errors import CopyError, CopySyntaxError
from sparkify.warehouse.postgres.copy.load import CopyResult, copy
from sparkify.warehouse.postgres.copy.parse import parse_copy

__all__ = [
    "CopyCommand",
    "CopyError",
    "CopyResult",
    "CopySyntaxError",
    "copy",
    "create_load_errors",
    "parse_copy",
]
