"""Backfill runs send one summary, when the last of them has ended, instead of individual alerts.

Their results are in operations.data_quality_results, a row for each check, and operations.task_failures, a row for each
failed task. Rows are summarized once: the run that sends the summary claims them first, in one transaction with a lock,
so that two runs that end at the same time do not send two.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkify.alerts import channels, messages
from sparkify.alerts.events import task_key
from sparkify.alerts.summary import Problem, Summary
from sparkify.interval import Interval, union
from sparkify.quality.result import key_of
from sparkify.sql import templates
from sparkify.sql.predicates import literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sparkify.dag.run import DagRunInfo
    from sparkify.warehouse import Warehouse

log = logging.getLogger(__name__)

SQL = Path(__file__).parent / "sql"
SUMMARIES = "operations.backfill_summaries"
# The latest runs that have ended; they include all that Airflow still counts as active although they have ended.
RECENT = 50
ACTIVE = ["queued", "running"]


def summarize(run: DagRunInfo, remedies: Mapping[str, str], *, redshift_conn_id: str, aws_conn_id: str | None) -> None:
    """Send a summary of the backfill runs that have ended since the last summary, unless another run is active.

    In that case the active run, or the next one that executes its checks, sends it.

    :param run: the run that ends.
    :param remedies: what to do about a check or a task, by its key, if the run has one.
    """
    from sparkify.warehouse import connect

    with connect(redshift_conn_id) as warehouse:
        ended = warehouse.query(_sql("ended", run=run, limit=RECENT))
        if not ended:
            return
        if others := _others(run, [run_id for (run_id,) in ended]):
            log.info("%d other runs are active, the last one will send the summary of the backfill", others)
            return
        summarized_until, summary = warehouse.transaction(lambda: _claim(warehouse, run), lock=[SUMMARIES])
        if summary is None:
            return
        message = messages.of_backfill(run, summary, remedies)
        if channels.deliver(message, aws_conn_id) is False:
            withdraw = _sql("withdraw", run=run, summarized_until=literal(summarized_until))
            warehouse.transaction(lambda: warehouse.script(withdraw), lock=[SUMMARIES])


def _others(run: DagRunInfo, ended: list[str]) -> int:
    """Return the number of other active runs of the DAG."""
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    count = RuntimeTaskInstance.get_dr_count
    # The last task of a run that has ended may still be running: it has written its rows, and calls this, too.
    finished = list({run.run_id, *ended})
    return count(run.dag_id, states=ACTIVE) - count(run.dag_id, run_ids=finished, states=ACTIVE)


def _claim(warehouse: Warehouse, run: DagRunInfo) -> tuple[datetime, Summary | None]:
    """Claim the rows without a summary; return their latest time and their summary."""
    now = datetime.now(UTC)
    counts = warehouse.query(_sql("runs", run=run))
    if not counts:
        return now, None
    problems = warehouse.query(_sql("problems", run=run))
    last = max(row[-1] for row in counts)
    warehouse.script(_sql("claim", run=run, summarized_until=literal(last)))
    return last, _summary(counts, problems)


def _summary(runs: Sequence[tuple[Any, ...]], problems: Sequence[tuple[Any, ...]]) -> Summary:
    worst = [row[2] for row in runs]
    found: dict[str, list[tuple[Any, ...]]] = {}
    for row in problems:
        task_id, table, check = row[:3]
        found.setdefault(task_key(task_id) if task_id else key_of(table, check), []).append(row)
    return Summary(
        hours=union(Interval.parse(*row[:2]) for row in runs),
        passed=worst.count(0),
        warned=worst.count(1),
        failed=worst.count(2),
        problems=[
            Problem(
                key,
                "error" if any(row[3] == "failed" for row in rows) else "warn",
                union(Interval.parse(*row[4:6]) for row in rows),
                len(rows),
                str(rows[0][6]),
            )
            for key, rows in sorted(found.items(), key=lambda item: -len(item[1]))
        ],
    )


def _sql(name: str, **names: object) -> str:
    return templates.renderer(SQL)(name, **names)
