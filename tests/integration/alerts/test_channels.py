"""Messages reach real receivers, and what cannot be delivered is said and stops nothing."""

from __future__ import annotations

import json
import logging
import socket
from typing import TYPE_CHECKING

import pytest

from sparkify.alerts import channels
from sparkify.alerts.__main__ import main
from sparkify.alerts.messages import Message
from tests.support import receivers

if TYPE_CHECKING:
    from tests.support.receivers import Hook, Mailbox, Queue

MESSAGE = Message(
    "FAILED Sparkify – {{ ti }}",
    "FAILED Sparkify – {{ ti }}\nthe text\n",
    "*the* {{ mrkdwn }}",
    "<p>{{ the }} HTML</p>",
)


def test_every_channel_that_is_configured_gets_the_message(slack: Hook, mail: Mailbox, sns: Queue) -> None:
    """And as it is: what looks like a template comes from data."""
    assert channels.deliver(MESSAGE, "aws") is True
    assert slack.texts == [MESSAGE.slack]
    assert slack.paths == [f"/services/{receivers.TOKEN}"]
    assert mail.subjects == [MESSAGE.subject]
    assert mail.recipients == [["ann@sparkify.example", "bob@sparkify.example"]]
    assert mail.mails[0]["From"] == "airflow@sparkify.example"
    assert mail.mails[0].get_content_type() == "multipart/alternative"
    assert mail.html().strip() == MESSAGE.html
    assert mail.text() == MESSAGE.text
    (received,) = sns.take()
    assert received["Subject"] == "FAILED Sparkify ? {{ ti }}"  # SNS takes ASCII only
    assert received["Message"] == MESSAGE.text


def test_long_messages_fit_into_sns(sns: Queue) -> None:
    assert channels.deliver(Message("x" * 300, "🎵" * 200_000, "", ""), "aws")
    (received,) = sns.take()
    assert received["Subject"] == "x" * 99
    assert received["Message"] == "🎵" * 20_000


def test_without_a_channel_one_line_says_so(variables: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert channels.deliver(MESSAGE, "aws") is None
    (line,) = [record for record in caplog.records if record.name.startswith("sparkify")]
    assert line.levelname == "INFO"
    assert "slack_alerts" in line.getMessage()
    assert "docs/alerts.md" in line.getMessage()


def test_a_mail_server_without_addresses_is_said(
    mail: Mailbox, variables: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    del variables["sparkify_alert_email"]
    assert channels.deliver(MESSAGE, "aws") is None
    assert "set the Variable sparkify_alert_email" in caplog.text


def test_a_mail_server_without_a_sender_is_said(
    mail: Mailbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    connection = json.loads(receivers.smtp_connection(mail.port))
    del connection["extra"]["from_email"]
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_ALERTS", json.dumps(connection))
    assert channels.deliver(MESSAGE, "aws") is False
    assert "set from_email in its extra" in caplog.text


def test_lines_of_any_length_and_language_arrive(mail: Mailbox) -> None:
    """SMTP limits a line to 998 characters: RFC 5322."""
    text = "Ke$ha – 東京 🎵" * 400 + "\n"
    assert channels.deliver(Message("🎵", text, "", f"<p>{text}</p>"), "aws")
    assert mail.subjects == ["🎵"]
    assert mail.text() == text
    assert mail.html().strip() == f"<p>{text}</p>"


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize("broken", ["Slack refuses", "Slack is gone", "mail refuses", "mail is gone", "SNS is gone"])
def test_a_broken_channel_is_named_and_the_others_get_the_message(
    broken: str,
    slack: Hook,
    mail: Mailbox,
    sns: Queue,
    variables: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    match broken:
        case "Slack refuses":
            slack.status = 403
        case "Slack is gone":
            monkeypatch.setenv("AIRFLOW_CONN_SLACK_ALERTS", receivers.slack_connection(closed_port()))
        case "mail refuses":
            mail.refuses = True
        case "mail is gone":
            monkeypatch.setenv("AIRFLOW_CONN_SMTP_ALERTS", receivers.smtp_connection(closed_port()))
        case "SNS is gone":
            variables["sparkify_alert_topic"] += "-gone"
    assert channels.deliver(MESSAGE, "aws") is True
    got = {"Slack": len(slack.posts), "mail": len(mail.mails), "SNS": len(sns.take())}
    assert got == {name: int(not broken.startswith(name)) for name in got}
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    name = {"Slack": "Slack", "mail": "e-mail", "SNS": "Amazon SNS"}[broken.split()[0]]
    assert f"could not be delivered by {name}: " in line
    assert MESSAGE.subject in line


def test_no_secret_is_in_the_log(
    slack: Hook, mail: Mailbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Both receivers echo what they were given."""
    caplog.set_level(logging.DEBUG)
    slack.status = 403
    mail.refuses = True
    connection = json.loads(receivers.smtp_connection(mail.port)) | {"password": receivers.PASSWORD}
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_ALERTS", json.dumps(connection))
    assert channels.deliver(MESSAGE, "aws") is False
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("sparkify")]
    assert len(lines) == 2
    assert all("***" in line for line in lines)
    assert not [line for line in lines if receivers.TOKEN in line or receivers.PASSWORD in line]


def test_a_test_alert_is_sent_through_every_channel(
    slack: Hook, mail: Mailbox, sns: Queue, capsys: pytest.CaptureFixture[str]
) -> None:
    slack.status = 403
    assert main() == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("20")]  # without the log
    assert [line.split(": ")[0] for line in lines] == ["Slack", "e-mail", "Amazon SNS"]
    assert [line.endswith(": delivered") for line in lines] == [False, True, True]
    assert receivers.TOKEN not in lines[0]
    (received,) = sns.take()
    assert mail.subjects == [received["Subject"]] == ["TEST Sparkify alert: nothing has failed"]
    slack.status = 200
    assert main() == 0
    assert "TEST Sparkify alert" in slack.texts[0]


def test_a_test_alert_without_a_channel_fails(variables: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 1
    assert "No channel is configured: create the connection slack_alerts" in capsys.readouterr().out
