"""Jinja environments for SQL: templates over names, not over values."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import jinja2

if TYPE_CHECKING:
    from pathlib import Path


@cache
def environment(folder: Path | None = None) -> jinja2.Environment:
    """Return the environment of a folder's templates; a missing name is an error.

    :param folder: the folder that templates are taken from and imported from.
    """
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder) if folder else None,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - SQL, not HTML
    )


def from_string(sql: str) -> jinja2.Template:
    """Return the template of SQL that a declaration holds.

    :raises jinja2.TemplateSyntaxError: if it is not a valid template.
    """
    return environment().from_string(sql)
