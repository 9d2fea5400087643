"""The stack's queue: what S3 and EventBridge send to it, and what Airflow reads of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.infrastructure.test_dags import CLUSTER, CREATED

if TYPE_CHECKING:
    from tests.integration.infrastructure.conftest import Cloud


@pytest.mark.slow
@pytest.mark.usefixtures("secrets_manager")
@pytest.mark.parametrize("new", [True, False], ids=["new bucket", "existing bucket"])
def test_only_event_logs_are_announced(cloud: Cloud, new: bool) -> None:
    """Moto delivers them; it leaves out the rule's ``Input``."""
    s3, sqs, bucket = cloud.client("s3"), cloud.client("sqs"), CLUSTER["bucket"]
    location = {"LocationConstraint": s3.meta.region_name}
    if not new:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
    assert cloud.run("create", **CLUSTER, create_bucket=new) == CREATED
    (stack,) = cloud.client("cloudformation").describe_stacks()["Stacks"]
    queue = next(item["OutputValue"] for item in stack["Outputs"] if item["OutputKey"] == "QueueUrl")
    assert queue.endswith("/music-arrivals")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    for key in ("log_data/2018/11/2018-11-01-events.json", "manifests/1", "reports/1", "song_data/A/1.json"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"{}")
    received: dict[str, Any] = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    assert len(received["Messages"]) == 1
