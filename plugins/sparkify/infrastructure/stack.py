"""Create and delete a CloudFormation stack: the provider's operators, made deferrable and idempotent."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.amazon.aws.operators.cloud_formation import (
    CloudFormationCreateStackOperator,
    CloudFormationDeleteStackOperator,
)
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from sparkify.infrastructure import cloudformation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class ConfirmDeletionOperator(BaseOperator):
    """Fail unless the typed name is that of the stack to delete.

    :param name: the stack to delete. (templated)
    :param typed: the typed name. (templated)
    """

    template_fields: Sequence[str] = ("name", "typed")
    ui_color = "#f4d6d2"

    def __init__(self, *, name: str, typed: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.typed = typed

    def execute(self, context: Context) -> None:
        if self.typed != self.name:
            raise AirflowFailException(
                f"Nothing was deleted. To delete the stack {self.name!r}, type its name as the param confirm; "
                f"got {self.typed!r}."
            )


class CreateStackOperator(CloudFormationCreateStackOperator):
    """Create a stack and wait for it; return its outputs.

    An existing stack is not changed. If the creation fails, CloudFormation deletes its resources, and the task fails
    without a retry, with the reason of each resource.

    :param stack_name: its name. (templated)
    :param template: the template's file.
    :param parameters: the template's parameters; empty ones use their defaults. (templated)
    :param tags: tags of the stack and of its resources. (templated)
    :param deferrable: wait in the triggerer.
    :param poll_interval: seconds between polls.
    :param max_attempts: maximum number of polls; with the default ``poll_interval`` they take an hour.
    """

    template_fields: Sequence[str] = (*CloudFormationCreateStackOperator.template_fields, "parameters", "tags")

    def __init__(
        self,
        *,
        template: str | Path,
        parameters: dict[str, str] | None = None,
        tags: dict[str, str] | None = None,
        deferrable: bool = True,
        poll_interval: int = 30,
        max_attempts: int = 120,
        **kwargs: Any,
    ) -> None:
        super().__init__(cloudformation_parameters={}, **kwargs)
        self.template = str(template)
        self.parameters = parameters or {}
        self.tags = tags or {}
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.max_attempts = max_attempts

    def execute(self, context: Context) -> dict[str, str]:
        stack = cloudformation.find(self.hook.conn, self.stack_name)
        if stack is None:
            return self._wait(self._create())
        if stack.status == "CREATE_IN_PROGRESS":
            self.log.info("The stack %s is already being created, waiting for it", self.stack_name)
            return self._wait(stack.stack_id)
        if stack.ready:
            self.log.info("The stack %s exists and is not changed", self.stack_name)
            self._compare(stack)
            return self._outputs(stack)
        if stack.status == "DELETE_IN_PROGRESS":
            raise AirflowException(f"The stack {self.stack_name} is being deleted: retry after its deletion.")
        raise AirflowFailException(
            f"The stack {self.stack_name} exists in the state {stack.status}. Delete it with the DAG "
            "sparkify_infrastructure_delete or in CloudFormation's console, and clear this task."
        )

    def _create(self) -> str:
        from botocore.exceptions import ClientError

        given = {name: value for name, value in self.parameters.items() if value not in (None, "")}
        self.log.info("Creating the stack %s: %s", self.stack_name, given)
        request = {
            "StackName": self.stack_name,
            "TemplateBody": Path(self.template).read_text(encoding="utf-8"),
            "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
            "Tags": [{"Key": name, "Value": value} for name, value in self.tags.items()],
            "Capabilities": ["CAPABILITY_IAM"],
            "OnFailure": "DELETE",
        }
        try:
            created: str = self.hook.conn.create_stack(**request)["StackId"]
        except ClientError as error:
            if error.response["Error"]["Code"] in {"ValidationError", "InsufficientCapabilities"}:
                raise AirflowFailException(f"CloudFormation rejected the stack {self.stack_name}: {error}") from None
            raise
        return created

    def _wait(self, stack_id: str) -> dict[str, str]:
        if self.deferrable:
            _defer(self, stack_id, "stack_create_complete")
        _wait(self, stack_id, "stack_create_complete")
        return self._result(stack_id)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, str]:
        """Continue after the wait, whatever its result."""
        return self._result((event or {})["stack_id"])

    def _result(self, stack_id: str) -> dict[str, str]:
        client = self.hook.conn
        stack = cloudformation.find(client, stack_id)
        if stack and stack.ready:
            # Prevents accidental deletion in the console, with all data. The delete DAG lifts the protection.
            client.update_termination_protection(StackName=self.stack_name, EnableTerminationProtection=True)
            return self._outputs(stack)
        status = stack.status if stack else "DELETE_COMPLETE"
        if status == "CREATE_IN_PROGRESS":
            raise AirflowException(f"The stack {self.stack_name} is not ready yet; the retry continues to wait.")
        cleaned = "its resources were deleted" if status == "DELETE_COMPLETE" else f"its state is {status}"
        reasons = cloudformation.failures(client, stack_id)
        raise AirflowFailException(
            "\n".join([f"Creation of the stack {self.stack_name} failed; {cleaned}. Reasons:", *reasons])
        )

    def _outputs(self, stack: cloudformation.Stack) -> dict[str, str]:
        for name, value in stack.outputs.items():
            self.log.info("%s: %s", name, value)
        return stack.outputs

    def _compare(self, stack: cloudformation.Stack) -> None:
        for name, value in self.parameters.items():
            if value not in (None, "", stack.parameters.get(name)):
                self.log.warning(
                    "%s is %s, expected %s: change it by an update of the stack in CloudFormation.",
                    name,
                    stack.parameters.get(name),
                    value,
                )


class DeleteStackOperator(CloudFormationDeleteStackOperator):
    """Delete a stack, if it exists, and wait until it is deleted.

    :param stack_name: its name. (templated)
    :param deferrable: wait in the triggerer.
    :param poll_interval: seconds between polls.
    :param max_attempts: maximum number of polls; with the default ``poll_interval`` they take an hour.
    """

    def __init__(
        self, *, deferrable: bool = True, poll_interval: int = 30, max_attempts: int = 120, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.max_attempts = max_attempts

    def execute(self, context: Context) -> None:
        client = self.hook.conn
        stack = cloudformation.find(client, self.stack_name)
        if stack is None:
            self.log.info("Nothing to delete, the stack %s does not exist", self.stack_name)
            return
        if stack.protected:
            client.update_termination_protection(StackName=self.stack_name, EnableTerminationProtection=False)
        super().execute(context)
        if self.deferrable:
            _defer(self, stack.stack_id, "stack_delete_complete")
        _wait(self, stack.stack_id, "stack_delete_complete")
        self._check(stack.stack_id)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> None:
        """Continue after the wait, whatever its result."""
        self._check((event or {})["stack_id"])

    def _check(self, stack_id: str) -> None:
        client = self.hook.conn
        stack = cloudformation.find(client, stack_id)
        if stack is None or stack.status == "DELETE_COMPLETE":
            self.log.info("Deleted the stack %s", self.stack_name)
            return
        reasons = cloudformation.failures(client, stack_id)
        raise AirflowException("\n".join([f"The stack {self.stack_name} is {stack.status}. Reasons:", *reasons]))


def _defer(operator: CreateStackOperator | DeleteStackOperator, stack_id: str, waiter: str) -> NoReturn:
    from sparkify.infrastructure.triggers import StackTrigger

    operator.defer(
        trigger=StackTrigger(
            stack_id=stack_id,
            waiter_name=waiter,
            waiter_delay=operator.poll_interval,
            waiter_max_attempts=operator.max_attempts,
            aws_conn_id=operator.aws_conn_id,
            region_name=operator.region_name,
            verify=operator.verify,
            botocore_config=operator.botocore_config,
        ),
        method_name="execute_complete",
        # A minute more than the trigger's own timeout, whose error has more details.
        timeout=timedelta(seconds=operator.poll_interval * operator.max_attempts + 60),
    )
    raise AssertionError  # defer() raises; for the type checker


def _wait(operator: CreateStackOperator | DeleteStackOperator, stack_id: str, waiter: str) -> None:
    """Wait without deferring. The caller reads the result from the stack."""
    from botocore.exceptions import WaiterError

    config = {"Delay": operator.poll_interval, "MaxAttempts": operator.max_attempts}
    try:
        operator.hook.get_waiter(waiter).wait(StackName=stack_id, WaiterConfig=config)
    except WaiterError as error:
        operator.log.info("%s", error)
