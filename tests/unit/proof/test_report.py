"""The report of a proof: what it contains, and what it must not contain."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from proof import checks, cost, report
from proof.journal import Journal, Step, describe
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE = {
    "an account id": "account 123456789012 is",
    "an ARN": "not authorized: arn:aws:sts::123456789012:assumed-role/proof/session, sorry",
    "an ARN of another partition": "arn:aws-us-gov:iam::123456789012:role/copy",
    "an endpoint": "sparkify-proof-1.123456789012.us-west-2.redshift-serverless.amazonaws.com:5439",
    "a URL of a queue": "https://sqs.us-west-2.amazonaws.com/123456789012/sparkify-arrivals",
    "an address": "from 203.0.113.7 and 10.0.0.0/16",
    "an access key": "key ASIAIOSFODNN7EXAMPLE of",
    "a database user": 'user "IAMR:github-proof" does not exist',
    "a network": "subnet-0123456789abcdef0 of vpc-0a1b2c3d4e5f60718 with sg-12345678",
    "a given word": "password hunter2hunter2 rejected",
}


@pytest.mark.parametrize("text", PRIVATE.values(), ids=PRIVATE)
def test_private_data_is_redacted(text: str) -> None:
    redacted = report.redact(text, ["hunter2hunter2", ""])
    assert "…" in redacted
    for word in (
        "123456789012",
        "arn:",
        "amazonaws",
        "203.0",
        "10.0",
        "ASIA",
        "github",
        "hunter2",
        "0123",
        "0a1b",
        "sg-",
    ):
        assert word not in redacted


def test_what_is_not_private_is_kept() -> None:
    text = "PostgreSQL 8.0.2, Redshift 1.0.41881: 2018-11-01 00:00, MD5 0004858498d31321278ae2f7cd6fd52e, 12.5 s"
    assert report.redact(text) == text


RESULTS = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite>
  <testcase classname="tests.redshift.test_workgroup" name="test_tables_are_the_same" />
  <testcase classname="tests.redshift.test_workgroup" name="test_queries[report-plays]">
    <failure message="AssertionError: 1 != 2 | at&#10;  arn:aws:iam::123456789012:role/x">trace</failure>
  </testcase>
  <testcase classname="tests.redshift.test_workgroup" name="test_queries[load-users]" />
  <testcase classname="tests.redshift.test_levels" name="test_concurrent[SERIALIZABLE]"><properties>
    <property name="isolation" value="SERIALIZABLE" /><property name="runs" value="5" />
    <property name="conflicts" value="3" /></properties></testcase>
  <testcase classname="tests.redshift.test_questions" name="test_facts"><properties>
    <property name="fact: version" value="Redshift 1.0.41881" /></properties></testcase>
  <testcase classname="tests.redshift.test_questions" name="test_redshift_answers_as_assumed[a]"><properties>
    <property name="topic" value="MERGE" /><property name="question" value="two rows" />
    <property name="assumed" value="refused" /><property name="answered" value="[(1, 'a')]" /></properties>
    <failure message="AssertionError" /></testcase>
  <testcase classname="tests.redshift.test_questions" name="test_redshift_answers_as_assumed[b]"><properties>
    <property name="topic" value="masking" /><property name="question" value="DROP TABLE" />
    <property name="assumed" value="accepted" /></properties><skipped message="Not asked: no policies." /></testcase>
</testsuite></testsuites>
"""


def test_the_report_has_steps_checks_answers_and_cost(tmp_path: Path) -> None:
    results = tmp_path / "results.xml"
    results.write_text(RESULTS)
    journal = Journal([Step("create the stack", 61.4), Step("run the checks", 1.0, "ChecksFailedError: 2 | failed")])
    path = report.write(
        tmp_path / "proof",
        journal,
        report.read(results),
        started=datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
        region="us-west-2",
        price=0.4,
    )
    assert path.name.startswith("2026-11-22-0930-")
    lines = path.read_text().splitlines()
    assert lines[0] == "# Proof of 2026-11-22 09:30 UTC: failed"
    assert "Redshift Serverless in us-west-2. version: Redshift 1.0.41881." in lines[2]
    for row in (
        "| create the stack | 61 s | done |",
        "| run the checks | 1 s | ChecksFailedError: 2 \\| failed |",
        "| tables are the same | 1 | 0 | 0 |",
        "| queries | 1 | 1 | 0 |",
        "| queries[report-plays] | AssertionError: 1 != 2 \\| at … |",
        "| SERIALIZABLE | 5 | 3 | passed |",
        "| MERGE | two rows | refused | [(1, 'a')] | **no** |",
        "| masking | DROP TABLE | accepted | Not asked: no policies. | not asked |",
    ):
        assert row in lines
    assert "8 RPU-hours (the usage limit) × 0.4 USD per RPU-hour + 0.25 USD for everything else = 3.45 USD" in lines[-1]


def test_without_results_the_report_has_the_failed_step(tmp_path: Path) -> None:
    journal = Journal([Step("create the stack", 2.0, "AirflowFailException: denied")])
    none = report.read(tmp_path / "none.xml")
    text = report.write(tmp_path, journal, none, started=datetime.now(UTC), region="x", price=1).read_text()
    assert "| create the stack | 2 s | AirflowFailException: denied |" in text
    assert "## Checks" not in text


def test_an_error_of_a_group_is_described_with_its_members() -> None:
    group = ExceptionGroup("not deleted", [ValueError("one"), ExceptionGroup("two", [OSError("three")])])
    assert describe(group).splitlines() == [
        "ExceptionGroup: not deleted (2 sub-exceptions)",
        "ValueError: one",
        "ExceptionGroup: two (1 sub-exception)",
        "OSError: three",
    ]


def test_the_cost_is_capped() -> None:
    """The usage limit is the cap; the time limit alone would stay below it."""
    assert cost.at_most() == pytest.approx(3.25)
    assert cost.at_most() < cost.CEILING
    assert cost.RPU * (cost.MINUTES + 1) / 60 < cost.LIMIT


def test_make_test_redshift_runs_the_same_tests() -> None:
    makefile = (ROOT / "Makefile").read_text()
    names = makefile.partition("$(addprefix tests/redshift/test_,")[2].partition(")")[0].split()
    assert [f"tests/redshift/test_{name}" for name in names] == checks.TESTS
    assert all((ROOT / name).exists() for name in checks.TESTS)
