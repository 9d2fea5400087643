"""### The warehouse on AWS: pause

Pauses the cluster and waits until it is paused. Only the storage of a paused cluster is billed; it accepts no
connections, and runs of `sparkify_warehouse` fail until it is resumed: pause that DAG too, or backfill the missed hours
later. The task is skipped for Redshift Serverless, which is billed only while queries run, and if the cluster is
already paused: the DAG is idempotent.

**On a schedule.** Set the environment variable `SPARKIFY_PAUSE_SCHEDULE` to a cron expression (UTC), for all of
Airflow's components, such as `0 20 * * 1-5`, and unpause this DAG. Otherwise the DAG is only triggered manually.

**When a task fails**

| Task | What it means | What to do |
|---|---|---|
| pause_cluster | the cluster does not exist, or is busy (a resize, maintenance, a snapshot) | check the param; clear the task when the cluster is available |
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import DAG

sys.path.insert(0, str(Path(__file__).parents[1] / "plugins"))  # the operators of this commit: docs/deploy.md

from sparkify.alerts import AlertNotifier
from sparkify.infrastructure import PauseClusterOperator
from sparkify.infrastructure.settings import DEFAULT_ARGS, schedule, stack_name

ALERT = AlertNotifier()

with DAG(
    dag_id="sparkify_infrastructure_pause",
    dag_display_name="Sparkify warehouse infrastructure: pause",
    description="Pause the warehouse's cluster: from then on only its storage is billed.",
    doc_md=__doc__,
    schedule=schedule("pause"),
    start_date=datetime(2018, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["sparkify", "infrastructure"],
    params={"stack_name": stack_name()},
    on_failure_callback=ALERT.run_failed,
    default_args={**DEFAULT_ARGS, "on_failure_callback": ALERT},  # scheduled runs are unattended
) as dag:
    PauseClusterOperator(task_id="pause_cluster", cluster_identifier="{{ params.stack_name }}")
