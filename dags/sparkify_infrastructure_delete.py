"""### The warehouse on AWS: delete

Deletes everything that `sparkify_infrastructure_create` created, except the bucket: the warehouse with **all its
data**, its role, its security group, its queue, and its published connection. Type the stack's name as `confirm`. Triggered manually.

**A final snapshot** is taken first, unless `final_snapshot` is off: `<stack>-final-<time of the run>`. It is kept, and
its storage billed, until you delete it; `docs/aws.md` describes how to restore it. The data can also be reloaded from
its sources in S3.

The DAG is idempotent: tasks whose resource is already deleted are skipped. It also deletes a stack whose creation
failed.

**When a task fails**

| Task | What it means | What to do |
|---|---|---|
| confirm | `confirm` is not the stack's name; nothing was deleted | trigger again |
| snapshot_namespace, delete_cluster | AWS rejected the snapshot or the deletion | the log has the reason; clear the task |
| delete_stack | a resource could not be deleted, often because it is in use | the log has its name; remove the dependency, clear the task |
| remove_connection | Secrets Manager denied access | check the connection `aws`; clear the task |
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import DAG, Param, TriggerRule

sys.path.insert(0, str(Path(__file__).parents[1] / "plugins"))  # the operators of this commit: docs/deploy.md

from sparkify.infrastructure import (
    ConfirmDeletionOperator,
    DeleteClusterOperator,
    DeleteStackOperator,
    RemoveConnectionOperator,
    SnapshotNamespaceOperator,
)
from sparkify.infrastructure.settings import DEFAULT_ARGS, LONGEST_NAME, stack_name

STACK = "{{ params.stack_name }}"
# The time of the run, not of the attempt: a retry takes the same snapshot.
SNAPSHOT = (
    "{{ params.stack_name ~ '-final-' ~ dag_run.run_after.strftime('%Y%m%d-%H%M%S') if params.final_snapshot else '' }}"
)

with DAG(
    dag_id="sparkify_infrastructure_delete",
    dag_display_name="Sparkify warehouse infrastructure: delete",
    description="Delete the warehouse on AWS, after a final snapshot, and the connection to it.",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2018, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["sparkify", "infrastructure"],
    params={
        "stack_name": stack_name(),
        "confirm": Param(
            "",
            type="string",
            maxLength=LONGEST_NAME,
            title="Type the stack's name",
            description="Confirms the deletion, with all data.",
        ),
        "final_snapshot": Param(
            True,
            type="boolean",
            title="Final snapshot",
            description="Keep the data in a snapshot, whose storage is billed until you delete it.",
        ),
    },
    default_args={
        **DEFAULT_ARGS,
        "trigger_rule": TriggerRule.NONE_FAILED,
    },  # a task whose resource is already deleted is skipped
) as dag:
    confirm = ConfirmDeletionOperator(task_id="confirm", name=STACK, typed="{{ params.confirm }}")
    snapshot_namespace = SnapshotNamespaceOperator(task_id="snapshot_namespace", namespace=STACK, snapshot=SNAPSHOT)
    delete_cluster = DeleteClusterOperator(task_id="delete_cluster", cluster_identifier=STACK, final_snapshot=SNAPSHOT)
    delete_stack = DeleteStackOperator(task_id="delete_stack", stack_name=STACK)
    remove_connection = RemoveConnectionOperator(task_id="remove_connection", stack_name=STACK)

    confirm >> snapshot_namespace >> delete_cluster >> delete_stack >> remove_connection
