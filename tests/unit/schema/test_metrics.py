"""Each file of the semantic catalogue declares a metric; every consumer reads its view."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import sqlglot
from sqlglot import exp

from sparkify.schema import metrics
from sparkify.schema.metrics import Metric
from sparkify.warehouse.ddl import DdlError
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

METRICS = ROOT / "include" / "sql" / "metrics"
CATALOGUE = metrics.read(METRICS)
ADDITIVE = {"no", "over days", "over days and levels"}
UNITS = {"%", "accounts", "downgrades", "hours", "minutes", "plays", "sessions", "upgrades", "users"}


def test_the_catalogue_has_the_metrics_of_the_documentation() -> None:
    assert set(CATALOGUE) == {
        *("plays", "listening_hours", "listeners", "sessions", "average_session_minutes", "sign_ups", "upgrades"),
        *("downgrades", "cancellations", "daily_active_users", "weekly_active_users", "monthly_active_users"),
        *("paid_share", "conversion_rate", "retention"),
    }


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_file_declares_its_grain_and_a_value(name: str) -> None:
    metric = CATALOGUE[name]
    select = sqlglot.parse_one((METRICS / f"{name}.sql").read_text(), read="redshift")
    assert isinstance(select, exp.Select)
    assert select.named_selects == [*metric.grain, "value"]
    assert metric.grain[0] in {"day", "week", "month", "cohort_week"}
    assert set(metric.grain[1:]) <= {"level", "age"}
    assert (metric.additive in ADDITIVE, metric.unit in UNITS) == (True, True)
    # Of all attributes of the grain, or of none.
    assert ("levels" in metric.additive) == ("level" in metric.grain)
    assert metric.meaning.endswith(".")
    assert not metric.title.endswith(".")


def test_a_metric_is_its_comment(tmp_path: Path) -> None:
    (tmp_path / "plays.sql").write_text(
        "-- Plays\n-- How often.\n-- In all.\n-- Grain: day, level\n-- Additive: no\n-- Unit: %\n\nSELECT 1 AS value"
    )
    assert metrics.read(tmp_path) == {
        "plays": Metric("plays", "Plays", "How often. In all.", ("day", "level"), "no", "%")
    }


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("", "plays.sql: expected a comment of a title, .*got the title '', the meaning '' and no such line."),
        ("-- Plays\n-- How often.\n-- Grain: day\n-- Unit: %", "got the title 'Plays', .* and Grain, Unit."),
        ("-- Plays\n-- Grain: day\n-- Unit: %\n-- Additive: no", "the meaning '' and Grain, Unit, Additive."),
    ],
)
def test_an_incomplete_comment_is_an_error(tmp_path: Path, comment: str, expected: str) -> None:
    (tmp_path / "plays.sql").write_text(f"{comment}\nSELECT 1 AS value")
    with pytest.raises(DdlError, match=re.compile(expected)):
        metrics.read(tmp_path)
