"""The AWS resources of a proof: one stack of the project's own template, with caps; created, deleted and swept."""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proof import cost, names

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "include" / "infrastructure" / "warehouse.yaml"
# The tag of the stack, which CloudFormation copies to its resources.
TAG = "sparkify:proof"
# The prefixes that the role of COPY may read, as parameters of the template: those of the tests, not of a warehouse.
FOLDER = "sparkify_tests/"
PREFIXES = {
    "LogPrefix": f"{FOLDER}log_data/",
    "SongPrefix": f"{FOLDER}song_data/",
    "ManifestPrefix": f"{FOLDER}manifests/",
}
# The connection with the credentials of the environment.
CONN = "aws"
# Seconds between polls of CloudFormation.
POLL = 10
_LOGS = "/aws/redshift/"
_CONTEXT: Any = {}


class CapError(Exception):
    """The workgroup has not the capacity that was asked for."""


def create(name: str, cidr: str) -> dict[str, str]:
    """Create the stack, with its bucket, in the default VPC; return its outputs.

    :param cidr: the only network that may connect.
    """
    from sparkify.infrastructure import ChooseNetworkOperator, CreateStackOperator

    network = ChooseNetworkOperator(
        task_id="choose_network", vpc_id="", subnet_ids="", allowed_cidr=cidr, aws_conn_id=CONN
    ).execute(_CONTEXT)
    return CreateStackOperator(
        task_id="create_stack",
        stack_name=name,
        template=TEMPLATE,
        parameters={
            **network,
            "Kind": "serverless",
            "Bucket": name,
            "CreateBucket": "true",
            **PREFIXES,
            "PubliclyAccessible": "true",
            "BaseCapacity": str(cost.RPU),
            "MaxCapacity": str(cost.RPU),
        },
        tags={"project": "sparkify", TAG: name},
        deferrable=False,
        poll_interval=POLL,
        aws_conn_id=CONN,
    ).execute(_CONTEXT)


def limit(name: str) -> None:
    """Limit the RPU-hours of the workgroup: Redshift turns off queries at the limit.

    CloudFormation has no such resource; the limit belongs to the workgroup.
    https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-workgroup-max-rpu.html

    :raises CapError: if the workgroup is larger than the cost was computed with.
    """
    client = _client("redshift-serverless")
    workgroup = client.get_workgroup(workgroupName=name)["workgroup"]
    capacity = (workgroup["baseCapacity"], workgroup.get("maxCapacity"))
    if capacity != (cost.RPU, cost.RPU):
        raise CapError(
            f"The workgroup has a base and a maximum capacity of {capacity} RPUs, expected {cost.RPU} each: "
            "nothing was loaded."
        )
    client.create_usage_limit(
        resourceArn=workgroup["workgroupArn"],
        usageType="serverless-compute",
        amount=cost.LIMIT,
        period="monthly",  # a day or a week may end during the proof
        breachAction="deactivate",
    )


def grant(outputs: dict[str, str]) -> None:
    """Create the database user of the environment's credentials, as the project does, and let it create databases.

    It may also create masking policies: https://docs.aws.amazon.com/redshift/latest/dg/r_roles-default.html

    :param outputs: the outputs of the stack.
    """
    from airflow.providers.amazon.aws.hooks.redshift_data import RedshiftDataHook

    from sparkify.infrastructure import CreateUserOperator

    operator = CreateUserOperator(task_id="create_user", outputs=outputs, aws_conn_id=CONN)
    operator.execute(_CONTEXT)
    user, superuser = operator.users()
    quoted = '"' + user.replace('"', '""') + '"'
    statements = [f"ALTER USER {quoted} CREATEDB", f"GRANT ROLE sys:secadmin TO {quoted}"]
    RedshiftDataHook(aws_conn_id=CONN).execute_query(statements, **superuser)


def delete(name: str) -> None:
    """Delete the resources of a proof, in any state; return when they are deleted.

    A step that fails does not prevent the others.

    :raises ExceptionGroup: the failures.
    """
    failures = []
    steps: list[Callable[[str], None]] = [
        _request_deletion,
        _delete_bucket,
        _wait_for_deletion,
        _delete_bucket,  # a creation that was interrupted may have created it after the first attempt
        _delete_logs,
    ]
    for step in steps:
        try:
            step(name)
        except Exception as error:  # noqa: BLE001 - the others still have to be deleted
            failures.append(error)
    if failures:
        raise ExceptionGroup(f"{name} is not deleted: run make proof-sweep later, and look at its stack", failures)


def _request_deletion(name: str) -> None:
    """Begin to delete the stack, which continues even if this process is killed."""
    from sparkify.infrastructure import cloudformation

    client = _client("cloudformation")
    stack = cloudformation.find(client, name)
    if stack is None:
        return
    if stack.protected:
        client.update_termination_protection(StackName=name, EnableTerminationProtection=False)
    client.delete_stack(StackName=name)


def _wait_for_deletion(name: str) -> None:
    from sparkify.infrastructure import DeleteStackOperator

    operator = DeleteStackOperator(
        task_id="delete_stack", stack_name=name, deferrable=False, poll_interval=POLL, aws_conn_id=CONN
    )
    operator.execute(_CONTEXT)


def _delete_bucket(name: str) -> None:
    """Delete the bucket and its objects: the stack keeps it."""
    client = _client("s3")
    with suppress(client.exceptions.NoSuchBucket):
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=name):
            if keys := [{"Key": item["Key"]} for item in page.get("Contents", [])]:
                client.delete_objects(Bucket=name, Delete={"Objects": keys})
        client.delete_bucket(Bucket=name)


def _delete_logs(name: str) -> None:
    client = _client("logs")
    for group in _log_groups(client):
        if name in names.find(group):
            client.delete_log_group(logGroupName=group)


def leftovers(older: timedelta) -> list[str]:
    """Return the names of proofs that still have a stack, a bucket or audit logs, the oldest first.

    Stacks are found by their tag, the rest by its name.

    :param older: the age from which on a proof is no longer running.
    """
    found = set()
    for page in _client("cloudformation").get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            found |= {tag["Value"] for tag in stack.get("Tags", []) if tag["Key"] == TAG}
    for bucket in _client("s3").list_buckets()["Buckets"]:
        found |= names.find(bucket["Name"])
    for group in _log_groups(_client("logs")):
        found |= names.find(group)
    return sorted(name for name in found if names.age(name) >= older)


def sweep(older: timedelta) -> list[str]:
    """Delete what earlier proofs left; return their names.

    :param older: the age from which on a proof is no longer running.
    :raises ExceptionGroup: the failures; all others are deleted.
    """
    failures = []
    found = leftovers(older)
    for name in found:  # first, in case this process is killed: a deletion takes minutes
        with suppress(Exception):
            _request_deletion(name)
    for name in found:
        try:
            delete(name)
        except ExceptionGroup as error:
            failures.append(error)
    if failures:
        raise ExceptionGroup("Not everything is deleted", failures)
    return found


def _log_groups(client: Any) -> list[str]:
    """Return the names of Redshift's log groups."""
    pages = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=_LOGS)
    return [group["logGroupName"] for page in pages for group in page["logGroups"]]


@cache
def _client(service: str) -> Any:
    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

    return AwsBaseHook(client_type=service, aws_conn_id=CONN).conn
