"""### Audit of Sparkify's warehouse, once a day

Evaluates the data quality checks of whole tables. The checks of an interval's rows are part of the hourly load.

**When a task fails**: the log of `audit` has each failed check, with the observed and the expected result, a sample of
the failing rows, and what to do. All results are in `operations.data_quality_results`. Fix the cause and clear the
task. A check of severity `warn` does not fail the run.

**Checks** are declared in `include/checks`, one file per table; those with `scope: table` run here. **Connection:**
`redshift` (type redshift, or postgres for a stand-in).
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG, CronDataIntervalTimetable

sys.path.insert(0, str(Path(__file__).parents[1] / "plugins"))  # the operators of this commit: docs/deploy.md

from sparkify.alerts import AlertNotifier, deadline
from sparkify.dag.defaults import DEFAULT_ARGS
from sparkify.dag.run import interval_of_run
from sparkify.operators import DataQualityOperator

CHECKS = str(Path(__file__).parents[1] / "include" / "checks")
ALERT = AlertNotifier()

with DAG(
    dag_id="sparkify_audit",
    dag_display_name="Sparkify warehouse audit",
    description="The data quality checks of whole tables. Daily.",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2018, 11, 1, tzinfo=UTC),
    catchup=False,  # checks of whole tables see the current state, whatever the run's interval
    max_active_runs=1,
    on_failure_callback=ALERT.run_failed,
    deadline=deadline(timedelta(hours=2)),
    tags=["sparkify", "quality", "daily"],
    user_defined_macros={"interval_of_run": interval_of_run},
    default_args={
        **DEFAULT_ARGS,
        "on_failure_callback": ALERT,
        "interval_start": "{{ interval_of_run(dag_run, params).start }}",
        "interval_end": "{{ interval_of_run(dag_run, params).end }}",
    },
) as dag:
    DataQualityOperator(task_id="audit", checks=CHECKS, scope="table", on_success_callback=ALERT)
