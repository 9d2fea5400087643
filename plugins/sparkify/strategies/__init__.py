"""How tables are loaded: the SQL of each strategy, for any table.

The files are Jinja templates over names; what a table's rows are comes from outside, as a SELECT.
"""

from __future__ import annotations

from pathlib import Path

from sparkify.sql import templates


def render(strategy: str, **names: object) -> str:
    """Return the SQL of a strategy.

    :param strategy: a file of this folder, without its ending.
    :param names: what the template asks for.
    :raises jinja2.UndefinedError: where a name is missing.
    """
    return templates.environment(Path(__file__).parent).get_template(f"{strategy}.sql").render(names)
