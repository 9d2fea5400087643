"""SQL that is written once for any table: Jinja templates over names."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import jinja2

if TYPE_CHECKING:
    from pathlib import Path


@cache
def environment(folder: Path) -> jinja2.Environment:
    """Return the environment of a folder's templates; a name that is missing is an error.

    :param folder: what templates import one another from.
    """
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - SQL, not HTML
    )
