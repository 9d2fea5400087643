"""Read the state of CloudFormation stacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Stack:
    """A CloudFormation stack.

    :param stack_id: its ARN, which identifies it for 90 days after its deletion.
    :param name: its name.
    :param status: such as ``CREATE_COMPLETE``.
    :param protected: whether it has termination protection.
    :param parameters: its parameters.
    :param outputs: its outputs.
    """

    stack_id: str
    name: str
    status: str
    protected: bool
    parameters: dict[str, str]
    outputs: dict[str, str]

    @property
    def ready(self) -> bool:
        """Whether its resources are available."""
        return self.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}


def find(client: Any, name: str) -> Stack | None:
    """Return a stack, or None if it does not exist.

    :param client: boto3's client of CloudFormation.
    :param name: its name, or its ARN.
    """
    from botocore.exceptions import ClientError

    try:
        (found,) = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        # The API has no specific code for it.
        if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
            return None
        raise
    return Stack(
        stack_id=found["StackId"],
        name=found["StackName"],
        status=found["StackStatus"],
        protected=found.get("EnableTerminationProtection", False),
        parameters={item["ParameterKey"]: item["ParameterValue"] for item in found.get("Parameters", [])},
        outputs={item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])},
    )


def failures(client: Any, stack_id: str) -> list[str]:
    """Return why the resources of a stack failed, in the order of their failures.

    Resources that CloudFormation cancelled after another failure are omitted.

    :param client: boto3's client of CloudFormation.
    :param stack_id: its ARN: a deleted stack is not found by its name.
    """
    events = [
        event
        for page in client.get_paginator("describe_stack_events").paginate(StackName=stack_id)
        for event in page["StackEvents"]
    ]
    return [
        f"{event['LogicalResourceId']} ({event['ResourceType']}): {event['ResourceStatusReason']}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("_FAILED")
        and "cancelled" not in event.get("ResourceStatusReason", "cancelled")
    ]
