"""`make proof` from start to end: the command itself, on local AWS servers, with checks on the local endpoint."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import boto3
import pytest

from proof import names
from sandbox import servers
from sandbox.aws import REGION, namespaces, serverless
from tests.conftest import ROOT
from tests.redshift.conftest import on_endpoint
from tests.redshift.endpoint import PASSWORD, ROLE
from tests.redshift.questions import QUESTIONS
from tests.support.labs import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.lab import Lab
    from tests.redshift.endpoint import Endpoint

pytestmark = pytest.mark.slow

# The connections of the checks are those of the endpoint, because nothing is behind the local workgroup.
COMMAND = """
import json, sys
from proof import __main__ as command, checks, stack

stack.POLL = 0
given, checks.TESTS, arguments = map(json.loads, sys.argv[1:])
checks.connections = lambda outputs, region: given
sys.exit(command.main(arguments))
"""
TESTS = "tests/redshift/test_questions.py"
LEVEL = "tests/redshift/test_levels.py::test_concurrent_runs_leave_the_tables_of_a_single_run[SERIALIZABLE]"


@pytest.fixture
def start(
    endpoint: Endpoint, make_lab: Callable[..., Lab], aws: str, tmp_path: Path
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts the command."""
    lab = make_lab(EMPTY)
    given = {**on_endpoint(lab, endpoint), "REDSHIFT_BUCKET": lab.bucket}
    with serverless() as api:
        environment = {
            **os.environ,
            "PYTHONPATH": "plugins:dags:.",
            "AWS_ACCESS_KEY_ID": servers.ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": servers.SECRET_KEY,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": aws,
            "AWS_ENDPOINT_URL_REDSHIFT_SERVERLESS": api.endpoint,
            "AWS_ENDPOINT_URL_REDSHIFT_DATA": api.endpoint,
        }

        def run(*tests: str) -> subprocess.Popen[str]:
            arguments = ["run", "--cidr", "203.0.113.7/32", "--reports", str(tmp_path)]
            command = [sys.executable, "-c", COMMAND, *map(json.dumps, (given, tests, arguments))]
            return subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )

        yield run


def stacks_and_buckets(endpoint: str) -> list[str]:
    """Return the names of the proofs that remain."""
    keys = {"aws_access_key_id": servers.ACCESS_KEY, "aws_secret_access_key": servers.SECRET_KEY}
    session = boto3.session.Session(region_name=REGION, **keys)
    stacks = session.client("cloudformation", endpoint_url=endpoint).describe_stacks()["Stacks"]
    buckets = session.client("s3", endpoint_url=endpoint).list_buckets()["Buckets"]
    return sorted(names.find(" ".join([*(item["StackName"] for item in stacks), *(item["Name"] for item in buckets)])))


def test_the_command_from_start_to_end(
    start: Callable[..., subprocess.Popen[str]], endpoint: Endpoint, aws: str, tmp_path: Path
) -> None:
    """The endpoint is taken for a real Redshift: it is asked what it is known to answer otherwise."""
    process = start(TESTS, LEVEL)
    output, _ = process.communicate(timeout=280)
    assert process.returncode == 1, output
    assert any(sql.startswith("CREATE DATABASE sparkify_test_") for sql in endpoint.received)
    assert any(sql.startswith("DROP DATABASE sparkify_test_") for sql in endpoint.received)
    (path,) = tmp_path.glob("*.md")
    report = path.read_text()
    assert re.match(r"# Proof of \d{4}-\d\d-\d\d \d\d:\d\d UTC: failed\n", report)
    assert "| run the checks | " in report
    assert re.search(r"\| SERIALIZABLE \| 5 \| \d+ \| passed \|", report)
    answers = [
        line.strip("| ").split(" | ") for line in report.splitlines() if line.endswith(("| yes |", "| **no** |"))
    ]
    assert len(answers) == len(QUESTIONS)
    wrong = {text for _, text, _, _, as_assumed in answers if as_assumed != "yes"}
    assert {"'a  ' = 'a' of two VARCHAR columns"} < wrong <= {item.text for item in QUESTIONS if item.not_local}
    ((_, _, assumed, answered, _),) = [row for row in answers if row[1] == "two source rows for one target row"]
    assert (assumed, answered[:9]) == ("refused", "refused: ")
    assert "version: PostgreSQL" in report
    for private in (PASSWORD, servers.SECRET_KEY, ROLE, "123456789012", "localhost", "203.0.113.7"):
        assert private not in report
    assert stacks_and_buckets(aws) == []
    assert namespaces == set()


def test_an_interrupted_command_stops_its_checks_and_leaves_nothing_behind(
    start: Callable[..., subprocess.Popen[str]], endpoint: Endpoint, aws: str, tmp_path: Path
) -> None:
    process = start(LEVEL)
    deadline = time.monotonic() + 200
    while not endpoint.statements("COPY"):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "run the checks failed: InterruptedProofError: SIGTERM received" in output
    (path,) = tmp_path.glob("*.md")
    assert "| InterruptedProofError: SIGTERM received |" in path.read_text()
    assert stacks_and_buckets(aws) == []
    received = len(endpoint.received)
    time.sleep(2)
    assert len(endpoint.received) == received, "the checks are still running"
