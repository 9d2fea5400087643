"""### The warehouse on AWS: create

Creates Amazon Redshift with a CloudFormation stack, waits until it is available, and publishes its connection to
Airflow, so that `sparkify_warehouse` can run. Triggered manually. **It costs money** from then on, see `docs/aws.md`.

**What is created** (`include/infrastructure/warehouse.yaml`): a serverless workgroup and namespace, or an ra3 cluster,
encrypted, TLS only, with audit logging and its superuser's password in Secrets Manager; a security group that allows
one network; a gateway endpoint of S3 if the subnets have none; the role with which COPY reads one bucket; the queue in
which arriving files are announced; the policy that Airflow's own role needs. With `create_bucket` also the bucket,
which is never deleted with the stack. The outputs are in the log of `create_stack`. `create_user` then creates the database
user that Airflow connects as, which is not a superuser.

**Prerequisites.** The connection `aws`, or the role that Airflow runs as, needs the permissions listed in
`docs/aws.md`. To publish the connection, Airflow must read its connections from AWS Secrets Manager:
`AIRFLOW__SECRETS__BACKEND=airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend`. Without it,
`publish_connection` is skipped, and its log has the connection to define by hand, without secrets.

The DAG is idempotent: existing resources are left unchanged.

**When a task fails**

| Task | What it means | What to do |
|---|---|---|
| choose_network | there is no default VPC, its subnets are all in one zone, or AWS denied access | set the VPC and its subnets; check the connection `aws` |
| create_stack | AWS rejected a resource; the creation was rolled back | the log has each resource and its reason; trigger the DAG again with other params |
| create_user | AWS denied access to the Data API or to the superuser's secret | the log has the missing permission; clear the task |
| publish_connection | a secret of that name does not belong to the stack, or is not writable | the log has its name; clear the task |
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import DAG, Param

sys.path.insert(0, str(Path(__file__).parents[1] / "plugins"))  # the operators of this commit: docs/deploy.md

from sparkify.infrastructure import (
    ChooseNetworkOperator,
    CreateStackOperator,
    CreateUserOperator,
    PublishConnectionOperator,
)
from sparkify.infrastructure.settings import BUCKET, CIDR, DEFAULT_ARGS, KMS_KEY, SUBNETS, VPC, stack_name

TEMPLATE = Path(__file__).parents[1] / "include" / "infrastructure" / "warehouse.yaml"

with DAG(
    dag_id="sparkify_infrastructure_create",
    dag_display_name="Sparkify warehouse infrastructure: create",
    description="Create the warehouse on AWS (Redshift, its role, its security group) and publish its connection.",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2018, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["sparkify", "infrastructure"],
    params={
        "stack_name": stack_name(),
        "kind": Param(
            "serverless",
            type="string",
            enum=["serverless", "provisioned"],
            title="Kind",
            description="serverless is billed while queries run; provisioned is billed until it is paused.",
        ),
        "bucket": Param(
            "",
            type="string",
            pattern=BUCKET,
            title="Bucket",
            description="The only bucket that Redshift may read. Empty: the one of the variable `sparkify_bucket`.",
        ),
        "create_bucket": Param(
            False,
            type="boolean",
            title="Create the bucket",
            description="Off: it exists. Its deletion is yours in either case.",
        ),
        "source_kms_key": Param(
            "",
            type="string",
            pattern=KMS_KEY,
            title="Key of the bucket",
            description="ARN of the KMS key that the bucket encrypts its objects with. Empty: Amazon S3's own.",
        ),
        "kms_key_id": Param(
            "",
            type="string",
            pattern=KMS_KEY,
            title="Key of the warehouse",
            description="ARN of the KMS key for the data at rest. Empty: the key that AWS owns or manages.",
        ),
        "vpc_id": Param(
            "",
            type="string",
            pattern=VPC,
            title="VPC",
            description="The VPC of the warehouse. Empty: the default VPC.",
        ),
        "subnet_ids": Param(
            "",
            type="string",
            pattern=SUBNETS,
            title="Subnets",
            description="Subnets of that VPC, comma-separated, in two zones; serverless needs three, in three. Empty: all of them.",
        ),
        "allowed_cidr": Param(
            "",
            type="string",
            pattern=CIDR,
            title="Allowed network",
            description="Who may connect, such as 203.0.113.7/32; 0.0.0.0/0 is rejected. Empty: the VPC itself.",
        ),
        "publicly_accessible": Param(
            False,
            type="boolean",
            title="Public address",
            description="For Airflow or clients outside the VPC. The allowed network still applies.",
        ),
        "base_capacity": Param(
            8,
            type="integer",
            minimum=4,
            maximum=1024,
            title="RPUs",
            description="serverless: base capacity, in Redshift Processing Units.",
        ),
        "max_capacity": Param(
            16,
            type="integer",
            minimum=4,
            maximum=1024,
            title="RPUs at most",
            description="serverless: maximum capacity; limits the cost of an hour.",
        ),
        "node_type": Param(
            "ra3.large",
            type="string",
            enum=["ra3.large", "ra3.xlplus", "ra3.4xlarge", "ra3.16xlarge"],
            title="Node type",
            description="provisioned: the node type.",
        ),
        "node_count": Param(
            1,
            type="integer",
            minimum=1,
            maximum=32,
            title="Nodes",
            description="provisioned: the number of nodes; ra3.4xlarge and ra3.16xlarge need two or more.",
        ),
    },
    default_args=DEFAULT_ARGS,
) as dag:
    choose_network = ChooseNetworkOperator(
        task_id="choose_network",
        vpc_id="{{ params.vpc_id }}",
        subnet_ids="{{ params.subnet_ids }}",
        allowed_cidr="{{ params.allowed_cidr }}",
    )
    create_stack = CreateStackOperator(
        task_id="create_stack",
        stack_name="{{ params.stack_name }}",
        template=TEMPLATE,
        parameters={
            "Kind": "{{ params.kind }}",
            "Bucket": "{{ params.bucket or var.value.get('sparkify_bucket', '') }}",
            "CreateBucket": "{{ params.create_bucket | string | lower }}",
            "SourceKmsKeyArn": "{{ params.source_kms_key }}",
            "KmsKeyId": "{{ params.kms_key_id }}",
            "VpcId": "{{ ti.xcom_pull('choose_network').VpcId }}",
            "SubnetIds": "{{ ti.xcom_pull('choose_network').SubnetIds }}",
            "RouteTableIds": "{{ ti.xcom_pull('choose_network').RouteTableIds }}",
            "AllowedCidr": "{{ ti.xcom_pull('choose_network').AllowedCidr }}",
            "PubliclyAccessible": "{{ params.publicly_accessible | string | lower }}",
            "BaseCapacity": "{{ params.base_capacity }}",
            "MaxCapacity": "{{ params.max_capacity }}",
            "NodeType": "{{ params.node_type }}",
            "NodeCount": "{{ params.node_count }}",
        },
        tags={"project": "sparkify"},
    )
    create_user = CreateUserOperator(task_id="create_user", outputs=create_stack.output)
    publish_connection = PublishConnectionOperator(task_id="publish_connection", outputs=create_stack.output)

    choose_network >> create_stack >> create_user >> publish_connection
