"""Messages of alerts, rendered from the templates in include/alerts, in the format of each channel.

The first line of the plain text is the subject. Values from data and errors are escaped if the format needs it, and
truncated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from airflow.sdk.log import redact

from sparkify.quality.result import CheckResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sparkify.alerts.incidents import Changes, IncidentUpdate
    from sparkify.alerts.summary import Summary
    from sparkify.dag.run import DagRunInfo
    from sparkify.interval import Interval

FOLDER = Path(__file__).parents[3] / "include" / "alerts"
# Incidents that a message describes in full; of the others it has the keys.
UPDATES = 10
# Time ranges in one line, failing rows of a check, columns of a row.
SPANS, ROWS, COLUMNS = 8, 3, 8
# Maximum length of a value, and of an error or another text, in characters.
VALUE, TEXT = 100, 1_000


@dataclass(frozen=True)
class Message:
    """A message in the format of each channel.

    :param subject: one line.
    :param text: plain text; begins with the subject.
    :param slack: Slack's mrkdwn.
    :param html: for e-mail.
    """

    subject: str
    text: str
    slack: str
    html: str


def of_run(run: DagRunInfo, changes: Changes) -> Message:
    """Return the message about the incidents that a run changed."""
    order = {"new": 0, "ongoing": 1, "recovered": 2}
    updates = sorted(changes.updates, key=lambda update: (order[update.status], update.incident.severity != "error"))
    failing = [update for update in updates if update.status != "recovered"]
    return _render(
        "run",
        run=run,
        failing=failing,
        recovered=updates[len(failing) :],
        failed=any(update.incident.severity == "error" for update in failing),
        updates=updates[:UPDATES],
        more=updates[UPDATES:],
        already_reported=changes.already_reported,
        label=label,
    )


def of_backfill(run: DagRunInfo, summary: Summary, remedies: Mapping[str, str]) -> Message:
    """Return the summary message of a backfill.

    :param run: the last of its runs.
    :param remedies: what to do about a check or a task, by its key, if the run has one.
    """
    return _render(
        "backfill",
        run=run,
        summary=summary,
        problems=summary.problems[:UPDATES],
        more=summary.problems[UPDATES:],
        remedies=remedies,
    )


def label(update: IncidentUpdate) -> str:
    """Return the label of an incident."""
    if update.status == "recovered":
        return "Recovered"
    if update.incident.severity == "warn":
        return "Warning" if update.status == "new" else "Still a warning"
    return "Failed" if update.status == "new" else "Still failing"


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
    """Return the Jinja environment of the templates of one format."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=ending == "html",  # noqa: S701 - the others are not HTML
        finalize=_mrkdwn if ending == "slack" else None,
    )
    environment.filters |= {"spans": spans, "brief": brief, "row": row, "utc": utc, "count": count}
    environment.tests["check_result"] = lambda event: isinstance(event, CheckResult)
    environment.globals |= {"ROWS": ROWS}
    return environment


def _mrkdwn(value: Any) -> Any:
    """Escape a value for Slack: https://docs.slack.dev/messaging/formatting-message-text."""
    if not isinstance(value, str):
        return value
    # A backtick would end the code span around the value.
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "'")


# --- filters ---


def spans(intervals: Iterable[Interval]) -> str:
    """Return intervals as text, at most :data:`SPANS` of them."""
    found = list(intervals)
    text = f"{', '.join(_span(span) for span in found[:SPANS])} UTC"
    return f"{text} and {len(found) - SPANS:,} more ranges" if len(found) > SPANS else text


def _span(span: Interval) -> str:
    end = f"{span.end:%H:%M}" if span.end.date() == span.start.date() else f"{span.end:%Y-%m-%d %H:%M}"
    return f"{span.start:%Y-%m-%d %H:%M} to {end}"


def utc(moment: datetime) -> str:
    """Return a timestamp as text."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def brief(value: object, size: int = TEXT) -> str:
    """Truncate a text."""
    text = str(value).strip()
    return text if len(text) <= size else f"{text[: size - 3]}..."


def count(number: int, what: str) -> str:
    """Return a number with its noun, in singular or plural."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def row(values: Mapping[str, Any]) -> str:
    """Return a table row as one line of text."""
    cells = [
        f"{brief(name, VALUE)}={brief(' '.join(str(value).split()), VALUE)}"
        for name, value in list(values.items())[:COLUMNS]
    ]
    return ", ".join([*cells, *(["..."] if len(values) > COLUMNS else [])])
