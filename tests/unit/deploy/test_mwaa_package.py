"""The package for Amazon MWAA: what it contains, and that MWAA can install it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest
from moto.iam.policy_validation import IAMPolicyDocumentValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from deploy.mwaa import package
from tests.conftest import ROOT
from tests.support.mwaa import code_blocks, unpack

if TYPE_CHECKING:
    from pathlib import Path


def requirements(text: str) -> dict[str, Requirement]:
    """Return the requirements of a file, by normalized name."""
    lines = (line for line in text.splitlines() if re.match(r"\w", line))
    return {canonicalize_name(found.name): found for found in map(Requirement, lines)}


def versions(text: str) -> dict[str, Version]:
    """Return the pinned versions of a file, by normalized name."""
    return {name: Version(next(iter(found.specifier)).version) for name, found in requirements(text).items()}


NEEDED = requirements((ROOT / "deploy" / "requirements.txt").read_text())
PINNED = versions((ROOT / "requirements.txt").read_text())
IMAGE = versions(package.INSTALLED.read_text()) | versions(package.ESSENTIAL.read_text())


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the package of this project."""
    target = tmp_path_factory.mktemp("dist") / "mwaa"
    package.write_package(target)
    return target


# --- requirements ---


def test_production_needs_the_same_packages_as_are_pinned() -> None:
    assert list(NEEDED) == list(PINNED)
    extras = {name: found.extras for name, found in requirements((ROOT / "requirements.txt").read_text()).items()}
    assert {name: found.extras for name, found in NEEDED.items()} == extras


@pytest.mark.parametrize("name", NEEDED)
def test_a_lower_bound_is_the_lowest_tested_version(name: str) -> None:
    """Tested are the versions of MWAA's image (`make test-mwaa`) and the locked ones (`make test`)."""
    (bound,) = NEEDED[name].specifier
    assert bound.operator == ">=", "an upper bound would conflict with another Airflow"
    tested = {PINNED[name], IMAGE.get(name, PINNED[name])}
    assert Version(bound.version) == min(tested)


def test_the_constraints_of_the_package_are_those_of_the_image(packaged: Path) -> None:
    with ZipFile(packaged / "plugins.zip") as archive:
        found = versions(archive.read(package.CONSTRAINTS).decode())
    assert versions(package.INSTALLED.read_text()).items() <= found.items()
    for name, version in versions(package.ESSENTIAL.read_text()).items():
        assert found.get(name, version) == version, "pip installs with both lists"
    # What the image does not have is pinned, too; the image pins Airflow itself.
    assert NEEDED.keys() - found.keys() == {"apache-airflow"}
    assert {name: found[name] for name in found.keys() - IMAGE.keys()} == {
        name: PINNED[name] for name in PINNED.keys() - IMAGE.keys()
    }


def test_the_package_brings_its_own_constraints(packaged: Path) -> None:
    first, rest = (packaged / "requirements.txt").read_text().split("\n", 1)
    # MWAA adds its own list unless a line matches this, and unpacks plugins.zip first.
    assert re.search(r"-c |--constraint ", first)
    assert first == "--constraint ${AIRFLOW_HOME}/plugins/constraints.txt"
    assert rest == (ROOT / "deploy" / "requirements.txt").read_text()


# --- files ---


def test_the_same_project_gives_the_same_bytes(packaged: Path, tmp_path: Path) -> None:
    copy = tmp_path / "project"
    for name in ("requirements.txt", "deploy/requirements.txt"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy / name)
    for folder in ("dags", "include", "plugins"):
        # In another order, with other times and modes, and with what Python and an editor leave behind.
        for path in sorted((ROOT / folder).rglob("*"), reverse=True):
            if path.is_file():
                other = copy / path.relative_to(ROOT)
                other.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, other)
                other.chmod(0o600)
                os.utime(other, (1e9, 1e9))
        (copy / folder / "__pycache__").mkdir(exist_ok=True)
        (copy / folder / "__pycache__" / "left.cpython-312.pyc").write_bytes(b"left")
        (copy / folder / ".left.swp").touch()
    (tmp_path / "again" / "left").mkdir(parents=True)
    package.write_package(tmp_path / "again", copy)

    def contents(folder: Path) -> dict[str, bytes]:
        return {f"{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    assert contents(tmp_path / "again") == contents(packaged)
    assert not (tmp_path / "again" / "left").exists()
    # Nor do the bytes depend on the clock, or on the order in which a file system lists files.
    with ZipFile(packaged / "plugins.zip") as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}


def test_unpacked_it_has_the_layout_of_the_project(packaged: Path, tmp_path: Path) -> None:
    unpack(packaged, tmp_path / "airflow")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "dags", "include", "plugins"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git repository")
    for name in filter(lambda name: (ROOT / name).exists(), listed.stdout.split()):
        assert (tmp_path / "airflow" / name).read_bytes() == (ROOT / name).read_bytes(), name


def test_unpacked_all_files_are_found(packaged: Path, tmp_path: Path) -> None:
    """Every module that reads include/ finds it: in DAGs, in the plugin and in alerts."""
    unpack(packaged, tmp_path / "airflow")
    script = """
from pathlib import Path
import sparkify_warehouse, sparkify_report, sparkify_audit, sparkify_infrastructure_create
from sparkify.alerts import messages
from sparkify.web import app, panels
folders = (sparkify_warehouse.INCLUDE, sparkify_report.INCLUDE, sparkify_audit.CHECKS, messages.FOLDER, app.CHECKS,
           panels.SQL, sparkify_infrastructure_create.TEMPLATE)
print(*(path for path in folders if not Path(path).exists()))
"""
    settings = {"AIRFLOW_HOME": str(tmp_path / "airflow"), "PYTHONPATH": "plugins:dags"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path / "airflow",
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_the_settings_of_the_start_up_script_take_effect(tmp_path: Path) -> None:
    shown = tmp_path / "startup.sh"
    shown.write_text((package.HERE / "startup.sh").read_text().replace("#export ", "export "))
    code = """
import json
from airflow.configuration import conf, ensure_secrets_loaded
from sparkify.dag import settings
from sparkify.infrastructure.settings import schedule
print(json.dumps([
    [type(backend).__name__ for backend in ensure_secrets_loaded()][0], conf.get("sparkify", "queue"),
    conf.get("sparkify", "reconcile_schedule"), schedule("pause"), schedule("resume"),
]))
settings.reconcile_schedule()
"""
    done = subprocess.run(
        ["bash", "-c", 'source "$0" && exec "$1" -c "$2"', str(shown), sys.executable, code],
        env=os.environ | {"AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(ROOT / "plugins")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [
        "SecretsManagerBackend",
        "https://sqs.us-west-2.amazonaws.com/123456789012/sparkify-arrivals",
        "30 * * * *",
        "0 18 * * 1-5",
        "0 8 * * 1-5",
    ]


def test_the_policy_is_valid_and_grants_no_more_than_it_needs() -> None:
    (policy,) = code_blocks("json")
    IAMPolicyDocumentValidator(policy.replace("REGION", "us-west-2").replace("ACCOUNT", "123456789012")).validate()
    granted = {item["Action"]: item["Resource"] for item in json.loads(policy)["Statement"]}
    assert granted == {
        "secretsmanager:GetSecretValue": "arn:aws:secretsmanager:REGION:ACCOUNT:secret:airflow/*",
        "sns:Publish": "arn:aws:sns:REGION:ACCOUNT:TOPIC",
    }
