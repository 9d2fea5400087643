"""The arguments of the command, and the names of proofs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from proof import __main__ as command
from proof import names

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def test_a_region_is_required(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with pytest.raises(SystemExit):
        command._options(["run"])
    assert "set the region: AWS_REGION, or --region" in capsys.readouterr().err
    assert command._options(["--region", "us-west-2", "sweep"]).hours == command.STALE_HOURS


def test_a_proof_that_may_cost_more_than_promised_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert command._options(["--region", "sa-east-1", "run", "--price", "0.59"]).price == 0.59
    with pytest.raises(SystemExit):
        command._options(["--region", "sa-east-1", "run", "--price", "0.6"])
    assert "it may cost more than 5 USD: 8 RPU-hours (the usage limit) × 0.6" in capsys.readouterr().err


def test_names_are_unique_and_have_an_age() -> None:
    one, other = names.new(NOW), names.new(NOW)
    assert one != other
    assert one.startswith("sparkify-proof-20261122093000-")
    assert names.age(one, NOW + timedelta(hours=2)) == timedelta(hours=2)
    with pytest.raises(ValueError, match="'sparkify' is not the name of a proof: expected sparkify-proof-"):
        names.age("sparkify", NOW)


def test_names_fit_what_aws_allows() -> None:
    """A stack (128), a bucket (63), a workgroup (64), and the role that CloudFormation names after the stack (64)."""
    assert len(names.new(NOW) + "-CopyRole-" + 12 * "X") <= 64


@pytest.mark.parametrize("text", ["sparkify", "sparkify-proof-1", "sparkify-proof-of-somebody-else"])
def test_other_names_are_not_found(text: str) -> None:
    assert names.find(text) == set()
