"""How tables are loaded: the SQL of each strategy, for any table.

The files are Jinja templates over names; what a table's rows are comes from outside, as a SELECT.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - SQL, not HTML
    )


def render(strategy: str, **names: object) -> str:
    """Return the SQL of a strategy.

    :param strategy: a file of this folder, without its ending.
    :param names: what the template asks for.
    :raises jinja2.UndefinedError: where a name is missing.
    """
    return _environment().get_template(f"{strategy}.sql").render(names)
