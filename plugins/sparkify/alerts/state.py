"""The state of incidents, in one Airflow Variable per DAG.

It is read and written through Airflow's task API, in workers, in the triggerer and in the DAG processor. The API has no
locks, so two runs that end at the same moment may overwrite each other's change. Each reads the Variable again after a
moment, and repeats a change that was lost.
"""

from __future__ import annotations

import json
import logging
import random
import time
from typing import TYPE_CHECKING

from airflow.sdk import Variable

from sparkify.alerts.incidents import Incident

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

DESCRIPTION = "Open incidents and when they were reported. Written by the alerts; delete it to reset them."
# Seconds until a change is verified, much longer than a write takes; and how often it is tried.
PAUSE = 1.0
TRIES = 5


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


def change(dag_id: str, function: Callable[[Mapping[str, Incident]], dict[str, Incident]]) -> dict[str, Incident]:
    """Change the incidents of a DAG, and return them, by key.

    :param function: returns the changed incidents; applied again, it must change nothing.
    """
    name = variable(dag_id)
    for attempt in range(TRIES):
        before = read(dag_id)
        after = function(before)
        if after == before:
            break
        if attempt:
            log.info("The Variable %s was overwritten by another run, repeating the change", name)
        text = json.dumps({key: incident.to_json() for key, incident in sorted(after.items())}, ensure_ascii=False)
        try:
            Variable.set(name, text, DESCRIPTION)
        except Exception as error:  # noqa: BLE001 - as above
            log.warning("The Variable %s could not be written, the alert will be sent again: %s", name, error)
            break
        time.sleep(PAUSE * random.uniform(0.5, 1.5))  # noqa: S311 - so that two runs do not collide again
    return after
