"""The policy of the role that runs a proof: what CloudFormation and the command need, and only resources of proofs."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from proof import names, stack
from tests.conftest import ROOT

POLICY: dict[str, Any] = json.loads((ROOT / "proof" / "policy.json").read_text())
ALLOWED = [
    (action, resource)
    for statement in POLICY["Statement"]
    for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    for resource in ([statement["Resource"]] if isinstance(statement["Resource"], str) else statement["Resource"])
]
# The conditions of the template that are false for a proof.
ABSENT = {"Provisioned"}
# Permissions for properties that the template does not set: keys, copies of snapshots, attached policies.
UNUSED = [
    *("kms:*", "s3tables:*", "vpc-lattice:*", "vpce:*", "iam:Attach*", "iam:Detach*", "redshift:PutResourcePolicy"),
    *("redshift-serverless:CreateSnapshotCopyConfiguration", "redshift-serverless:RestoreFrom*"),
]
# AWS's actions that have another name than the call of the API.
S3 = {"ListBuckets": "ListAllMyBuckets", "ListObjectsV2": "ListBucket", "DeleteObjects": "DeleteObject"}


def is_allowed(action: str) -> bool:
    return any(fnmatchcase(action, pattern) for pattern, _ in ALLOWED)


def is_call_allowed(service: str, call: str) -> bool:
    """Return whether the policy allows a call of the API on some resource."""
    return is_allowed(f"{service}:{S3.get(call, call) if service == 's3' else call}")


def _permissions(handlers: dict[str, Any], name: str) -> list[str]:
    found: list[str] = handlers.get(name, {}).get("permissions", [])
    return found


def resources() -> list[str]:
    """Return the types of the resources of a proof."""
    template = json.loads(json.dumps(cfn_yaml.load(str(stack.TEMPLATE))))
    return sorted({item["Type"] for item in template["Resources"].values() if item.get("Condition") not in ABSENT})


@pytest.mark.parametrize("kind", resources())
def test_cloudformation_may_create_and_delete_the_resource(kind: str) -> None:
    """CloudFormation acts with the permissions of its caller; its schemas have what each type of resource needs.

    https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
    """
    handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-west-2", kind).schema["handlers"]
    needed = {action for name in ("create", "read", "delete") for action in _permissions(handlers, name)}
    used = {action for action in needed if not any(fnmatchcase(action, pattern) for pattern in UNUSED)}
    assert used
    assert [action for action in sorted(used) if not is_allowed(action)] == []


def test_only_resources_of_proofs_are_written() -> None:
    """Where AWS names a resource by an id, or has none to name, any one is allowed: docs/proof/README.md says which."""
    everywhere = {action for action, resource in ALLOWED if resource == "*" and ":Describe" not in action}
    services = {action.partition(":")[0] for action in everywhere}
    assert services == {"ec2", "s3", "redshift", "redshift-data", "redshift-serverless"}
    assert {action for action in everywhere if action.startswith("s3:")} == {"s3:ListAllMyBuckets"}
    for _, resource in ALLOWED:
        assert resource == "*" or names.PREFIX in resource or "aws-service-role/redshift" in resource
        assert ":ACCOUNT:" in resource or resource == "*" or resource.startswith("arn:aws:s3:::")


def test_every_size_is_below_the_quota() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: 6,144 characters, without blanks."""
    assert len(json.dumps(POLICY, separators=(",", ":"))) < 6_144
