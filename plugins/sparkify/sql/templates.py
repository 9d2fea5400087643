"""The Jinja environment of SQL templates. Templates contain names and literals; values are sent as parameters."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import jinja2

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@cache
def environment(folder: Path | None = None) -> jinja2.Environment:
    """Return the environment of a folder's templates; a missing name is an error.

    :param folder: the folder of the templates, and of those that they include or import.
    """
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder) if folder else None,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - SQL, not HTML
    )


@lru_cache(maxsize=512)
def from_string(sql: str) -> jinja2.Template:
    """Return the template for a string of SQL.

    :raises jinja2.TemplateSyntaxError: if it is not a valid template.
    """
    return environment().from_string(sql)


def renderer(folder: Path) -> Callable[..., str]:
    """Return a function that renders the SQL templates of a folder.

    It takes a file's name without its ending, and the names that the template uses; it raises
    :class:`jinja2.UndefinedError` if one is missing.
    """

    def render(template: str, **names: Any) -> str:
        return environment(folder).get_template(f"{template}.sql").render(names).strip()

    return render
