"""Pause, resume and delete a provisioned cluster: the provider's operators, made idempotent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.operators.redshift_cluster import (
    RedshiftDeleteClusterOperator,
    RedshiftPauseClusterOperator,
    RedshiftResumeClusterOperator,
)
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from sparkify.infrastructure.serverless import is_serverless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

# What RedshiftHook.cluster_status() returns for a cluster that does not exist.
NOT_FOUND = "cluster_not_found"


class PauseClusterOperator(RedshiftPauseClusterOperator):
    """Pause a cluster and wait in the triggerer until it is paused; skipped if it is already paused, or serverless.

    :param cluster_identifier: the cluster, which has the name of its stack. (templated)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"wait_for_completion": True, "deferrable": True, **kwargs})

    def execute(self, context: Context) -> None:
        if _state(self) == "paused":
            raise AirflowSkipException(f"The cluster {self.cluster_identifier} is already paused.")
        super().execute(context)


class ResumeClusterOperator(RedshiftResumeClusterOperator):
    """Resume a cluster and wait in the triggerer until it is available; skipped if it already is, or serverless.

    :param cluster_identifier: the cluster, which has the name of its stack. (templated)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"wait_for_completion": True, "deferrable": True, **kwargs})

    def execute(self, context: Context) -> None:
        if _state(self) == "available":
            raise AirflowSkipException(f"The cluster {self.cluster_identifier} is already running.")
        super().execute(context)


class DeleteClusterOperator(RedshiftDeleteClusterOperator):
    """Delete a cluster, paused or not, and wait in the triggerer until it is deleted; skipped if it does not exist.

    :param cluster_identifier: the cluster. (templated)
    :param final_snapshot: name of the snapshot that is taken first; empty for none. (templated)
    """

    template_fields: Sequence[str] = (*RedshiftDeleteClusterOperator.template_fields, "final_snapshot")

    def __init__(self, *, final_snapshot: str, **kwargs: Any) -> None:
        super().__init__(**{"deferrable": True, **kwargs})
        self.final_snapshot = final_snapshot

    def execute(self, context: Context) -> None:
        if self.hook.cluster_status(self.cluster_identifier) == NOT_FOUND:
            raise AirflowSkipException(f"The cluster {self.cluster_identifier} does not exist.")
        if self.final_snapshot:
            self.log.info("Taking the final snapshot %s", self.final_snapshot)
        super().execute(context)

    def _delete_or_defer_until_settled(self) -> None:
        # Not in execute(): the task may have been deferred, and then this is another object.
        self.skip_final_cluster_snapshot = not self.final_snapshot
        self.final_cluster_snapshot_identifier = self.final_snapshot or None
        super()._delete_or_defer_until_settled()


def _state(operator: PauseClusterOperator | ResumeClusterOperator) -> str | None:
    """Return the cluster's state.

    :raises AirflowSkipException: if the warehouse is serverless.
    :raises AirflowFailException: if it does not exist.
    """
    name = operator.cluster_identifier
    status = operator.hook.cluster_status(name)
    if status != NOT_FOUND:
        return status
    if is_serverless(name, aws_conn_id=operator.aws_conn_id, region_name=operator.region_name):
        raise AirflowSkipException(
            f"{name} is Redshift Serverless: billed only while queries run, there is nothing to pause or resume."
        )
    raise AirflowFailException(
        f"The cluster {name} does not exist. Check the param stack_name, or trigger sparkify_infrastructure_create."
    )
