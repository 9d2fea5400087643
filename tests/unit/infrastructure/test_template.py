"""The CloudFormation template: permissions, network access, encryption, deletion."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from cfnlint.decode import cfn_yaml

from sparkify.infrastructure.settings import CIDR, LONGEST_NAME
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATE = ROOT / "include" / "infrastructure" / "warehouse.yaml"
BUCKET = "arn:${AWS::Partition}:s3:::${Bucket}"
LOGS, SONGS, MANIFESTS, REPORTS = (
    f"{BUCKET}/${{{prefix}}}*" for prefix in ("LogPrefix", "SongPrefix", "ManifestPrefix", "ReportPrefix")
)
DBUSER = "arn:${AWS::Partition}:redshift:${AWS::Region}:${AWS::AccountId}:dbuser"


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """Return the template, with its short forms expanded."""
    found: dict[str, Any] = json.loads(json.dumps(cfn_yaml.load(str(TEMPLATE))))
    return found


@pytest.fixture(scope="module")
def resources(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: resource.get("Properties", {}) for name, resource in template["Resources"].items()}


def each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the statements of all policies of a role or a policy, for both kinds of warehouse."""
    for policy in [resource.get("PolicyDocument"), *(item["PolicyDocument"] for item in resource.get("Policies", []))]:
        for statement in policy["Statement"] if policy else []:
            given = statement["Fn::If"][1:] if "Fn::If" in statement else [statement]
            yield from (item for item in given if item != {"Ref": "AWS::NoValue"})


def allowed(resource: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the allowed actions by resource."""
    found = set()
    for statement in statements(resource):
        assert statement["Effect"] == "Allow"
        assert not {"NotAction", "NotResource", "NotPrincipal"} & set(statement)
        for action in each(statement["Action"]):
            for target in each(statement["Resource"]):
                found.add((action, target.get("Fn::Sub") or target.get("Ref") or ".".join(target["Fn::GetAtt"])))
    return found


def listed(resource: dict[str, Any]) -> list[str]:
    """Return the prefixes that can be listed; a statement without a condition would allow all."""
    (statement,) = (item for item in statements(resource) if item["Action"] == "s3:ListBucket")
    return [prefix["Fn::Sub"] for prefix in statement["Condition"]["StringLike"]["s3:prefix"]]


def test_every_policy_is_known(template: dict[str, Any]) -> None:
    """The following tests cover all of them."""
    types = {
        name: item["Type"] for name, item in template["Resources"].items() if re.search("::IAM::|Policy$", item["Type"])
    }
    assert types == {
        "CopyRole": "AWS::IAM::Role",
        "AirflowPolicy": "AWS::IAM::ManagedPolicy",
        "SourceBucketPolicy": "AWS::S3::BucketPolicy",
        "ArrivalQueuePolicy": "AWS::SQS::QueuePolicy",
    }


def test_copy_can_only_read_source_files_and_manifests(resources: dict[str, Any]) -> None:
    role = resources["CopyRole"]
    assert allowed(role) == {
        ("s3:ListBucket", BUCKET),
        ("s3:GetObject", LOGS),
        ("s3:GetObject", SONGS),
        ("s3:GetObject", MANIFESTS),
        ("kms:Decrypt", "SourceKmsKeyArn"),
    }
    assert listed(role) == ["${LogPrefix}*", "${SongPrefix}*", "${ManifestPrefix}*"]
    assert "ManagedPolicyArns" not in role


def test_only_redshift_can_assume_the_role_for_users_of_this_warehouse(resources: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/redshift/latest/mgmt/authorizing-redshift-service-database-users.html."""
    (trust,) = resources["CopyRole"]["AssumeRolePolicyDocument"]["Statement"]
    condition, serverless, cluster = trust.pop("Condition")["StringLike"]["sts:ExternalId"]["Fn::If"]
    assert trust == {
        "Effect": "Allow",
        "Principal": {"Service": ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"]},
        "Action": "sts:AssumeRole",
    }
    assert condition == "Serverless"
    assert cluster == [{"Fn::Sub": f"{DBUSER}:${{AWS::StackName}}/${{AirflowUser}}"}]
    # The ARN contains the workgroup's id, which is unknown when the role is created.
    assert serverless == [
        {"Fn::Sub": f"{DBUSER}:serverless-${{AWS::AccountId}}-*/*"},
        {"Fn::Sub": f"{DBUSER}:${{AWS::StackName}}/*"},
    ]


def test_airflow_can_connect_read_and_write_manifests_and_reports(resources: dict[str, Any]) -> None:
    policy = resources["AirflowPolicy"]
    assert allowed(policy) == {
        ("redshift-serverless:GetCredentials", "Workgroup.Workgroup.WorkgroupArn"),
        ("redshift-serverless:GetWorkgroup", "Workgroup.Workgroup.WorkgroupArn"),
        ("redshift:GetClusterCredentials", f"{DBUSER}:${{AWS::StackName}}/${{AirflowUser}}"),
        (
            "redshift:GetClusterCredentials",
            f"{DBUSER.removesuffix('dbuser')}dbname:${{AWS::StackName}}/${{Database}}",
        ),
        ("s3:ListBucket", BUCKET),
        ("s3:GetObject", LOGS),
        ("s3:GetObject", SONGS),
        ("s3:PutObject", MANIFESTS),
        ("s3:DeleteObject", MANIFESTS),
        ("s3:PutObject", REPORTS),
        ("sqs:ReceiveMessage", "ArrivalQueue.Arn"),
        ("sqs:DeleteMessage", "ArrivalQueue.Arn"),
        ("kms:Decrypt", "SourceKmsKeyArn"),
        ("kms:GenerateDataKey", "SourceKmsKeyArn"),
    }
    assert listed(policy) == ["${LogPrefix}*", "${SongPrefix}*"]


NO_TLS = {"Bool": {"aws:SecureTransport": "false"}}


def test_only_the_rule_can_send_arrivals(resources: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html."""
    queue = {"Fn::GetAtt": ["ArrivalQueue", "Arn"]}
    policy = resources["ArrivalQueuePolicy"]
    assert policy["Queues"] == [{"Ref": "ArrivalQueue"}]
    send, tls = policy["PolicyDocument"]["Statement"]
    assert send == {
        "Sid": "SendArrivals",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        # It contains the account: there is no other to exclude.
        "Condition": {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["ArrivalRule", "Arn"]}}},
    }
    assert tls == {
        "Sid": "RequireTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": queue,
        "Condition": NO_TLS,
    }


def test_an_arrival_contains_nothing_of_the_event(resources: dict[str, Any]) -> None:
    """The event has the object's name and who wrote it, from which address."""
    (target,) = resources["ArrivalRule"]["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": ["ArrivalQueue", "Arn"]}
    assert json.loads(target["Input"]) == "arrived"
    assert not {"InputPath", "InputTransformer", "RoleArn"} & set(target)


def test_only_new_event_logs_of_the_bucket_are_announced(resources: dict[str, Any]) -> None:
    """Manifests and reports, which Airflow writes, would announce themselves without end."""
    assert resources["ArrivalRule"]["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [{"Ref": "Bucket"}]}, "object": {"key": [{"prefix": {"Ref": "LogPrefix"}}]}},
    }


def test_sqs_1_2_the_queue_is_encrypted_and_has_tags(resources: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/securityhub/latest/userguide/sqs-controls.html; SQS.3 is the policy above."""
    assert resources["ArrivalQueue"]["SqsManagedSseEnabled"] is True
    assert resources["ArrivalQueue"]["Tags"] == [{"Key": "project", "Value": "sparkify"}]


def test_names_fit_with_the_longest_name_of_a_stack(resources: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html, and of a queue: 80."""
    assert resources["ArrivalRule"]["Name"] == {"Ref": "AWS::StackName"}
    assert LONGEST_NAME <= 64
    assert LONGEST_NAME + len(resources["ArrivalQueue"]["QueueName"]["Fn::Sub"].removeprefix("${AWS::StackName}")) <= 80


def test_airflow_gets_the_url_of_the_queue(template: dict[str, Any]) -> None:
    assert template["Outputs"]["QueueUrl"]["Value"] == {"Ref": "ArrivalQueue"}


def test_a_new_bucket_is_private_encrypted_and_sends_its_events(
    template: dict[str, Any], resources: dict[str, Any]
) -> None:
    """An existing one is not changed. Controls S3.1, 5, 8, 11, 12 and 17 of AWS Security Hub.

    https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html
    """
    assert template["Parameters"]["CreateBucket"]["Default"] == "false"
    assert template["Conditions"]["NewBucket"] == {"Fn::Equals": [{"Ref": "CreateBucket"}, "true"]}
    for name in ("SourceBucket", "SourceBucketPolicy"):
        assert template["Resources"][name]["Condition"] == "NewBucket"
    bucket = resources["SourceBucket"]
    assert bucket["BucketName"] == {"Ref": "Bucket"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert bucket["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    ((condition, kms, plain),) = (
        item["Fn::If"] for item in bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    )
    assert condition == "EncryptedSource"
    assert kms["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == {"Ref": "SourceKmsKeyArn"}
    assert plain == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    (tls,) = resources["SourceBucketPolicy"]["PolicyDocument"]["Statement"]
    assert (tls["Effect"], tls["Principal"], tls["Action"], tls["Condition"]) == ("Deny", "*", "s3:*", NO_TLS)


def test_a_kms_key_is_only_used_if_given(template: dict[str, Any]) -> None:
    assert template["Conditions"]["EncryptedSource"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "SourceKmsKeyArn"}, ""]}]}
    for name in ("CopyRole", "AirflowPolicy"):
        written = json.dumps(template["Resources"][name])
        assert written.count("kms:") == written.count('["EncryptedSource", {') * (1 if name == "CopyRole" else 2) > 0


def test_airflow_does_not_connect_as_superuser(template: dict[str, Any], resources: dict[str, Any]) -> None:
    """The connection uses the user of this output, which differs from the superuser."""
    assert template["Outputs"]["User"]["Value"] == {"Ref": "AirflowUser"}
    (rule,) = template["Rules"]["AirflowIsNotSuperuser"]["Assertions"]
    assert rule["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AirflowUser"}, {"Ref": "AdminUser"}]}]}
    users = [template["Parameters"][name]["Default"] for name in ("AirflowUser", "AdminUser")]
    assert users[0] != users[1]
    assert {resources["Cluster"]["MasterUsername"]["Ref"], resources["Namespace"]["AdminUsername"]["Ref"]} == {
        "AdminUser"
    }


def test_the_prefixes_are_those_of_the_dags(template: dict[str, Any]) -> None:
    import sparkify_report
    import sparkify_warehouse

    prefixes = {name: item["Default"] for name, item in template["Parameters"].items() if name.endswith("Prefix")}
    stage_events = sparkify_warehouse.dag.get_task("stage_events")
    stage_songs = sparkify_warehouse.dag.get_task("stage_songs")
    (report,) = (task for task in sparkify_report.dag.tasks if hasattr(task, "key"))
    assert stage_events.key.startswith(prefixes["LogPrefix"])
    assert stage_songs.key.startswith(prefixes["SongPrefix"])
    assert stage_songs.manifest_prefix == prefixes["ManifestPrefix"]
    assert report.key.startswith(prefixes["ReportPrefix"])


def test_one_network_can_connect_on_one_port(resources: dict[str, Any]) -> None:
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
def test_allowed_networks(template: dict[str, Any], cidr: str) -> None:
    assert re.fullmatch(template["Parameters"]["AllowedCidr"]["AllowedPattern"], cidr)
    assert re.fullmatch(CIDR, cidr)


@pytest.mark.parametrize(
    "cidr", ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/7", "10.0.0.0", "256.0.0.0/8", "10.0.0.0/33", "::/0"]
)
def test_larger_networks_are_rejected(template: dict[str, Any], cidr: str) -> None:
    assert "Default" not in template["Parameters"]["AllowedCidr"]
    assert not re.fullmatch(template["Parameters"]["AllowedCidr"]["AllowedPattern"], cidr)
    assert not re.fullmatch(CIDR, cidr)


def test_the_warehouse_has_no_public_address_by_default(template: dict[str, Any]) -> None:
    assert template["Parameters"]["PubliclyAccessible"]["Default"] == "false"


def test_data_and_connections_are_encrypted(resources: dict[str, Any]) -> None:
    assert resources["Cluster"]["Encrypted"] is True
    assert resources["Cluster"]["ClusterParameterGroupName"] == {"Ref": "ParameterGroup"}
    tls = resources["ParameterGroup"]["Parameters"]
    assert {"ParameterName": "require_ssl", "ParameterValue": "true"} in tls
    assert resources["Workgroup"]["ConfigParameters"] == [{"ParameterKey": "require_ssl", "ParameterValue": "true"}]


def test_redshift_manages_the_password(template: dict[str, Any], resources: dict[str, Any]) -> None:
    """The template, its parameters and its outputs contain no password."""
    assert resources["Cluster"]["ManageMasterPassword"] is True
    assert resources["Namespace"]["ManageAdminPassword"] is True
    assert not {"MasterUserPassword", "AdminUserPassword"} & {*resources["Cluster"], *resources["Namespace"]}
    assert [name for name in template["Parameters"] if "assword" in name] == []


# The controls of AWS Security Hub:
# https://docs.aws.amazon.com/securityhub/latest/userguide/redshift-controls.html
# https://docs.aws.amazon.com/securityhub/latest/userguide/redshiftserverless-controls.html
# Public access (Redshift.1, RedshiftServerless.3), TLS (Redshift.2, RedshiftServerless.2), encryption (Redshift.10) and
# the network (Redshift.15) are tested above; ChooseNetworkOperator checks the zones of the subnets (Redshift.16).


def test_redshift_3_snapshots_are_kept_for_a_week(resources: dict[str, Any]) -> None:
    """A cluster without automated snapshots cannot be paused, either."""
    assert resources["Cluster"]["AutomatedSnapshotRetentionPeriod"] >= 7


def test_redshift_4_and_serverless_6_connections_users_and_statements_are_audited(resources: dict[str, Any]) -> None:
    logs = {"connectionlog", "userlog", "useractivitylog"}
    assert resources["Cluster"]["LoggingProperties"]["LogDestinationType"] == "cloudwatch"
    assert set(resources["Cluster"]["LoggingProperties"]["LogExports"]) == logs
    assert set(resources["Namespace"]["LogExports"]) == logs
    # https://docs.aws.amazon.com/redshift/latest/mgmt/db-auditing.html: otherwise a cluster's useractivitylog is empty.
    activity = {"ParameterName": "enable_user_activity_logging", "ParameterValue": "true"}
    assert activity in resources["ParameterGroup"]["Parameters"]


def test_redshift_6_versions_are_upgraded(resources: dict[str, Any]) -> None:
    assert resources["Cluster"]["AllowVersionUpgrade"] is True


def test_redshift_7_and_serverless_1_copy_goes_through_the_network(
    template: dict[str, Any], resources: dict[str, Any]
) -> None:
    """The template creates the gateway endpoint of S3 that COPY then needs."""
    assert resources["Cluster"]["EnhancedVpcRouting"] is True
    assert resources["Workgroup"]["EnhancedVpcRouting"] is True
    assert template["Resources"]["S3Endpoint"]["Condition"] == "WithoutEndpoint"
    assert resources["S3Endpoint"] == {
        "VpcEndpointType": "Gateway",
        "ServiceName": {"Fn::Sub": "com.amazonaws.${AWS::Region}.s3"},
        "VpcId": {"Ref": "VpcId"},
        "RouteTableIds": {"Ref": "RouteTableIds"},
    }


@pytest.mark.parametrize(
    ("parameter", "names"), [("AdminUser", ["awsuser", "admin"]), ("Database", ["dev"])], ids=["8 and 5", "9 and 7"]
)
def test_redshift_8_9_and_serverless_5_7_names_are_not_the_defaults(
    template: dict[str, Any], parameter: str, names: list[str]
) -> None:
    pattern = template["Parameters"][parameter]["AllowedPattern"]
    assert [name for name in names if re.fullmatch(pattern, name)] == []
    assert re.fullmatch(pattern, template["Parameters"][parameter]["Default"])
    assert re.fullmatch(pattern, f"{names[0]}_2")


@pytest.mark.parametrize(
    "name", ["Cluster", "SubnetGroup", "ParameterGroup", "Namespace", "Workgroup", "SecurityGroup"]
)
def test_redshift_11_14_17_resources_have_tags(resources: dict[str, Any], name: str) -> None:
    assert resources[name]["Tags"] == [{"Key": "project", "Value": "sparkify"}]


def test_the_docs_list_all_controls() -> None:
    """docs/aws.md contains every control, met or not."""
    text = (ROOT / "docs" / "aws.md").read_text()
    controls = [f"Redshift.{number}" for number in (1, 2, 3, 4, *range(6, 19))]
    controls += [f"RedshiftServerless.{number}" for number in range(1, 8)]
    controls += [f"SQS.{number}" for number in (1, 2, 3)]
    assert [control for control in controls if f"| {control} " not in text] == []


def test_deletion_removes_all_resources_but_the_bucket_and_replacement_keeps_data(template: dict[str, Any]) -> None:
    policies = {
        name: (resource["DeletionPolicy"], resource["UpdateReplacePolicy"])
        for name, resource in template["Resources"].items()
        if "DeletionPolicy" in resource
    }
    assert policies == {
        "Namespace": ("Delete", "Retain"),
        "Cluster": ("Delete", "Snapshot"),
        # The source files: only a failed creation removes the bucket again.
        "SourceBucket": ("RetainExceptOnCreate", "Retain"),
        "SourceBucketPolicy": ("RetainExceptOnCreate", "Retain"),
    }
    assert "FinalSnapshotName" not in template["Resources"]["Namespace"]["Properties"]


def test_dc2_is_not_offered(template: dict[str, Any]) -> None:
    assert {item.split(".")[0] for item in template["Parameters"]["NodeType"]["AllowedValues"]} == {"ra3"}


def test_the_template_fits_into_a_request() -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html: TemplateBody."""
    assert TEMPLATE.stat().st_size <= 51_200


def test_the_form_and_the_template_have_the_same_values(template: dict[str, Any]) -> None:
    import sparkify_infrastructure_create as create

    given = {name: create.dag.params.get_param(name).schema for name in create.dag.params}
    assert create.dag.params.get_param("create_bucket").value is False
    for param, name in {"kind": "Kind", "node_type": "NodeType"}.items():
        assert given[param]["enum"] == template["Parameters"][name]["AllowedValues"]
        assert create.dag.params.get_param(param).value == template["Parameters"][name]["Default"]
    for param, name in {
        "base_capacity": "BaseCapacity",
        "max_capacity": "MaxCapacity",
        "node_count": "NodeCount",
    }.items():
        limits = (given[param]["minimum"], given[param]["maximum"], create.dag.params.get_param(param).value)
        expected = template["Parameters"][name]
        assert limits == (expected["MinValue"], expected["MaxValue"], expected["Default"])
    assert set(create.create_stack.parameters) <= set(template["Parameters"])
    assert create.create_stack.template == str(TEMPLATE)
