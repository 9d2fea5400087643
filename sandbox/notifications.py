"""S3's event notifications, for local S3 servers, which send none.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus, urlsplit

from sandbox import servers


def created(bucket: str, key: str, body: bytes, time: str) -> dict[str, Any]:
    """Return the notification of an object that was created.

    :param time: ISO 8601.
    """
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": servers.REGION,
                "eventTime": time,
                "eventName": "ObjectCreated:Put",
                "userIdentity": {"principalId": "AWS:AIDAEXAMPLE"},
                "requestParameters": {"sourceIPAddress": "192.0.2.1"},
                "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZ"},
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "arrivals",
                    "bucket": {
                        "name": bucket,
                        "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                        "arn": f"arn:aws:s3:::{bucket}",
                    },
                    "object": {
                        "key": quote_plus(key, safe="/"),
                        "size": len(body),
                        "eTag": hashlib.md5(body, usedforsecurity=False).hexdigest(),
                        "sequencer": "0055AED6DCD90281E5",
                    },
                },
            }
        ]
    }


class Notifier:
    """Sends the notifications of a bucket to a queue.

    :param bucket: its name.
    :param queue: URL of the queue, on a local stand-in for SQS.
    """

    def __init__(self, bucket: str, queue: str) -> None:
        import boto3

        self._bucket = bucket
        self._queue = queue
        self._client = boto3.client(
            "sqs",
            endpoint_url="{0.scheme}://{0.netloc}".format(urlsplit(queue)),
            region_name=servers.REGION,
            aws_access_key_id=servers.ACCESS_KEY,
            aws_secret_access_key=servers.SECRET_KEY,
        )

    def __call__(self, key: str, body: bytes) -> None:
        """Announce an object. It is in the bucket: a notification that cannot be sent is lost."""
        from botocore.exceptions import BotoCoreError, ClientError

        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        try:
            self._client.send_message(
                QueueUrl=self._queue, MessageBody=json.dumps(created(self._bucket, key, body, time))
            )
        except (BotoCoreError, ClientError) as error:
            print(f"Cannot announce {key}: {error}", flush=True)
