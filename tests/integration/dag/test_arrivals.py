"""The trigger of arriving objects, on a local SQS."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from sandbox import servers
from sandbox.airflow import aws_connection
from sparkify.dag import arrivals
from sparkify.dag.arrivals import ArrivalTrigger
from tests.support import messages

if TYPE_CHECKING:
    from collections.abc import Iterator

PAUSE = 60


class Queue:
    """A queue on a local SQS, and the pauses of the trigger that reads it."""

    def __init__(self, endpoint: str, pauses: list[float]) -> None:
        self._client: Any = boto3.client(
            "sqs",
            endpoint_url=endpoint,
            region_name=servers.REGION,
            aws_access_key_id=servers.ACCESS_KEY,
            aws_secret_access_key=servers.SECRET_KEY,
        )
        self.url = self._client.create_queue(QueueName=uuid.uuid4().hex)["QueueUrl"]
        self.pauses = pauses

    def send(self, *bodies: str) -> None:
        for begin in range(0, len(bodies), 10):
            batch = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies[begin : begin + 10])]
            assert not self._client.send_message_batch(QueueUrl=self.url, Entries=batch).get("Failed")

    def left(self) -> int:
        """Return the number of messages that are not deleted."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(map(int, found.values()))

    def rounds(self, number: int, trigger: ArrivalTrigger | None = None) -> list[Any]:
        """Return the payloads of the events until the trigger has paused some times."""

        async def run() -> list[Any]:
            found: list[Any] = []
            async with aclosing((trigger or ArrivalTrigger(self.url, "aws", PAUSE)).run()) as events:
                with suppress(EnoughError):
                    while True:
                        found.append((await anext(events)).payload)
            return found

        self.pauses.clear()
        LIMIT["pauses"] = number
        return asyncio.run(run())


class EnoughError(BaseException):
    """The trigger has paused often enough."""


LIMIT = {"pauses": 0}


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record the trigger's pauses instead of waiting; and do not wait for messages."""
    found: list[float] = []

    class Recorder:
        async def sleep(self, seconds: float) -> None:
            found.append(seconds)
            if len(found) == LIMIT["pauses"]:
                raise EnoughError

    monkeypatch.setattr(arrivals, "asyncio", Recorder())
    monkeypatch.setattr(arrivals, "LONG_POLL", 0)
    return found


@pytest.fixture
def queue(aws: str, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    monkeypatch.setenv("AIRFLOW_CONN_AWS", aws_connection(aws))
    yield Queue(aws, pauses)


@pytest.mark.parametrize("body", messages.ALL, ids=lambda body: body[:40])
def test_nothing_of_a_message_is_kept(queue: Queue, body: str, capfd: pytest.CaptureFixture[str]) -> None:
    queue.send(body)
    assert queue.rounds(2) == [{"messages": 1}]
    log = capfd.readouterr().out
    assert "Objects arrived, messages=1" in log
    assert body not in log
    assert queue.left() == 0


def test_a_queue_without_messages_causes_no_event(queue: Queue) -> None:
    assert queue.rounds(3) == []
    assert queue.pauses == [1, 1, 1]


def test_many_messages_cause_one_event(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Doubled and reordered ones among them."""
    monkeypatch.setattr(arrivals, "VISIBILITY", 600)
    queue.send(
        *[messages.CREATED, messages.TEST, messages.EVENT, messages.ARRIVED] * 50
    )  # moto takes a minute for a thousand
    assert queue.rounds(3) == [{"messages": 200}]
    assert queue.pauses == [PAUSE, 1, 1]
    assert queue.left() == 0


def test_there_is_one_event_per_pause_however_many_messages(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "BATCHES", 2)
    queue.send(*[messages.CREATED] * 50)
    assert queue.rounds(4) == [{"messages": 20}, {"messages": 20}, {"messages": 10}]
    assert queue.pauses == [PAUSE, PAUSE, PAUSE, 1]


def test_messages_are_hidden_until_they_are_deleted() -> None:
    pause = ArrivalTrigger("https://sqs.us-west-2.amazonaws.com/123456789012/q", "aws").pause
    assert pause + 20 < arrivals.VISIBILITY < 2 * pause


def test_a_killed_triggerer_loses_no_message(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "VISIBILITY", 0)  # messages can be received again at once
    monkeypatch.setattr(arrivals, "BATCHES", 1)  # which would otherwise return the same ones
    queue.send(*[messages.CREATED] * 3)

    assert queue.rounds(1) == [{"messages": 3}]  # ends in the pause
    assert queue.left() == 3
    assert queue.rounds(2) == [{"messages": 3}]
    assert queue.left() == 0


def test_an_unreachable_queue_is_retried_after_a_pause(
    queue: Queue, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trigger that raises an error is restarted by the triggerer at once."""
    queue.send(messages.CREATED)
    reachable = arrivals.ArrivalTrigger._receive
    failures = [OSError("no route to host"), TimeoutError("timed out")]

    async def receive(self: ArrivalTrigger, client: Any) -> list[str]:
        if failures:
            raise failures.pop(0)
        return await reachable(self, client)

    monkeypatch.setattr(ArrivalTrigger, "_receive", receive)
    assert queue.rounds(3) == [{"messages": 1}]
    assert queue.pauses == [PAUSE, PAUSE, PAUSE]
    log = capfd.readouterr().out
    for reason in ("no route to host", "timed out"):
        assert log.count(f"Cannot read the queue {queue.url}, retrying in 60 s: {reason}") == 1


@pytest.mark.parametrize("name", ["absent", ""], ids=["a missing queue", "no SQS"])
def test_a_wrong_queue_is_reported(queue: Queue, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    url = queue.url.rpartition("/")[0] + f"/{name}"
    assert queue.rounds(2, ArrivalTrigger(url, "aws", PAUSE)) == []
    assert queue.pauses == [PAUSE, PAUSE]
    log = capfd.readouterr().out
    assert log.count(f"Cannot read the queue {url}, retrying in 60 s: ") == 2
    assert servers.SECRET_KEY not in log
