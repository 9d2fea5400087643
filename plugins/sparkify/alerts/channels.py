"""The channels of alerts: Slack, e-mail and Amazon SNS, if configured, through Airflow's providers.

A failed delivery is logged, and affects neither the other channels nor the task. The providers' libraries take a second
each to import: only those that are used are imported.
"""

from __future__ import annotations

import logging
from email import policy
from email.message import EmailMessage
from email.utils import localtime
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow.sdk import BaseHook, Variable
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sparkify.alerts.messages import Message

log = logging.getLogger(__name__)

SLACK, SMTP = "slack_alerts", "smtp_alerts"
EMAIL, TOPIC = "sparkify_alert_email", "sparkify_alert_topic"
# Timeout of a delivery, in seconds; that of smtplib is in the connection's extra (``timeout``, 30).
TIMEOUT = 10
# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: less than 100 characters of ASCII, and 256 KB of a JSON
# in which the hook writes up to 12 bytes for a character
SUBJECT, BODY = 99, 20_000
# Characters of an error.
REASON = 300


class Channel(NamedTuple):
    """A channel.

    :param send: sends a message, or raises an exception.
    """

    name: str
    send: Callable[[Message], None]


def deliver(message: Message, aws_conn_id: str | None) -> bool | None:
    """Send a message through every configured channel; return whether one delivered it, None if there is none.

    :param aws_conn_id: the Airflow connection for SNS.
    """
    results = try_all(message, aws_conn_id)
    if not results:
        log.info(
            "Alert not sent, no channel is configured: %r (connections %s and %s, Variables %s and %s; "
            "see docs/alerts.md).",
            message.subject,
            SLACK,
            SMTP,
            EMAIL,
            TOPIC,
        )
        return None
    for name, error in results.items():
        if error:
            log.error("Alert could not be delivered by %s: %r: %s", name, message.subject, error)
        else:
            log.info("Alert sent by %s: %s", name, message.subject)
    return not all(results.values())


def try_all(message: Message, aws_conn_id: str | None) -> dict[str, str]:
    """Send a message through every configured channel; return the errors by channel, empty if it was delivered.

    :param aws_conn_id: the Airflow connection for SNS.
    """
    return {channel.name: _send(channel, message) for channel in _configured(aws_conn_id)}


def _send(channel: Channel, message: Message) -> str:
    try:
        channel.send(message)
    except Exception as error:  # noqa: BLE001 - a failed delivery fails nothing else
        # A receiver may echo its input; Airflow masks the secrets of the connections that were read.
        return str(redact(f"{type(error).__name__}: {error}".splitlines()[0]))[:REASON]
    return ""


def _configured(aws_conn_id: str | None) -> Iterator[Channel]:
    if _exists(SLACK):
        yield Channel("Slack", _slack)
    if _exists(SMTP):
        if addresses := _addresses():
            yield Channel("e-mail", lambda message: _smtp(message, addresses))
        else:
            log.warning("The connection %s exists, but there are no recipients: set the Variable %s.", SMTP, EMAIL)
    if topic := Variable.get(TOPIC, default=""):
        yield Channel("Amazon SNS", lambda message: _sns(message, topic, aws_conn_id))


def _exists(conn_id: str) -> bool:
    try:
        BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        return False
    return True


def _addresses() -> list[str]:
    found = (address.strip() for address in Variable.get(EMAIL, default="").split(","))
    return [address for address in found if address]


# The notifiers are not called, but notify(): a call would render the message, which contains data, as a template.


def _slack(message: Message) -> None:
    from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier

    SlackWebhookNotifier(
        slack_webhook_conn_id=SLACK, text=message.slack, unfurl_links=False, unfurl_media=False, timeout=TIMEOUT
    ).notify({})


def _smtp(message: Message, addresses: list[str]) -> None:
    """Send a mail with a text and an HTML part; the provider's notifier and hook send HTML only."""
    from airflow.providers.smtp.hooks.smtp import SmtpHook

    mail = EmailMessage(policy.SMTP.clone(cte_type="7bit"))
    mail["Subject"], mail["To"], mail["Date"] = message.subject, ", ".join(addresses), localtime()
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    with SmtpHook(smtp_conn_id=SMTP) as hook:
        if not hook.from_email:
            raise ValueError(f"The connection {SMTP} has no sender: set from_email in its extra.")
        mail["From"] = hook.from_email
        client: Any = hook._smtp_client
        client.send_message(mail)


def _sns(message: Message, topic: str, aws_conn_id: str | None) -> None:
    from airflow.providers.amazon.aws.hooks.sns import SnsHook
    from airflow.providers.amazon.aws.notifications.sns import SnsNotifier
    from botocore.config import Config

    subject = message.subject.encode("ascii", "replace").decode()[:SUBJECT]
    notifier = SnsNotifier(aws_conn_id=aws_conn_id, target_arn=topic, message=message.text[:BODY], subject=subject)
    # boto3's own timeout is five minutes; the region is part of the topic's ARN: arn:aws:sns:<region>:...
    limits = Config(connect_timeout=TIMEOUT, read_timeout=TIMEOUT, retries={"total_max_attempts": 2})
    hook: Any = SnsHook(aws_conn_id=aws_conn_id, region_name=topic.split(":")[3] or None, config=limits)
    notifier.hook = hook
    notifier.notify({})
