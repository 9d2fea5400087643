"""Receivers of alerts: a mail server, a fake Slack webhook, an SNS topic with a queue."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import boto3
from aiosmtpd.controller import Controller
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

TOKEN = "T000/B000/notasecretjustlong"
PASSWORD = "sparkify-mail-password"
REGION = "us-west-2"


class Mailbox:
    """An SMTP server, and the mails that it received."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.refuses = False
        self.port = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuses:
            return f"554 rejected, {PASSWORD}"
        mail: Any = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append(mail)
        self.recipients.append(envelope.rcpt_tos)
        return "250 OK"

    @property
    def subjects(self) -> list[str]:
        """The received subjects, in order."""
        return [str(mail["Subject"]) for mail in self.mails]

    def html(self, number: int = -1) -> str:
        """Return the HTML part of a mail."""
        return self._part("html", number)

    def text(self, number: int = -1) -> str:
        """Return the text part of a mail."""
        return self._part("plain", number)

    def _part(self, kind: str, number: int) -> str:
        body = self.mails[number].get_body((kind,))
        assert body
        return str(body.get_content()).replace("\r\n", "\n")


class Hook:
    """A fake Slack webhook, and the posts that it received."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.status = 200
        self.port = 0

    @property
    def texts(self) -> list[str]:
        """The received messages, in order."""
        return [post["text"] for post in self.posts]


class Queue:
    """An SNS topic with a subscribed SQS queue, on a local moto server."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        access: dict[str, Any] = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": REGION}
        sns = boto3.client("sns", endpoint_url=endpoint, **access)
        self._sqs = boto3.client("sqs", endpoint_url=endpoint, **access)
        self.topic = sns.create_topic(Name="alerts")["TopicArn"]
        self._url = self._sqs.create_queue(QueueName="alerts")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)

    def take(self) -> list[dict[str, Any]]:
        """Receive and delete all messages: ``Subject`` and ``Message``."""
        found = []
        while received := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", []):
            for item in received:
                found.append(json.loads(item["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=item["ReceiptHandle"])
        return found


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """Run a mail server on a free local port."""
    box = Mailbox()
    controller = _Controller(box, hostname="127.0.0.1", port=0)
    controller.start()
    try:
        box.port = controller.bound
        yield box
    finally:
        controller.stop()


class _Controller(Controller):
    """Exposes its port."""

    @property
    def bound(self) -> int:
        server: Any = self.server
        return int(server.sockets[0].getsockname()[1])

    def _trigger_server(self) -> None:
        self.port = self.bound  # the base class would connect to port 0
        super()._trigger_server()


@contextmanager
def hook() -> Iterator[Hook]:
    """Run a fake Slack webhook on a free local port."""
    webhook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if webhook.status == 200:
                webhook.posts.append(json.loads(body))
                webhook.paths.append(self.path)
            self.send_response(webhook.status)
            self.end_headers()
            self.wfile.write(b"ok" if webhook.status == 200 else f"invalid_token {self.path}".encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        webhook.port = server.server_address[1]
        yield webhook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def queue() -> Iterator[Queue]:
    """Run a local moto server with SNS and SQS."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield Queue(f"http://{host}:{port}")
    finally:
        server.stop()


def slack_connection(port: int) -> str:
    """Return the connection ``slack_alerts`` to a local hook, as JSON."""
    return json.dumps(
        {"conn_type": "slackwebhook", "host": f"http://127.0.0.1:{port}/services", "password": TOKEN}
    )  # fmt: skip


def smtp_connection(port: int) -> str:
    """Return the connection ``smtp_alerts`` to a local mailbox."""
    extra = {"from_email": "airflow@sparkify.example", "disable_ssl": True, "disable_tls": True, "retry_limit": 0}
    return json.dumps({"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra})
