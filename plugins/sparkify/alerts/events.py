"""The events that open an incident: a failed check, a failed task, a late run.

Each type has a ``key``, which identifies the incident within its DAG, a ``severity``, the ``observed`` result, ``why``
it matters, and the ``remedy``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sparkify.quality.result import CheckResult

if TYPE_CHECKING:
    from datetime import datetime

    from sparkify.quality.result import Severity


@dataclass(frozen=True)
class TaskFailure:
    """A task that has failed and has no retries left.

    :param try_number: the number of its last try, from 1.
    :param error: the error message, without secrets.
    :param remedy: what to do.
    """

    task_id: str
    try_number: int
    error: str
    remedy: str = (
        "Read the task's log and the runbook on the DAG's page, fix the cause, clear the task. Clearing is always safe."
    )

    severity: ClassVar[Severity] = "error"
    why: ClassVar[str] = ""

    @property
    def key(self) -> str:
        """Its identifier within a DAG."""
        return task_key(self.task_id)

    @property
    def observed(self) -> str:
        """The error message."""
        return self.error


@dataclass(frozen=True)
class LateRun:
    """A run that has missed its deadline.

    :param state: Airflow's state of the run: ``queued``, ``running``.
    :param queued_at: when it was queued or cleared; aware.
    :param minutes: its time limit.
    """

    state: str
    queued_at: datetime
    minutes: float

    key: ClassVar[str] = "late run"
    severity: ClassVar[Severity] = "error"
    why: ClassVar[str] = "Queries on the warehouse return stale data."
    remedy: ClassVar[str] = (
        "Open the run and check which task is queued or running. Usual causes: a paused cluster, a full pool, a large "
        "file."
    )

    @property
    def observed(self) -> str:
        """Its state when it missed the deadline."""
        return f"{self.state}, queued at {self.queued_at:%Y-%m-%d %H:%M} UTC"


Event = CheckResult | TaskFailure | LateRun


def task_key(task_id: str) -> str:
    """Return the identifier of a failing task within its DAG."""
    return f"task {task_id}"
