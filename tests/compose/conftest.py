"""One stack for all tests, started as in docs/compose.md, in a copy of the project."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.compose.stack import MAIL, ComposeStack, block, copy_project, is_available, missing_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

PORT, MAIL_PORT = 18080, 18025


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeStack]:
    """The stack, with two workers and the sample loaded; removed at the end, with its volumes."""
    if reason := missing_engine():
        pytest.skip(f"containers cannot run here ({reason})")
    folder = tmp_path_factory.mktemp("project")
    copy_project(folder)
    example = (folder / ".env.example").read_text()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "COMPOSE"))},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        # They override the settings of .env.
        "COMPOSE_PROJECT_NAME": "sparkify-test",
        "SPARKIFY_TAG": "test",
        "AIRFLOW_PORT": str(PORT),
        "AIRFLOW_URL": f"http://127.0.0.1:{PORT}",
        "WORKERS": "2",
        "WORKER_CONCURRENCY": "2",
        # Alerts by e-mail, with the connection of the example.
        "COMPOSE_PROFILES": "local,sample" + (",mail" if is_available(MAIL) else ""),
        "MAIL_PORT": str(MAIL_PORT),
        "ALERT_EMAIL": "team@example.com",
        "AIRFLOW_CONN_SMTP_ALERTS": re.findall(r"^# ({.*smtp.*})$", example, re.MULTILINE)[0],
    }
    _remove_images()  # Compose would reuse those of an earlier run
    made = ComposeStack(folder, environment, f"http://127.0.0.1:{PORT}", tmp_path_factory.mktemp("logs") / "all")
    try:
        with _followed(made):
            made.sh(block("Start"), timeout=1800)
            yield made
    finally:
        subprocess.run(
            ["docker", "compose", "down", "--volumes", "--timeout", "15"],
            cwd=folder,
            env=environment,
            capture_output=True,
            check=False,
        )
        _remove_images()


@contextmanager
def _followed(stack: ComposeStack) -> Iterator[None]:
    """Record the output of every container, because its log is deleted when it is replaced."""
    follow = (
        "docker events --filter event=start --filter label=com.docker.compose.project=$COMPOSE_PROJECT_NAME "
        '--format "{{.ID}}" | while read -r id; do docker logs --follow "$id" & done'
    )
    with stack.logs.open("w") as file:
        process = subprocess.Popen(
            ["bash", "-c", follow], env=stack.environment, stdout=file, stderr=file, start_new_session=True
        )
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def _remove_images() -> None:
    words = ["docker", "image", "rm", "--force", "sparkify-airflow:test", "sparkify-s3:test", "sparkify-sample:test"]
    subprocess.run(words, capture_output=True, check=False)
