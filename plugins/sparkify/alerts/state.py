"""The state of incidents, in one Airflow Variable per DAG.

It is read and written through Airflow's task API, in workers, in the triggerer and in the DAG processor. Two runs that
end at the same moment may overwrite each other's change: then a message is sent twice.
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

DESCRIPTION = "Open incidents and when they were reported. Written by the alerts; delete it to reset them."


def variable(dag_id: str) -> str:
    """Return the name of a DAG's Variable."""
    return f"sparkify_incidents_{dag_id}"


def read(dag_id: str) -> dict[str, Incident]:
    """Return the open incidents of a DAG, by key; none if they cannot be read, so that alerts are sent."""
    try:
        found = json.loads(Variable.get(variable(dag_id), default="{}"))
        return {name: Incident.from_json(values) for name, values in found.items()}
    except Exception as error:  # noqa: BLE001 - whatever it is: a duplicate alert is better than none
        log.warning("Invalid Variable %s, using no open incidents: %s", variable(dag_id), error)
        return {}


def change(dag_id: str, changes: Mapping[str, Incident | None]) -> None:
    """Add, replace and (None) delete incidents of a DAG, by key; others keep their current state."""
    before = read(dag_id)
    after = {name: incident for name, incident in {**before, **changes}.items() if incident}
    if after == before:
        return
    text = json.dumps({name: incident.to_json() for name, incident in sorted(after.items())}, ensure_ascii=False)
    try:
        Variable.set(variable(dag_id), text, DESCRIPTION)
    except Exception as error:  # noqa: BLE001 - as above
        log.warning("The Variable %s could not be written, the alert will be sent again: %s", variable(dag_id), error)
