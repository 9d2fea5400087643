"""Messages say what matters, in each channel's own form, and stay within bounds whatever the data is."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.log import mask_secret

from sparkify.alerts import messages
from sparkify.alerts.incidents import Changes, compare
from sparkify.alerts.summary import Problem, Summary
from sparkify.dag.run import DagRunInfo
from tests.unit.alerts.test_incidents import LATE, NOW, hour, result, split, task

if TYPE_CHECKING:
    from sparkify.alerts.events import Event

RUN = DagRunInfo(
    "sparkify_warehouse", "Sparkify warehouse", "scheduled__2018-11-01T06:00:00+00:00", "scheduled", hour(5)
)
PAGE = "/dags/sparkify_warehouse/runs/scheduled__2018-11-01T06%3A00%3A00%2B00%3A00"
NASTY = "<script>alert(1)</script> & <!channel> `code` {{ ti }} {% raw %}"


def changes(*found: Event, before: tuple[Event, ...] = (), **how: Any) -> Changes:
    """Return the changes of a run, after an earlier one."""
    options: dict[str, Any] = {"task_id": "data_quality", "now": NOW, "reminder": timedelta(hours=24)}
    opened = compare({}, before, (), **options, interval=hour(4), evaluated=False).to_save(True, NOW)
    kept = {name: incident for name, incident in opened.items() if incident}
    return compare(kept, *split(found), **{**options, "interval": hour(5), "evaluated": False, **how})


def plain(message: messages.Message) -> dict[str, str]:
    """Return the words of each form."""
    words = html.unescape(re.sub(r"<[^>]+>", " ", message.html))
    return {"text": message.text, "slack": message.slack, "html": words}


BAD = result(
    "no duplicate plays",
    observed="3 rows are",
    expected="none",
    total_rows=4_000,
    sample=[{"songplay_id": "8f14", "copies": 2}],
    why="It counts twice.",
    remedy="Clear stage_events.",
)


def test_a_failure_says_what_was_found_why_it_matters_and_what_to_do() -> None:
    message = messages.of_run(RUN, changes(BAD))
    assert message.subject == (
        "FAILED Sparkify warehouse, 2018-11-01 05:00 to 06:00 UTC: songplays: no duplicate plays"
    )
    for text in plain(message).values():
        for words in (
            "songplays: no duplicate plays",
            "3 rows are",
            "none",
            "3 of 4,000",
            "songplay_id=8f14, copies=2",
            "It counts twice.",
            "Clear stage_events.",
        ):
            assert words in text
    for form in (message.text, message.slack, message.html):
        assert PAGE in form


@pytest.mark.parametrize(
    ("found", "subject"),
    [
        (changes(result(severity="warn")), "WARNING "),
        (changes(result(severity="warn"), result("another")), "FAILED "),
        (changes(result(passed=True), before=(result(),)), "RECOVERED "),
        (changes(result("another"), result(passed=True), before=(result(),)), "FAILED "),
    ],
)
def test_the_subject_begins_with_the_worst(found: Changes, subject: str) -> None:
    assert messages.of_run(RUN, found).subject.startswith(subject)


def test_errors_come_first_and_recoveries_last() -> None:
    found = changes(result("c", severity="warn"), result("a"), result("b", passed=True), before=(result("b"),))
    for text in plain(messages.of_run(RUN, found)).values():
        positions = [text.index(f"songplays: {name}") for name in "acb"]
        assert positions == sorted(positions)


def test_a_recovery_names_the_runs_to_be_cleared() -> None:
    for text in plain(messages.of_run(RUN, changes(evaluated=True, before=(task(),)))).values():
        assert "task stage_events" in text
        assert "2018-11-01 04:00 to 05:00 UTC" in text


def test_what_was_reported_before_is_named_only() -> None:
    old = result("old", observed="not repeated")
    for text in plain(messages.of_run(RUN, changes(old, BAD, before=(old,)))).values():
        assert "Still failing, already reported: songplays: old" in text
        assert "not repeated" not in text


def test_a_reminder_says_since_when() -> None:
    found = changes(BAD, before=(BAD,), now=NOW + timedelta(hours=30))
    for text in plain(messages.of_run(RUN, found)).values():
        assert "2026-01-01 12:00 UTC" in text
        assert "in the runs of 2018-11-01 04:00 to 06:00 UTC" in text


def test_data_is_escaped() -> None:
    nasty = result(NASTY, observed=NASTY, sample=[{NASTY: NASTY}], why=NASTY, remedy=NASTY)
    message = messages.of_run(RUN, changes(nasty))
    assert "<script>" not in message.html
    assert NASTY in html.unescape(message.html)
    assert "<!channel>" not in message.slack
    assert "<script>" not in message.slack
    assert "&lt;!channel&gt;" in message.slack
    assert NASTY in message.text


def test_messages_are_bounded() -> None:
    long = "x" * 100_000
    many = [
        result(f"check {number} {long[:200]}", observed=long, expected=long, why=long, remedy=long)
        for number in range(100)
    ]
    rows = [{f"column {number} {long}": long for number in range(300)} for _ in range(5)]
    message = messages.of_run(RUN, changes(result(sample=rows), *many))
    assert len(message.text) < 60_000
    assert len(message.slack) < 60_000
    assert len(message.html) < 120_000
    assert "And 91 more: " in message.text
    assert len(message.subject) < 200


def test_secrets_are_masked() -> None:
    mask_secret("a-very-secret-password")
    message = messages.of_run(RUN, changes(result(observed="login with a-very-secret-password failed")))
    for text in plain(message).values():
        assert "login with *** failed" in text


@pytest.mark.parametrize(
    ("event", "observed", "remedy"),
    [
        (task(), "COPY failed", "Read the task's log"),
        (LATE, "running, 60 minutes after it was queued at 2026-01-01 12:00 UTC", "check which task is queued"),
    ],
)
def test_only_a_check_has_rows_and_an_expected_result(event: Event, observed: str, remedy: str) -> None:
    for text in plain(messages.of_run(RUN, changes(event))).values():
        assert event.key in text
        assert observed in text
        assert remedy in text
        assert not any(word in text for word in ("Expected", "Rows", "Sample"))


def test_a_run_without_an_interval() -> None:
    run = DagRunInfo("d", "The DAG", "manual", "manual", None)
    message = messages.of_run(run, changes(task(), interval=None))
    assert message.subject == "FAILED The DAG: task stage_events"


SUMMARY = Summary(
    hours=(hour(0, 24),),
    passed=20,
    warned=1,
    failed=3,
    problems=[
        Problem("task stage_events", "error", (hour(3), hour(7, 2)), 3, f"COPY failed {NASTY}"),
        Problem("songplays: no play is lost", "warn", (hour(9),), 1, "12"),
    ],
)


def test_a_backfill_is_summed_up() -> None:
    message = messages.of_backfill(RUN, SUMMARY, {"songplays: no play is lost": "Look at it."})
    assert message.subject == (
        "FAILED Backfill of Sparkify warehouse: 20 of 24 runs passed, 2018-11-01 00:00 to 2018-11-02 00:00 UTC"
    )
    for text in plain(message).values():
        assert "2018-11-01 03:00 to 04:00, 2018-11-01 07:00 to 09:00 UTC" in text
        assert "In 3 runs" in text
        assert "In 1 run:" in text
        assert "Look at it." in text
        assert "clear the failed runs" in text
    assert "<script>" not in message.html + message.slack
    assert PAGE in message.html


def test_a_good_backfill_is_done() -> None:
    message = messages.of_backfill(RUN, Summary((hour(0, 24),), 24, 0, 0, []), {})
    assert message.subject.startswith("DONE Backfill of Sparkify warehouse: 24 of 24 runs passed, ")
    assert all("clear" not in text for text in plain(message).values())


def test_stretches_of_time_are_bounded() -> None:
    assert messages.spans([hour(2 * number) for number in range(20)]).endswith("UTC and 12 more ranges")
