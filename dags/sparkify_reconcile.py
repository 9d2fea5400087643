"""### Reconciliation of the warehouse with its source

Lists the event files in S3, compares them with the ledger of staged files, and triggers `sparkify_warehouse` for exactly
the periods whose files are new or have changed, at any age. Nobody has to load a day again by hand.

**What a pass does.** It finds files that have changed since they were staged, files that arrived late, and hours that
were missed: while the DAG was paused, while Airflow was down, or because a run failed for good. Contiguous periods
become one run with `start` and `end`, oldest first: at most 4 runs in a pass, within the free slots of the DAG, never
beside an active run of the same hours. A day that has not ended is left to the schedule, except for the hours that it
has missed. Where nothing differs, a pass costs one listing and one query, and triggers nothing.

**It never deletes.** Files that have vanished are reported once, and their rows remain. To delete the rows as well, load
the period with `accept_vanished`.

**A version that cannot be loaded** is tried again alone, after one hour, then two, up to 24; a corrected file is loaded
by the next pass. A file that keeps changing is loaded at longer and longer intervals, from 10 minutes up to a day.

**Gaps** are filled between the first and the last staged day. To fill them from another day on, up to now, set the Variable
`sparkify_reconcile_since`, such as `2018-11-01`. The schedule is the setting `[sparkify] reconcile_schedule` of
Airflow's configuration, by default half past each hour.

**When a task fails**, its log ends with the error and the remedy. Clearing a task is always safe: what was claimed and not
triggered is triggered then, and nothing is triggered twice.

| Task | What it means | What to do |
|---|---|---|
| reconcile | S3 or the warehouse is unreachable, the Variable is not a time, or another pass ran at the same time | follow the remedy in the log; the next pass repeats the comparison anyway |
| reconcile warns of vanished files | files were deleted after they were staged | nothing if they have expired; otherwise restore them |
| reconcile warns of a backlog | more runs are needed than a pass triggers | nothing if many files were expected to change; otherwise check what writes the source |
| trigger | Airflow refused a run, for example because `sparkify_warehouse` has an import error | correct the DAG; the next pass triggers the run |

`operations.source_differences` has the differences that the last pass found, with the attempts to load each.
**Connections:** `redshift` and `aws`. **Variable:** `sparkify_bucket`.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, TriggerRule

sys.path.insert(0, str(Path(__file__).parents[1] / "plugins"))  # the operators of this commit: docs/deploy.md

from sparkify.alerts import AlertNotifier, deadline
from sparkify.dag.defaults import DEFAULT_ARGS
from sparkify.dag.settings import reconcile_schedule
from sparkify.operators import ReconcileOperator
from sparkify.operators.reconcile import ReconciledOperator

ALERT = AlertNotifier()

with DAG(
    dag_id="sparkify_reconcile",
    dag_display_name="Sparkify warehouse reconciliation",
    description="Triggers the load of event files that are new, changed or were missed, at any age. Hourly.",
    doc_md=__doc__,
    schedule=reconcile_schedule(),
    start_date=datetime(2018, 11, 1, tzinfo=UTC),
    catchup=False,  # a pass sees the current state, whatever the run's interval
    max_active_runs=1,
    on_failure_callback=ALERT.run_failed,
    deadline=deadline(timedelta(hours=1)),
    tags=["sparkify", "reconciliation", "hourly"],
    default_args={**DEFAULT_ARGS, "on_failure_callback": ALERT},
) as dag:
    reconcile = ReconcileOperator(
        task_id="reconcile",
        # As in the DAG sparkify_warehouse.
        table="staging_events",
        bucket="{{ var.value.sparkify_bucket }}",
        key="log_data/%Y/%m/%Y-%m-%d-events.json",
        file_period="day",
        trigger_dag_id="sparkify_warehouse",
        max_active_runs=6,
        since="{{ var.value.get('sparkify_reconcile_since', '') }}",
        on_success_callback=ALERT,
    )
    trigger = TriggerDagRunOperator.partial(
        task_id="trigger", logical_date=None, skip_when_already_exists=True
    ).expand_kwargs(reconcile.output)
    reconciled = ReconciledOperator(
        task_id="reconciled", trigger_rule=TriggerRule.NONE_FAILED, on_success_callback=ALERT
    )

    reconcile >> trigger >> reconciled
