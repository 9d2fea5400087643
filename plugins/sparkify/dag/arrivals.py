"""Arriving objects: S3 announces them in an SQS queue, and a trigger turns the messages into asset events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

# The maxima of a request: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
LONG_POLL = 20
BATCH = 10
# Requests for one asset event: 1,000 messages. The rest makes the next event.
BATCHES = 100
# Seconds until a message that was not deleted can be received again: longer than those requests and a pause take. Not
# much longer: a killed triggerer's last request may have received a message.
VISIBILITY = 90


class ArrivalTrigger(BaseEventTrigger):
    """Yield one event for all messages in a queue; never ends.

    Only the number of messages is read: their content may be forged, and contains names, addresses and accounts, which
    must not reach Airflow's database and logs. Messages are deleted a pause after the event, when it has been stored: a
    killed triggerer loses none.

    The amazon provider's ``SqsSensorTrigger`` stores the messages in the asset event, yields an event for each five of
    them, and fails if SQS is unreachable: the triggerer then restarts it at once, without a limit.

    :param queue: URL of the queue.
    :param aws_conn_id: the Airflow connection.
    :param pause: seconds between two events, and before the next attempt if the queue is unreachable.
    """

    def __init__(self, queue: str, aws_conn_id: str, pause: float = 60) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.queue = queue
        self.aws_conn_id = aws_conn_id
        self.pause = pause

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class's path and its arguments."""
        arguments = {"queue": self.queue, "aws_conn_id": self.aws_conn_id, "pause": self.pause}
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

    async def run(self) -> AsyncGenerator[TriggerEvent]:
        """Yield the number of messages, at most once per pause, whatever happens."""
        from airflow.providers.amazon.aws.hooks.sqs import SqsHook

        while True:
            try:
                async with await SqsHook(aws_conn_id=self.aws_conn_id).get_async_conn() as client:
                    while True:
                        if receipts := await self._receive(client):
                            self.log.info("Objects arrived, messages=%d", len(receipts))
                            yield TriggerEvent({"messages": len(receipts)})
                        # Without messages the request has waited already.
                        await asyncio.sleep(self.pause if receipts else 1)
                        await self._delete(client, receipts)
            except Exception as error:  # noqa: BLE001 - a trigger that fails is restarted at once, without a limit
                self.log.warning("Cannot read the queue %s, retrying in %d s: %s", self.queue, self.pause, error)
            await asyncio.sleep(self.pause)

    async def _receive(self, client: Any) -> list[str]:
        """Return the receipts of the queue's messages; wait for the first one."""
        receipts: list[str] = []
        for number in range(BATCHES):
            answer = await client.receive_message(
                QueueUrl=self.queue,
                MaxNumberOfMessages=BATCH,
                WaitTimeSeconds=0 if number else LONG_POLL,
                VisibilityTimeout=VISIBILITY,
            )
            batch = [message["ReceiptHandle"] for message in answer.get("Messages", [])]
            receipts += batch
            if not batch:
                break
        return receipts

    async def _delete(self, client: Any, receipts: list[str]) -> None:
        """Delete messages; those that cannot be deleted appear again, and cause another event."""
        for begin in range(0, len(receipts), BATCH):
            batch = receipts[begin : begin + BATCH]
            entries = [{"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(batch)]
            await client.delete_message_batch(QueueUrl=self.queue, Entries=entries)
