"""The endpoint refuses what the rules say that Redshift refuses, and nothing of what they accept."""

from __future__ import annotations

import pytest

from sql_rules import RULES
from tests.redshift.refusals import refusal
from tests.unit.sql_rules.examples import EXAMPLES

REFUSED = [name for name, rule in RULES.items() if rule.refused]
VALID = [sql for examples in EXAMPLES.values() for sql in examples.valid]


@pytest.mark.parametrize("sql", [sql for name in REFUSED for sql in EXAMPLES[name].invalid])
def test_what_redshift_refuses_is_refused(sql: str) -> None:
    assert refusal(sql)


@pytest.mark.parametrize("sql", VALID)
def test_what_is_right_is_not_refused(sql: str) -> None:
    assert refusal(sql) == ""


@pytest.mark.parametrize("sql", ["DO $$ BEGIN END $$", "CREATE EXTENSION citext", "SELECT FOO(a) AS a FROM t"])
def test_what_is_no_sql_of_redshift_is_refused(sql: str) -> None:
    assert refusal(sql)
