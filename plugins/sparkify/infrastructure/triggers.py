"""The trigger that waits for CloudFormation; the amazon provider has none."""

from __future__ import annotations

from typing import Any

from airflow.providers.amazon.aws.hooks.cloud_formation import CloudFormationHook
from airflow.providers.amazon.aws.triggers.base import AwsBaseWaiterTrigger


class StackTrigger(AwsBaseWaiterTrigger):
    """Wait for a stack, with one of boto3's own waiters.

    :param stack_id: ARN of the stack.
    :param waiter_name: ``stack_create_complete`` or ``stack_delete_complete``.
    :param waiter_delay: seconds between polls.
    :param waiter_max_attempts: maximum number of polls.
    :param aws_conn_id: the Airflow connection.
    """

    def __init__(
        self,
        *,
        stack_id: str,
        waiter_name: str,
        waiter_delay: int,
        waiter_max_attempts: int,
        aws_conn_id: str | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            serialized_fields={"stack_id": stack_id, "waiter_name": waiter_name},
            waiter_name=waiter_name,
            waiter_args={"StackName": stack_id},
            failure_message=f"{waiter_name} failed",
            status_message=f"{waiter_name}: not yet",
            status_queries=["Stacks[].StackStatus", "Stacks[].StackStatusReason"],
            return_key="stack_id",
            return_value=stack_id,
            waiter_delay=waiter_delay,
            waiter_max_attempts=waiter_max_attempts,
            aws_conn_id=aws_conn_id,
            **kwargs,
        )

    def hook(self) -> CloudFormationHook:
        """Return the hook to wait with. Provider 9.34, of MWAA's image, requires this method; 9.39 has a default."""
        return CloudFormationHook(
            aws_conn_id=self.aws_conn_id, region_name=self.region_name, verify=self.verify, config=self.botocore_config
        )
