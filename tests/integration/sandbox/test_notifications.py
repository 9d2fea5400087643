"""The feeder's notifications are those of S3."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import boto3

from sandbox import servers
from sandbox.notifications import Notifier

if TYPE_CHECKING:
    import pytest

KEYS = {"aws_access_key_id": servers.ACCESS_KEY, "aws_secret_access_key": servers.SECRET_KEY}
KEY = "log_data/2018/11/2018-11-01 (copy)-events.json"


def test_a_notification_is_that_of_s3(aws: str) -> None:
    """S3 of moto sends notifications, too, with fewer fields."""
    name = uuid.uuid4().hex
    s3, sqs = (boto3.client(service, endpoint_url=aws, region_name=servers.REGION, **KEYS) for service in ("s3", "sqs"))
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": servers.REGION})
    configuration = {"Id": "arrivals", "QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"QueueConfigurations": [configuration]}
    )

    def take() -> list[Any]:
        received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
        for message in received:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in received]

    take()  # that of the configuration itself
    s3.put_object(Bucket=name, Key=KEY, Body=b"{}")
    (expected,) = take()
    found = expected["Records"][0]["s3"]["object"]
    found["key"] = found["key"].replace("%2F", "/")  # AWS leaves slashes as they are
    Notifier(name, queue)(KEY, b"{}")
    (sent,) = take()
    assert without_time(sent) == merge(without_time(sent), without_time(expected))


def without_time(message: dict[str, Any]) -> dict[str, Any]:
    (record,) = message["Records"]
    return {name: value for name, value in record.items() if name != "eventTime"}


def merge(all_fields: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Return a message with the known values, and others for the fields that are unknown."""
    return {
        **all_fields,
        **{
            name: merge(all_fields.get(name, {}), value) if isinstance(value, dict) else value
            for name, value in known.items()
        },
    }


def test_a_notification_that_cannot_be_sent_is_lost(aws: str, capsys: pytest.CaptureFixture[str]) -> None:
    """S3 would try again; the feeder goes on writing."""
    Notifier("sparkify", f"{aws}/123456789012/absent")(KEY, b"{}")
    assert capsys.readouterr().out.startswith(f"Cannot announce {KEY}: ")
