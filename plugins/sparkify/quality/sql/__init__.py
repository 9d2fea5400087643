"""The SQL of checks, as templates over names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sparkify.sql import templates

_FOLDER = Path(__file__).parent
render = templates.renderer(_FOLDER)


def condition(kind: str, **names: Any) -> str:
    """Return the condition that the failing rows of a kind of check meet.

    :param kind: a macro of conditions.sql.
    :param names: its arguments.
    """
    macros = templates.environment(_FOLDER).get_template("conditions.sql").module
    return str(getattr(macros, kind)(**names)).strip()
