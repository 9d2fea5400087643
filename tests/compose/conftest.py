"""One stack for all tests: started as docs/deploy.md says, in a copy of the project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.compose.stack import Stack, block, copy_project, missing_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

PORT = 18080


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack, with two workers and the sample loaded; it is taken down in the end, with its volumes."""
    if reason := missing_engine():
        pytest.skip(f"containers cannot run here ({reason})")
    folder = tmp_path_factory.mktemp("project")
    copy_project(folder)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "COMPOSE"))},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        # The settings that differ from those of .env; Compose prefers them.
        "COMPOSE_PROJECT_NAME": "sparkify-test",
        "SPARKIFY_TAG": "test",
        "AIRFLOW_PORT": str(PORT),
        "AIRFLOW_URL": f"http://127.0.0.1:{PORT}",
        "WORKERS": "2",
        "WORKER_CONCURRENCY": "2",
    }
    _remove_images()  # Compose would take those of an earlier run
    made = Stack(folder, environment, f"http://127.0.0.1:{PORT}")
    try:
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


def _remove_images() -> None:
    words = ["docker", "image", "rm", "--force", "sparkify-airflow:test", "sparkify-s3:test"]
    subprocess.run(words, capture_output=True, check=False)
