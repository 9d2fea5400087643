"""The first load of a new Airflow: it unpauses the DAGs, and triggers one run for the history.

The DAG's schedule creates a run for the last full hour only (``catchup=False``). The run for all hours since the first
day begins at the same time. The DAG ``sparkify_reconcile`` loads what is missing later: after the machine was off or
asleep, or if that run has failed.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from sandbox import airflow

if TYPE_CHECKING:
    from sandbox.api import AirflowClient

# The Variable with the first day.
SINCE = "sparkify_reconcile_since"
ENDED = ["success", "failed"]
ACTIVE = ["queued", "running"]


class FirstLoad:
    """Unpauses each DAG that never had a run, once: a user may pause it again.

    It needs Airflow's API only: an app in a container has no access to the metadata database.

    :param client: logged in as a user who may trigger and unpause the DAGs, and set Variables.
    :param start: the first day of the data (UTC).
    """

    # In the order in which they are unpaused. The report first: it misses the days that are loaded while it is paused.
    DAGS = (airflow.REPORT_ID, airflow.DAG_ID, airflow.RECONCILE_ID, airflow.AUDIT_ID)

    def __init__(self, client: AirflowClient, start: date) -> None:
        self._client = client
        self._start = start
        self._known_dags: set[str] = set()
        self._set = False
        self._loaded = False

    def advance(self) -> bool:
        """Do the next steps; return whether the first runs have ended.

        :raises httpx.HTTPError: if Airflow does not answer.
        """
        self._loaded = self._loaded or self._advance()
        return self._loaded

    def _advance(self) -> bool:
        if not self._set:
            self._client.set_variable(SINCE, self._start.isoformat())
            self._set = True
        report, warehouse, reconcile, audit = self.DAGS
        if not (self._unpause(report) and self._unpause(warehouse)):
            return False
        if not self._count(warehouse, ENDED) or self._count(warehouse, ACTIVE):
            return False
        # Beside these runs a reconciliation would trigger nothing; the audit reads loaded data.
        return self._unpause(reconcile) and self._unpause(audit)

    def _trigger_history(self) -> None:
        """Trigger the run of the hours from the first day to the last full hour."""
        start = datetime.combine(self._start, time(), UTC)
        end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        if start < end:
            span = {"start": start.isoformat(), "end": end.isoformat()}
            run_id = f"first_load__{start:%Y-%m-%dT%H:%M}_{end:%Y-%m-%dT%H:%M}"
            self._client.trigger(airflow.DAG_ID, span, dag_run_id=run_id)

    def _count(self, dag_id: str, states: list[str]) -> int:
        total: int = self._client.dag_runs(dag_id, limit=1, state=states)["total_entries"]
        return total

    def _unpause(self, dag_id: str) -> bool:
        """Unpause a DAG that never had a run. Return whether Airflow knows the DAG."""
        if dag_id not in self._known_dags:
            dag = self._client.dag(dag_id)
            if dag is None:
                return False
            if dag["is_paused"] and not self._client.dag_runs(dag_id, limit=1)["total_entries"]:
                self._client.unpause(dag_id)
                if dag_id == airflow.DAG_ID:
                    self._trigger_history()
            self._known_dags.add(dag_id)
        return True
