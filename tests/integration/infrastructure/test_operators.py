"""Retries and failed deletions of stacks, which the tests of the DAGs do not cover."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, TaskDeferred
from moto.cloudformation import models

from sandbox.aws import REGION
from sparkify.infrastructure import CreateStackOperator, DeleteStackOperator
from tests.conftest import ROOT

if TYPE_CHECKING:
    from tests.integration.infrastructure.conftest import Cloud

TEMPLATE = ROOT / "include" / "infrastructure" / "warehouse.yaml"
CONTEXT: Any = {}


@pytest.fixture
def parameters(cloud: Cloud) -> dict[str, str]:
    """Return the template's parameters for the account's default network."""
    client = cloud.client("ec2")
    (vpc,) = client.describe_vpcs()["Vpcs"]
    subnets = ",".join(subnet["SubnetId"] for subnet in client.describe_subnets()["Subnets"])
    return {
        "Kind": "provisioned",
        "Bucket": "sparkify-data",
        "VpcId": vpc["VpcId"],
        "SubnetIds": subnets,
        "AllowedCidr": vpc["CidrBlock"],
        "NodeType": "",  # its default is used
    }


def create(parameters: dict[str, str], **arguments: Any) -> CreateStackOperator:
    return CreateStackOperator(
        task_id="create",
        stack_name="music",
        template=TEMPLATE,
        parameters=parameters,
        aws_conn_id="aws",
        **{"poll_interval": 0, "max_attempts": 2, **arguments},
    )


def stack() -> models.Stack:
    (found,) = models.cloudformation_backends["123456789012"][REGION].stacks.values()
    return found


def test_a_retry_waits_for_the_creation_of_the_first_attempt(cloud: Cloud, parameters: dict[str, str]) -> None:
    with pytest.raises(TaskDeferred) as first:
        create(parameters).execute(CONTEXT)
    stack().status = "CREATE_IN_PROGRESS"
    with pytest.raises(TaskDeferred) as again:
        create(parameters).execute(CONTEXT)
    assert again.value.trigger.serialize() == first.value.trigger.serialize()
    stack().status = "CREATE_COMPLETE"
    outputs = create(parameters).execute_complete(CONTEXT, {"status": "success", "stack_id": stack().stack_id})
    assert outputs["Identifier"] == "music"
    assert stack().enable_termination_protection


def test_a_stack_is_created_and_deleted_without_a_triggerer(cloud: Cloud, parameters: dict[str, str]) -> None:
    assert create(parameters, deferrable=False).execute(CONTEXT)["Identifier"] == "music"
    DeleteStackOperator(
        task_id="delete", stack_name="music", aws_conn_id="aws", deferrable=False, poll_interval=0, max_attempts=2
    ).execute(CONTEXT)
    assert cloud.stacks() == {}


def test_the_retry_waits_for_a_slow_stack(cloud: Cloud, parameters: dict[str, str]) -> None:
    with pytest.raises(TaskDeferred):
        create(parameters).execute(CONTEXT)
    stack().status = "CREATE_IN_PROGRESS"
    with pytest.raises(AirflowException, match="the retry continues to wait") as raised:
        create(parameters, deferrable=False).execute(CONTEXT)
    assert not isinstance(raised.value, AirflowFailException)


def test_a_stack_in_deletion_fails_the_attempt_for_a_retry(cloud: Cloud, parameters: dict[str, str]) -> None:
    with pytest.raises(TaskDeferred):
        create(parameters).execute(CONTEXT)
    stack().status = "DELETE_IN_PROGRESS"
    with pytest.raises(AirflowException, match="retry after its deletion") as raised:
        create(parameters).execute(CONTEXT)
    assert not isinstance(raised.value, AirflowFailException)


def test_a_failed_deletion_is_reported(cloud: Cloud, parameters: dict[str, str]) -> None:
    create(parameters, deferrable=False).execute(CONTEXT)
    stack().status = "DELETE_FAILED"
    for reason in ("Resource deletion cancelled", "resource sg-1 has a dependent object"):
        event = models.Event(
            stack_id=stack().stack_id,
            stack_name="music",
            logical_resource_id="SecurityGroup",
            physical_resource_id="sg-1",
            resource_type="AWS::EC2::SecurityGroup",
            resource_status="DELETE_FAILED",
            resource_status_reason=reason,
            resource_properties=None,
        )
        stack().events.append(event)
    operator = DeleteStackOperator(task_id="delete", stack_name="music", aws_conn_id="aws")
    with pytest.raises(AirflowException) as raised:
        operator.execute_complete(CONTEXT, {"status": "error", "stack_id": stack().stack_id})
    assert str(raised.value).splitlines() == [
        "The stack music is DELETE_FAILED. Reasons:",
        "SecurityGroup (AWS::EC2::SecurityGroup): resource sg-1 has a dependent object",
    ]
