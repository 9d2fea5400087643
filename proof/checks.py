"""Run the tests of ``tests/redshift`` on a workgroup, as ``make test-redshift`` does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from proof.stack import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TESTS = [f"tests/redshift/test_{name}.py" for name in ("workgroup", "month", "levels", "questions")]
# Seconds that the tests have to end after SIGINT.
_GRACE = 20


class ChecksFailedError(Exception):
    """Checks failed, or have not ended in time."""


def connections(outputs: dict[str, str], region: str) -> dict[str, str]:
    """Return the environment variables of the checks.

    :param outputs: the outputs of the stack.
    """
    from sparkify.infrastructure.connection import redshift_connection

    aws = {"conn_type": "aws", "extra": {"region_name": region, "copy_iam_role": outputs["CopyRoleArn"]}}
    return {
        "AIRFLOW_CONN_REDSHIFT": json.dumps(redshift_connection(outputs)),
        "AIRFLOW_CONN_AWS": json.dumps(aws),
        "REDSHIFT_BUCKET": outputs["Bucket"],
    }


def run(environment: Mapping[str, str], results: Path, *, minutes: float, arguments: list[str] | None = None) -> None:
    """Run the tests; stop them when the time is up, or when this function is interrupted.

    :param environment: further environment variables: the connections.
    :param results: the file to write, in JUnit's format.
    :param minutes: the time limit.
    :param arguments: further arguments of pytest.
    :raises ChecksFailedError: if a test failed, or they have not ended in time.
    """
    command: list[Any] = [sys.executable, "-m", "pytest", "-n0", "-p", "no:cacheprovider", f"--junitxml={results}"]
    process = subprocess.Popen(
        [*command, *TESTS, *(arguments or [])],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(["plugins", "dags", "."]), **environment},
        start_new_session=True,  # Ctrl-C is for this process, which stops the tests
    )
    try:
        code = process.wait(minutes * 60)
    except subprocess.TimeoutExpired:
        raise ChecksFailedError(f"The checks were stopped: they exceeded {minutes:g} minutes.") from None
    finally:
        _stop(process)
    if code:
        raise ChecksFailedError(f"Checks failed, see below (pytest exited with {code}).")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the tests and the servers that they started."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
