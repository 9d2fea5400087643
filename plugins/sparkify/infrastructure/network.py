"""The network of the warehouse, with defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class ChooseNetworkOperator(BaseOperator):
    """Return the template's parameters ``VpcId``, ``SubnetIds``, ``RouteTableIds`` and ``AllowedCidr``.

    COPY goes through the VPC. ``RouteTableIds`` are the route tables of the subnets without a gateway endpoint of S3:
    the stack creates one for them.
    https://docs.aws.amazon.com/redshift/latest/mgmt/enhanced-vpc-working-with-endpoints.html

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
                "The account has no default VPC in this region: set the params vpc_id and subnet_ids."
            )
        (vpc,) = found
        in_vpc = {"Name": "vpc-id", "Values": [vpc["VpcId"]]}
        zones = {
            subnet["SubnetId"]: subnet["AvailabilityZone"]
            for subnet in client.describe_subnets(Filters=[in_vpc])["Subnets"]
        }
        subnets = [name for name in self.subnet_ids.replace(" ", "").split(",") if name] or sorted(zones)
        if not subnets:
            raise AirflowFailException(f"{vpc['VpcId']} has no subnets: create some, or set another VPC as vpc_id.")
        # CloudFormation rejects a subnet of another VPC, and reports it.
        if len({zones.get(name, name) for name in subnets}) == 1:
            raise AirflowFailException(
                f"The subnets {', '.join(subnets)} of {vpc['VpcId']} are all in one availability zone: expected two "
                "for a cluster, three for serverless. Set others as subnet_ids, or create some."
            )
        network = {
            "VpcId": vpc["VpcId"],
            "SubnetIds": ",".join(subnets),
            "RouteTableIds": ",".join(_without_endpoint(client, in_vpc, subnets)),
            "AllowedCidr": self.allowed_cidr or vpc["CidrBlock"],
        }
        self.log.info("Network: %s", network)
        return network


def _without_endpoint(client: Any, in_vpc: dict[str, Any], subnets: Sequence[str]) -> list[str]:
    """Return the route tables of subnets without a gateway endpoint of S3.

    A subnet without an explicit association uses the main route table:
    https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html
    """
    main, named = "", {}
    for table in client.describe_route_tables(Filters=[in_vpc])["RouteTables"]:
        for association in table["Associations"]:
            if association.get("Main"):
                main = table["RouteTableId"]
            else:
                named[association.get("SubnetId")] = table["RouteTableId"]
    endpoints = client.describe_vpc_endpoints(
        Filters=[
            in_vpc,
            {"Name": "service-name", "Values": [f"com.amazonaws.{client.meta.region_name}.s3"]},
            {"Name": "vpc-endpoint-type", "Values": ["Gateway"]},
        ]
    )["VpcEndpoints"]
    served = {table for endpoint in endpoints for table in endpoint["RouteTableIds"]}
    return sorted({named.get(name, main) for name in subnets} - served)
