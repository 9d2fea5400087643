"""The commands of deploy.md, run by the AWS CLI: on moto's S3, and on a stand-in for Amazon MWAA, which moto lacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from deploy.mwaa import package
from tests.support.mwaa import code_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-west-2"}


class Environment:
    """An environment of MWAA: the updates that it received, and its endpoint."""

    def __init__(self) -> None:
        self.updates: list[dict[str, Any]] = []
        self.endpoint = ""


@pytest.fixture
def environment() -> Iterator[Environment]:
    found = Environment()

    class Handler(BaseHTTPRequestHandler):
        def do_PATCH(self) -> None:
            assert self.path == "/environments/test-environment"
            found.updates.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer({"Arn": "arn:aws:airflow:us-west-2:123456789012:environment/test-environment"})

        def do_GET(self) -> None:
            assert self.path == "/environments/test-environment"
            self._answer({"Environment": {"Status": "AVAILABLE", "LastUpdate": {"Status": "SUCCESS"}}})

        def _answer(self, body: dict[str, Any]) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


def test_the_commands_deploy_the_package(aws: str, environment: Environment, tmp_path: Path) -> None:
    target = tmp_path / "mwaa"
    package.write_package(target)
    bucket = f"mwaa-{uuid.uuid4().hex[:12]}"
    s3 = boto3.client("s3", endpoint_url=aws, **CREDENTIALS)
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="dags/other_project.py", Body=b"")
    commands = "".join(code_blocks("sh"))
    for placeholder, value in (("YOUR-MWAA-BUCKET", bucket), ("YOUR-ENVIRONMENT", "test-environment")):
        assert commands.count(placeholder) == 1
        commands = commands.replace(placeholder, value)

    printed = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=target,
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "AWS_ENDPOINT_URL": aws,
            "AWS_ENDPOINT_URL_MWAA": environment.endpoint,
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",  # no api.127.0.0.1
            **{name.upper(): value for name, value in CREDENTIALS.items()},
            "AWS_DEFAULT_REGION": CREDENTIALS["region_name"],
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert printed.returncode == 0, printed.stderr
    assert "AVAILABLE\tSUCCESS\n" in printed.stdout

    (update,) = environment.updates
    assert update.pop("DagS3Path") == "dags"
    for setting, name in (
        ("Plugins", "plugins.zip"),
        ("Requirements", "requirements.txt"),
        ("StartupScript", "startup.sh"),
    ):
        key, version = update.pop(f"{setting}S3Path"), update.pop(f"{setting}S3ObjectVersion")
        uploaded = s3.get_object(Bucket=bucket, Key=key, VersionId=version)
        assert uploaded["Body"].read() == (target / name).read_bytes()
    assert update == {}, "other settings of the environment stay"
    found = {item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix="dags/")["Contents"]}
    assert found == {f"dags/{path.name}" for path in (target / "dags").iterdir()} | {"dags/other_project.py"}
