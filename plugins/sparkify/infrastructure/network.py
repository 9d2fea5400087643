"""Where the warehouse stands, for those who do not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class ChooseNetworkOperator(BaseOperator):
    """Return the template's parameters ``VpcId``, ``SubnetIds`` and ``AllowedCidr``.

    :param vpc_id: the network; empty for the account's default VPC. (templated)
    :param subnet_ids: its subnets, separated by commas; empty for all of them. (templated)
    :param allowed_cidr: who may connect; empty for the network itself. (templated)
    :param aws_conn_id: connection of type ``aws``.
    """

    template_fields: Sequence[str] = ("vpc_id", "subnet_ids", "allowed_cidr")
    ui_color = "#eeaa11"

    def __init__(
        self, *, vpc_id: str, subnet_ids: str, allowed_cidr: str, aws_conn_id: str | None = "aws", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.vpc_id = vpc_id
        self.subnet_ids = subnet_ids
        self.allowed_cidr = allowed_cidr
        self.aws_conn_id = aws_conn_id

    def execute(self, context: Context) -> dict[str, str]:
        from airflow.providers.amazon.aws.hooks.ec2 import EC2Hook

        client = EC2Hook(aws_conn_id=self.aws_conn_id, api_type="client_type").conn
        if self.vpc_id:
            found = client.describe_vpcs(VpcIds=[self.vpc_id])["Vpcs"]
        else:
            found = client.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
        if not found:
            raise AirflowFailException(
                "The account has no default VPC here: name one as the params vpc_id, subnet_ids."
            )
        (vpc,) = found
        subnets = self.subnet_ids.replace(" ", "")
        if not subnets:
            answer = client.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])
            subnets = ",".join(sorted(subnet["SubnetId"] for subnet in answer["Subnets"]))
        if not subnets:
            raise AirflowFailException(f"{vpc['VpcId']} has no subnets: make some, or name another VPC as vpc_id.")
        network = {
            "VpcId": vpc["VpcId"],
            "SubnetIds": subnets,
            "AllowedCidr": self.allowed_cidr or vpc["CidrBlock"],
        }
        self.log.info("The network: %s", network)
        return network
