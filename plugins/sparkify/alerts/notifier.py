"""The callback that Airflow calls when a task has ended."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseNotifier

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sparkify.alerts.run import Run
    from sparkify.quality.outcome import Outcome

log = logging.getLogger(__name__)

# The XCom with the results of a task's checks, passed ones included.
CHECKS = "checks"


class AlertNotifier(BaseNotifier):
    """Alert on failures and recoveries: one message per run, through every configured channel.

    Set it as ``on_failure_callback`` of all tasks, and as ``on_success_callback`` of the task that executes the checks
    or, without checks, of the last task. It never fails a task. See docs/alerts.md.

    :param redshift_conn_id: the warehouse, which has the history of a backfill.
    :param aws_conn_id: for Amazon SNS.
    """

    def __init__(
        self, *, redshift_conn_id: str = "redshift", aws_conn_id: str | None = "aws", context: Context | None = None
    ) -> None:
        super().__init__(context=context)
        self.redshift_conn_id = redshift_conn_id
        self.aws_conn_id = aws_conn_id

    def notify(self, context: Context) -> None:
        """Report the result of a task.

        :param context: of a task's callback, in its own process or, if that was killed, in the DAG processor.
        """
        try:
            self._notify(context)
        except Exception:
            # No alert is worth a failed load.
            log.exception("Could not send the alert of a task: task_id=%s", context["ti"].task_id)

    def _notify(self, context: Context) -> None:
        from sparkify.alerts.run import BACKFILL, Run
        from sparkify.alerts.tell import tell

        run = Run.of_task(context)
        ti = context["ti"]
        # None if the task's process was killed: then this runs in the DAG processor.
        in_task = ti.state is not None
        checks = _checks(ti)
        outcomes = checks or []
        failed = None
        if ti.state == "success":
            if checks is None:
                outcomes = [_of_task(ti.task_id, "success", passed=True)]
        # A task that failed for a reason other than its checks.
        elif not any(outcome.outcome == "failed" for outcome in outcomes):
            failed = _of_task(ti.task_id, _reason(context.get("exception")), passed=False)
            outcomes = [*outcomes, failed]
        if run.run_type == BACKFILL:
            from sparkify.alerts import backfill

            if failed and not (run.interval and backfill.record(run, failed, self.redshift_conn_id)):
                tell(run, [failed], task_id=ti.task_id, aws_conn_id=self.aws_conn_id)
                return
        else:
            tell(run, outcomes, task_id=ti.task_id, evaluated=checks is not None, aws_conn_id=self.aws_conn_id)
        if in_task and (checks is not None or run.run_type == BACKFILL):
            self._summarize(run, outcomes)

    def _summarize(self, run: Run, outcomes: list[Outcome]) -> None:
        from sparkify.alerts import backfill
        from sparkify.alerts.incidents import key

        remedies = {key(outcome): outcome.remedy for outcome in outcomes}
        backfill.summarize(run, remedies, redshift_conn_id=self.redshift_conn_id, aws_conn_id=self.aws_conn_id)


def _checks(ti: Any) -> list[Outcome] | None:
    """Return the results of the task's checks; None if it did not evaluate them."""
    from sparkify.quality.outcome import Outcome

    found = ti.xcom_pull(task_ids=ti.task_id, key=CHECKS)
    return None if found is None else [Outcome(**values) for values in found]


def _reason(error: BaseException | str | None) -> str:
    if error is None:
        return "its process exited without reporting an error: killed, or out of memory"
    return str(error).strip() or type(error).__name__


def _of_task(task_id: str, observed: str, *, passed: bool) -> Outcome:
    """Return the result of a task, as the outcome of a check that it succeeds."""
    from sparkify.alerts.incidents import TASK
    from sparkify.alerts.messages import TEXT
    from sparkify.quality.outcome import Outcome

    return Outcome(
        table=task_id,
        check="task succeeds",
        kind=TASK,
        severity="error",
        scope="interval",
        passed=passed,
        observed=observed[:TEXT],
        expected="success",
        failing_rows=0,
        total_rows=0,
        sample=[],
        why="",
        remedy="Read the task's log and the runbook on the DAG's page, fix the cause, clear the task. Clearing is "
        "always safe.",
        seconds=0,
    )
