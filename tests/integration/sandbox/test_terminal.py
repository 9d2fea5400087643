"""The results that ``make run`` prints, on a warehouse."""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING

from rich.console import Console

from sandbox.terminal import Terminal
from tests.integration.web.test_panels import put_implausible
from tests.support.data import event

if TYPE_CHECKING:
    import pytest

    from sandbox.lab import Lab


def busiest_hours(lab: Lab) -> str:
    """Return the printed busiest hours of a warehouse."""
    text = io.StringIO()
    Terminal(Console(file=text, width=120)).results(lab.uri, [])
    found = re.search(r"Busiest hours.*?(?=Browsers|Most played|$)", text.getvalue(), re.DOTALL)
    assert found
    return found[0]


def test_implausible_times_change_no_result(lab: Lab) -> None:
    lab.put_events("2018-11-01", [event(f"2018-11-01T0{hour}:00:00", 1, hour) for hour in (5, 6, 7)])
    lab.run("2018-11-01", "2018-11-02")
    before = busiest_hours(lab)
    put_implausible(lab)
    assert busiest_hours(lab) == before


def test_a_step_shows_no_output_of_others(capsys: pytest.CaptureFixture[str]) -> None:
    """On a terminal, too: a logger that Airflow creates meanwhile would write to the screen from then on."""
    text = io.StringIO()
    with Terminal(Console(file=text, force_terminal=True, width=80)).step("Prepare Airflow") as step:
        before = sys.stdout
        print("a log line")
        step.update("half")
    assert before is sys.stdout
    assert "a log line" not in text.getvalue()
    assert capsys.readouterr().out == "a log line\n"
    assert "✓" in text.getvalue()


def test_the_results_have_the_metrics(lab: Lab) -> None:
    lab.put_events("2018-11-01", [event("2018-11-01T05:00", 1, 0), event("2018-11-01T05:30", 1, 1, level="paid")])
    lab.run("2018-11-01", "2018-11-02")
    text = io.StringIO()
    Terminal(Console(file=text, width=120)).results(lab.uri, [])
    lines = [" ".join(line.split()) for line in text.getvalue().splitlines()]
    for line in (
        "daily_activity 2",
        "users_history 2",
        "Paid share 50.0 % day 2018-11-01",
        "Average session 30.0 minutes day 2018-11-01",
        "Daily active users 1 users day 2018-11-01",
        "Monthly active users 1 users month 2018-11-01",
        "2018-11-01 1 0",  # a change of subscription, to paid
        "2018-10-29 1",  # retention: no later week
    ):
        assert line in lines
