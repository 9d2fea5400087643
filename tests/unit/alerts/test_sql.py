"""The SQL of the alerts obeys the house rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlparse

from sparkify.alerts import backfill
from sparkify.dag.run import DagRunInfo
from sparkify.sql.predicates import literal
from sparkify.sql.scripts import label
from sql_rules import violations
from tests.unit.alerts.test_incidents import NOW, hour

RUN = DagRunInfo("sparkify_warehouse", "Sparkify warehouse", "backfill__2018-11-01T00:00:00+00:00", "backfill", hour(0))
MOMENT = literal(NOW)
NAMES: dict[str, dict[str, Any]] = {
    "claim": {"run": RUN, "summarized_until": MOMENT},
    "ended": {"run": RUN, "limit": 50},
    "problems": {"run": RUN},
    "runs": {"run": RUN},
    "withdraw": {"run": RUN, "summarized_until": MOMENT},
}


def test_every_file_is_covered() -> None:
    folder = Path(backfill.__file__).parent / "sql"
    assert {path.stem for path in folder.glob("*.sql") if not path.stem.startswith("_")} == NAMES.keys()


@pytest.mark.parametrize("name", NAMES)
def test_sql_obeys_the_rules(name: str) -> None:
    sql = backfill._sql(name, **NAMES[name])
    assert violations(sql) == []
    assert [label(statement) for statement in sqlparse.split(sql) if not statement.startswith("-- ")] == []
