"""### The warehouse on AWS: pause

Pauses the cluster and waits until it is. A paused cluster is billed for its storage only; nobody can connect, and the
runs of `sparkify_warehouse` fail until it is resumed: pause that DAG too, or let it catch up by a backfill. Redshift
Serverless needs none of this, it is billed while it computes: the task is skipped. So it is where the cluster is
paused already; running it twice is harmless.

**On a schedule.** Set the environment variable `SPARKIFY_PAUSE_SCHEDULE` to a cron expression (UTC), for all of
Airflow's components, such as `0 20 * * 1-5`, and unpause this DAG. Without it the DAG runs by hand only.

**When a task fails**

| Task | What it means | What to do |
|---|---|---|
| pause_cluster | there is no cluster of that name, or it is busy (a resize, maintenance, a snapshot) | check the param; clear the task when the cluster is available |
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG

from sparkify.alerts import AlertNotifier
from sparkify.infrastructure import PauseClusterOperator
from sparkify.infrastructure.settings import DEFAULT_ARGS, schedule, stack_name

with DAG(
    dag_id="sparkify_infrastructure_pause",
    dag_display_name="Sparkify infrastructure: pause",
    description="Pause the warehouse's cluster: from then on AWS bills its storage only.",
    doc_md=__doc__,
    schedule=schedule("pause"),
    start_date=datetime(2018, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["sparkify", "infrastructure"],
    params={"stack_name": stack_name()},
    default_args={**DEFAULT_ARGS, "on_failure_callback": AlertNotifier()},  # on a schedule nobody watches
) as dag:
    PauseClusterOperator(task_id="pause_cluster", cluster_identifier="{{ params.stack_name }}")
