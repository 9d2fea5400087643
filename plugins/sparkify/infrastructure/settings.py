"""Settings shared by the DAGs ``sparkify_infrastructure_*``."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from airflow.sdk import Param

from sparkify.dag import defaults

# The template's AllowedPattern of AllowedCidr, so that the form in the web UI already rejects 0.0.0.0/0.
CIDR = (
    "^((([1-9]?[0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])[.]){3}([1-9]?[0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])"
    "/([89]|[12][0-9]|3[0-2]))?$"
)

# AWS's names of buckets, keys, VPCs and subnets, for the form, too; each may be empty:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
BUCKET = "^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$"
KMS_KEY = "^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]{1,64})?$"
VPC = "^(vpc-[0-9a-f]{8,17})?$"
SUBNETS = "^(subnet-[0-9a-f]{8,17}( *, *subnet-[0-9a-f]{8,17}){0,15})?$"

DEFAULT_ARGS: dict[str, Any] = {**defaults.DEFAULT_ARGS, "execution_timeout": timedelta(hours=3)}


# The maximum length of a stack's name: CloudFormation, Redshift and Redshift Serverless all accept it.
LONGEST_NAME = 60


def stack_name() -> Param:
    """Return the param with the stack's name, which is also that of the cluster, the namespace and the workgroup."""
    return Param(
        "sparkify",
        type="string",
        pattern=f"^[a-z]([a-z0-9]|-(?=[a-z0-9])){{2,{LONGEST_NAME - 1}}}$",
        title="Stack",
        description="Name of the CloudFormation stack, of the cluster or workgroup, and of the namespace.",
    )


def schedule(action: str) -> str | None:
    """Return the cron expression (UTC) of the environment variable ``SPARKIFY_<ACTION>_SCHEDULE``; None by default.

    A DAG's schedule must be known at parse time, when neither Airflow Variables nor the network may be read. The
    variable must be the same for all of Airflow's components.

    :param action: ``pause`` or ``resume``.
    """
    return os.environ.get(f"SPARKIFY_{action.upper()}_SCHEDULE") or None
