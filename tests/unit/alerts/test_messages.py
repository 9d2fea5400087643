"""Messages say what matters, in each channel's own form, and stay within bounds whatever the data is."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.log import mask_secret

from sparkify.alerts import messages
from sparkify.alerts.incidents import Changes, apply, compare, reported
from sparkify.alerts.summary import Problem, Summary
from sparkify.dag.run import DagRunInfo
from tests.unit.alerts.test_incidents import LATE, NOW, REMINDER, hour, outcome, result, task

if TYPE_CHECKING:
    from sparkify.alerts.events import Event

RUN = DagRunInfo(
    "sparkify_warehouse", "Sparkify warehouse", "scheduled__2018-11-01T06:00:00+00:00", "scheduled", hour(5)
)
PAGE = "/dags/sparkify_warehouse/runs/scheduled__2018-11-01T06%3A00%3A00%2B00%3A00"
NASTY = "<script>alert(1)</script> & <!channel> `code` {{ ti }} {% raw %}"


def changes(*found: Event, before: tuple[Event, ...] = (), again: bool = False, **how: Any) -> Changes:
    """Return the changes by a run of the hour 5, after a run of the hour 4 or, if ``again``, of the same hour."""
    first = outcome(5 if again else 4, *before, evaluated=False)
    opened = apply({}, first)
    opened = reported(opened, compare(opened, first, REMINDER), NOW)
    last = outcome(5, *found, **{"evaluated": False, **how})
    return compare(apply(opened, last), last, REMINDER)


def plain(message: messages.Message) -> dict[str, str]:
    """Return the words of each form."""
    words = html.unescape(re.sub(r"<[^>]+>", " ", message.html))
    return {"text": message.text, "slack": message.slack, "html": words}


BAD = result(
    "no duplicate plays",
    observed="3 of 4,000 rows",
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
        (changes(result(passed=True), before=(result(),), again=True), "RECOVERED "),
        (changes(result("another"), result(passed=True), before=(result(),), again=True), "FAILED "),
        (changes(result(severity="warn", passed=True), before=(result(severity="warn"),), again=True), "WARNING RES"),
        (changes(LATE), "LATE Sparkify warehouse, 2018-11-01 05:00 to 06:00 UTC: run not finished after 60 minutes"),
        (changes(LATE, result(severity="warn")), "LATE "),
        (changes(LATE, task()), "FAILED "),
    ],
)
def test_the_subject_begins_with_the_worst(found: Changes, subject: str) -> None:
    assert messages.of_run(RUN, found).subject.startswith(subject)


def test_errors_come_first_and_recoveries_last() -> None:
    found = [result("c", severity="warn"), result("a"), result("b", passed=True)]
    for text in plain(messages.of_run(RUN, changes(*found, before=(result("b"),), again=True))).values():
        positions = [text.index(f"songplays: {name}") for name in "acb"]
        assert positions == sorted(positions)


def test_a_recovery_says_since_when() -> None:
    found = changes(passed=frozenset({"task stage_events"}), before=(task(),), again=True)
    for text in plain(messages.of_run(RUN, found)).values():
        assert "task stage_events" in text
        assert "2026-01-01 12:00 UTC" in text


@pytest.mark.parametrize(
    ("event", "label"), [(task(), "Recovered"), (result(severity="warn"), "Warning resolved"), (LATE, "Recovered")]
)
def test_a_recovery_has_the_label_of_what_it_was(event: Event, label: str) -> None:
    found = changes(passed=frozenset({event.key}), before=(event,), again=True)
    message = messages.of_run(RUN, found)
    assert message.subject.startswith(label.upper())
    for text in plain(message).values():
        assert label.lower() in text.lower()
        assert "fail" not in text.lower()


def test_a_late_run_is_late_and_then_has_finished() -> None:
    for text in plain(messages.of_run(RUN, changes(LATE))).values():
        assert re.search(r"(?i)late\W+run not finished after 60 minutes", text)
        assert not re.search(r"(?i)\bfailed", text)
    ended = changes(passed=frozenset({LATE.key}), before=(LATE,), again=True)
    assert messages.of_run(RUN, ended).subject.endswith("UTC: the late run has finished")


def test_an_hour_that_nobody_repairs_is_named() -> None:
    found = changes(result(passed=True), before=(result(),), now=NOW + timedelta(hours=30))
    message = messages.of_run(RUN, found)
    hours = "2018-11-01 04:00 to 05:00 UTC"
    assert message.subject == f"STILL FAILING Sparkify warehouse, {hours}: songplays: no play is lost"
    for text in plain(message).values():
        assert re.search(r"(?i)still failing\W+songplays: no play is lost", text)
        assert f"{hours}, since 2026-01-01 12:00 UTC" in text
        assert "06:00 UTC" not in text
        assert "the dag's runs" in text.lower()
        assert "clear it" in text
    for form in (message.text, message.slack, message.html):
        assert PAGE not in form
        assert "/dags/sparkify_warehouse/runs" in form


def test_nothing_is_repeated() -> None:
    """Neither is the number of failing rows, which is in the observed result."""
    found = changes(result(observed="3 of 4,000 rows"), task(), LATE)
    for text in plain(messages.of_run(RUN, found)).values():
        assert text.count("3 of 4,000") == 1
        assert text.count("60 minutes") == 1
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        assert len(set(lines)) == len(lines)


def test_what_was_reported_before_is_named_only() -> None:
    old = result("old", observed="not repeated")
    for text in plain(messages.of_run(RUN, changes(old, BAD, before=(old,)))).values():
        assert "Still open, already reported: songplays: old (2018-11-01 04:00 to 06:00 UTC)" in text
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
        (LATE, "running, queued at 2026-01-01 12:00 UTC", "check which task is queued"),
    ],
)
def test_only_a_check_has_rows_and_an_expected_result(event: Event, observed: str, remedy: str) -> None:
    for text in plain(messages.of_run(RUN, changes(event))).values():
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
