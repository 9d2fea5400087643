"""The project on Astro: deploy/astro/Dockerfile on a Python that has the packages of Astro Runtime, and a run there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from typing import TYPE_CHECKING

import pytest

from sandbox import airflow, deployment, servers
from sandbox.api import dag_run_path
from tests.conftest import ROOT
from tests.support.data import event, song
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.api import AirflowClient
    from sandbox.lab import Lab

pytestmark = [pytest.mark.astro, pytest.mark.timeout(1800)]

# https://www.astronomer.io/docs/runtime/runtime-provider-reference, without Astronomer's own.
PROVIDERS = ["celery", "common-compat", "common-io", "common-sql", "elasticsearch", "openlineage", "smtp", "standard"]
HOUR = {"start": "2018-11-01T08:00:00Z", "end": "2018-11-01T09:00:00Z"}


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile, with their arguments."""
    text = (ROOT / "deploy" / "astro" / "Dockerfile").read_text()
    lines = "\n".join(line for line in text.splitlines() if line and not line.startswith("#"))
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines.replace("\\\n", "").splitlines())]


class Image:
    """An image that is built in a folder, without a container.

    :param root: its root folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root
        venv.create(root / "venv", with_pip=True)
        path = f"{root / 'venv' / 'bin'}:{os.environ['PATH']}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON"))}
        self.environment = {**kept, "PATH": path}

    def run(self, command: str) -> str:
        """Run a command; return its output."""
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command.replace("/tmp/", f"{self.root}/tmp/")],  # noqa: S108
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
        return done.stdout

    def build(self) -> None:
        """Execute the instructions of the Dockerfile."""
        for name, rest in instructions():
            if name == "WORKDIR":
                self.folder = self._path(rest)
                self.folder.mkdir(parents=True)
            elif name == "COPY":
                *sources, target = [word for word in rest.split() if not word.startswith("--")]
                for source in sources:
                    self._copy(ROOT / source, self._path(target))
            elif name == "RUN":
                self.run(rest)
            else:
                assert name in ("FROM", "SHELL", "USER"), name

    def _path(self, name: str) -> Path:
        return self.root / name.removeprefix("/") if name.startswith("/") else self.folder / name

    def _copy(self, source: Path, target: Path) -> None:
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "notebooks"))
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    root = tmp_path_factory.mktemp("astro")
    (airflow,) = re.findall(r"^apache-airflow==.*", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    probe = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(root), airflow]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("no package index to install Astro Runtime's packages from")
    image = Image(root)
    image.run(f"pip install --quiet {airflow} " + " ".join(f"apache-airflow-providers-{name}" for name in PROVIDERS))
    image.build()
    return image


@pytest.fixture
def client(
    image: Image,
    empty_lab: Lab,
    postgres: servers.PostgresServer,
    s3: servers.S3Server,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[AirflowClient]:
    """Airflow, with its default folders."""
    assert image.folder == image.root / "usr" / "local" / "airflow"
    metadata = airflow.sqlalchemy_url(postgres.create_database("astro-airflow"))
    environment = airflow.environment(
        image.folder, metadata=metadata, postgres=postgres, database=empty_lab.bucket, s3=s3, bucket=empty_lab.bucket
    )
    for name in ("DAGS", "PLUGINS"):
        del environment[f"AIRFLOW__CORE__{name}_FOLDER"]
    environment |= {"AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False", "PYTHONPATH": ""}
    monkeypatch.setattr(deployment, "AIRFLOW", image.root / "venv" / "bin" / "airflow")
    with (
        deployment.run_deployment(image.folder, environment, dag_ids=[airflow.DAG_ID]) as running,
        running.client() as client,
    ):
        yield client


def test_a_run_on_astro(client: AirflowClient, empty_lab: Lab) -> None:
    names = {path.stem for path in (ROOT / "dags").glob("*.py")}
    wait_until(lambda: {dag["dag_id"] for dag in client.get("/api/v2/dags").json()["dags"]} == names, 120)
    assert client.get("/api/v2/importErrors").json()["import_errors"] == []
    assert client.get("/sparkify/").is_success

    empty_lab.put_events("2018-11-01", [event("2018-11-01T08:10:00")])
    empty_lab.put_song("0", song("SO1"))
    client.unpause(airflow.DAG_ID)
    run = dag_run_path(airflow.DAG_ID, client.trigger(airflow.DAG_ID, HOUR))
    wait_until(lambda: client.get(run).json()["state"] in ("success", "failed"), 240)
    assert client.get(run).json()["state"] == "success"
    assert empty_lab.query("SELECT song_id, COUNT(*) FROM songplays GROUP BY song_id") == [("SO1", 1)]


def test_an_image_with_another_airflow_is_not_built(image: Image) -> None:
    """Its Airflow would be replaced by that of the lock."""
    (check,) = [rest for name, rest in instructions() if name == "RUN" and rest.startswith("grep")]
    image.run(check)
    path = image.root / "tmp" / "project" / "requirements.txt"
    path.write_text(re.sub(r"(?m)^apache-airflow==.*", "apache-airflow==3.2.0", path.read_text()))
    with pytest.raises(AssertionError, match=r"names another Airflow than the image has: change FROM"):
        image.run(check)
