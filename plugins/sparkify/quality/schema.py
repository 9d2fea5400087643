"""The JSON schema of a file of checks, made from the kinds' options.

Editors read it from schema.json beside this file: ``python -m sparkify.quality.schema`` writes it (``make format``).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from sparkify.quality.kinds import KINDS
from sparkify.quality.kinds.kind import Columns, Name, Percentage, Text

FILE = Path(__file__).with_name("schema.json")


class _Check(msgspec.Struct, forbid_unknown_fields=True):
    """A check: name, exactly one kind, why and remedy."""

    name: Annotated[Text, Meta(description="what must be true, in words")]
    why: Annotated[Text, Meta(description="why it matters")]
    remedy: Annotated[Text, Meta(description="what to do if the check fails")]
    severity: Annotated[
        Literal["error", "warn"], Meta(description="error fails the run; warn is reported and recorded")
    ] = "error"
    scope: Annotated[
        Literal["interval", "table"],
        Meta(description="interval: the rows of the run, every hour; table: all rows, once a day"),
    ] = "interval"
    allow: int = 0


class _Checks(msgspec.Struct, forbid_unknown_fields=True):
    """The checks of one table of the warehouse."""

    table: Annotated[Name, Meta(description="the table, a name in lower case")]
    key: Annotated[Columns, Meta(description="the column, or the columns, that identify a row in messages")]
    checks: Annotated[list[_Check], Meta(min_length=1, description="a list of checks")]
    interval: Annotated[
        Name,
        Meta(description="the partition column; checks of scope interval need it"),
    ] = ""


@cache
def schema() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12)."""
    _, definitions = msgspec.json.schema_components([_Checks, *KINDS.values()], ref_template="#/$defs/{name}")
    check = definitions["_Check"]
    check["oneOf"] = [{"required": [name]} for name in KINDS]
    # msgspec 0.22 crashes on a union of annotated types: the unions are written here.
    check["properties"]["allow"] = {
        "description": "how many failing rows are accepted: a number of rows, or a percentage such as 1 %",
        "anyOf": [{"type": "integer", "minimum": 0}, *msgspec.json.schema_components([Percentage])[0]],
        "default": 0,
    }
    for kind in KINDS.values():
        options = definitions.pop(kind.__name__)
        if kind.shorthand:
            options = _one_or_more(options["properties"][kind.shorthand])
        check["properties"][kind.name] = {**options, "title": kind.name, "description": kind.description}
    root = definitions["_Checks"]
    root["properties"]["key"] = _one_or_more(root["properties"]["key"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **root,
        "title": "Checks of a table",
        "$defs": {name: of_name for name, of_name in definitions.items() if name != "_Checks"},
    }


def _one_or_more(option: dict[str, Any]) -> dict[str, Any]:
    """Accept one value in place of a list of one."""
    if option["type"] != "array":
        return option
    description = {"description": option.pop("description")} if "description" in option else {}
    return {**description, "anyOf": [option["items"], option]}


def text() -> str:
    """Return the content of schema.json."""
    return json.dumps(schema(), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
