"""AWS on this machine: moto's server, extended by what the project uses and moto lacks, as AWS documents it.

moto has CloudFormation, EC2's networks, IAM, Secrets Manager and Redshift's clusters. This module adds Redshift
Serverless, the end of a statement in Redshift's Data API, termination protection, and the rollback of a stack whose
resources fail.
"""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from moto.cloudformation import models, parsing, utils
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.common_models import CloudFormationModel
from moto.core.responses import EmptyResult
from moto.ec2.models import ec2_backends
from moto.ec2.models.vpcs import VPCEndPoint
from moto.iam.models import ManagedPolicy, iam_backends
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
from moto.redshift import models as redshift

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "us-west-2"


@contextmanager
def server() -> Iterator[str]:
    """Run moto's server on a free port; yield its endpoint."""
    running = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        running.stop()


# CloudFormation: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html (OnFailure),
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-protect-stacks.html
_create_stack = CloudFormationResponse.create_stack
_create_resources = models.Stack.create_resources
_delete_stack = models.CloudFormationBackend.delete_stack


_request = threading.local()


def _remember_on_failure(response: CloudFormationResponse) -> Any:
    _request.on_failure = response._get_param("OnFailure")
    return _create_stack(response)


def _create_or_roll_back(stack: models.Stack) -> None:
    try:
        _create_resources(stack)
    except Exception as error:  # noqa: BLE001 - a resource may raise anything
        event = models.Event(
            stack_id=stack.stack_id,
            stack_name=stack.name,
            logical_resource_id="SubnetGroup",
            physical_resource_id="",
            resource_type="AWS::Redshift::ClusterSubnetGroup",
            resource_status="CREATE_FAILED",
            resource_status_reason=str(error),
            resource_properties=None,
        )
        stack.events.append(event)
        stack.output_map = models.OutputMap(
            stack.resource_map, {}, stack.stack_id
        )  # moto would create the resources that they name
        if _request.on_failure == "DELETE":
            models.cloudformation_backends[stack.account_id][stack.region_name].delete_stack(stack.stack_id)
        else:
            stack.status = "ROLLBACK_COMPLETE"
    else:
        # moto would delete what is to be kept.
        for resource in stack.resource_map._resource_json_map.values():
            if resource.get("DeletionPolicy") == "RetainExceptOnCreate":
                resource["DeletionPolicy"] = "Retain"


def _delete_unprotected(backend: models.CloudFormationBackend, name_or_stack_id: str) -> None:
    for stack in backend.stacks.values():
        if name_or_stack_id in (stack.name, stack.stack_id) and stack.enable_termination_protection:
            raise ValidationError(stack.name, f"Stack [{stack.name}] cannot be deleted while TerminationProtection is")
    _delete_stack(backend, name_or_stack_id)


def _protect(response: CloudFormationResponse) -> EmptyResult:
    stack = response.cloudformation_backend.get_stack(response._get_param("StackName"))
    stack.enable_termination_protection = response._get_bool_param("EnableTerminationProtection")
    return EmptyResult()


def _tag(loader: Any, tag: Any, node: Any) -> Any:
    """Read ``!GetAtt Cluster.Endpoint.Address``; moto would drop all but ``Endpoint`` of the attribute."""
    if tag == "!GetAtt":
        return {"Fn::GetAtt": node.value.split(".", 1)}
    return utils.yaml_tag_constructor(loader, tag, node)


def _clean(value: Any, resources: Any) -> Any:
    """Leave out an item of a list that is ``AWS::NoValue``; moto leaves None."""
    cleaned = _clean_json(value, resources)
    return [item for item in cleaned if item is not None] if isinstance(cleaned, list) else cleaned


_clean_json = parsing.clean_json

for _owner, _name, _value in (
    (parsing, "clean_json", _clean),
    (CloudFormationResponse, "create_stack", _remember_on_failure),
    (models.Stack, "create_resources", _create_or_roll_back),
    (models.CloudFormationBackend, "delete_stack", _delete_unprotected),
    (CloudFormationResponse, "update_termination_protection", _protect),
    (models, "yaml_tag_constructor", _tag),
):
    setattr(_owner, _name, _value)


# What moto creates and does not delete with its stack.
def _delete_policy(cls: Any, resource_name: str, resource: dict[str, Any], account_id: str, region_name: str) -> None:
    iam_backends[account_id]["aws"].managed_policies.pop(resource_name, None)


def _delete_endpoint(cls: Any, resource_name: str, resource: dict[str, Any], account_id: str, region_name: str) -> None:
    backend = ec2_backends[account_id][region_name]
    backend.delete_vpc_endpoints([resource_name])
    backend.vpc_end_points.pop(resource_name, None)  # AWS lists a deleted endpoint for a while, moto forever


_deletions: list[tuple[Any, Any]] = [(ManagedPolicy, _delete_policy), (VPCEndPoint, _delete_endpoint)]
for _class, _delete in _deletions:
    _class.delete_from_cloudformation_json = classmethod(_delete)


# Redshift's clusters: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-redshift-cluster.html
def _attribute(cluster: redshift.Cluster, name: str) -> Any:
    return {
        "Endpoint.Address": cluster.address,
        "Endpoint.Port": str(cluster.port),
        "MasterPasswordSecretArn": f"arn:aws:secretsmanager:{cluster.region}:1:secret:redshift!{cluster.resource_id}",
    }[name]


def _delete_cluster(
    cls: type[redshift.Cluster], resource_name: str, resource: dict[str, Any], account_id: str, region_name: str
) -> None:
    redshift.redshift_backends[account_id][region_name].clusters.pop(resource_name, None)


for _name, _method in {
    "cloudformation_name_type": staticmethod(lambda: "ClusterIdentifier"),
    "physical_resource_id": property(lambda cluster: cluster.cluster_identifier),
    "has_cfn_attr": classmethod(lambda cls, name: name in ("Endpoint.Address", "MasterPasswordSecretArn")),
    "get_cfn_attribute": _attribute,
    "delete_from_cloudformation_json": classmethod(_delete_cluster),
}.items():
    setattr(redshift.Cluster, _name, _method)

# Redshift Serverless: the names of the existing namespaces, and the properties of the existing workgroups by name.
namespaces: set[str] = set()
workgroups: dict[str, dict[str, Any]] = {}


class ServerlessNamespace(CloudFormationModel):
    """AWS::RedshiftServerless::Namespace."""

    def __init__(self, properties: dict[str, Any]) -> None:
        self.properties = properties
        self.physical_resource_id = self._add(properties)

    @staticmethod
    def _add(properties: dict[str, Any]) -> str:
        name: str = properties["NamespaceName"]
        namespaces.add(name)
        return name

    @staticmethod
    def cloudformation_name_type() -> str:
        return "NamespaceName"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::RedshiftServerless::Namespace"

    @classmethod
    def create_from_cloudformation_json(cls, *arguments: Any, **_: Any) -> ServerlessNamespace:
        return cls(arguments[1]["Properties"])

    @classmethod
    def delete_from_cloudformation_json(cls, *arguments: Any) -> None:
        namespaces.discard(arguments[0])

    def is_created(self) -> bool:
        return True


class ServerlessWorkgroup(ServerlessNamespace, CloudFormationModel):
    """AWS::RedshiftServerless::Workgroup."""

    @staticmethod
    def _add(properties: dict[str, Any]) -> str:
        name: str = properties["WorkgroupName"]
        workgroups[name] = properties
        return name

    @classmethod
    def delete_from_cloudformation_json(cls, *arguments: Any) -> None:
        workgroups.pop(arguments[0], None)

    @staticmethod
    def cloudformation_name_type() -> str:
        return "WorkgroupName"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::RedshiftServerless::Workgroup"

    def get_cfn_attribute(self, name: str) -> str:
        return {
            "Workgroup.Endpoint.Address": address(self.physical_resource_id),
            "Workgroup.WorkgroupArn": workgroup_arn(self.physical_resource_id),
        }[name]


def address(workgroup: str) -> str:
    """Return the host of a workgroup."""
    return f"{workgroup}.123456789012.{REGION}.redshift-serverless.amazonaws.com"


def workgroup_arn(workgroup: str) -> str:
    """Return the ARN of a workgroup; AWS's has an id in place of the name."""
    return f"arn:aws:redshift-serverless:{REGION}:123456789012:workgroup/{workgroup}"


def secret(namespace: str) -> str:
    """Return the ARN of the secret with the password of a namespace's superuser."""
    return f"arn:aws:secretsmanager:{REGION}:123456789012:secret:redshift!{namespace}"


class ServerlessApi(ThreadingHTTPServer):
    """The APIs of Redshift Serverless and of Redshift's Data API: ``requests`` are the calls and their arguments.

    https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/Welcome.html
    https://docs.aws.amazon.com/redshift-data/latest/APIReference/Welcome.html

    :ivar statements: the statements of the Data API, with their database and user.
    :ivar users: the users of the database; ``CREATE USER`` adds one.
    :ivar limits: the usage limits that were created.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.snapshots: dict[str, str] = {}
        self.statements: list[dict[str, Any]] = []
        self.users: set[str] = set()
        self.limits: list[dict[str, Any]] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, action: str, given: dict[str, Any]) -> dict[str, Any] | None:
        """Return a response, or None if the resource does not exist."""
        if action in {"ExecuteStatement", "BatchExecuteStatement"}:
            self.statements.append(given)
            self.users |= set(
                re.findall(r'^CREATE USER "(.*)" PASSWORD DISABLE$', "\n".join(given.get("Sqls", [])), re.M)
            )
            return {"Id": str(len(self.statements) - 1)}
        if action == "DescribeStatement":
            executed = self.statements[int(given["Id"])]
            found = {item["value"] for item in executed.get("Parameters", [])} & self.users
            return {"Id": given["Id"], "Status": "FINISHED", "ResultRows": len(found)}
        self.requests.append((action, given))
        if action == "GetSnapshot":
            status = self.snapshots.get(given["snapshotName"])
            return status and {"snapshot": {"snapshotName": given["snapshotName"], "status": status}}  # type: ignore[return-value]
        if action == "CreateUsageLimit":
            self.limits.append(given)
            return {"usageLimit": given}
        name = given.get("namespaceName") or given.get("workgroupName")
        if name not in namespaces:
            return None
        if action == "CreateSnapshot":
            self.snapshots[given["snapshotName"]] = "AVAILABLE"
            return {"snapshot": {"snapshotName": given["snapshotName"], "status": "CREATING"}}
        if action == "GetWorkgroup":
            return {
                "workgroup": {
                    "workgroupName": name,
                    "workgroupArn": workgroup_arn(name),
                    "baseCapacity": int(workgroups[name]["BaseCapacity"]),
                    "maxCapacity": int(workgroups[name]["MaxCapacity"]),
                    "endpoint": {"address": address(name), "port": 5439},
                }
            }
        if action == "GetNamespace":
            return {"namespace": {"namespaceName": name, "adminPasswordSecretArn": secret(name)}}
        assert action == "GetCredentials"
        return {"dbUser": "IAMR:airflow", "dbPassword": "only-for-an-hour", "expiration": 1}


class _Handler(BaseHTTPRequestHandler):
    server: ServerlessApi

    def do_POST(self) -> None:
        action = self.headers["X-Amz-Target"].partition(".")[2]
        answer = self.server.answer(action, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        body = json.dumps(answer or {"__type": "ResourceNotFoundException", "message": "not found"}).encode()
        self.send_response(200 if answer else 400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serverless() -> Iterator[ServerlessApi]:
    """Run the API of Redshift Serverless, on a free port."""
    running = ServerlessApi()
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.shutdown()
        running.server_close()
        thread.join()
        namespaces.clear()
        workgroups.clear()
