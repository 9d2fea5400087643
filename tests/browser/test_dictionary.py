"""The data dictionary of the page, in Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

ID = {
    "name": "user_id",
    "type": "BIGINT",
    "description": "User of the <b>app</b>.",
    "unit": None,
    "is_personal": True,
    "sources": ["staging_events.userid", "staging_events.ts"],
}
LENGTH = {**ID, "name": "length", "description": "Length.", "unit": "seconds", "is_personal": False, "sources": []}
PLAYS = {
    "name": "songplays",
    "description": "One row per play.",
    "changed_at": "2018-11-01T05:02:03.000Z",
    "columns": [ID, LENGTH],
    "sources": ["staging_events"],
}
LEDGER = {**PLAYS, "name": "operations.ledger", "changed_at": None, "columns": [LENGTH], "sources": []}


@pytest.fixture
def answers(answers: dict[str, Any]) -> dict[str, Any]:
    """The answers of the API, with a dictionary of two tables."""
    answers["dictionary"] = {"tables": [PLAYS, LEDGER]}
    return answers


def entry(page: Page, table: str) -> Locator:
    """Return the part of the dictionary about a table."""
    return page.locator(f"#dictionary [data-table='{table}']")


def test_tables_are_collapsed_and_columns_described(page: Page) -> None:
    expect(page.locator("#dictionary .loading")).to_have_count(0)
    expect(page.locator("#dictionary summary")).to_have_text(
        [
            "songplaysOne row per play.Personal data3 rows · changed 2018-11-01 05:02",
            "operations.ledgerOne row per play.",
        ]
    )
    plays = entry(page, "songplays")
    expect(plays.get_by_role("table")).to_be_hidden()
    # The browser's search finds, and expands, what a <details> hides.
    expect(plays.locator(".sources").first).to_contain_text("staging_events.userid")
    plays.locator("summary").click()
    expect(plays.locator(".note")).to_have_text("Loaded from staging_events.")
    expect(plays.locator("thead th")).to_have_text(["Column", "Type", "Description", "Source"])
    expect(plays.locator("tbody th, tbody td")).to_have_text(
        [
            *("user_id", "BIGINT", "User of the <b>app</b>.Personal", "staging_events.useridstaging_events.ts"),
            *("length", "BIGINT", "Length.seconds", ""),
        ]
    )
    expect(entry(page, "operations.ledger").locator("thead th")).to_have_text(["Column", "Type", "Description"])


def test_news_keep_a_table_expanded(page: Page, answers: dict[str, Any]) -> None:
    entry(page, "songplays").locator("summary").click()
    answers["dictionary"] = {"tables": [{**PLAYS, "changed_at": "2018-11-01T06:00:00.000Z"}, LEDGER]}
    answers["panels/tables"]["rows"][0][1] = 4
    page.get_by_role("button", name="Reload").click()
    expect(entry(page, "songplays").locator("small")).to_have_text("4 rows · changed 2018-11-01 06:00")
    expect(entry(page, "songplays").get_by_role("table")).to_be_visible()
    expect(entry(page, "operations.ledger").get_by_role("table")).to_be_hidden()


def test_the_dictionary_needs_no_warehouse(page: Page, answers: dict[str, Any]) -> None:
    answers["panels/tables"] = {"status": 503, "kind": "unreachable", "detail": "The warehouse is unreachable."}
    page.reload()
    expect(entry(page, "songplays").locator("small")).to_have_text("changed 2018-11-01 05:02")


def test_an_error_is_shown_in_its_place(page: Page, answers: dict[str, Any]) -> None:
    answers["dictionary"] = {"status": 503, "kind": "refused", "detail": "The DDL is invalid: users.sql line 3"}
    page.reload()
    expect(page.locator("#dictionary .state")).to_have_text("The DDL is invalid: users.sql line 3")
    answers["dictionary"] = {"tables": [LEDGER]}
    page.get_by_role("button", name="Reload").click()
    expect(page.locator("#dictionary details")).to_have_count(1)
    expect(page.locator("#dictionary .state")).to_have_count(0)
