"""Messages: templates of include/alerts, for each channel in its own form.

The first line of the plain text is the subject. What comes from data and errors is escaped where the form needs it, and
bounded everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from airflow.sdk.log import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sparkify.alerts.incidents import Changes, Entry
    from sparkify.alerts.run import Run
    from sparkify.alerts.summary import Summary
    from sparkify.interval import Interval

FOLDER = Path(__file__).parents[3] / "include" / "alerts"
# Things in a message that are told in full; the rest is counted.
ENTRIES = 10
# Stretches of time in one line, failing rows of a check, columns of a row.
SPANS, ROWS, COLUMNS = 8, 3, 8
# Characters of a value, and of an error or another text.
VALUE, TEXT = 100, 1_000


@dataclass(frozen=True)
class Message:
    """A message in the forms that channels take.

    :param subject: one line.
    :param text: plain; begins with the subject.
    :param slack: in Slack's mrkdwn.
    :param html: for a mail.
    """

    subject: str
    text: str
    slack: str
    html: str


def of_run(run: Run, changes: Changes) -> Message:
    """Return the message of what a run changed."""
    order = {"new": 0, "still": 1, "good": 2}
    entries = sorted(changes.tell, key=lambda entry: (order[entry.status], entry.incident.severity != "error"))
    bad = [entry for entry in entries if entry.status != "good"]
    return _render(
        "run",
        run=run,
        bad=bad,
        good=entries[len(bad) :],
        failed=any(entry.incident.severity == "error" for entry in bad),
        entries=entries[:ENTRIES],
        more=entries[ENTRIES:],
        known=changes.known,
        label=label,
    )


def of_backfill(run: Run, summary: Summary, remedies: Mapping[str, str]) -> Message:
    """Return the message of what a backfill came to.

    :param run: the last of its runs.
    :param remedies: what to do about a check, by its key, as far as it is known.
    """
    return _render(
        "backfill",
        run=run,
        summary=summary,
        problems=summary.problems[:ENTRIES],
        more=summary.problems[ENTRIES:],
        remedies=remedies,
    )


def label(entry: Entry) -> str:
    """Return the word that a thing to tell begins with."""
    if entry.status == "good":
        return "Good again"
    if entry.incident.severity == "warn":
        return "Warning" if entry.status == "new" else "Still a warning"
    return "Failed" if entry.status == "new" else "Still failing"


def _render(name: str, **names: Any) -> Message:
    text = str(redact(_form("txt").get_template(f"{name}.txt").render(names))).strip() + "\n"
    return Message(
        subject=" ".join(text.splitlines()[0].split()),
        text=text,
        slack=str(redact(_form("slack").get_template(f"{name}.slack").render(names))).strip(),
        html=str(redact(_form("html").get_template(f"{name}.html").render(names))),
    )


@cache
def _form(ending: str) -> jinja2.Environment:
    """Return the environment of the templates of one form."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=ending == "html",  # noqa: S701 - the others are no HTML
        finalize=_mrkdwn if ending == "slack" else None,
    )
    environment.filters |= {"spans": spans, "brief": brief, "row": row, "utc": utc, "count": count}
    environment.globals |= {"ROWS": ROWS}
    return environment


def _mrkdwn(value: Any) -> Any:
    """Escape a value for Slack: https://docs.slack.dev/messaging/formatting-message-text."""
    if not isinstance(value, str):
        return value
    # A backtick would end the code that values stand in.
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "'")


# --- filters ---


def spans(intervals: Iterable[Interval]) -> str:
    """Return intervals in words, not too many."""
    found = list(intervals)
    text = f"{', '.join(_span(span) for span in found[:SPANS])} UTC"
    return f"{text} and {len(found) - SPANS:,} more stretches" if len(found) > SPANS else text


def _span(span: Interval) -> str:
    end = f"{span.end:%H:%M}" if span.end.date() == span.start.date() else f"{span.end:%Y-%m-%d %H:%M}"
    return f"{span.start:%Y-%m-%d %H:%M} to {end}"


def utc(moment: datetime) -> str:
    """Return a moment for people."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def brief(value: object, size: int = TEXT) -> str:
    """Return a text of a bounded size."""
    text = str(value).strip()
    return text if len(text) <= size else f"{text[: size - 3]}..."


def count(number: int, what: str) -> str:
    """Return a number of things."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def row(values: Mapping[str, Any]) -> str:
    """Return a row of a table in one line."""
    cells = [
        f"{brief(name, VALUE)}={brief(' '.join(str(value).split()), VALUE)}"
        for name, value in list(values.items())[:COLUMNS]
    ]
    return ", ".join([*cells, *(["..."] if len(values) > COLUMNS else [])])
