"""The panel of the source's files, in Chromium."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

COLUMNS = ["table_name", "start_day", "is_month", "state", "days", "first_day", "last_day", "since", "attempts",
           "run_id"]  # fmt: skip
LAST = date(2018, 11, 22)
FOUND_AT = "2018-11-22T10:02:00.000Z"
RUN = "reconcile__2018-11-19T00:00_2018-11-20T00:00__1a2b3c4d"
# By days before the last: state, time, attempts, run.
TROUBLE: dict[int, tuple[str, str, int, str | None]] = {
    3: ("changed", FOUND_AT, 2, RUN),
    7: ("missing", FOUND_AT, 0, None),
    8: ("missing", FOUND_AT, 0, None),
    12: ("failed", "2018-11-11T06:02:00.000Z", 0, None),
    14: ("missing", FOUND_AT, 0, None),
    30: ("vanished", FOUND_AT, 0, None),
}
WITHOUT = 20


def of_day(before: int, state: str = "up to date", since: str | None = None, attempts: int = 0,
           run: str | None = None) -> list[Any]:  # fmt: skip
    """Return the row of a day."""
    day = str(LAST - timedelta(days=before))
    return ["staging_events", day, False, state, 1, day, day, since, attempts, run]


def of_month(start: str, state: str, days: int, first: str, last: str) -> list[Any]:
    """Return a row of a month."""
    return ["staging_events", start, True, state, days, first, last, FOUND_AT if state == "vanished" else None, 0, None]


@pytest.fixture
def panel(page: Page, answers: dict[str, Any]) -> Locator:
    """The panel, with each of the states."""
    months = [
        of_month("2017-12-01", "up to date", 31, "2017-12-01", "2017-12-31"),
        of_month("2018-03-01", "vanished", 2, "2018-03-04", "2018-03-28"),
        of_month("2018-03-01", "up to date", 29, "2018-03-01", "2018-03-31"),
    ]
    days = [of_day(before, *TROUBLE.get(before, ())) for before in reversed(range(60)) if before != WITHOUT]
    answers["panels/source_files"] = {"columns": COLUMNS, "rows": [*months, *days]}
    answers["loads"]["reconciliation"] = {"ended_at": "2018-11-22T10:30:04.000Z", "is_paused": False}
    return shown(page)


def shown(page: Page) -> Locator:
    """Load the page again; return the panel."""
    page.reload()
    expect(page.locator(".loading")).to_have_count(0)
    return page.locator("[data-panel=source_files]")


def test_each_day_is_a_cell_whose_state_is_no_mere_colour(panel: Locator) -> None:
    days = panel.get_by_role("table", name="Days of staging_events")
    expect(days.locator(".cell")).to_have_count(60)
    expect(days.get_by_role("columnheader")).to_have_text(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])
    expect(days.get_by_role("rowheader").last).to_have_text("11-19")
    for before, (state, *_) in TROUBLE.items():
        word = {"changed": "changed since", "missing": "never loaded"}.get(state, state)
        cell = days.get_by_role("link", name=f"{LAST - timedelta(days=before)}: {word}")
        expect(cell).to_have_text(f"{(LAST - timedelta(days=before)).day}{'✕~+?'['fcmv'.index(state[0])]}")
    expect(days.get_by_role("img", name="2018-11-22: up to date")).to_have_text("22")
    expect(days.get_by_role("img", name="2018-11-02: no files")).to_have_text("2")


def test_months_have_counts(panel: Locator) -> None:
    months = panel.get_by_role("table", name="Months of staging_events")
    expect(months.get_by_role("rowheader")).to_have_text(["2017", "2018"])
    expect(months.get_by_role("img", name="2017-12: 31 up to date")).to_be_visible()
    expect(months.get_by_role("link", name="2018-03: 29 up to date, 2 vanished")).to_have_text("?")
    expect(panel.locator(".source > .note")).to_have_text(
        "Last 60 days: 53 up to date, 1 changed since, 3 never loaded, 1 vanished, 1 failed. "
        "Before: 60 up to date, 2 vanished."
    )


def test_what_is_not_up_to_date_says_since_when_and_what_happens_next(panel: Locator) -> None:
    expect(panel.get_by_role("heading", level=3)).to_have_text(
        ["staging_events", "✕ Failed: 1 day", "? Vanished: 3 days", "+ Never loaded: 3 days", "~ Changed since: 1 day"]
    )
    failed, vanished, missing, changed = panel.locator(".problem").all()
    expect(failed).to_contain_text("clear the task")
    expect(failed.locator("li")).to_have_text(["2018-11-10failed at 2018-11-11 06:02"])
    expect(vanished).to_contain_text("Their rows are kept")
    expect(vanished.locator("li")).to_have_text(
        ["2018-10-23found at 2018-11-22 10:02", "2018-03-04 to 2018-03-282 daysfound at 2018-11-22 10:02"]
    )
    expect(missing).to_contain_text("sparkify_reconcile triggers a run that loads them.")
    # Adjacent days are one line.
    expect(missing.locator("strong")).to_have_text(["2018-11-14 to 2018-11-15", "2018-11-08"])
    expect(changed.locator("li")).to_contain_text("attempt 2")
    expect(changed.get_by_role("link", name=f"Run {RUN}")).to_have_attribute(
        "href", "/dags/sparkify_warehouse/runs/reconcile__2018-11-19T00%3A00_2018-11-20T00%3A00__1a2b3c4d"
    )
    expect(panel.locator(".note").first).to_have_text("Compared with the bucket at 2018-11-22 10:30.")


def test_the_keyboard_leads_from_a_day_to_its_explanation(panel: Locator) -> None:
    panel.page.set_viewport_size({"width": 390, "height": 400})
    cell = panel.get_by_role("link", name="2018-11-19: changed since")
    cell.focus()
    panel.page.keyboard.press("Enter")
    expect(panel.locator(".problem").last).to_be_in_viewport(ratio=0.9)


def test_a_long_list_is_folded_and_stays_unfolded(panel: Locator, answers: dict[str, Any]) -> None:
    answers["panels/source_files"]["rows"] = [of_day(2 * number, "changed", FOUND_AT) for number in reversed(range(7))]
    panel = shown(panel.page)
    assert [line.is_visible() for line in panel.locator("li").all()] == [True] * 5 + [False] * 2
    panel.get_by_text("2 more", exact=True).click()
    with panel.page.expect_response("**/api/panels/source_files?reload=true"):
        panel.page.get_by_role("button", name="Reload").click()
    expect(panel.locator("li").last).to_be_visible()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (None, "Not compared with the bucket yet. Changes are not detected: the DAG sparkify_reconcile is missing."),
        (
            {"ended_at": "2018-11-22T10:30:04.000Z", "is_paused": True},
            "Compared with the bucket at 2018-11-22 10:30. Changes are not detected: "
            "the DAG sparkify_reconcile is paused.",
        ),
    ],
)
def test_without_a_reconciliation_the_page_says_so(
    panel: Locator, answers: dict[str, Any], state: dict[str, Any] | None, said: str
) -> None:
    answers["loads"]["reconciliation"] = state
    panel = shown(panel.page)
    expect(panel.locator(".note").first).to_have_text(said)


@pytest.mark.parametrize("paused", ["sparkify_warehouse", "sparkify_reconcile"])
def test_a_paused_dag_is_the_reason_why_nothing_happens(panel: Locator, answers: dict[str, Any], paused: str) -> None:
    answers["loads"]["is_paused"] = paused == "sparkify_warehouse"
    answers["loads"]["reconciliation"]["is_paused"] = paused == "sparkify_reconcile"
    panel = shown(panel.page)
    expect(panel.locator(".problem").last).to_contain_text(f"Nothing is triggered while {paused} is paused.")
    expect(panel.locator(".problem").first).not_to_contain_text("Nothing is triggered")


def test_a_reconciliation_reloads_this_panel_only(panel: Locator, answers: dict[str, Any]) -> None:
    answers["loads"] |= {"version": "1", "versions": {"source_files": "1"}}
    panel = shown(panel.page)
    asked: list[str] = []
    panel.page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    answers["loads"]["versions"]["source_files"] = "2"
    with panel.page.expect_response("**/api/panels/source_files"):
        panel.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert asked == ["loads", "source_files"]


def test_a_source_without_files_has_no_calendar(page: Page) -> None:
    expect(shown(page).locator(".body")).to_have_text("No files have been staged yet.")


@pytest.mark.parametrize("width", [320, 390, 1001, 1280])
def test_it_fits(panel: Locator, width: int) -> None:
    panel.page.set_viewport_size({"width": width, "height": 800})
    assert panel.evaluate("element => element.scrollWidth - element.clientWidth") <= 0
    assert panel.page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
