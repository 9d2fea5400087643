"""The SQL of checks, as templates over names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sparkify.sql import templates

_FOLDER = Path(__file__).parent


def render(name: str, **names: Any) -> str:
    """Return the SQL of a template.

    :param name: a file of this folder, without its ending.
    :param names: the names that the template uses.
    :raises jinja2.UndefinedError: if one is missing.
    """
    return templates.environment(_FOLDER).get_template(f"{name}.sql").render(names).strip()


def condition(kind: str, **names: Any) -> str:
    """Return the condition that the failing rows of a kind of check meet.

    :param kind: a macro of conditions.sql.
    :param names: its arguments.
    """
    macros = templates.environment(_FOLDER).get_template("conditions.sql").module
    return str(getattr(macros, kind)(**names)).strip()
