"""Redshift Serverless; the amazon provider has neither a hook nor an operator for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.sensors.base_aws import AwsBaseSensor
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from sparkify.infrastructure import cloudformation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


def is_serverless(stack_name: str, **hook_arguments: Any) -> bool:
    """Return whether a stack exists and its warehouse is serverless.

    :param hook_arguments: arguments of CloudFormation's hook: ``aws_conn_id``, ``region_name``.
    """
    from airflow.providers.amazon.aws.hooks.cloud_formation import CloudFormationHook

    stack = cloudformation.find(CloudFormationHook(**hook_arguments).conn, stack_name)
    return stack is not None and stack.parameters.get("Kind") == "serverless"


class RedshiftServerlessHook(AwsBaseHook):
    """boto3's client of Redshift Serverless."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "client_type": "redshift-serverless"})


class SnapshotNamespaceOperator(AwsBaseSensor[RedshiftServerlessHook]):
    """Take a snapshot of a serverless namespace, and reschedule until it is available.

    Skipped if the warehouse is a cluster, or does not exist. The snapshot outlives the namespace, without expiry.

    :param namespace: its name, which is that of its stack. (templated)
    :param snapshot: the snapshot's name; empty for none. (templated)
    """

    aws_hook_class = RedshiftServerlessHook
    template_fields: Sequence[str] = (*AwsBaseSensor.template_fields, "namespace", "snapshot")
    ui_color = "#eeaa11"

    def __init__(self, *, namespace: str, snapshot: str, **kwargs: Any) -> None:
        super().__init__(**{"mode": "reschedule", "poke_interval": 60, "timeout": 7200, **kwargs})
        self.namespace = namespace
        self.snapshot = snapshot

    def poke(self, context: Context) -> bool:
        if not self.snapshot:
            raise AirflowSkipException("The final snapshot is disabled.")
        if not is_serverless(self.namespace, aws_conn_id=self.aws_conn_id, region_name=self.region_name):
            raise AirflowSkipException(f"The serverless warehouse {self.namespace} does not exist.")
        client = self.hook.conn
        missing = client.exceptions.ResourceNotFoundException
        try:
            status = client.get_snapshot(snapshotName=self.snapshot)["snapshot"]["status"]
        except missing:
            try:
                client.create_snapshot(namespaceName=self.namespace, snapshotName=self.snapshot, retentionPeriod=-1)
            except missing:
                raise AirflowSkipException(f"The serverless namespace {self.namespace} does not exist.") from None
            self.log.info("Taking the final snapshot %s", self.snapshot)
            return False
        if status in {"FAILED", "CANCELLED", "DELETED"}:
            raise AirflowException(f"The snapshot {self.snapshot} is {status}; nothing was deleted.")
        return bool(status == "AVAILABLE")
