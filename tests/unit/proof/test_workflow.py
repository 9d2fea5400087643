"""The workflow around `make proof`: started by hand, without stored keys, and it deletes everything in any case."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from proof import cost
from tests.conftest import ROOT

PATH = ROOT / ".github" / "workflows" / "redshift.yaml"


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    # YAML 1.1 reads the key "on" as true.
    found: dict[str, Any] = yaml.load(PATH.read_text(), Loader=yaml.BaseLoader)  # noqa: S506 - builds strings only
    return found


@pytest.fixture(scope="module")
def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    (job,) = workflow["jobs"].values()
    found: list[dict[str, Any]] = job["steps"]
    return found


def test_it_is_started_by_hand_only(workflow: dict[str, Any]) -> None:
    assert list(workflow["on"]) == ["workflow_dispatch"]


def test_it_stores_no_keys(workflow: dict[str, Any], steps: list[dict[str, Any]]) -> None:
    """A role is assumed with the workflow's own identity, restricted to an environment."""
    assert workflow["permissions"] == {"contents": "read", "id-token": "write"}
    assert workflow["jobs"]["prove"]["environment"] == "redshift"
    assert "secrets." not in PATH.read_text()
    logins = [step["with"] for step in steps if "configure-aws-credentials" in step.get("uses", "")]
    assert len(logins) == 2
    for given in logins:
        assert given["role-to-assume"] == "${{ vars.REDSHIFT_PROOF_ROLE }}"
        assert given["mask-aws-account-id"] == "true"
        assert not [name for name in given if "key" in name]


def test_inputs_are_not_part_of_a_command(steps: list[dict[str, Any]]) -> None:
    assert [step["run"] for step in steps if "${{" in step.get("run", "")] == []


def test_two_proofs_do_not_run_at_once(workflow: dict[str, Any]) -> None:
    assert workflow["concurrency"] == {"group": "redshift", "cancel-in-progress": "false"}


def test_everything_after_the_proof_runs_in_any_case(steps: list[dict[str, Any]]) -> None:
    """The sweep has new credentials, and the report is published after it."""
    names = [step.get("run", step.get("uses", "")).split("@")[0] for step in steps]
    proof = next(number for number, name in enumerate(names) if name.startswith("make proof "))
    assert names[proof + 1 : proof + 3] == ["aws-actions/configure-aws-credentials", "make proof-sweep HOURS=0"]
    assert names[-1] == "actions/upload-artifact"
    assert [step.get("if") for step in steps[proof + 1 :]] == ["always()"] * 4


def test_the_credentials_outlive_the_proof(workflow: dict[str, Any], steps: list[dict[str, Any]]) -> None:
    """They are needed to delete everything; the job ends before they expire."""
    (job,) = workflow["jobs"].values()
    (login, *_) = [step["with"] for step in steps if "configure-aws-credentials" in step.get("uses", "")]
    assert cost.MINUTES + 45 < int(job["timeout-minutes"]) <= int(login["role-duration-seconds"]) / 60
