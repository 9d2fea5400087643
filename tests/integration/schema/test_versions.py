"""Older code never downgrades a newer schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from airflow.sdk.exceptions import AirflowFailException

from tests.integration.schema.conftest import DDL, FIVE, SIX, USERS, create, load

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.lab import Lab

CHANGED = USERS.replace("    e.gender,\n", "    COALESCE(e.gender, 'X') AS gender,\n")


def test_older_code_is_refused_and_names_the_versions(loaded: Lab, folder: Path) -> None:
    create(loaded, folder)
    message = (
        r"This code is older than the warehouse: it has version 1 of the schema of users, the warehouse has version 2, "
        r"applied 20\d\d-\d\d-\d\d \d\d:\d\d UTC\. Nothing was changed\."
    )
    for changes in ("additive", "refuse"):
        with pytest.raises(AirflowFailException, match=message):
            create(loaded, DDL, changes)


def test_a_deliberate_return_makes_it_the_newest(loaded: Lab, folder: Path) -> None:
    create(loaded, folder)
    create(loaded, DDL, "all")
    assert create(loaded, DDL)["schema_changes"] == 0


def test_an_older_select_is_refused(loaded: Lab) -> None:
    assert load(loaded, SIX, CHANGED)["rows"] == 2
    with pytest.raises(AirflowFailException, match="version 1 of the SELECT of users, the warehouse has version 2"):
        load(loaded, SIX, USERS)
    assert load(loaded, SIX, CHANGED)["rows"] == 1


def test_an_older_select_may_be_made_the_newest(loaded: Lab) -> None:
    before = loaded.tables()
    load(loaded, SIX, CHANGED)
    assert load(loaded, SIX, USERS, changes="all")["rows"] == 2
    assert loaded.tables() == before
    assert load(loaded, SIX, USERS)["rows"] == 1


def test_rows_of_a_table_that_was_created_again_have_no_older_definition(loaded: Lab) -> None:
    before = loaded.tables()
    loaded.run(FIVE[0], SIX[1], recreate_tables="recreate all tables")
    assert loaded.tables() == before
