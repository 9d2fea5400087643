"""### The warehouse on AWS: create

Makes Amazon Redshift with a CloudFormation stack, waits until it can be used, and hands its connection to Airflow, so
that `sparkify_warehouse` works next. Run by hand. **It costs money** from then on, see `docs/aws.md`.

**What is made** (`include/infrastructure/warehouse.yaml`): a serverless workgroup and namespace, or an ra3 cluster,
encrypted, TLS only, audited, its superuser's password in Secrets Manager; a security group that lets one network in; a
gateway endpoint of S3 if the subnets have none; the role with which COPY reads one bucket; the policy that Airflow's own
role needs. Outputs stand in the log of `create_stack`. `create_user` then creates the database user that Airflow
connects as, which is no superuser.

**Before.** The connection `aws`, or the role that Airflow runs as, may do this: `docs/aws.md` lists what it needs. So that
the connection can be published, Airflow reads its connections from AWS Secrets Manager:
`AIRFLOW__SECRETS__BACKEND=airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend`. Without that,
`publish_connection` is skipped, and its log says what to define by hand; there is no secret in it.

Running it twice is harmless: what exists is left as it is.

**When a task fails**

| Task | What it means | What to do |
|---|---|---|
| choose_network | there is no default VPC, its subnets lie in one zone, or AWS refused | name the VPC and its subnets; check the connection `aws` |
| create_stack | AWS refused something; all that was made is deleted again | the log names each resource and its reason; trigger anew with other params |
| create_user | AWS refused the Data API or the superuser's secret | the log names the right that is missing; clear the task |
| publish_connection | a secret of that name is not the stack's, or may not be written | the log names it; clear the task |
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import DAG, Param

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
    dag_display_name="Sparkify infrastructure: create",
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
            description="serverless is billed while it computes; provisioned is billed until it is paused.",
        ),
        "bucket": Param(
            "",
            type="string",
            pattern=BUCKET,
            title="Bucket",
            description="The only bucket that Redshift may read. Empty: the one of the variable `sparkify_bucket`.",
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
            description="Where the warehouse lives. Empty: the default VPC.",
        ),
        "subnet_ids": Param(
            "",
            type="string",
            pattern=SUBNETS,
            title="Subnets",
            description="Of that VPC, separated by commas, in two zones; serverless needs three, in three. Empty: all of them.",
        ),
        "allowed_cidr": Param(
            "",
            type="string",
            pattern=CIDR,
            title="Allowed network",
            description="Who may connect, such as 203.0.113.7/32; 0.0.0.0/0 is refused. Empty: the VPC itself.",
        ),
        "publicly_accessible": Param(
            False,
            type="boolean",
            title="Public address",
            description="For an Airflow or a client outside the VPC. The allowed network still holds.",
        ),
        "base_capacity": Param(
            8,
            type="integer",
            minimum=4,
            maximum=1024,
            title="RPUs",
            description="serverless: Redshift Processing Units that a query starts with.",
        ),
        "max_capacity": Param(
            16,
            type="integer",
            minimum=4,
            maximum=1024,
            title="RPUs at most",
            description="serverless: what it may grow to; it bounds what an hour costs.",
        ),
        "node_type": Param(
            "ra3.large",
            type="string",
            enum=["ra3.large", "ra3.xlplus", "ra3.4xlarge", "ra3.16xlarge"],
            title="Node type",
            description="provisioned: the type of the nodes.",
        ),
        "node_count": Param(
            1,
            type="integer",
            minimum=1,
            maximum=32,
            title="Nodes",
            description="provisioned: their number; ra3.4xlarge and ra3.16xlarge need two or more.",
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
