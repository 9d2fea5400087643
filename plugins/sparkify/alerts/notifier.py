"""The callback that Airflow calls when a task has ended."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseNotifier

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sparkify.alerts.events import Event, TaskFailure
    from sparkify.dag.run import DagRunInfo
    from sparkify.quality.result import CheckResult

log = logging.getLogger(__name__)


class AlertNotifier(BaseNotifier):
    """Alert on failures and recoveries: one message per run, through every configured channel.

    Set it as ``on_failure_callback`` of all tasks, and as ``on_success_callback`` of the task that executes the checks
    or, without checks, of the last task. It never fails a task. See docs/alerts.md.

    :param redshift_conn_id: the warehouse, which has the history of checks and of failed tasks.
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
        from sparkify.alerts import failures
        from sparkify.alerts.dispatch import dispatch
        from sparkify.alerts.events import task_key
        from sparkify.dag.run import BACKFILL, DagRunInfo

        run = DagRunInfo.of_task(context)
        ti = context["ti"]
        # None if the task's process was killed: then this runs in the DAG processor.
        in_task = ti.state is not None
        results = _check_results(ti)
        passed = {result.key for result in results or () if result.passed}
        events: list[Event] = [result for result in results or () if not result.passed]
        failure = None
        if ti.state == "success":
            if results is None:
                passed = {task_key(ti.task_id)}
        # A task that failed for a reason other than its checks.
        elif not any(result.outcome == "failed" for result in results or ()):
            failure = _failure(ti, context.get("exception"))
            events.append(failure)
        if run.run_type == BACKFILL:
            if failure and not (failures.record(run, failure, self.redshift_conn_id) and run.interval):
                dispatch(run, [failure], task_id=ti.task_id, aws_conn_id=self.aws_conn_id)
                return
        else:
            dispatch(
                run,
                events,
                passed=passed,
                task_id=ti.task_id,
                evaluated=results is not None,
                aws_conn_id=self.aws_conn_id,
            )
            if failure:  # after the alert, which does not wait for the warehouse
                failures.record(run, failure, self.redshift_conn_id)
        if in_task and (results is not None or run.run_type == BACKFILL):
            self._summarize(run, events)

    def _summarize(self, run: DagRunInfo, events: list[Event]) -> None:
        from sparkify.alerts import backfill

        remedies = {event.key: event.remedy for event in events}
        backfill.summarize(run, remedies, redshift_conn_id=self.redshift_conn_id, aws_conn_id=self.aws_conn_id)


def _check_results(ti: Any) -> list[CheckResult] | None:
    """Return the results of the task's checks; None if it did not evaluate them."""
    from sparkify.quality.result import CHECK_RESULTS, CheckResult

    found = ti.xcom_pull(task_ids=ti.task_id, key=CHECK_RESULTS)
    return None if found is None else [CheckResult(**values) for values in found]


def _failure(ti: Any, error: BaseException | str | None) -> TaskFailure:
    from airflow.sdk.log import redact

    from sparkify.alerts.events import TaskFailure
    from sparkify.alerts.messages import TEXT

    if error is None:
        text = "its process exited without reporting an error: killed, or out of memory"
    else:
        text = str(redact(str(error))).strip() or type(error).__name__
    return TaskFailure(ti.task_id, ti.try_number, text[:TEXT])
