"""The predicates that a load puts into the SELECT of a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp, parse_one

from sparkify.interval import Interval
from sparkify.sql import predicates

START = datetime(2018, 11, 1, tzinfo=UTC)
DAY = predicates.OfInterval(Interval(START, START + timedelta(days=1)))


def test_an_interval_is_half_open() -> None:
    assert DAY("e.ts") == (
        "e.ts >= TIMESTAMP '2018-11-01 00:00:00.000000' AND e.ts < TIMESTAMP '2018-11-02 00:00:00.000000'"
    )


def test_changed_batches() -> None:
    assert predicates.of_changed_batches("s.batch_id") == "s.batch_id IN (SELECT batch_id FROM changed_batches)"


def test_batches() -> None:
    assert predicates.OfBatches((3, 4))("s.batch_id") == "s.batch_id IN (3, 4)"
    assert predicates.OfBatches(())("s.batch_id") == "1 = 0"


def test_a_changed_lookup_excludes_the_interval() -> None:
    """The same load looks up the rows of the interval anyway."""
    scope = predicates.OfChangedLookup(DAY.interval, predicates.OfBatches((3,)))
    assert scope("e.ts", lookup="s.batch_id") == f"s.batch_id IN (3) AND NOT ({DAY('e.ts')})"


def test_keys() -> None:
    assert predicates.OfKeys("stale")("e.ts", lookup="s.batch_id", session="e.sessionid", id="MD5(e.x)") == (
        "EXISTS (SELECT 1 FROM stale WHERE stale.session = e.sessionid AND stale.id = MD5(e.x))"
    )


def test_everything() -> None:
    assert predicates.everything("e.ts", lookup="s.batch_id", id="e.id") == "1 = 1"


def test_groups_are_what_a_select_passes_to_its_scope() -> None:
    groups = predicates.Groups()
    assert groups("e.interval_time", day="CAST(e.ts AS DATE)", user_id="e.userid") == "1 = 1"
    assert groups.partition == "e.interval_time"
    assert groups.alias == "e"
    assert groups.expressions == {"day": "CAST(e.ts AS DATE)", "user_id": "e.userid"}


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1000, 1, 1)))  # noqa: DTZ001 - hypothesis wants it naive
def test_a_literal_is_exact(moment: datetime) -> None:
    assert datetime.fromisoformat(predicates.literal(moment).removeprefix("TIMESTAMP '").rstrip("'")) == moment.replace(
        tzinfo=None
    )


@pytest.mark.parametrize(
    "predicate",
    [
        DAY,
        predicates.of_changed_batches,
        predicates.OfBatches((3, 4)),
        predicates.OfBatches(()),
        predicates.OfChangedLookup(DAY.interval, predicates.OfBatches((3, 4))),
        predicates.OfKeys("stale"),
        predicates.everything,
        predicates.Groups(),
    ],
)
def test_a_predicate_can_be_combined_with_and(predicate: predicates.Predicate) -> None:
    """A top-level OR in it would disable the conditions before it."""
    sql = f"SELECT 1 FROM t WHERE a = 1 AND {predicate('t.b', lookup='u.b', c='t.c')}"
    where = parse_one(sql, read="redshift").find(exp.Where)
    assert where
    assert isinstance(where.this, exp.And)
    assert next(where.this.flatten()).sql() == "a = 1"
