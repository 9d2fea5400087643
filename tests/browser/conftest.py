"""Chromium, and the page with the answers of a test."""

from __future__ import annotations

import json
import shutil
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Route, expect, sync_playwright

from sparkify.web.app import STATIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# No sandbox, because the tests may run as root. The others disable the browser's background requests.
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# By default 5 seconds, in which a browser beside starting Airflows may not have drawn a page.
expect.set_options(timeout=20_000)

ORIGIN = "http://warehouse.test/sparkify/"
RUNS = "http://warehouse.test/api/v2/dags/sparkify_report/dagRuns"
DEVICES = {
    "columns": ["user_agent", "plays", "latest_play"],
    "rows": [["<b>Firefox</b>", 1234, "2018-11-01T05:00:00.000Z"], [None, 2, None]],
}
ANSWERS: dict[str, Any] = {
    "loads": {"version": "1", "is_paused": False, "now": "2018-11-01T06:00:00.000Z", "failures": []},
    "panels": [
        {"name": name, "title": f"Title of {name}", "note": "A note.", "has_days": False, "metrics": []}
        for name in ("top_songs", "devices")
    ],
    "panels/freshness": {"columns": ["a", "b", "c", "d"], "rows": [[None] * 4]},
    "panels/tables": {"columns": ["table_name"], "rows": [["songplays", 3, None, 0, False]]},
    "panels/devices": DEVICES,
    "dictionary": {"tables": []},
    "reports": {"days": ["2018-11-01", "2018-10-31"]},
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture
def answers() -> dict[str, Any]:
    """The answers of the API by path; a test changes them, and reloads. Those with a ``status`` are errors."""
    return deepcopy(ANSWERS)


@pytest.fixture
def page(browser: Browser, answers: dict[str, Any]) -> Iterator[Page]:
    """The files of the page, without a server; its console must be free of errors."""
    errors: list[str] = []
    context = browser.new_context(timezone_id="UTC")
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))

    def answer(route: Route) -> None:
        path, _, query = route.request.url.removeprefix(ORIGIN).partition("?")
        if RUNS in path:  # Airflow's own API: an answer for each request, the last one for all others
            waiting = answers["runs"]
            status, body = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            answers["asked"] = [*answers.get("asked", []), (route.request.method, path, route.request.post_data_json)]
            route.fulfill(body=json.dumps(body), content_type="application/json", status=status)
            return
        if path.startswith("api/"):
            name = path.removeprefix("api/")
            found = answers.get(f"{name}?{query}", answers.get(name, {"columns": [], "rows": []}))
            stamped = {"as_of": "2018-11-01T06:00:00.000Z", **found} if isinstance(found, dict) else found
            status = stamped.pop("status", 200) if isinstance(stamped, dict) else 200
            route.fulfill(body=json.dumps(stamped), content_type="application/json", status=status)
        else:
            route.fulfill(path=STATIC / (path.removeprefix("static/") or "index.html"))

    page.route("**/*", answer)
    page.goto(ORIGIN)
    yield page
    context.close()
    assert errors == []
