"""The web UI in Chromium: trigger, backfill, clear, and read the warehouse page."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from sandbox import airflow, dag_runs
from tests.conftest import ROOT
from tests.support.live import Site, empty_site
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

SHOTS = ROOT / ".local" / "screenshots"
HOUR = timedelta(hours=1)
# Errors of Airflow's own login page before a login, and of Chromium if the machine's network interfaces change, as a
# container engine does.
NO_FAULT = re.compile(r"401 \(Unauthorized\)|net::ERR_NETWORK_CHANGED")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A live warehouse with a week of history."""
    with empty_site() as site:
        site.up()
        # Airflow 3.3.2 responds with 500 to a request for asset events while a run that they have created is queued:
        # its DagRunAssetReference requires a start date.
        queued: dict[str, str | int] = {"state": "queued", "limit": 1}
        with site.deployment().client() as client:
            wait_until(
                lambda: client.get("/api/v2/dags/sparkify_report/dagRuns", params=queued).json()["total_entries"] == 0,
                seconds=120,
            )
        yield site


@pytest.fixture
def page(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of Airflow, logged in as admin; its console must be free of errors."""
    errors: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id="UTC")
    page = context.new_page()
    page.on(
        "console",
        lambda message: errors.append(f"{message.text} {message.location}") if message.type == "error" else None,
    )
    page.on("pageerror", lambda error: errors.append(str(error)))
    log_in(page, site, "admin")
    yield page
    shoot(page, request.node.name)
    context.close()
    assert [error for error in errors if not NO_FAULT.search(error)] == []


def log_in(page: Page, site: Site, user: str) -> None:
    """Log in through the form."""
    page.goto(site.state.url)
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(json.loads(site.deployment().password_file.read_text())[user])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Dags").first.wait_for()


def shoot(page: Page, name: str) -> None:
    """Save a screenshot as a test artefact."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def open_dag(page: Page, site: Site, tab: str = "") -> None:
    """Open the page of the hourly DAG."""
    page.goto(f"{site.state.url}/dags/{airflow.DAG_ID}/{tab}")
    page.get_by_test_id("trigger-dag-button").wait_for()


def pick(page: Page, number: int, moment: datetime) -> None:
    """Enter a time into a date field of the dialog."""
    page.get_by_role("dialog").get_by_test_id("datetime-input").nth(number).click()
    picker = page.locator("[data-scope=popover][data-part=content]:visible").last
    picker.get_by_placeholder("YYYY/MM/DD").fill(f"{moment:%Y/%m/%d}")
    picker.get_by_placeholder("HH:mm").fill(f"{moment:%H:%M}")
    picker.get_by_placeholder("HH:mm").press("Enter")
    page.keyboard.press("Escape")


def warehouse_page(page: Page, site: Site) -> FrameLocator:
    """Open the warehouse page from the navigation."""
    page.goto(site.state.url)
    page.get_by_role("link", name="Warehouse", exact=True).click()
    frame = page.frame_locator("iframe")
    expect(frame.locator("#as-of")).not_to_be_empty(timeout=30_000)
    expect(frame.locator(".loading")).to_have_count(0, timeout=30_000)
    return frame


def one(site: Site, sql: str) -> int:
    """Return the number that a SELECT returns."""
    with psycopg.connect(site.state.database) as connection:
        row = connection.execute(sql).fetchone()
    assert row
    return int(row[0])


def test_the_dag_s_page_is_a_runbook(page: Page, site: Site) -> None:
    open_dag(page, site)
    page.get_by_test_id("markdown-button").click()
    docs = page.get_by_role("dialog")
    expect(docs).to_contain_text("When a task fails")
    expect(docs.get_by_role("table")).to_contain_text("stage_songs")


def test_the_warehouse_is_the_first_dag_of_the_list(page: Page, site: Site) -> None:
    page.goto(f"{site.state.url}/dags")
    names = page.get_by_role("link", name=re.compile("^Sparkify warehouse"))
    expect(names.first).to_have_text("Sparkify warehouse", timeout=30_000)
    expect(names).to_have_count(8)


def test_a_range_is_loaded_through_the_form(page: Page, site: Site) -> None:
    """An hour of yesterday, whose plays were deleted from the warehouse."""
    start = datetime.now(UTC).replace(hour=18, minute=0, second=0, microsecond=0) - timedelta(days=1)
    of_hour = f"FROM songplays WHERE start_time >= '{start:%F %T}' AND start_time < '{start + HOUR:%F %T}'"
    before = one(site, f"SELECT COUNT(*) {of_hour}")
    assert before
    with psycopg.connect(site.state.database) as connection:
        connection.execute(f"DELETE {of_hour}")
    open_dag(page, site)
    page.get_by_test_id("trigger-dag-button").click()
    pick(page, 1, start)
    pick(page, 2, start + HOUR)
    dialog = page.get_by_role("dialog")
    shoot(page, "trigger-form")
    dialog.get_by_role("button", name="Trigger", exact=True).click()
    page.wait_for_url("**/runs/**")
    expect(page.get_by_test_id("state-badge").first).to_have_text("Success", timeout=120_000)
    assert one(site, f"SELECT COUNT(*) {of_hour}") == before


def test_a_backfill_is_started_and_ends(page: Page, site: Site) -> None:
    hours = [datetime.now(UTC).replace(hour=hour, minute=0, second=0, microsecond=0) for hour in (2, 3)]
    first, last = (hour - timedelta(days=1) for hour in hours)
    open_dag(page, site)
    page.get_by_test_id("trigger-dag-button").click()
    page.get_by_role("dialog").get_by_text("Backfill", exact=True).click()
    pick(page, 0, first)
    pick(page, 1, last)
    page.get_by_role("dialog").get_by_role("button", name="Run Backfill").click()
    with psycopg.connect(site.state.metadata) as connection:
        states = "SELECT logical_date, state FROM dag_run WHERE run_type = 'backfill' ORDER BY 1"
        connection.autocommit = True
        deadline = datetime.now(UTC) + timedelta(minutes=3)
        while (found := connection.execute(states).fetchall()) != [(first, "success"), (last, "success")]:
            assert datetime.now(UTC) < deadline, found
            page.wait_for_timeout(500)
    open_dag(page, site, "backfills")
    expect(page.get_by_role("table")).to_contain_text(f"{first:%Y-%m-%d %H:%M}")


def test_a_failed_run_is_cleared(page: Page, site: Site) -> None:
    """While its deadline is pending."""
    path = f"/api/v2/dags/{airflow.DAG_ID}/dagRuns"
    with site.deployment().client() as client:
        conf = {"start": "2018-11-02T00:00:00Z", "end": "2018-11-01T00:00:00Z"}
        run_id = client.post(path, json={"logical_date": None, "conf": conf}).json()["dag_run_id"]
        run = f"{path}/{quote(run_id, safe='')}"
        wait_until(lambda: client.get(run).json()["state"] == "failed", seconds=120)
        before = client.get(run).json()["queued_at"]
        page.goto(f"{site.state.url}/dags/{airflow.DAG_ID}/runs/{quote(run_id, safe='')}")
        page.get_by_role("button", name="Press shift+c to clear").click()
        with page.expect_response(
            lambda answer: (
                answer.request.method == "POST"
                and answer.url.endswith("/clear")
                and '"dry_run":false' in str(answer.request.post_data)
            )
        ) as answer:
            page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
        assert answer.value.status == 200
        assert client.get(run).json()["queued_at"] > before


def test_a_viewer_can_read_and_cannot_trigger(browser: Browser, site: Site) -> None:
    runs = len(dag_runs.read_runs(site.state.metadata, airflow.DAG_ID))
    with browser.new_context() as context:
        page = context.new_page()
        log_in(page, site, "viewer")
        open_dag(page, site)
        page.get_by_test_id("trigger-dag-button").click()
        with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
            page.get_by_role("dialog").get_by_role("button", name="Trigger", exact=True).click()
        assert answer.value.status == 403
        shoot(page, "viewer")
    assert len(dag_runs.read_runs(site.state.metadata, airflow.DAG_ID)) == runs


def test_the_warehouse_page_requires_a_login(browser: Browser, site: Site) -> None:
    with browser.new_context() as context:
        for path in ("/sparkify/", "/sparkify/api/panels/totals"):
            assert context.request.get(f"{site.state.url}{path}", max_redirects=0).status == 401


def test_the_warehouse_page_shows_the_numbers_of_the_database(page: Page, site: Site) -> None:
    frame = warehouse_page(page, site)
    plays = one(site, "SELECT COUNT(*) FROM songplays")
    expect(frame.locator("[data-panel=totals] .body")).to_contain_text(f"{plays:,}")
    tables = frame.locator("[data-panel=tables] .body")
    for table in ("songplays", "users", "songs", "artists", "time"):
        row = tables.locator("tr").filter(has=page.locator(f"xpath=.//*[text()='{table}']"))
        expect(row).to_contain_text(f"{one(site, f'SELECT COUNT(*) FROM {table}'):,}")
    expect(frame.get_by_role("alert").locator(".unavailable")).to_have_count(0)
    assert frame.locator("canvas, svg").count() >= 3


def test_the_report_of_a_day_is_written_and_read(page: Page, site: Site) -> None:
    """In the sandbox of Airflow's frame; the report has a sandbox of its own."""
    day = (datetime.now(UTC) - timedelta(days=2)).date()
    frame = warehouse_page(page, site)
    form = frame.locator("#reports form")
    form.get_by_label("Write the report").fill(f"{day}")
    form.get_by_role("button").click()
    expect(form.locator("output")).to_have_text(f"Written: report of {day}", timeout=120_000)
    with page.context.expect_page() as opened:
        frame.locator("#reports .days").get_by_role("link", name=f"{day}").click()
    report = opened.value
    expect(report.get_by_role("heading", level=1)).to_contain_text(f"{day:%Y}")
    report.screenshot(path=SHOTS / "report.png")
    report.get_by_role("link").last.click()
    report.wait_for_url("**/dags/sparkify_report/runs/**")


def test_a_viewer_reads_reports_and_writes_none(browser: Browser, site: Site) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        log_in(page, site, "viewer")
        frame = warehouse_page(page, site)
        expect(frame.locator("#reports .days a").first).to_be_visible(timeout=30_000)
        frame.get_by_role("button", name="Write report").click()
        expect(frame.locator("#reports output")).to_contain_text("Your user may not trigger the DAG sparkify_report.")


def test_a_test_alert_is_sent_from_the_page(page: Page, site: Site) -> None:
    frame = warehouse_page(page, site)
    frame.get_by_role("button", name="Send a test alert").click()
    expect(frame.locator("#alert-test output")).to_contain_text("No channel is configured", timeout=30_000)


def test_an_open_page_polls_airflow_but_not_the_warehouse(page: Page, site: Site) -> None:
    """One hour of an open page without a finished run, then one hour of a hidden tab, on the browser's fake clock."""
    site.idle()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url.partition("/sparkify/api/")[2]))
    page.clock.install()
    page.goto(f"{site.state.url}/sparkify/")
    expect(page.locator(".loading")).to_have_count(0, timeout=30_000)

    def counted() -> tuple[int, int]:
        return requests.count("loads"), sum(path.startswith("panels/") for path in requests)

    polls, panels = counted()
    assert polls == 1
    assert panels == len({path for path in requests if path.startswith("panels/")}) > 0  # each once
    for _ in range(60):
        with page.expect_response("**/api/loads"):
            page.clock.run_for(60_000)
    assert counted() == (polls + 60, panels)
    page.evaluate("Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' })")
    page.clock.run_for(3_600_000)
    assert counted() == (polls + 60, panels)


def test_a_chart_has_a_limited_number_of_points(page: Page, site: Site) -> None:
    page.goto(f"{site.state.url}/sparkify/")
    found = page.evaluate(
        """async () => {
            const { everyStep } = await import("/sparkify/static/charts.js");
            const days = ["0001-01-01T00:00:00.000Z", "2018-11-01T05:00:00.000Z", "9999-12-31T00:00:00.000Z"];
            const wide = everyStep(days.map((day) => [day, 7]), 3600e3).points;
            const week = everyStep([["2018-11-01T05:00:00.000Z", 1], ["2018-11-01T07:00:00.000Z", 2]], 3600e3).points;
            return [wide.length, wide.reduce((sum, point) => sum + point[1], 0), week.map((point) => point[1])];
        }"""
    )
    assert found == [1500, 21, [1, 0, 2]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_warehouse_page_fits(page: Page, site: Site, width: int, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 1400})
    page.goto(f"{site.state.url}/sparkify/")
    expect(page.locator(".loading")).to_have_count(0, timeout=30_000)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.wait_for_timeout(1000)  # the charts' animation
    page.screenshot(path=SHOTS / f"warehouse-{width}-{scheme}.png", full_page=True)


def test_a_check_that_fails_is_red_and_links_to_its_run(page: Page, site: Site) -> None:
    """The last test, because it leaves damaged data."""
    with psycopg.connect(site.state.database) as connection:
        connection.execute("DELETE FROM songs")
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with site.deployment().client() as client:
        body = {"logical_date": None, "conf": {"start": (end - 6 * HOUR).isoformat(), "end": end.isoformat()}}
        run_id = client.post(f"/api/v2/dags/{airflow.DAG_ID}/dagRuns", json=body).json()["dag_run_id"]
        path = f"/api/v2/dags/{airflow.DAG_ID}/dagRuns/{run_id}"
        wait_until(lambda: client.get(path).json()["state"] == "failed", seconds=120)
    wait_until(
        lambda: "1 failed" in warehouse_page(page, site).locator("[data-panel=quality_now]").inner_text(), seconds=120
    )
    frame = warehouse_page(page, site)
    row = frame.locator("[data-panel=quality] tr").filter(has_text="every linked song is in songs")
    expect(row).to_contain_text("expected none")
    square = row.locator(".cell.failed").last
    red, green, blue = map(int, re.findall(r"\d+", square.evaluate("e => getComputedStyle(e).backgroundColor"))[:3])
    assert red > max(green, blue)
    assert f"/runs/{quote(run_id, safe='')}" in str(square.evaluate("e => e.closest('a').href"))
    problem = frame.locator("[data-panel=failed_checks] .problem").first
    expect(problem).to_contain_text("Clear load_songs of this run, then load_songplays.")
    frame.locator("[data-panel=quality_now] a.bad").click()  # at some hours the play volume is a warning, too
    expect(problem).to_be_in_viewport()
    # The task failed, too.
    expect(frame.get_by_role("alert")).to_contain_text("data_quality")
    shoot(page, "failures")
    frame.locator("#failures .problem").filter(has_text="data_quality").get_by_role("link", name="Log").first.click()
    page.wait_for_url(f"**/runs/{quote(run_id, safe='')}/tasks/data_quality")
