"""Messages in the queue of arrivals, as AWS sends them; the feeder sends :func:`sandbox.notifications.created`."""

from __future__ import annotations

import json

from sandbox import notifications

CREATED = json.dumps(
    notifications.created("sparkify", "log_data/2018/11/2018-11-01-events.json", b"{}", "2018-11-01T12:00:00.000Z")
)
# Sent when a notification is configured.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
TEST = json.dumps(
    {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": "2018-11-01T12:00:00.000Z",
        "Bucket": "sparkify",
        "RequestId": "5582815E1AEA5ADF",
        "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR",
    }
)
# Of a rule without an Input. https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
EVENT = json.dumps(
    {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "123456789012",
        "time": "2018-11-01T12:00:00Z",
        "region": "us-west-2",
        "resources": ["arn:aws:s3:::sparkify"],
        "detail": {
            "version": "0",
            "bucket": {"name": "sparkify"},
            "object": {
                "key": "log_data/2018/11/2018-11-01-events.json",
                "size": 2,
                "etag": "99914b932bd37a50b983c5e7c90ae93b",
                "sequencer": "617f08299329d189",
            },
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "123456789012",
            "source-ip-address": "192.0.2.1",
            "reason": "PutObject",
        },
    }
)
# Of the stack's rule: include/infrastructure/warehouse.yaml.
ARRIVED = '"arrived"'
FORGED = [
    "ana@example.com",
    '{"ana@example.com',
    '{"Records": [{"s3": {"object": {"key": "log_data/2018/11/2018-11-01-events.json", "size": -1}}}]}',
    '{"Records": [{"s3": {"object": {"key": "../../etc/passwd"}}}]}',
    "{{ 1 / 0 }}",
    "x" * 200_000,
]
ALL = [CREATED, TEST, EVENT, ARRIVED, *FORGED]
