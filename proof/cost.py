"""What a proof costs at most, by its caps.

Prices depend on the region and change: https://aws.amazon.com/redshift/pricing/. Compute is billed in RPU-hours, by the
second, while queries run, for at least 60 seconds:
https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-billing.html
"""

from __future__ import annotations

# Redshift Processing Units. The workgroup never scales.
RPU = 8
# The usage limit of the workgroup, in RPU-hours per month: Redshift then turns off queries.
# https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_CreateUsageLimit.html
LIMIT = 8
# The checks are stopped after this time: RPU * MINUTES / 60 is less than LIMIT.
MINUTES = 55
# USD per RPU-hour in us-east-1, at the time of writing.
PRICE = 0.375
# USD, more than: two hours of eight public addresses (0.005 per hour), a secret (0.40 per month), 0.1 GB of audit logs
# (0.50 per GB), 10,000 requests to S3 (0.005 per 1,000).
OTHER = 0.25
# USD: the promise.
CEILING = 5.0


def at_most(price: float = PRICE) -> float:
    """Return the maximum cost of a proof, in USD.

    :param price: of an RPU-hour.
    """
    return LIMIT * price + OTHER


def arithmetic(price: float = PRICE) -> str:
    """Return the sum behind :func:`at_most`, in words."""
    return (
        f"{LIMIT} RPU-hours (the usage limit) × {price:g} USD per RPU-hour + {OTHER:.2f} USD for everything else = "
        f"{at_most(price):.2f} USD. The limit is not reached: {RPU} RPUs (base = maximum) × {MINUTES + 1} minutes "
        f"(checks are stopped after {MINUTES}; the minimum charge is one) = {RPU * (MINUTES + 1) / 60:.2f} RPU-hours"
    )
