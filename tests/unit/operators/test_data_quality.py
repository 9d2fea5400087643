"""Checks: what holds, and what a file of checks may look like."""

from __future__ import annotations

import operator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from hypothesis import given
from hypothesis import strategies as st

from sparkify.operators import DataQualityOperator
from sparkify.operators.data_quality import COMPARISONS, Check, parse_checks

if TYPE_CHECKING:
    from collections.abc import Callable

numbers = st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=3)


def check(expect: str) -> Check:
    return Check("a check", "SELECT 1", expect)


@pytest.mark.parametrize(
    ("expect", "observed", "holds"),
    [
        ("= 0", 0, True),
        ("= 0", 1, False),
        ("=0", 0, True),
        ("  =  0  ", 0, True),
        ("= 0", Decimal("0.0"), True),
        ("= 0", 0.0, True),
        ("= 0.1", 0.1, True),
        ("= 0", "0", True),
        ("= -1", -1, True),
        ("!= 0", 1, True),
        ("!= 0", 0, False),
        ("> 0", 1, True),
        ("> 0", 0, False),
        (">= 0", 0, True),
        (">= 0", -1, False),
        ("< 1.5", 1, True),
        ("< 1.5", 1.5, False),
        ("<= 1.5", Decimal("1.5"), True),
        ("<= 1.5", 2, False),
        ("= 9007199254740993", 9007199254740993, True),
        ("= 9007199254740993", 9007199254740992, False),
    ],
)
def test_holds(expect: str, observed: Any, holds: bool) -> None:
    assert check(expect).holds(observed) is holds


@given(numbers, numbers, st.sampled_from([*zip(COMPARISONS, ["eq", "ne", "lt", "le", "gt", "ge"], strict=True)]))
def test_comparisons_are_those_of_numbers(observed: Any, expected: Any, comparison: tuple[str, str]) -> None:
    sign, name = comparison
    compare: Callable[[Any, Any], bool] = getattr(operator, name)
    assert check(f"{sign} {Decimal(expected):f}").holds(observed) is compare(observed, expected)


@pytest.mark.parametrize("sign", COMPARISONS)
@pytest.mark.parametrize("observed", [None, float("nan"), Decimal("NaN"), "many", True, ""])
def test_what_is_no_number_never_holds(sign: str, observed: Any) -> None:
    assert not check(f"{sign} 0").holds(observed)


@pytest.mark.parametrize(
    "expect", ["", "0", "== 0", "=> 0", "= zero", "= 0 or 1", "= 1e3", "<> 0", "= ", "= 1.", "= +1"]
)
def test_an_expectation_is_a_comparison_with_a_number(expect: str) -> None:
    with pytest.raises(ValueError, match=r"'a check'.* such as '= 0'") as caught:
        check(expect)
    assert repr(expect) in str(caught.value)


def test_a_file_of_checks() -> None:
    text = """
    checks:
      - {name: one, sql: SELECT 1, expect: = 1}
      - {name: two, sql: SELECT 2, expect: '> 1', why: it is}
    """
    assert parse_checks(text) == [Check("one", "SELECT 1", "= 1"), Check("two", "SELECT 2", "> 1", "it is")]


def test_a_file_may_be_without_checks() -> None:
    assert parse_checks("checks: []") == []


@pytest.mark.parametrize("text", ["", "- name: one", "checks:", "checks: {name: one}", "rules: []", "just text"])
def test_a_file_of_checks_is_a_mapping_with_a_list(text: str) -> None:
    with pytest.raises(ValueError, match="a mapping with a list 'checks'"):
        parse_checks(text)


@pytest.mark.parametrize(
    "item",
    [
        "just text",
        "3",
        "[1, 2]",
        "{name: one, sql: SELECT 1}",
        "{sql: SELECT 1, expect: = 0}",
        "{name: one, expect: = 0}",
        "{name: one, sql: SELECT 1, expect: = 0, severity: high}",
        "{name: one, sql: SELECT 1, expect: 0}",
        "{name: one, sql: SELECT 1, expect: }",
        "{name: one, sql: , expect: = 0}",
        "{name: one, sql: 1, expect: = 0}",
        "{1: one, sql: SELECT 1, expect: = 0}",
    ],
)
def test_a_wrong_check_is_named_by_its_number(item: str) -> None:
    with pytest.raises(ValueError, match="Check number 2 must have the texts name, sql and expect"):
        parse_checks(f"checks:\n  - {{name: zero, sql: SELECT 0, expect: = 0}}\n  - {item}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("checks: [", "cannot be read: while parsing"),
        ("checks: {}", "cannot be read: A file of checks"),
        ("checks: [{name: one, sql: SELECT 1, expect: many}]", "cannot be read: Check 'one': expect must be"),
        ("checks: [{name: one, sql: SELECT 1, expect: 0}]", "cannot be read: Check number 1"),
    ],
)
def test_a_file_that_cannot_be_read_fails_for_good(text: str, message: str) -> None:
    """And before a connection is made: there is none here."""
    task = DataQualityOperator(task_id="data_quality", checks=[text], redshift_conn_id="absent")
    with pytest.raises(AirflowFailException, match=message):
        task.work({})
