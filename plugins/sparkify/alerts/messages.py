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

from sparkify.alerts.events import LateRun
from sparkify.interval import union
from sparkify.quality.result import CheckResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sparkify.alerts.incidents import Changes, Incident, IncidentUpdate
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
# What to do about an incident that only earlier runs have detected.
UNREPAIRED = "Open the failed run, fix the cause, and clear it."


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
    """Return the message about the incidents that a run has changed."""
    order = {"new": 0, "ongoing": 1, "recovered": 2}
    updates = sorted(changes.updates, key=lambda update: (order[update.status], update.incident.severity != "error"))
    failing = [update for update in updates if update.status != "recovered"]
    shown = failing or updates
    hours, url = [run.interval] if run.interval else [], run.url
    if failing and not any(update.event for update in failing):
        # A reminder: other runs have failed.
        hours, url = [span for update in failing for span in update.incident.failing], run.url.rpartition("/")[0]
    return _render(
        "run",
        run=run,
        hours=union(hours),
        url=url,
        status=_status(shown),
        tone="recovered" if not failing else failing[0].incident.severity,
        subject=title(shown[0]) if len(shown) == 1 else f"{len(shown)} {'problems' if failing else 'recoveries'}",
        updates=updates[:UPDATES],
        more=[update.incident for update in updates[UPDATES:]],
        already_reported=changes.already_reported,
        label=label,
        title=title,
    )


def of_backfill(run: DagRunInfo, summary: Summary, remedies: Mapping[str, str]) -> Message:
    """Return the summary message of a backfill.

    :param run: the last of its runs.
    :param remedies: what to do about a check or a task, by its key, if the run has one.
    """
    return _render(
        "backfill",
        run=run,
        url=run.url,
        summary=summary,
        problems=summary.problems[:UPDATES],
        more=summary.problems[UPDATES:],
        remedies=remedies,
    )


def label(update: IncidentUpdate) -> str:
    """Return the label of an incident."""
    status, incident = update.status, update.incident
    if status == "recovered":
        return "Warning resolved" if incident.severity == "warn" else "Recovered"
    if incident.severity == "warn":
        return "Warning" if status == "new" else "Still a warning"
    if incident.type == "late_run":
        return "Late" if status == "new" else "Still late"
    return "Failed" if status == "new" else "Still failing"


def title(update: IncidentUpdate) -> str:
    """Return what has failed, or is late."""
    if update.incident.type != "late_run":
        return update.incident.key
    if update.status == "recovered":
        return "the late run has finished"
    return f"run not finished{f' after {update.event.minutes:g} minutes' if isinstance(update.event, LateRun) else ''}"


def _status(updates: Sequence[IncidentUpdate]) -> str:
    """Return the worst label of some updates that are all failing, or all recovered."""
    worst = [update for update in updates if update.incident.severity == "error"] or updates
    labels = {label(update) for update in worst}
    if len(labels) == 1:
        return labels.pop()
    return "Warning" if worst[0].incident.severity == "warn" else "Failed"


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
    environment.filters |= {"spans": spans, "brief": brief, "row": row, "utc": utc, "count": count, "listed": listed}
    environment.tests["check_result"] = lambda event: isinstance(event, CheckResult)
    environment.globals |= {"ROWS": ROWS, "UNREPAIRED": UNREPAIRED}
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


def listed(incidents: Iterable[Incident]) -> str:
    """Return the keys of incidents, and which intervals are failing."""
    return brief(", ".join(f"{item.key} ({spans(item.failing)})" if item.failing else item.key for item in incidents))


def row(values: Mapping[str, Any]) -> str:
    """Return a table row as one line of text."""
    cells = [
        f"{brief(name, VALUE)}={brief(' '.join(str(value).split()), VALUE)}"
        for name, value in list(values.items())[:COLUMNS]
    ]
    return ", ".join([*cells, *(["..."] if len(values) > COLUMNS else [])])
