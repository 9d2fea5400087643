"""The files of the page in Chromium, with responses of the API but without a server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Route, expect

from sparkify.web.app import STATIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

ORIGIN = "http://warehouse.test/sparkify/"
DEVICES = {
    "columns": ["user_agent", "plays", "latest_play"],
    "rows": [["<b>Firefox</b>", 1234, "2018-11-01T05:00:00.000Z"], [None, 2, None]],
}
ANSWERS: dict[str, Any] = {
    "loads": {"version": "1", "is_paused": False, "now": "2018-11-01T06:00:00.000Z"},
    "panels": [{"name": name, "title": f"Title of {name}", "note": "A note."} for name in ("top_songs", "devices")],
    "panels/freshness": {"columns": ["a", "b", "c", "d"], "rows": [[None] * 4]},
    "panels/tables": {"columns": ["table_name"], "rows": [["songplays", 3, None, 0]]},
    "panels/devices": DEVICES,
}


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """The page; its console must be free of errors."""
    errors: list[str] = []
    context = browser.new_context(timezone_id="UTC")
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN).partition("?")[0]
        if path.startswith("api/"):
            found = ANSWERS.get(path.removeprefix("api/"), {"columns": [], "rows": []})
            stamped = {"as_of": "2018-11-01T06:00:00.000Z", **found} if isinstance(found, dict) else found
            route.fulfill(body=json.dumps(stamped), content_type="application/json")
        else:
            route.fulfill(path=STATIC / (path.removeprefix("static/") or "index.html"))

    page.route("**/*", answer)
    page.goto(ORIGIN)
    yield page
    context.close()
    assert errors == []


def test_a_panel_without_an_element_is_a_table_at_the_end(page: Page) -> None:
    expect(page.locator(".loading")).to_have_count(0)
    panel = page.locator(".grid > section").last
    expect(panel.get_by_role("heading")).to_have_text("Title of devices")
    expect(panel.locator(".note")).to_have_text("A note.")
    expect(panel.locator("th")).to_have_text(["user agent", "plays", "latest play"])
    expect(panel.locator("td")).to_have_text(["<b>Firefox</b>", "1,234", "2018-11-01 05:00", "–", "2", "–"])
    assert [cell.get_attribute("class") for cell in panel.locator("th").all()] == [None, "number", None]


def test_the_panels_with_an_element_are_not_added_again(page: Page) -> None:
    expect(page.locator("[data-panel=top_songs]")).to_have_count(1)
    expect(page.locator("[data-panel=top_songs] h2")).to_have_text("Most played songs")
    page.get_by_role("button", name="Reload").click()
    expect(page.locator("[data-panel=devices]")).to_have_count(1)
