"""Where incidents are remembered: an Airflow Variable for each DAG.

It is read and written through the task's own connection to Airflow, in workers, in the triggerer and in the DAG
processor. Two runs that end in the same moment may overwrite each other's change: then a message is sent twice.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from airflow.sdk import Variable

from sparkify.alerts.incidents import Incident

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)

DESCRIPTION = "What is failing, and who was told. Written by the alerts; delete it to forget."


def variable(dag_id: str) -> str:
    """Return the name of a DAG's Variable."""
    return f"sparkify_incidents_{dag_id}"


def read(dag_id: str) -> dict[str, Incident]:
    """Return the open incidents of a DAG, by key; none where they cannot be read, so that people are told."""
    try:
        found = json.loads(Variable.get(variable(dag_id), default="{}"))
        return {name: Incident.from_json(values) for name, values in found.items()}
    except Exception as error:  # noqa: BLE001 - whatever it is: people are told once too often
        log.warning("The Variable %s cannot be read (%s): taken as empty.", variable(dag_id), error)
        return {}


def change(dag_id: str, changes: Mapping[str, Incident | None]) -> None:
    """Keep, replace and (None) forget incidents of a DAG, by key; others stay as they are by now."""
    before = read(dag_id)
    after = {name: incident for name, incident in {**before, **changes}.items() if incident}
    if after == before:
        return
    text = json.dumps({name: incident.to_json() for name, incident in sorted(after.items())}, ensure_ascii=False)
    try:
        Variable.set(variable(dag_id), text, DESCRIPTION)
    except Exception as error:  # noqa: BLE001 - as above
        log.warning("The Variable %s cannot be written (%s): people will be told again.", variable(dag_id), error)
