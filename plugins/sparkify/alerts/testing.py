"""A test alert, to see whether the channels are configured correctly."""

from __future__ import annotations

from sparkify.alerts import channels
from sparkify.alerts.messages import Message

SUBJECT = "TEST Sparkify alert: nothing has failed"
TEXT = "This message tests a channel of alerts. There is nothing to do."
NO_CHANNEL = (
    f"No channel is configured: create the connection {channels.SLACK}, or {channels.SMTP} and the Variable "
    f"{channels.EMAIL}, or the Variable {channels.TOPIC}. See docs/alerts.md."
)


def send(aws_conn_id: str | None = "aws") -> dict[str, str]:
    """Send a test alert through every configured channel; return the error of each, by name, empty if delivered.

    :param aws_conn_id: the Airflow connection for Amazon SNS.
    """
    message = Message(
        SUBJECT, f"{SUBJECT}\n\n{TEXT}\n", f":test_tube: *{SUBJECT}*\n{TEXT}", f"<p><b>{SUBJECT}</b></p><p>{TEXT}</p>"
    )
    return {name: error or "" for name, error in channels.try_all(message, aws_conn_id).items()}
