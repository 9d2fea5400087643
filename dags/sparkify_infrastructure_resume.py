"""### The warehouse on AWS: resume

Resumes a paused cluster and waits until it is available, which takes some minutes. Its data, endpoint and connection
are unchanged. Load the hours that were missed with one run of `sparkify_warehouse` over a range, or with a backfill.
The task is skipped for Redshift Serverless, which resumes by itself, and if the cluster is already running: the DAG is
idempotent.

**On a schedule.** Set the environment variable `SPARKIFY_RESUME_SCHEDULE` to a cron expression (UTC), for all of
Airflow's components, such as `0 6 * * 1-5`, and unpause this DAG. Otherwise the DAG is only triggered manually.

**When a task fails**

| Task | What it means | What to do |
|---|---|---|
| resume_cluster | the cluster does not exist, or is still being paused | check the param; clear the task when the cluster is paused |
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import DAG

sys.path.insert(0, str(Path(__file__).parents[1] / "plugins"))  # the operators of this commit: docs/deploy.md

from sparkify.alerts import AlertNotifier
from sparkify.infrastructure import ResumeClusterOperator
from sparkify.infrastructure.settings import DEFAULT_ARGS, schedule, stack_name

ALERT = AlertNotifier()

with DAG(
    dag_id="sparkify_infrastructure_resume",
    dag_display_name="Sparkify warehouse infrastructure: resume",
    description="Resume the warehouse's cluster.",
    doc_md=__doc__,
    schedule=schedule("resume"),
    start_date=datetime(2018, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["sparkify", "infrastructure"],
    params={"stack_name": stack_name()},
    on_failure_callback=ALERT.run_failed,
    default_args={**DEFAULT_ARGS, "on_failure_callback": ALERT},  # scheduled runs are unattended
) as dag:
    ResumeClusterOperator(task_id="resume_cluster", cluster_identifier="{{ params.stack_name }}")
