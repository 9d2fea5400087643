"""Send a test alert through every configured channel: ``python -m sparkify.alerts``, with Airflow's environment."""

from __future__ import annotations

import os
import sys

from sparkify.alerts import channels
from sparkify.alerts.messages import Message

SUBJECT = "TEST Sparkify alert: nothing has failed"
TEXT = "This message tests a channel of alerts. There is nothing to do."


def main(aws_conn_id: str | None = "aws") -> int:
    """Send a test alert, and print the result of each channel; return 0 if every channel delivered it.

    :param aws_conn_id: the Airflow connection for Amazon SNS.
    """
    message = Message(
        SUBJECT, f"{SUBJECT}\n\n{TEXT}\n", f":test_tube: *{SUBJECT}*\n{TEXT}", f"<p><b>{SUBJECT}</b></p><p>{TEXT}</p>"
    )
    results = channels.try_all(message, aws_conn_id)
    for name, error in results.items():
        print(f"{name}: {error or 'delivered'}")
    if not results:
        print(
            f"No channel is configured: create the connection {channels.SLACK}, or {channels.SMTP} and the Variable "
            f"{channels.EMAIL}, or the Variable {channels.TOPIC}. See docs/alerts.md."
        )
    return 0 if results and not any(results.values()) else 1


if __name__ == "__main__":
    # Outside of a task, Airflow reads connections and Variables from its metadata database only in a server process.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    sys.exit(main())
