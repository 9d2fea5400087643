"""Redshift Serverless, for which the amazon provider has neither hook nor operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.sensors.base_aws import AwsBaseSensor
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class RedshiftServerlessHook(AwsBaseHook):
    """boto3's client of Redshift Serverless."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "client_type": "redshift-serverless"})


class SnapshotNamespaceOperator(AwsBaseSensor[RedshiftServerlessHook]):
    """Take a snapshot of a serverless namespace, and be rescheduled until it is there.

    Skipped where there is no such namespace. It outlives the namespace; its retention is unlimited.

    :param namespace: its name. (templated)
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
            raise AirflowSkipException("No final snapshot was asked for.")
        client = self.hook.conn
        missing = client.exceptions.ResourceNotFoundException
        try:
            status = client.get_snapshot(snapshotName=self.snapshot)["snapshot"]["status"]
        except missing:
            try:
                client.create_snapshot(namespaceName=self.namespace, snapshotName=self.snapshot, retentionPeriod=-1)
            except missing:
                raise AirflowSkipException(f"There is no serverless namespace {self.namespace}.") from None
            self.log.info("The data is kept in the snapshot %s.", self.snapshot)
            return False
        if status in {"FAILED", "CANCELLED", "DELETED"}:
            raise AirflowException(f"The snapshot {self.snapshot} is {status}; nothing was deleted.")
        return bool(status == "AVAILABLE")
