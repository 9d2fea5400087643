"""The endpoint refuses the SQL that the rules mark as refused by Redshift, and accepts valid SQL."""

from __future__ import annotations

import pytest

from sql_rules import RULES
from tests.redshift.refusals import refusal
from tests.unit.sql_rules.examples import EXAMPLES

REFUSED = [name for name, rule in RULES.items() if rule.refused]
VALID = [sql for examples in EXAMPLES.values() for sql in examples.valid]


@pytest.mark.parametrize("sql", [sql for name in REFUSED for sql in EXAMPLES[name].invalid])
def test_refused_examples_are_refused(sql: str) -> None:
    assert refusal(sql)


@pytest.mark.parametrize("sql", VALID)
def test_valid_examples_are_accepted(sql: str) -> None:
    assert refusal(sql) == ""


@pytest.mark.parametrize("sql", ["DO $$ BEGIN END $$", "CREATE EXTENSION citext", "SELECT FOO(a) AS a FROM t"])
def test_statements_that_redshift_lacks_are_refused(sql: str) -> None:
    assert refusal(sql)


def test_views_of_the_catalogue_are_not_combined_with_tables() -> None:
    count = "SELECT COUNT(*) AS number FROM pg_catalog.pg_tables WHERE tablename = 'a'"
    assert refusal(count) == ""
    assert "not supported on Redshift tables" in refusal(f"SELECT b.c, ({count}) AS d FROM b")
