"""Redshift's COPY of JSON in S3, for PostgreSQL, with the same results and the same errors."""

from sparkify.warehouse.postgres.copy.audit import create_load_errors
from sparkify.warehouse.postgres.copy.command import CopyCommand, CopySyntaxError
from sparkify.warehouse.postgres.copy.load import copy
from sparkify.warehouse.postgres.copy.parse import parse_copy

__all__ = [
    "CopyCommand",
    "CopySyntaxError",
    "copy",
    "create_load_errors",
    "parse_copy",
]
