"""### The warehouse on AWS: delete

Deletes what `sparkify_infrastructure_create` made: the warehouse with **all its data**, its role, its security group,
and the connection it published. Type the stack's name as `confirm`. Run by hand.

**A final snapshot** is taken first, unless you say no: `<stack>-final-<time of the run>`. It stays, and costs its
storage, until you delete it; `docs/aws.md` says how to restore from it. The warehouse can also be loaded anew: its
sources are in S3.

Running it twice is harmless: what is gone is skipped. It also removes a stack whose creation failed.

**When a task fails**

| Task | What it means | What to do |
|---|---|---|
| confirm | `confirm` is not the stack's name; nothing was deleted | trigger again |
| snapshot_namespace, delete_cluster | the snapshot or the deletion was refused | the log has the reason; clear the task |
| delete_stack | something could not be deleted, often because something else uses it | the log names it; free it, clear the task |
| remove_connection | Secrets Manager refused | check the connection `aws`; clear the task |
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, Param, TriggerRule

from sparkify.infrastructure import (
    ConfirmOperator,
    DeleteClusterOperator,
    DeleteStackOperator,
    RemoveConnectionOperator,
    SnapshotNamespaceOperator,
)
from sparkify.infrastructure.settings import DEFAULT_ARGS, LONGEST_NAME, stack_name

STACK = "{{ params.stack_name }}"
# The time of the run, not of the try: a task that is tried again takes the same snapshot.
SNAPSHOT = (
    "{{ params.stack_name ~ '-final-' ~ dag_run.run_after.strftime('%Y%m%d-%H%M%S') if params.final_snapshot else '' }}"
)

with DAG(
    dag_id="sparkify_infrastructure_delete",
    dag_display_name="Sparkify infrastructure: delete",
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
            description="To confirm that it is to be deleted, with all its data.",
        ),
        "final_snapshot": Param(
            True,
            type="boolean",
            title="Final snapshot",
            description="Keep the data in a snapshot, which costs its storage until you delete it.",
        ),
    },
    default_args={**DEFAULT_ARGS, "trigger_rule": TriggerRule.NONE_FAILED},  # what is gone is skipped
) as dag:
    confirm = ConfirmOperator(task_id="confirm", name=STACK, typed="{{ params.confirm }}")
    snapshot_namespace = SnapshotNamespaceOperator(task_id="snapshot_namespace", namespace=STACK, snapshot=SNAPSHOT)
    delete_cluster = DeleteClusterOperator(task_id="delete_cluster", cluster_identifier=STACK, final_snapshot=SNAPSHOT)
    delete_stack = DeleteStackOperator(task_id="delete_stack", stack_name=STACK)
    remove_connection = RemoveConnectionOperator(task_id="remove_connection", stack_name=STACK)

    confirm >> snapshot_namespace >> delete_cluster >> delete_stack >> remove_connection
