"""The CloudFormation template: who may do what, who may connect, what is encrypted, what stays."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from cfnlint.decode import cfn_yaml

from sparkify.infrastructure.settings import CIDR
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATE = ROOT / "include" / "infrastructure" / "warehouse.yaml"
BUCKET = "arn:${AWS::Partition}:s3:::${Bucket}"


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """The template, its short forms written out."""
    found: dict[str, Any] = json.loads(json.dumps(cfn_yaml.load(str(TEMPLATE))))
    return found


@pytest.fixture(scope="module")
def resources(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: resource.get("Properties", {}) for name, resource in template["Resources"].items()}


def each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The statements of all policies of a role or a policy, of both kinds of warehouse."""
    for policy in [resource.get("PolicyDocument"), *(item["PolicyDocument"] for item in resource.get("Policies", []))]:
        for statement in policy["Statement"] if policy else []:
            yield from statement["Fn::If"][1:] if "Fn::If" in statement else [statement]


def allowed(resource: dict[str, Any]) -> set[tuple[str, str]]:
    """What may be done with what."""
    found = set()
    for statement in statements(resource):
        assert statement["Effect"] == "Allow"
        assert not {"NotAction", "NotResource", "NotPrincipal"} & set(statement)
        for action in each(statement["Action"]):
            for target in each(statement["Resource"]):
                found.add((action, target.get("Fn::Sub") or ".".join(target["Fn::GetAtt"])))
    return found


def test_every_policy_is_known(template: dict[str, Any]) -> None:
    """What follows looks at them all."""
    types = {name: item["Type"] for name, item in template["Resources"].items() if "::IAM::" in item["Type"]}
    assert types == {"CopyRole": "AWS::IAM::Role", "AirflowPolicy": "AWS::IAM::ManagedPolicy"}


def test_copy_reads_one_bucket_and_does_nothing_else(resources: dict[str, Any]) -> None:
    role = resources["CopyRole"]
    assert allowed(role) == {("s3:ListBucket", BUCKET), ("s3:GetObject", f"{BUCKET}/*")}
    assert "ManagedPolicyArns" not in role


def test_redshift_alone_may_take_the_role(resources: dict[str, Any]) -> None:
    (trust,) = resources["CopyRole"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust == {
        "Effect": "Allow",
        "Principal": {"Service": ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"]},
        "Action": "sts:AssumeRole",
    }


def test_airflow_may_connect_read_and_write_manifests_and_reports(resources: dict[str, Any]) -> None:
    database = "arn:${AWS::Partition}:redshift:${AWS::Region}:${AWS::AccountId}"
    assert allowed(resources["AirflowPolicy"]) == {
        ("redshift-serverless:GetCredentials", "Workgroup.Workgroup.WorkgroupArn"),
        ("redshift-serverless:GetWorkgroup", "Workgroup.Workgroup.WorkgroupArn"),
        ("redshift:GetClusterCredentials", f"{database}:dbuser:${{AWS::StackName}}/${{AdminUser}}"),
        ("redshift:GetClusterCredentials", f"{database}:dbname:${{AWS::StackName}}/${{Database}}"),
        ("s3:ListBucket", BUCKET),
        ("s3:GetObject", f"{BUCKET}/*"),
        ("s3:PutObject", f"{BUCKET}/manifests/*"),
        ("s3:DeleteObject", f"{BUCKET}/manifests/*"),
        ("s3:PutObject", f"{BUCKET}/reports/*"),
    }


def test_one_network_may_connect_on_one_port(resources: dict[str, Any]) -> None:
    group = resources["SecurityGroup"]
    (rule,) = group["SecurityGroupIngress"]
    assert {key: value for key, value in rule.items() if key != "Description"} == {
        "IpProtocol": "tcp",
        "FromPort": 5439,
        "ToPort": 5439,
        "CidrIp": {"Ref": "AllowedCidr"},
    }
    for name in ("Cluster", "Workgroup"):
        groups = resources[name].get("VpcSecurityGroupIds") or resources[name]["SecurityGroupIds"]
        assert groups == [{"Fn::GetAtt": ["SecurityGroup", "GroupId"]}]


@pytest.mark.parametrize("cidr", ["10.0.0.0/8", "172.31.0.0/16", "203.0.113.7/32", "255.255.255.0/24"])
def test_networks_that_may_be_let_in(template: dict[str, Any], cidr: str) -> None:
    assert re.fullmatch(template["Parameters"]["AllowedCidr"]["AllowedPattern"], cidr)
    assert re.fullmatch(CIDR, cidr)


@pytest.mark.parametrize(
    "cidr", ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/7", "10.0.0.0", "256.0.0.0/8", "10.0.0.0/33", "::/0"]
)
def test_the_world_may_not(template: dict[str, Any], cidr: str) -> None:
    assert "Default" not in template["Parameters"]["AllowedCidr"]
    assert not re.fullmatch(template["Parameters"]["AllowedCidr"]["AllowedPattern"], cidr)
    assert not re.fullmatch(CIDR, cidr)


def test_the_warehouse_has_no_public_address_unless_asked_for(template: dict[str, Any]) -> None:
    assert template["Parameters"]["PubliclyAccessible"]["Default"] == "false"


def test_data_is_encrypted_and_connections_are(resources: dict[str, Any]) -> None:
    assert resources["Cluster"]["Encrypted"] is True
    assert resources["Cluster"]["ClusterParameterGroupName"] == {"Ref": "ParameterGroup"}
    tls = resources["ParameterGroup"]["Parameters"]
    assert tls == [{"ParameterName": "require_ssl", "ParameterValue": "true"}]
    assert resources["Workgroup"]["ConfigParameters"] == [{"ParameterKey": "require_ssl", "ParameterValue": "true"}]


def test_redshift_keeps_the_password(template: dict[str, Any], resources: dict[str, Any]) -> None:
    """No password in the template, in its parameters, or in what it puts out."""
    assert resources["Cluster"]["ManageMasterPassword"] is True
    assert resources["Namespace"]["ManageAdminPassword"] is True
    assert not {"MasterUserPassword", "AdminUserPassword"} & {*resources["Cluster"], *resources["Namespace"]}
    assert [name for name in template["Parameters"] if "assword" in name] == []


def test_a_cluster_can_be_paused(resources: dict[str, Any]) -> None:
    assert resources["Cluster"]["AutomatedSnapshotRetentionPeriod"] >= 1


def test_a_deletion_leaves_nothing_and_a_replacement_loses_nothing(template: dict[str, Any]) -> None:
    policies = {
        name: (resource["DeletionPolicy"], resource["UpdateReplacePolicy"])
        for name, resource in template["Resources"].items()
        if "DeletionPolicy" in resource
    }
    assert policies == {"Namespace": ("Delete", "Retain"), "Cluster": ("Delete", "Snapshot")}
    assert "FinalSnapshotName" not in template["Resources"]["Namespace"]["Properties"]


def test_dc2_is_not_offered(template: dict[str, Any]) -> None:
    assert {item.split(".")[0] for item in template["Parameters"]["NodeType"]["AllowedValues"]} == {"ra3"}


def test_the_template_can_be_sent_as_it_is() -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html: TemplateBody."""
    assert TEMPLATE.stat().st_size <= 51_200


def test_the_form_and_the_template_offer_the_same(template: dict[str, Any]) -> None:
    import sparkify_infrastructure_create as create

    given = {name: create.dag.params.get_param(name).schema for name in create.dag.params}
    for param, name in {"kind": "Kind", "node_type": "NodeType"}.items():
        assert given[param]["enum"] == template["Parameters"][name]["AllowedValues"]
        assert create.dag.params.get_param(param).value == template["Parameters"][name]["Default"]
    for param, name in {
        "base_capacity": "BaseCapacity",
        "max_capacity": "MaxCapacity",
        "node_count": "NodeCount",
    }.items():
        limits = (given[param]["minimum"], given[param]["maximum"], create.dag.params.get_param(param).value)
        wanted = template["Parameters"][name]
        assert limits == (wanted["MinValue"], wanted["MaxValue"], wanted["Default"])
    assert set(create.create_stack.parameters) <= set(template["Parameters"])
    assert create.create_stack.template == str(TEMPLATE)
