"""The DAGs that create, pause, resume and delete the warehouse, on local AWS servers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import ParamValidationError
from moto.cloudformation.models import cloudformation_backends

from sandbox.aws import REGION, namespaces, secret
from tests.integration.infrastructure.conftest import KEYS

if TYPE_CHECKING:
    from tests.integration.infrastructure.conftest import Cloud

CREATED = dict.fromkeys(["choose_network", "create_stack", "create_user", "publish_connection"], "success")
CLUSTER: dict[str, Any] = {"stack_name": "music", "kind": "provisioned", "bucket": "sparkify-data"}
DELETED = {
    "confirm": "success",
    "snapshot_namespace": "skipped",
    "delete_cluster": "success",
    "delete_stack": "success",
    "remove_connection": "success",
}


def stack() -> Any:
    """Return the stack in moto's state."""
    (found,) = cloudformation_backends["123456789012"][REGION].stacks.values()
    return found


@pytest.mark.slow
@pytest.mark.usefixtures("secrets_manager")
def test_a_cluster_is_created_paused_resumed_and_deleted(cloud: Cloud, capfd: pytest.CaptureFixture[str]) -> None:
    assert cloud.run("create", **CLUSTER) == CREATED
    assert cloud.clusters() == {"music": "available"}
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stack().outputs}
    printed = capfd.readouterr().out
    assert f"Endpoint: {outputs['Endpoint']}" in printed
    assert f"CopyRoleArn: {outputs['CopyRoleArn']}" in printed
    published = {
        "airflow/connections/redshift": {
            "conn_type": "redshift",
            "host": outputs["Endpoint"],
            "port": 5439,
            "schema": "sparkify",
            "login": "airflow",  # not the superuser
            "extra": {"iam": True, "cluster_identifier": "music"},
        },
        "airflow/variables/sparkify_bucket": "sparkify-data",
    }
    secrets = cloud.secrets()
    assert {**secrets, "airflow/connections/redshift": json.loads(secrets["airflow/connections/redshift"])} == published

    # Idempotent: a second run changes nothing and logs differing params.
    assert cloud.run("create", **{**CLUSTER, "node_count": 2}) == CREATED
    assert "NodeCount is 1, expected 2" in capfd.readouterr().out
    assert cloud.stacks() == {"music": "CREATE_COMPLETE"}
    assert cloud.secrets() == secrets

    for action, status in {"pause": "paused", "resume": "available"}.items():
        assert cloud.run(action, stack_name="music") == {f"{action}_cluster": "success"}
        assert cloud.clusters() == {"music": status}
        assert cloud.run(action, stack_name="music") == {f"{action}_cluster": "skipped"}
        assert cloud.clusters() == {"music": status}

    # Accidental deletion is prevented, in the DAG and outside of it.
    for typed in ("", "sparkify"):
        assert set(cloud.run("delete", stack_name="music", confirm=typed).values()) == {"failed", "upstream_failed"}
    assert "got 'sparkify'" in capfd.readouterr().out
    client = cloud.client("cloudformation")
    with pytest.raises(client.exceptions.ClientError, match="TerminationProtection"):
        client.delete_stack(StackName="music")
    assert cloud.clusters() == {"music": "available"}

    assert cloud.run("delete", stack_name="music", confirm="music") == DELETED
    assert (cloud.stacks(), cloud.clusters(), cloud.secrets()) == ({}, {}, {})
    (snapshot,) = cloud.snapshots()
    assert snapshot.startswith("music-final-20")
    again = cloud.run("delete", stack_name="music", confirm="music")
    assert again == {**DELETED, "delete_cluster": "skipped"}
    assert cloud.snapshots() == [snapshot]


@pytest.mark.slow
@pytest.mark.usefixtures("secrets_manager")
def test_a_paused_cluster_is_deleted_without_a_snapshot_on_request(cloud: Cloud) -> None:
    cloud.run("create", **CLUSTER)
    cloud.run("pause", stack_name="music")
    assert cloud.run("delete", stack_name="music", confirm="music", final_snapshot=False) == DELETED
    assert (cloud.clusters(), cloud.snapshots()) == ({}, [])
    assert cloud.serverless.requests == []


@pytest.mark.usefixtures("secrets_manager")
def test_a_serverless_warehouse_is_created_and_deleted(cloud: Cloud) -> None:
    assert cloud.run("create", bucket="sparkify-data") == CREATED
    assert namespaces == {"sparkify"}
    connection = json.loads(cloud.secrets()["airflow/connections/redshift"])
    assert connection["host"].startswith("sparkify.")
    assert connection["extra"] == {"iam": True, "is_serverless": True, "serverless_work_group": "sparkify"}
    assert "login" not in connection
    for action in ("pause", "resume"):
        assert cloud.run(action) == {f"{action}_cluster": "skipped"}
    assert cloud.run("delete", confirm="sparkify") == {
        **DELETED,
        "snapshot_namespace": "success",
        "delete_cluster": "skipped",
    }
    (snapshot,) = cloud.serverless.snapshots
    assert snapshot.startswith("sparkify-final-20")
    created = [given for action, given in cloud.serverless.requests if action == "CreateSnapshot"]
    assert created == [{"namespaceName": "sparkify", "snapshotName": snapshot, "retentionPeriod": -1}]
    assert (cloud.stacks(), cloud.secrets(), namespaces) == ({}, {}, set())


@pytest.mark.usefixtures("secrets_manager")
def test_a_failed_creation_is_reported_and_rolled_back(cloud: Cloud, capfd: pytest.CaptureFixture[str]) -> None:
    states = cloud.run("create", **CLUSTER, subnet_ids="subnet-0123456789,subnet-9876543210")
    assert states == {
        "choose_network": "success",
        "create_stack": "failed",
        "create_user": "upstream_failed",
        "publish_connection": "upstream_failed",
    }
    printed = capfd.readouterr().out
    assert "Creation of the stack music failed; its resources were deleted" in printed
    assert "SubnetGroup (AWS::Redshift::ClusterSubnetGroup): " in printed
    assert "subnet-0123456789" in printed.partition("Reasons:")[2]
    assert (cloud.stacks(), cloud.clusters(), cloud.secrets()) == ({}, {}, {})
    roles = [role["RoleName"] for role in cloud.client("iam").list_roles()["Roles"]]
    assert roles == []
    # The name can be reused.
    assert cloud.run("create", **CLUSTER) == CREATED


GRANTS = [
    'GRANT CREATE, TEMPORARY ON DATABASE "sparkify" TO "{}"',
    'GRANT CREATE, USAGE ON SCHEMA public TO "{}"',
]


@pytest.mark.parametrize("kind", ["provisioned", "serverless"])
def test_airflow_gets_its_own_user_without_superuser_privileges(cloud: Cloud, kind: str) -> None:
    """The superuser, whose password Redshift manages, creates the user once."""
    cloud.run("create", **{**CLUSTER, "kind": kind})
    cloud.run("create", **{**CLUSTER, "kind": kind})
    if kind == "provisioned":
        outputs = {item["OutputKey"]: item["OutputValue"] for item in stack().outputs}
        user, target = "airflow", {"ClusterIdentifier": "music", "SecretArn": outputs["AdminSecretArn"]}
    else:
        user, target = "IAMR:airflow", {"WorkgroupName": "music", "SecretArn": secret("music")}
    executed = cloud.serverless.statements
    assert [{key: given[key] for key in given if key in (*target, "Database")} for given in executed] == [
        {**target, "Database": "sparkify"}
    ] * 4
    grants = [grant.format(user) for grant in GRANTS]
    created = [f'CREATE USER "{user}" PASSWORD DISABLE', *grants]
    assert [given["Sqls"] for given in executed if "Sqls" in given] == [created, grants]


def test_copy_reaches_s3_through_the_network(cloud: Cloud, capfd: pytest.CaptureFixture[str]) -> None:
    """The stack creates a gateway endpoint for S3 in the subnets' route tables, unless they have one."""
    ec2 = cloud.client("ec2")
    cloud.run("create", **CLUSTER)
    (endpoint,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    (main,) = ec2.describe_route_tables()["RouteTables"]
    assert (endpoint["ServiceName"], endpoint["VpcEndpointType"]) == (f"com.amazonaws.{REGION}.s3", "Gateway")
    assert endpoint["RouteTableIds"] == [main["RouteTableId"]]
    cloud.run("create", **{**CLUSTER, "stack_name": "more"})
    assert ec2.describe_vpc_endpoints()["VpcEndpoints"] == [endpoint]
    # A route table for only one of the subnets.
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]]
    table = ec2.create_route_table(VpcId=main["VpcId"])["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnets[0])
    capfd.readouterr()
    cloud.run("create", **{**CLUSTER, "stack_name": "others"}, subnet_ids=", ".join(subnets[:2]))
    assert [item["RouteTableIds"] for item in ec2.describe_vpc_endpoints()["VpcEndpoints"]] == [
        [main["RouteTableId"]],
        [table],
    ]
    states = cloud.run("create", **{**CLUSTER, "stack_name": "one"}, subnet_ids=subnets[0])
    assert states["choose_network"] == "failed"
    assert "are all in one availability zone: expected two" in capfd.readouterr().out


def test_a_rejected_creation_is_reported(cloud: Cloud, capfd: pytest.CaptureFixture[str]) -> None:
    assert cloud.run("create", stack_name="music")["create_stack"] == "failed"
    printed = capfd.readouterr().out
    assert "CloudFormation rejected the stack music" in printed
    assert "Bucket" in printed
    assert cloud.stacks() == {}


def test_a_stack_in_a_failed_state_is_reported(cloud: Cloud, capfd: pytest.CaptureFixture[str]) -> None:
    cloud.run("create", **CLUSTER)
    stack().status = "ROLLBACK_COMPLETE"
    assert cloud.run("create", **CLUSTER)["create_stack"] == "failed"
    assert "exists in the state ROLLBACK_COMPLETE. Delete it with the DAG" in capfd.readouterr().out
    assert cloud.run("delete", stack_name="music", confirm="music")["delete_stack"] == "success"
    assert cloud.stacks() == {}


@pytest.mark.parametrize(
    "params",
    [
        {"allowed_cidr": "0.0.0.0/0"},
        {"allowed_cidr": "10.0.0.0"},
        {"kind": "dc2"},
        {"node_type": "dc2.large"},
        {"stack_name": "Music"},
    ],
    ids=lambda params: next(iter(params)) + str(next(iter(params.values()))),
)
def test_the_form_rejects_invalid_params(cloud: Cloud, params: dict[str, Any]) -> None:
    with pytest.raises(ParamValidationError):
        cloud.run("create", **{**CLUSTER, **params})
    assert cloud.stacks() == {}


def test_without_a_secrets_backend_the_connections_are_logged(cloud: Cloud, capfd: pytest.CaptureFixture[str]) -> None:
    assert cloud.run("create", **CLUSTER) == {**CREATED, "publish_connection": "skipped"}
    printed = capfd.readouterr().out
    assert "AIRFLOW__SECRETS__BACKEND=airflow.providers.amazon" in printed
    assert """AIRFLOW_CONN_REDSHIFT='{"conn_type": "redshift", "host": "music.""" in printed
    assert "AIRFLOW_VAR_SPARKIFY_BUCKET='sparkify-data'" in printed
    assert KEYS["aws_secret_access_key"] not in printed
    assert cloud.secrets() == {}
    deleted = cloud.run("delete", stack_name="music", confirm="music", final_snapshot=False)
    assert deleted == {**DELETED, "remove_connection": "skipped"}


@pytest.mark.usefixtures("secrets_manager")
def test_a_connection_of_another_owner_is_not_changed(cloud: Cloud, capfd: pytest.CaptureFixture[str]) -> None:
    foreign = {"airflow/connections/redshift": "redshift://other"}
    client = cloud.client("secretsmanager")
    client.create_secret(Name="airflow/connections/redshift", SecretString="redshift://other")
    assert cloud.run("create", **CLUSTER) == {**CREATED, "publish_connection": "failed"}
    assert (
        "airflow/connections/redshift in AWS Secrets Manager does not belong to the stack music"
        in capfd.readouterr().out
    )
    assert cloud.secrets() == foreign
    assert cloud.run("delete", stack_name="music", confirm="music") == DELETED
    assert cloud.secrets() == foreign


@pytest.mark.usefixtures("secrets_manager")
def test_undefined_connections_are_published(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_AWS")
    for name, value in KEYS.items():
        monkeypatch.setenv(name.upper(), value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL_REDSHIFT_SERVERLESS", cloud.serverless.endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL_REDSHIFT_DATA", cloud.serverless.endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    assert cloud.run("create", **CLUSTER) == CREATED
    aws = json.loads(cloud.secrets()["airflow/connections/aws"])
    (role,) = cloud.client("iam").list_roles()["Roles"]
    assert aws == {"conn_type": "aws", "extra": {"region_name": REGION, "copy_iam_role": role["Arn"]}}
    assert set(cloud.secrets()) == {
        "airflow/connections/aws",
        "airflow/connections/redshift",
        "airflow/variables/sparkify_bucket",
    }
    # Existing secrets still belong to the stack.
    assert cloud.run("create", **CLUSTER) == CREATED
    assert cloud.run("delete", stack_name="music", confirm="music") == DELETED
    assert cloud.secrets() == {}


@pytest.mark.parametrize("action", ["pause", "resume"])
def test_a_missing_cluster_is_reported_and_alerted(
    cloud: Cloud, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, action: str
) -> None:
    caplog.set_level("INFO", logger="sparkify.alerts")
    assert cloud.run(action, stack_name="music") == {f"{action}_cluster": "failed"}
    assert "The cluster music does not exist." in capfd.readouterr().out
    alert = f"no channel is configured: 'FAILED Sparkify warehouse infrastructure: {action}"
    assert alert in caplog.text
