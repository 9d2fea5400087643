"""The callbacks that Airflow calls when a task or a run has ended."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, BaseNotifier

from sparkify.interval import EARLIEST, LATEST, Interval

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sparkify.alerts.events import Event, TaskFailure
    from sparkify.alerts.incidents import Outcome
    from sparkify.dag.run import DagRunInfo
    from sparkify.quality.result import CheckResult

log = logging.getLogger(__name__)

# The XCom of a failed task whose own callback was called. Airflow deletes it when the task runs again.
HANDLED = "failure_callback"
KILLED = (
    "its process exited without reporting an error: killed, or out of memory; or somebody marked the task as failed"
)
INVALID_RUN = "Trigger the DAG again with valid params: clearing the task cannot change them."


class AlertNotifier(BaseNotifier):
    """Alert on failures and recoveries: one message per run, through every configured channel.

    Set it as ``on_failure_callback`` of all tasks, as ``on_success_callback`` of the task that executes the checks, and
    as ``on_success_callback`` and ``on_skipped_callback`` of the last task. Set its method :meth:`run_failed` as
    ``on_failure_callback`` of the DAG. It never fails a task. See docs/alerts.md.

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

        :param context: of a task's callback, in its own process or, if its heartbeat was lost, in the DAG processor.
        """
        try:
            self._task_ended(context)
        except Exception:
            # No alert is worth a failed load.
            log.exception("Could not send the alert of a task: task_id=%s", context["ti"].task_id)

    def run_failed(self, context: Context) -> None:
        """Report the failed tasks of a failed run whose own callback was not called, because their process was killed.

        A plain function, unlike a notifier: ``dag.test()`` passes a serialized DAG, which cannot render templates. It
        sends nothing then: the tasks have run in the same process, and have called their own callbacks.

        :param context: of a DAG's callback, in the DAG processor or in ``dag.test()``.
        """
        try:
            if isinstance(context["dag"], DAG):
                self._run_failed(context)
        except Exception:
            log.exception("Could not send the alert of a run: run_id=%s", context["run_id"])

    def _task_ended(self, context: Context) -> None:
        from sparkify.alerts.events import LateRun, task_key
        from sparkify.alerts.incidents import Outcome
        from sparkify.dag.run import BACKFILL, MANUAL, DagRunInfo, InvalidRunError

        run = DagRunInfo.of_task(context)
        ti, error = context["ti"], context.get("exception")
        # None if the task's heartbeat was lost: then this runs in the DAG processor, which cannot write an XCom.
        in_task = ti.state is not None
        if ti.state == "failed":
            with suppress(Exception):  # then run_failed() may alert it again
                ti.xcom_push(key=HANDLED, value=True)
        if isinstance(error, InvalidRunError) and run.run_type == MANUAL:
            log.info("Not alerted, the params of this manual run are invalid: run_id=%s", run.run_id)
            return
        succeeded = ti.state in ("success", "skipped")
        results = _check_results(ti)
        events: list[Event] = [result for result in results or () if not result.passed]
        # A task that failed for a reason other than its checks.
        if not succeeded and not any(result.outcome == "failed" for result in results or ()):
            events.append(_failure(ti, error))
        passed = {result.key for result in results or () if result.passed}
        covered = run.interval
        if succeeded or results is not None:
            task: Any = context["task"]
            passed |= {task_key(task_id) for task_id in (task.task_id, *task.get_flat_relative_ids(upstream=True))}
            if succeeded and not task.downstream_task_ids:
                passed.add(LateRun.key)
            covered = _covered(task) or covered
        outcome = Outcome(
            datetime.now(UTC),
            run.interval,
            tuple(events),
            frozenset(passed),
            covered,
            task_id=ti.task_id,
            evaluated=results is not None,
        )
        alerted = self._report(run, outcome)
        backfill = run.run_type == BACKFILL
        if in_task and (results is not None or (backfill and events)) and not (backfill and alerted):
            self._summarize(run, events)

    def _run_failed(self, context: Context) -> None:
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

        from sparkify.alerts import state
        from sparkify.alerts.events import TaskFailure, task_key
        from sparkify.alerts.incidents import Outcome
        from sparkify.dag.run import DagRunInfo

        run = DagRunInfo.of_task(context)
        ti, reason = context["ti"], context["reason"]
        states = RuntimeTaskInstance.get_task_states(run.dag_id, run_ids=[run.run_id])[run.run_id]
        # None has failed if Airflow has ended the run, at its timeout for example.
        failed = sorted(task_id for task_id, found in states.items() if found == "failed") or [ti.task_id]
        error = KILLED if reason == "task_failure" else f"Airflow has ended the run as failed: {reason}"
        opened = state.read(run.dag_id)
        events = [
            TaskFailure(task_id, ti.try_number, error)
            for task_id in failed
            if not ti.xcom_pull(task_ids=task_id, key=HANDLED)
            and not (task_key(task_id) in opened and opened[task_key(task_id)].includes(run.interval))
        ]
        if events:
            self._report(run, Outcome(datetime.now(UTC), run.interval, tuple(events), task_id=ti.task_id))

    def _report(self, run: DagRunInfo, outcome: Outcome) -> bool:
        """Alert, and record the failed tasks; return whether a failed task was alerted."""
        from sparkify.alerts import failures
        from sparkify.alerts.dispatch import dispatch
        from sparkify.alerts.events import TaskFailure
        from sparkify.dag.run import BACKFILL

        failed = [event for event in outcome.events if isinstance(event, TaskFailure)]
        if run.run_type != BACKFILL:
            dispatch(run, outcome, aws_conn_id=self.aws_conn_id)
            # After the alert, which does not wait for the warehouse.
            for failure in failed:
                failures.record(run, failure, self.redshift_conn_id)
            return bool(failed)
        # The summary has what is recorded, by interval.
        recorded = [failure for failure in failed if failures.record(run, failure, self.redshift_conn_id)]
        left = tuple(failure for failure in failed if failure not in recorded or not run.interval)
        dispatch(run, replace(outcome, events=left), aws_conn_id=self.aws_conn_id)
        return bool(left)

    def _summarize(self, run: DagRunInfo, events: list[Event]) -> None:
        from sparkify.alerts import backfill

        remedies = {event.key: event.remedy for event in events}
        backfill.summarize(run, remedies, redshift_conn_id=self.redshift_conn_id, aws_conn_id=self.aws_conn_id)


def _check_results(ti: Any) -> list[CheckResult] | None:
    """Return the results of the task's checks; None if it did not evaluate them."""
    from sparkify.quality.result import CHECK_RESULTS, CheckResult

    found = ti.xcom_pull(task_ids=ti.task_id, key=CHECK_RESULTS)
    return None if found is None else [CheckResult(**values) for values in found]


def _covered(task: Any) -> Interval | None:
    """Return the interval for which a task that succeeded shows that its upstream tasks have, too."""
    if getattr(task, "scope", None) == "table":
        return Interval(EARLIEST, LATEST)  # it has read whole tables
    return getattr(task, "interval", None)  # the whole day, if the run has closed it


def _failure(ti: Any, error: BaseException | str | None) -> TaskFailure:
    from airflow.sdk.log import redact

    from sparkify.alerts.events import TaskFailure
    from sparkify.alerts.messages import TEXT
    from sparkify.dag.run import InvalidRunError

    text = KILLED if error is None else str(redact(str(error))).strip() or type(error).__name__
    remedy = {"remedy": INVALID_RUN} if isinstance(error, InvalidRunError) else {}
    return TaskFailure(ti.task_id, ti.try_number, text[:TEXT], **remedy)
