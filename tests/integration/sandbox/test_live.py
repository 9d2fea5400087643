"""The feeder as a process of the supervisor."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import psutil

from sandbox import servers
from sandbox.feeder import Feeder, options
from sandbox.live import _feeder, _first_progress
from sandbox.live_state import SupervisorFiles
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_the_feeder_writes_and_exits_with_its_supervisor(s3: servers.S3Server, tmp_path: Path) -> None:
    """Also if the supervisor is killed."""
    files = SupervisorFiles(tmp_path)
    files.folder.mkdir()
    start = (datetime.now(UTC) - timedelta(days=1)).date()
    store = servers.bucket(s3, "sparkify-live")
    with _feeder(files, s3, start) as feeder:
        progress = _first_progress(files, feeder)
        assert feeder.poll() is None
    assert feeder.returncode == 0
    again = Feeder(options(start), store)
    assert again.advance(datetime.fromisoformat(progress.at)) == progress

    code = (
        "import sys, time; from pathlib import Path; from datetime import date; from types import SimpleNamespace\n"
        "from sandbox.live import _feeder; from sandbox.live_state import SupervisorFiles\n"
        "with _feeder(SupervisorFiles(Path(sys.argv[1])), SimpleNamespace(endpoint=sys.argv[2]),"
        " date.fromisoformat(sys.argv[3])) as feeder:\n    print(feeder.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), s3.endpoint, str(start)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "plugins")},
        stdout=subprocess.PIPE,
        text=True,
    ) as supervisor:
        assert supervisor.stdout
        process = psutil.Process(int(supervisor.stdout.readline()))
        supervisor.kill()
    gone, _ = psutil.wait_procs([process], timeout=20)
    assert gone == [process]


def test_complete_files_are_not_written_again(s3: servers.S3Server) -> None:
    store = servers.bucket(s3, "feeder-again")
    generated = options(date(2026, 11, 1))
    noon = datetime(2026, 11, 3, 12, tzinfo=UTC)
    Feeder(generated, store).advance(noon)
    before = {item["path"]: item["last_modified"] for page in store.list() for item in page}
    time.sleep(1.1)  # S3 times have a resolution of one second
    Feeder(generated, store).advance(noon + timedelta(minutes=10))
    after = {item["path"]: item["last_modified"] for page in store.list() for item in page}
    assert [key for key in before if before[key] != after[key]] == ["log_data/2026/11/2026-11-03-events.json"]
