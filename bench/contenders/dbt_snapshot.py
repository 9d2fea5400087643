"""dbt: its snapshot of users, ``bench/dbt``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROJECT = Path(__file__).resolve().parents[1] / "dbt"


def prepare(job: Mapping[str, Any]) -> Callable[[], int]:
    """Parse the project."""
    from dbt.cli.main import dbtRunner

    uri = urlsplit(job["database"])
    os.environ["BENCH_DATABASE"] = uri.path.strip("/")
    os.environ["BENCH_HOST"] = parse_qs(uri.query)["host"][0]
    words = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    words += ["--target-path", f"{job['folder']}/dbt", "--log-path", f"{job['folder']}/dbt", "--no-version-check"]
    parsed = dbtRunner().invoke(["parse", *words])
    if not parsed.success:
        raise RuntimeError(f"dbt cannot parse {PROJECT}: {parsed.exception}")
    runner = dbtRunner(manifest=parsed.result)

    def run() -> int:
        done = runner.invoke(["snapshot", *words])
        if not done.success:
            raise RuntimeError(f"dbt snapshot failed: {done.exception or done.result}")
        return len(done.result.results)

    return run
