"""The files of the page in Chromium, with responses of the API but without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DEVICES, RUNS

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_a_panel_without_an_element_is_a_table_at_the_end(page: Page) -> None:
    expect(page.locator(".loading")).to_have_count(0)
    panel = page.locator(".grid > section").last
    expect(panel.get_by_role("heading")).to_have_text("Title of devices")
    expect(panel.locator(".note")).to_have_text("A note.")
    expect(panel.locator("th")).to_have_text(["user agent", "plays", "latest play"])
    expect(panel.locator("td")).to_have_text(["<b>Firefox</b>", "1,234", "2018-11-01 05:00", "–", "2", "–"])
    assert [cell.get_attribute("class") for cell in panel.locator("th").all()] == [None, "number", None]


def test_a_new_panel_appears_on_reload(page: Page, answers: dict[str, Any]) -> None:
    expect(page.locator("[data-panel=devices] td")).to_have_count(6)
    answers["panels"].append({"name": "new", "title": "New", "note": ""})
    answers["panels/new"] = DEVICES
    page.get_by_role("button", name="Reload").click()
    expect(page.locator("[data-panel=new] td")).to_have_count(6)
    expect(page.locator("[data-panel=devices]")).to_have_count(1)


def test_the_panels_with_an_element_are_not_added_again(page: Page) -> None:
    expect(page.locator("[data-panel=top_songs]")).to_have_count(1)
    expect(page.locator("[data-panel=top_songs] h2")).to_have_text("Most played songs")
    page.get_by_role("button", name="Reload").click()
    expect(page.locator("[data-panel=devices]")).to_have_count(1)


def reload(page: Page) -> None:
    """Load the page again."""
    page.reload()
    expect(page.locator(".loading")).to_have_count(0)


# --- failed tasks ---

FAILED = {
    "dag_id": "sparkify_warehouse",
    "run_id": "scheduled__2018-11-01T15:00:00+00:00",
    "task_id": "stage_events",
    "map_index": -1,
    "state": "failed",
    "start": "2018-11-01T14:00:00.000Z",
    "end": "2018-11-01T15:00:00.000Z",
    "failed_at": "2018-11-01T15:02:00.000Z",
    "remedy": "correct the file and clear the task, with `max_errors` <b>",
}
RETRYING = {**FAILED, "task_id": "stage_songs", "state": "up_for_retry"}
LOADED = {"columns": ["a", "b", "c", "d"], "rows": [["2018-11-01T06:00:00.000Z"] * 4]}
RED = "rgb(198, 40, 40)"


def test_without_a_failure_the_page_says_on_schedule(page: Page, answers: dict[str, Any]) -> None:
    answers["panels/freshness"] = LOADED
    reload(page)
    expect(page.locator("[data-panel=freshness]")).to_contain_text("On schedule")
    expect(page.locator("#failures")).to_be_hidden()
    expect(page.get_by_role("alert")).to_be_hidden()


@pytest.mark.parametrize("warehouse", ["up", "down"])
def test_a_failed_task_is_red_and_says_what_to_do(page: Page, answers: dict[str, Any], warehouse: str) -> None:
    answers["panels/freshness"] = LOADED
    answers["loads"]["failures"] = [FAILED, {**FAILED, "run_id": "other", "start": None, "end": None}]
    if warehouse == "down":
        for name in [name for name in answers if name.startswith("panels/")]:
            answers[name] = {"status": 503, "kind": "unreachable", "detail": "The warehouse is unreachable."}
    reload(page)
    said = "2 tasks failed, the latest: stage_events, 2018-11-01 14:00 to 15:00"
    expect(page.get_by_role("alert").locator("a")).to_have_text(said)
    expect(page.get_by_role("alert").locator("a")).to_have_css("color", RED)
    if warehouse == "up":
        remark = page.locator("[data-panel=freshness] small")
        expect(remark).to_have_text(said)
        expect(remark).to_have_css("color", RED)
    else:
        expect(page.get_by_role("alert").locator(".unavailable")).to_have_text("The warehouse is unreachable.")
    (problem,) = page.locator("#failures .problem").all()
    expect(problem).to_contain_text("Correct the file and clear the task, with max_errors <b>")
    expect(problem.locator("li").first).to_contain_text("2018-11-01 14:00 to 15:00")
    expect(problem.locator("li").first).to_contain_text("failed at 2018-11-01 15:02")
    expect(problem.locator("li").last).to_contain_text("No interval")
    run = "/dags/sparkify_warehouse/runs/scheduled__2018-11-01T15%3A00%3A00%2B00%3A00"
    expect(problem.get_by_role("link", name="Log").first).to_have_attribute("href", f"{run}/tasks/stage_events")
    expect(problem.get_by_role("link", name="Run scheduled")).to_have_attribute("href", run)


def test_a_task_that_is_retried_is_no_failure_yet(page: Page, answers: dict[str, Any]) -> None:
    answers["panels/freshness"] = LOADED
    answers["loads"]["failures"] = [RETRYING]
    reload(page)
    expect(page.locator("[data-panel=freshness] small")).to_have_text(
        "1 task is retrying: stage_songs, 2018-11-01 14:00 to 15:00"
    )
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.locator("#failures li")).to_contain_text("retrying, failed at 2018-11-01 15:02")


def test_another_dag_s_failure_does_not_hide_how_fresh_the_warehouse_is(page: Page, answers: dict[str, Any]) -> None:
    answers["panels/freshness"] = LOADED
    answers["loads"]["failures"] = [{**FAILED, "dag_id": "sparkify_report", "task_id": None}]
    reload(page)
    expect(page.locator("[data-panel=freshness]")).to_contain_text("On schedule")
    expect(page.get_by_role("alert")).to_contain_text("1 task failed: sparkify_report")


def test_many_failures_of_a_task_are_folded(page: Page, answers: dict[str, Any]) -> None:
    answers["loads"]["failures"] = [{**FAILED, "run_id": f"run {number}"} for number in range(7)]
    reload(page)
    problem = page.locator("#failures .problem")
    assert [line.is_visible() for line in problem.locator("li").all()] == [True] * 5 + [False] * 2
    problem.get_by_text("2 more", exact=True).click()
    expect(problem.locator("li").last).to_be_visible()
    with page.expect_response("**/api/reports?reload=true"):  # asked for after the failures are shown
        page.get_by_role("button", name="Reload").click()
    expect(problem.locator("li").last).to_be_visible()


# --- failed checks ---

COLUMNS = ["dag_id", "run_id", "interval_start", "interval_end", "checked_at", "table_name", "check_name", "severity",
           "outcome", "observed", "expected", "sample"]  # fmt: skip


def checked(hour: int, name: str, outcome: str, sample: str | None = None) -> list[str | None]:
    """Return a row of the panel quality."""
    start, end, at = (f"2018-11-01T{at}:00.000Z" for at in (f"{hour:02}:00", f"{hour + 1:02}:00", f"{hour + 1:02}:05"))
    run = ("sparkify_warehouse", f"run {hour}", start, end, at)
    return [*run, "songs", name, "error", outcome, "2 rows", "none", sample]


@pytest.fixture
def failing(page: Page, answers: dict[str, Any]) -> Page:
    """The page, with two checks that failed and one that warns."""
    rows = [
        checked(4, "recovered", "failed"),
        checked(5, "good", "passed"),
        checked(5, "recovered", "passed"),
        checked(5, "warns", "warned"),
        checked(5, "no song is lost", "failed", '[{"song_id": "<i>S1</i>", "plays": 2}, {"song_id": null}]'),
        checked(5, "dropped", "failed"),
    ]
    answers["panels/quality"] = {"columns": COLUMNS, "rows": rows}
    answers["checks"] = [
        {"table_name": "songs", "check_name": name, "why": why, "remedy": remedy}
        for name, why, remedy in (
            ("no song is lost", "Plays lose their song.", "Clear `load_songs`."),
            ("warns", "", "Ask the app's team."),
        )
    ]
    reload(page)
    return page


def test_the_tile_names_the_failing_checks_and_leads_to_them(failing: Page) -> None:
    tile = failing.locator("[data-panel=quality_now]")
    expect(tile.locator("strong")).to_have_text("2 of 5 passed")
    expect(tile.locator("small")).to_have_text("2 failed, 1 warning")
    expect(tile.locator("a")).to_have_text(["✕ songs: no song is lost", "✕ songs: dropped", "and 1 more"])
    problem = failing.locator("[data-panel=failed_checks] .problem").nth(2)
    failing.set_viewport_size({"width": 1280, "height": 300})
    expect(problem).not_to_be_in_viewport(ratio=0.99)
    tile.locator("a").last.click()
    expect(problem).to_be_in_viewport(ratio=0.99)  # its edges are between pixels


def test_a_failed_check_says_what_to_do_and_shows_failing_rows(failing: Page) -> None:
    lost, dropped, warns = failing.locator("[data-panel=failed_checks] .problem").all()
    expect(lost.get_by_role("heading")).to_have_css("color", RED)
    expect(lost).to_contain_text("Observed: 2 rows; expected: none. Clear load_songs.")
    expect(lost).to_contain_text("Plays lose their song.")
    expect(lost.get_by_role("link", name="Run run 5")).to_have_attribute(
        "href", "/dags/sparkify_warehouse/runs/run%205"
    )
    lost.get_by_text("Sample of the failing rows: 2").click()
    expect(lost.locator("th")).to_have_text(["song id", "plays"])
    expect(lost.locator("td")).to_have_text(["<i>S1</i>", "2", "–", "–"])
    expect(dropped).to_contain_text("This check is not declared any more.")
    expect(dropped.locator("details")).to_have_count(0)
    expect(warns).to_contain_text("Ask the app's team.")


def test_the_remedies_are_not_needed_for_what_failed(failing: Page, answers: dict[str, Any]) -> None:
    answers["checks"] = {"status": 503, "detail": "The declarations of checks are invalid."}
    reload(failing)
    expect(failing.locator(".problem").first).to_contain_text("The declarations of checks are invalid.")
    answers["panels/quality"]["rows"] = [checked(5, "good", "passed")]
    reload(failing)
    expect(failing.locator("[data-panel=failed_checks]")).to_be_hidden()
    expect(failing.locator("[data-panel=quality_now] a")).to_have_count(0)


# --- rejected rows ---


def rejected(run: str, table: str = "staging_events", source: str = "period") -> list[Any]:
    """Return a row of the panel rejected_rows."""
    at = "2018-11-01T06:05:00.000Z"
    return [table, run, at, "s3://b/file.json", 0, "ts", 1213, "Missing data", None, source, 6]


def test_a_rejected_row_says_what_of_its_file_is_staged(page: Page, answers: dict[str, Any]) -> None:
    runs = ["failed", "retried", "again", "allowed", "deleted"]
    rows = [*map(rejected, runs), rejected("allowed", "staging_songs", "object")]
    answers["panels/rejected_rows"] = {"columns": [], "rows": rows}
    states = dict(zip(runs, ["failed", "up_for_retry", None, "success"], strict=False))
    answers["staging"] = {run: {"stage_events": state} for run, state in states.items()}
    with page.expect_request("**/api/staging?*") as request:
        reload(page)
    assert request.value.url.endswith("?run=failed&run=retried&run=again&run=allowed&run=deleted")
    panel = page.locator("[data-panel=rejected_rows]")
    expect(panel.locator("td:nth-child(3)")).to_have_text(
        [
            "Load failed, nothing of this file is staged",
            "Load failed, nothing of this file is staged",
            "The file is being read again",
            "The other rows are staged",
            "Unknown, the run was deleted",
            "Object quarantined, nothing of it is staged",
        ]
    )
    expect(panel.locator(".note")).to_have_text("The rejected rows of the files that were read last")
    answers["staging"] = {"status": 500, "detail": "Airflow's database is down."}
    reload(page)
    expect(panel.locator("td:nth-child(3)").first).to_have_text("Unknown")


# --- charts without eyes or mouse ---

WEEK = {"from": "2018-11-01", "to": "2018-11-07"}
HOURS = {
    **WEEK,
    "columns": ["hour_start", "plays"],
    "rows": [["2018-11-01T05:00:00.000Z", 1200], ["2018-11-01T07:00:00.000Z", 3]],
}
DAYS = {**WEEK, "columns": ["day", "plays"], "rows": [["2018-11-01", 10], ["2018-11-02", 10]]}
WEEKDAYS = {**WEEK, "columns": ["weekday", "hour", "plays"], "rows": [[1, 0, 5], [7, 23, 1]]}
PAID = {**WEEK, "columns": [], "rows": [["2018-11-02", 80, 50, 8, 10, 1, 2], ["2018-11-01", 70, 25, 7, 10, 1, 4]]}
ACTIVE = {
    **WEEK,
    "columns": [],
    "rows": [["day", "2018-11-03", 4], ["day", "2018-11-01", 2], ["week", "2018-10-29", 5], ["month", "2018-11-01", 9]],
}
CONVERSIONS = {**WEEK, "columns": [], "rows": [["2018-11-03", 2, 1, 0, 1, None], ["2018-11-01", 1, 0, 1, 0, 12.5]]}
RETENTION = {
    **WEEK,
    "columns": [],
    "rows": [["2018-11-05", 0, 100, 30], ["2018-10-29", 0, 100, 1000], ["2018-10-29", 1, 25.5, 1000]],
}


@pytest.fixture
def charts(page: Page, answers: dict[str, Any]) -> Page:
    """The page with its charts."""
    answers |= {"panels/plays_by_hour": HOURS, "panels/plays_by_day": DAYS, "panels/plays_by_weekday": WEEKDAYS}
    answers |= {"panels/paid_share": PAID, "panels/active_users": ACTIVE, "panels/conversions": CONVERSIONS}
    answers["panels/retention"] = RETENTION
    reload(page)
    expect(page.locator(".chart:has(canvas)")).to_have_count(5)
    return page


LABELS = [
    "Chart of plays. Per hour, 2018-11-01 05:00 to 2018-11-01 08:00. 1,203 plays, most (1,200) at 2018-11-01 05:00",
    "Line chart of the paid share of plays and listeners. Paid share by day; 75.0 % of all plays",
    "Line chart of daily, weekly and monthly active users. Users with an event: 2 on an average day. Weeks from Monday "
    "and months are whole; the latest may not be over yet",
    "Bar chart of sign-ups, upgrades, downgrades and cancellations. Per day: 3 sign-ups, 1 upgrade, 1 downgrade, "
    "1 cancellation",
    "Heat map of plays by weekday and hour (UTC). Most on Mon at 00:00, 5 plays",
]


def test_each_chart_is_an_image_that_says_what_it_shows(charts: Page) -> None:
    snapshot = charts.locator("main").aria_snapshot()
    for label in LABELS:
        assert f'img "{label}"' in snapshot
    assert snapshot.count("Show as a table") == len(LABELS)


def test_many_days_of_plays_are_shown_by_day(charts: Page, answers: dict[str, Any]) -> None:
    month = {"from": "2018-11-01", "to": "2018-11-30"}
    answers |= {"panels/plays_by_hour": HOURS | month, "panels/plays_by_day": DAYS | month}
    reload(charts)
    charts.get_by_role("img", name="Chart of plays. Per day, 2018-11-01 to 2018-11-02. 20 plays").wait_for()


@pytest.mark.parametrize(
    ("panel", "first"),
    [
        ("plays_by_hour", ["2018-11-01 05:00", "1,200"]),
        ("plays_by_weekday", ["Mon", "5", *["0"] * 23]),
        ("paid_share", ["2018-11-01", "70.0 %", "25.0 %", "7", "10", "1", "4"]),
        ("active_users", ["2018-11-01", "2"]),
        ("conversions", ["2018-11-01", "1", "0", "1", "0", "12.5 %"]),
    ],
)
def test_the_figures_of_a_chart_are_a_table_that_the_keyboard_opens(charts: Page, panel: str, first: list[str]) -> None:
    place = charts.locator(f"[data-panel={panel}]")
    summary = place.locator(".figures summary")
    for _ in range(30):
        charts.keyboard.press("Tab")
        if summary.evaluate("element => element === document.activeElement"):
            break
    charts.keyboard.press("Enter")
    expect(place.get_by_role("table").get_by_role("row").nth(1).get_by_role("cell")).to_have_text(first)
    charts.keyboard.press("Tab")
    expect(place.get_by_role("region", name="Figures of the chart")).to_be_focused()


def test_days_without_users_are_zero(charts: Page) -> None:
    """A line from the day before to the day after would hide them."""
    option = charts.evaluate(
        "echarts.getInstanceByDom(document.querySelector('[data-panel=active_users] .chart')).getOption()"
    )
    assert [users for _, users in option["series"][-1]["data"]] == [2, 0, 4]


def test_retention_is_a_table_with_the_colours_of_a_heat_map(charts: Page) -> None:
    panel = charts.locator("[data-panel=retention]")
    expect(panel.locator(".note")).to_contain_text("25.5 % returned in the next week.")
    table = panel.get_by_role("table", name="Share of the users of a week who were active in the weeks after it")
    expect(table.get_by_role("columnheader")).to_have_text(["Week from", "Users", "0 (%)", "+1"])
    assert [row.inner_text().split() for row in table.get_by_role("row").all()[1:]] == [
        ["2018-11-05", "30", "100"],
        ["2018-10-29", "1,000", "100", "25.5"],
    ]
    colours = [
        cell.evaluate("cell => getComputedStyle(cell).backgroundColor") for cell in table.locator(".share").all()
    ]
    assert len(set(colours)) == 2
    panel.get_by_role("region", name="Retention by cohort").focus()
    expect(panel.get_by_role("region", name="Retention by cohort")).to_be_focused()


def test_a_panel_without_a_chart_is_no_image(charts: Page, answers: dict[str, Any]) -> None:
    answers["panels/plays_by_hour"] = {"columns": [], "rows": []}
    answers["loads"]["version"] = "2"
    charts.get_by_role("button", name="Reload").click()
    expect(charts.locator("[data-panel=plays_by_hour] .state")).to_have_text("No plays yet.")
    assert "No plays yet." in charts.locator("[data-panel=plays_by_hour]").aria_snapshot()
    expect(charts.locator("[data-panel=plays_by_hour] details")).to_have_count(0)


# --- daily reports ---


def test_the_latest_reports_are_links(page: Page, answers: dict[str, Any]) -> None:
    links = page.locator("#reports .days a")
    expect(links).to_have_text(["2018-11-01", "2018-10-31"])
    expect(links.first).to_have_attribute("href", "/sparkify/reports/2018-11-01")
    expect(links.first).to_have_attribute("target", "_blank")
    answers["reports"] = {"status": 503, "kind": "reports", "detail": "The bucket does not exist."}
    reload(page)
    expect(page.locator("#reports .body")).to_have_text("The bucket does not exist.")
    expect(page.get_by_role("alert")).to_be_hidden()


def order(page: Page, answers: dict[str, Any], *runs: tuple[int, Any]) -> Any:
    """Order the report of a day, with Airflow's answers, and return the place of the result."""
    answers["runs"] = list(runs)
    page.get_by_label("Write the report of a day").fill("2018-10-30")
    page.get_by_role("button", name="Write report").click()
    return page.locator("#reports output")


def test_the_report_of_any_day_is_written_and_linked(page: Page, answers: dict[str, Any]) -> None:
    expect(page.locator("#reports .days a")).to_have_count(2)
    answers["reports"] = {"days": ["2018-11-01", "2018-10-31", "2018-10-30"]}
    states = [(200, {"state": state}) for state in ("queued", "success")]
    result = order(page, answers, (200, {"dag_run_id": "manual 1"}), *states)
    expect(result).to_have_text("Writing the report: the run")
    expect(result.get_by_role("link")).to_have_attribute("href", "/dags/sparkify_report/runs/manual%201")
    expect(result).to_have_text("Written: report of 2018-10-30", timeout=20_000)
    expect(result.get_by_role("link")).to_have_attribute("href", "/sparkify/reports/2018-10-30")
    assert answers["asked"] == [
        ("POST", RUNS, {"logical_date": None, "partition_key": "2018-10-30"}),
        ("GET", f"{RUNS}/manual%201", None),
        ("GET", f"{RUNS}/manual%201", None),
    ]
    expect(page.locator("#reports .days a")).to_have_count(3)


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([(403, {"detail": "Forbidden"})], "Your user may not trigger the DAG sparkify_report. Ask a user who may."),
        ([(400, {"detail": "Invalid day"})], "The run was not started: Invalid day"),
        ([(422, {"detail": [{}]})], "The run was not started: Airflow answered with 422"),
        ([(200, {"dag_run_id": "1"}), (200, {"state": "failed"})], "The report was not written. See the run."),
    ],
)
def test_a_report_that_cannot_be_written_says_why(
    page: Page, answers: dict[str, Any], runs: list[tuple[int, Any]], said: str
) -> None:
    expect(page.locator("#reports .days a")).to_have_count(2)
    expect(order(page, answers, *runs)).to_have_text(said, timeout=20_000)
    expect(page.get_by_role("button", name="Write report")).to_be_enabled()


# --- narrow windows ---


@pytest.mark.parametrize("width", [320, 390, 1001, 1280])
def test_the_rows_per_table_fit(page: Page, answers: dict[str, Any], width: int) -> None:
    """A phone of 390 pixels, on which Airflow's navigation takes 60; millions of rows, some with invalid timestamps."""
    newest = "2018-11-01T05:00:00.000Z"
    rows = [["staging_events", 8_042_123_456, newest, 1234, False], ["songplays", 6_042_123_456, newest, 0, True]]
    answers["panels/tables"] = {"columns": [], "rows": rows}
    page.set_viewport_size({"width": width, "height": 800})
    reload(page)
    body = page.locator("[data-panel=tables] .body")
    expect(body.locator("td").nth(1)).to_have_text("8,042,123,456")
    expect(body.locator("td").nth(4)).to_have_text("≈ 6,040,000,000")
    assert body.evaluate("element => element.scrollWidth - element.clientWidth") <= 0
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


@pytest.mark.parametrize("width", [320, 330, 390, 561, 1001, 1280])
def test_the_page_is_as_wide_as_the_window(charts: Page, width: int) -> None:
    charts.set_viewport_size({"width": width, "height": 800})
    charts.wait_for_timeout(200)
    assert charts.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    for chart in charts.locator(".chart").all():
        assert chart.evaluate("chart => chart.scrollWidth - chart.clientWidth") <= 0


# --- the days to show ---

NO_DAYS: dict[str, Any] = {
    "status": 422,
    "kind": "days",
    "detail": "Invalid range '8d': expected one of 7d, 28d, 90d, 12m, all.",
}


def asked(page: Page) -> str:
    """Return the parameters in the URL of the page."""
    return page.url.partition("?")[2]


def test_presets_and_dates_are_in_the_url_and_survive_a_reload(charts: Page, answers: dict[str, Any]) -> None:
    answers["panels/plays_by_day?range=90d"] = {
        "from": "2018-08-03",
        "to": "2018-10-31",
        "columns": [],
        "rows": [["2018-10-31", 77]],
    }
    answers["panels/plays_by_day?from=2018-10-01&to=2018-10-09"] = {
        "from": "2018-10-01", "to": "2018-10-09", "columns": [], "rows": [["2018-10-01", 88]],
    }  # fmt: skip
    form = charts.get_by_role("form", name="Days to show")
    group = form.get_by_role("group", name="Days up to the latest loaded one")
    expect(group.get_by_role("button", pressed=True)).to_have_text("28 days")
    expect(form.get_by_label("From")).to_have_value("2018-11-01")
    expect(form.get_by_role("status")).to_have_text("2018-11-01 to 2018-11-07, 7 days")
    tile = charts.locator("[data-panel=totals]")
    group.get_by_role("button", name="90 days").focus()
    charts.keyboard.press("Enter")
    expect(tile.locator("strong")).to_have_text("77")
    expect(tile.locator("small")).to_have_text("2018-08-03 to 2018-10-31")
    assert asked(charts) == "range=90d"
    reload(charts)
    expect(tile.locator("strong")).to_have_text("77")
    expect(group.get_by_role("button", pressed=True)).to_have_text("90 days")
    form.get_by_label("From").fill("2018-10-01")
    form.get_by_label("to", exact=True).fill("2018-10-09")
    charts.keyboard.press("Enter")
    expect(tile.locator("strong")).to_have_text("88")
    expect(group.get_by_role("button", pressed=True)).to_have_count(0)
    assert asked(charts) == "from=2018-10-01&to=2018-10-09"
    reload(charts)
    expect(tile.locator("strong")).to_have_text("88")


def test_only_the_panels_with_days_are_loaded_for_other_days(charts: Page) -> None:
    requests: list[str] = []
    charts.on("request", lambda request: requests.append(request.url))
    with charts.expect_response("**/retention?range=7d"):
        charts.get_by_role("button", name="7 days").click()
    expect(charts.locator("[aria-busy=true]")).to_have_count(0)
    found = [url.partition("/api/panels/")[2] for url in requests if "/api/" in url]
    assert {item.partition("?")[0] for item in found} == {
        "active_users", "conversions", "paid_share", "plays_by_day", "plays_by_hour", "plays_by_weekday", "retention"
    }  # fmt: skip
    assert {item.partition("?")[2] for item in found} == {"range=7d"}


def test_days_that_end_before_they_begin_are_not_requested(charts: Page) -> None:
    form = charts.get_by_role("form", name="Days to show")
    form.get_by_label("From").fill("2018-10-09")
    form.get_by_label("to", exact=True).fill("2018-10-01")
    form.get_by_role("button", name="Show").click()
    assert form.get_by_label("to", exact=True).evaluate("input => input.validationMessage")
    assert asked(charts) == ""


def test_invalid_days_in_the_url_are_reported_once(charts: Page, answers: dict[str, Any]) -> None:
    for name in ("plays_by_day", "plays_by_hour", "active_users", "top_songs"):
        answers[f"panels/{name}?range=8d"] = NO_DAYS
    charts.goto(f"{charts.url}?range=8d")
    expect(charts.get_by_role("alert")).to_have_text(NO_DAYS["detail"])
    expect(charts.locator("[data-panel=top_songs] .state")).to_have_text("Not available")
    charts.get_by_role("button", name="28 days").click()
    expect(charts.get_by_role("alert")).to_have_text("")


def test_days_without_plays_are_named(charts: Page, answers: dict[str, Any]) -> None:
    answers["panels/top_songs"] = {**WEEK, "columns": [], "rows": []}
    reload(charts)
    expect(charts.locator("[data-panel=top_songs] .state")).to_have_text("No plays from 2018-11-01 to 2018-11-07.")


FRAME = "http://warehouse.test/plugin/warehouse"


def test_the_days_are_in_the_url_of_airflow_s_page(charts: Page, answers: dict[str, Any]) -> None:
    """What people copy is the URL of the page around the frame."""
    charts.route(
        f"{FRAME}*", lambda route: route.fulfill(body='<iframe src="/sparkify/"></iframe>', content_type="text/html")
    )
    charts.goto(f"{FRAME}?tab=1")
    charts.frame_locator("iframe").get_by_role("button", name="90 days").click()
    charts.wait_for_url(f"{FRAME}?tab=1&range=90d")
    charts.reload()
    pressed = charts.frame_locator("iframe").get_by_role("button", pressed=True)
    expect(pressed).to_have_text("90 days")


# --- what is counted ---


def test_a_panel_says_what_its_metrics_mean(page: Page, answers: dict[str, Any]) -> None:
    metric = {
        "name": "plays",
        "title": "Plays",
        "meaning": "How <b>often</b>.",
        "unit": "plays",
        "additive": "over days",
    }
    answers["panels"].append({"name": "plays_by_hour", "title": "", "note": "", "has_days": True, "metrics": [metric]})
    reload(page)
    place = page.locator("[data-panel=plays_by_hour]")
    place.get_by_text("What is counted").click()
    expect(place.locator("dt")).to_have_text("Plays metrics.plays")
    expect(place.locator("dd")).to_have_text("How <b>often</b>. Unit: plays. Additive over days.")
    page.get_by_role("button", name="Reload").click()
    expect(page.locator(".metrics")).to_have_count(1)


# --- the icon in Airflow's navigation ---

# The navigation's own colours, of an item and of the active item.
NAVIGATION = {"icon.svg": ["#dce7f5", "#3c5b89"], "icon-dark.svg": ["#1d3358", "#3c5b89"]}
# The share of the icon's pixels that contrast with the colour behind it as WCAG asks of graphics, 3 to 1:
# https://www.w3.org/WAI/WCAG22/Understanding/non-text-contrast.html
SHARE = """async ([url, behind]) => {
    const image = new Image();
    image.src = url;
    await image.decode();
    const context = Object.assign(document.createElement("canvas"), { width: 96, height: 96 }).getContext("2d");
    context.fillStyle = behind;
    context.fillRect(0, 0, 96, 96);
    const light = (at, data) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, part) => {
        const value = data[at + part] / 255;
        return sum + weight * (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    }, 0.05);
    const ground = light(0, context.getImageData(0, 0, 1, 1).data);
    context.drawImage(image, 0, 0, 96, 96);
    const { data } = context.getImageData(0, 0, 96, 96);
    let seen = 0;
    for (let at = 0; at < data.length; at += 4) {
        const here = light(at, data);
        seen += Math.max(here, ground) / Math.min(here, ground) >= 3;
    }
    return seen / (96 * 96);
}"""


@pytest.mark.parametrize(("icon", "behind"), [(icon, colour) for icon, both in NAVIGATION.items() for colour in both])
def test_the_icon_can_be_seen_when_its_item_is_active(page: Page, icon: str, behind: str) -> None:
    assert page.evaluate(SHARE, [f"static/{icon}", behind]) > 0.1


# --- missing tables ---


@pytest.mark.parametrize(("kind", "banner"), [("missing", False), ("empty", True)])
def test_only_a_warehouse_without_tables_is_everybody_s_trouble(
    page: Page, answers: dict[str, Any], kind: str, banner: bool
) -> None:
    answers["panels/browsers"] = {"status": 503, "kind": kind, "detail": "What is wrong."}
    reload(page)
    panel = page.locator("[data-panel=browsers] .state")
    expect(panel).to_have_text("Not available" if banner else "What is wrong.")
    expect(page.get_by_role("alert")).to_have_text("What is wrong." if banner else "")
    expect(page.locator("[data-panel=top_songs] .state")).to_have_text("No plays yet.")
