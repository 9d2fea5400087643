"""`make proof` leaves nothing behind, whatever fails, on local AWS servers; its checks are replaced by quick ones."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from botocore.client import BaseClient
from moto.cloudformation import models
from obstore.store import S3Store

from proof import __main__ as command
from proof import checks, cost, names, stack
from sandbox.aws import REGION, namespaces, workgroups
from tests.integration.infrastructure.conftest import KEYS
from tests.redshift.workgroup import Workgroup
from tests.unit.proof.test_policy import is_call_allowed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.infrastructure.conftest import Cloud

CIDR = "203.0.113.7/32"
LOGS = "/aws/redshift/{}/useractivitylog"
# The steps of a proof, and what does the work of each.
STEPS = {
    "find the public address": (command, "_address"),
    "create the stack": (stack, "create"),
    "limit the usage": (stack, "limit"),
    "create the database user": (stack, "grant"),
    "run the checks": (checks, "run"),
}


@pytest.fixture(autouse=True)
def _handlers() -> Any:
    """Restore the handlers of signals after each test."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def account(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Return an empty account; checks write to the bucket and to the audit logs, and pass."""
    stack._client.cache_clear()  # another account
    monkeypatch.setattr(stack, "POLL", 0)
    monkeypatch.setattr(command, "_address", lambda: CIDR)

    def run(environment: dict[str, str], results: Path, *, minutes: float) -> None:
        name = environment["REDSHIFT_BUCKET"]
        cloud.client("s3").put_object(Bucket=name, Key="sparkify_tests/log_data/one.json", Body=b"{}")
        cloud.client("logs").create_log_group(logGroupName=LOGS.format(name))

    monkeypatch.setattr(checks, "run", run)
    return cloud


def prove(tmp_path: Path) -> tuple[int, str]:
    """Run a proof; return its exit code and its report."""
    options = argparse.Namespace(cidr="", region=REGION, price=cost.PRICE, reports=tmp_path / "reports")
    code = command.prove(options, tmp_path / "results.xml")
    (report,) = options.reports.glob("*.md")
    return code, report.read_text()


def remaining(cloud: Cloud) -> dict[str, Any]:
    """Return the resources of the account that a proof creates."""
    found = {
        "stacks": cloud.stacks(),
        "buckets": [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]],
        "roles": cloud.client("iam").list_roles()["Roles"],
        "policies": cloud.client("iam").list_policies(Scope="Local")["Policies"],
        "queues": cloud.client("sqs").list_queues().get("QueueUrls", []),
        "rules": cloud.client("events").list_rules()["Rules"],
        "endpoints": cloud.client("ec2").describe_vpc_endpoints()["VpcEndpoints"],
        "groups": [
            group["GroupName"]
            for group in cloud.client("ec2").describe_security_groups()["SecurityGroups"]
            if group["GroupName"] != "default"
        ],
        "logs": cloud.client("logs").describe_log_groups()["logGroups"],
        "namespaces": sorted(namespaces),
        "workgroups": sorted(workgroups),
    }
    return {name: values for name, values in found.items() if values}


def test_a_proof_creates_a_capped_workgroup_and_deletes_everything(
    account: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}
    run = checks.run

    def inspect(environment: dict[str, str], results: Path, *, minutes: float) -> None:
        run(environment, results, minutes=minutes)
        seen.update(remaining(account), minutes=minutes, environment=environment)
        (created,) = account.client("cloudformation").describe_stacks()["Stacks"]
        seen["parameters"] = {item["ParameterKey"]: item["ParameterValue"] for item in created["Parameters"]}
        seen["tags"] = {tag["Key"]: tag["Value"] for tag in created["Tags"]}
        (seen["properties"],) = [dict(properties) for properties in workgroups.values()]

    monkeypatch.setattr(checks, "run", inspect)
    code, report = prove(tmp_path)
    assert code == 0
    assert remaining(account) == {}
    (name,) = seen["workgroups"]
    assert names.age(name) < timedelta(minutes=5)
    assert (list(seen["stacks"]), seen["buckets"], seen["namespaces"]) == ([name], [name], [name])
    assert {"roles", "policies", "queues", "rules", "endpoints", "groups", "logs"} < set(seen)
    assert seen["tags"] == {"project": "sparkify", "sparkify:proof": name}
    assert seen["minutes"] == cost.MINUTES
    # The role of COPY may read what the tests write.
    assert stack.PREFIXES.items() <= seen["parameters"].items()
    lab = Workgroup("", S3Store(name), name, {})
    lab.name = "day"
    folders = {lab.key(f"{prefix}/") for prefix in ("log_data", "song_data", "manifests")}
    assert folders == {f"{prefix}day/" for prefix in stack.PREFIXES.values()}
    # The caps.
    assert (seen["properties"]["BaseCapacity"], seen["properties"]["MaxCapacity"]) == (cost.RPU, cost.RPU)
    assert seen["properties"]["PubliclyAccessible"] == "true"
    (limit,) = account.serverless.limits
    assert limit.pop("resourceArn").endswith(f":workgroup/{name}")
    assert limit == {
        "usageType": "serverless-compute",
        "amount": cost.LIMIT,
        "period": "monthly",
        "breachAction": "deactivate",
    }
    # The database user may create databases.
    batches = [given["Sqls"] for given in account.serverless.statements if "Sqls" in given]
    assert batches[-1] == ['ALTER USER "IAMR:airflow" CREATEDB', 'GRANT ROLE sys:secadmin TO "IAMR:airflow"']
    assert account.serverless.statements[-1]["Database"] == "sparkify"
    assert '"is_serverless": true' in seen["environment"]["AIRFLOW_CONN_REDSHIFT"]
    assert report.startswith("# Proof of ")
    assert "UTC: passed" in report
    assert "At most 3.25 USD" in report


def test_the_policy_allows_all_calls(account: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (old,) = _names(account, 10)
    account.client("logs").create_log_group(logGroupName=LOGS.format(old))
    call = BaseClient._make_api_call
    calls = set()

    def record(client: BaseClient, name: str, given: Any) -> Any:
        calls.add((client.meta.service_model.signing_name, name))
        return call(client, name, given)

    monkeypatch.setattr(checks, "run", lambda *arguments, **keywords: None)
    with monkeypatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", record)
        assert prove(tmp_path)[0] == 0
        assert stack.sweep(timedelta(hours=3)) == [old]
    assert {"CreateStack", "CreateUsageLimit", "DeleteBucket", "DeleteLogGroup"} < {name for _, name in calls}
    assert [call for call in sorted(calls) if not is_call_allowed(*call)] == []


class InjectedError(Exception):
    """A failure of the test."""


def _raise() -> None:
    secret = KEYS["aws_secret_access_key"]
    raise InjectedError(f"no luck with arn:aws:iam::123456789012:role/copy at 10.1.2.3, key {secret}")


FAILURES: dict[str, Callable[[], None]] = {
    "an error": _raise,
    "Ctrl-C": partial(os.kill, os.getpid(), signal.SIGINT),
    "SIGTERM": partial(os.kill, os.getpid(), signal.SIGTERM),
}


# The work of each step is done when it fails.
CASES = [*((step, "an error") for step in STEPS), ("create the stack", "Ctrl-C"), ("run the checks", "SIGTERM")]


@pytest.mark.parametrize(("step", "failure"), CASES)
def test_a_failure_at_any_step_leaves_nothing_behind(
    account: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, failure: str
) -> None:
    module, function = STEPS[step]
    work = getattr(module, function)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS["aws_secret_access_key"])

    def failing(*arguments: Any, **keywords: Any) -> Any:
        work(*arguments, **keywords)
        FAILURES[failure]()

    monkeypatch.setattr(module, function, failing)
    code, report = prove(tmp_path)
    assert code == 1
    assert remaining(account) == {}
    assert "UTC: failed" in report
    (row,) = [line for line in report.splitlines() if line.startswith(f"| {step} |")]
    reason = {"an error": "InjectedError: no luck with … at …, key …", "Ctrl-C": "SIGINT", "SIGTERM": "SIGTERM"}
    assert reason[failure] in row
    steps = [line.split(" | ")[0].removeprefix("| ") for line in report.splitlines() if " s | " in line]
    assert steps == [*list(STEPS)[: list(STEPS).index(step) + 1], "delete everything"]
    assert re.search(r"\| delete everything \| \d+ s \| done \|", report)
    assert "123456789012" not in report
    assert KEYS["aws_secret_access_key"] not in report


def test_a_second_signal_does_not_interrupt_the_deletion(
    account: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    delete = stack.delete

    def interrupted(name: str) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        delete(name)

    monkeypatch.setattr(stack, "delete", interrupted)
    code, report = prove(tmp_path)
    assert (code, remaining(account)) == (0, {})
    assert "UTC: passed" in report
    assert capsys.readouterr().out.count("Deleting everything, please wait") == 2


def test_an_uncapped_workgroup_is_deleted_before_anything_is_loaded(
    account: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = stack.create

    def enlarged(name: str, cidr: str) -> dict[str, str]:
        outputs = create(name, cidr)
        workgroups[name]["MaxCapacity"] = 512
        return outputs

    monkeypatch.setattr(stack, "create", enlarged)
    code, report = prove(tmp_path)
    assert (code, remaining(account)) == (1, {})
    assert "a base and a maximum capacity of (8, 512) RPUs, expected 8 each: nothing was loaded" in report
    assert "run the checks" not in report


def test_a_failed_deletion_is_reported_and_swept(
    account: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rest is deleted; the sweep deletes what is left."""
    with monkeypatch.context() as patch:
        patch.setattr(models.CloudFormationBackend, "delete_stack", lambda *_: None)
        patch.setattr(stack, "_wait_for_deletion", lambda name: _raise())
        code, report = prove(tmp_path)
    assert code == 1
    assert "| delete everything |" in report
    assert "is not deleted: run make proof-sweep later" in report
    left = remaining(account)
    assert "buckets" not in left
    assert "logs" not in left
    (name,) = left["stacks"]
    assert command._sweep(timedelta()) == 0
    assert f"Deleted: {name}" in capsys.readouterr().out
    assert remaining(account) == {}


def test_a_killed_deletion_has_requested_that_of_the_stack(account: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack costs most, and AWS deletes it without this process."""
    (name,) = _names(account, 0)
    stack.create(name, CIDR)
    client = account.client("cloudformation")
    client.update_termination_protection(StackName=name, EnableTerminationProtection=True)
    monkeypatch.setattr(stack, "_delete_bucket", lambda name: sys.exit("killed"))
    with pytest.raises(SystemExit):
        stack.delete(name)
    assert account.stacks() == {}


def _names(cloud: Cloud, *ages: int) -> list[str]:
    now = datetime.now(UTC)
    return [names.new(now - timedelta(hours=age)) for age in ages]


def test_the_sweep_finds_what_killed_proofs_left(account: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """A running proof, and resources of other projects, are not touched."""
    killed, without_stack, only_logs, running = _names(account, 30, 20, 10, 1)
    s3, logs = account.client("s3"), account.client("logs")
    location = {"LocationConstraint": REGION}
    for name in (killed, running):
        stack.create(name, CIDR)
        s3.put_object(Bucket=name, Key="manifests/one", Body=b"{}")
    s3.create_bucket(Bucket=without_stack, CreateBucketConfiguration=location)
    s3.create_bucket(Bucket="sparkify-proof-of-somebody-else", CreateBucketConfiguration=location)
    for name in (killed, only_logs, "sparkify"):
        logs.create_log_group(logGroupName=LOGS.format(name))
    assert stack.leftovers(timedelta(hours=3)) == [killed, without_stack, only_logs]
    assert command._sweep(timedelta(hours=3)) == 0
    assert capsys.readouterr().out.endswith(f"Deleted: {killed}, {without_stack}, {only_logs}\n")
    left = remaining(account)
    assert list(left["stacks"]) == [running]
    assert sorted(left["buckets"]) == sorted([running, "sparkify-proof-of-somebody-else"])
    assert [group["logGroupName"] for group in left["logs"]] == [LOGS.format("sparkify")]
    assert left["namespaces"] == [running]
    assert command._sweep(timedelta(hours=3)) == 0
    assert capsys.readouterr().out.endswith("Nothing to delete\n")


def test_the_sweep_continues_after_a_failure(
    account: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = _names(account, 30, 20)
    for name in (first, second):
        stack.create(name, CIDR)
    wait = stack._wait_for_deletion
    monkeypatch.setattr(stack, "_wait_for_deletion", lambda name: _raise() if name == first else wait(name))
    assert command._sweep(timedelta(hours=3)) == 1
    assert f"{first} is not deleted" in capsys.readouterr().err
    assert remaining(account) == {}
