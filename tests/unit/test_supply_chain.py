"""The supply chain is pinned: locks with hashes, actions by commit, a minimal build context."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from containers import image
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = sorted(ROOT.glob("requirements*.txt"))
LOCKS = sorted((ROOT / "locks").iterdir())
WORKFLOWS = sorted((ROOT / ".github" / "workflows").iterdir())
HASH = re.compile(r" --hash=sha256:[0-9a-f]{64}(?= |$)")


def entries(lock: Path) -> list[str]:
    """Return the entries of a lock, each with its hashes on one line."""
    return lock.read_text().replace(" \\\n    ", " ").splitlines()


def locked(lock: Path) -> dict[str, Requirement]:
    found = (Requirement(HASH.sub("", entry)) for entry in entries(lock))
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def direct(source: Path) -> list[Requirement]:
    """Return the direct requirements of a file, and the files that it includes."""
    found = []
    for line in source.read_text().splitlines():
        if line.startswith("-r "):
            found += direct(ROOT / line.removeprefix("-r "))
        elif line and not line.startswith("#"):
            found.append(Requirement(line))
    return found


def test_every_requirements_file_has_a_lock() -> None:
    assert [lock.name for lock in LOCKS] == [source.name for source in SOURCES]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_entries_have_one_version_and_hashes_but_no_index(lock: Path) -> None:
    for entry in entries(lock):
        assert HASH.search(entry), entry
        assert re.fullmatch(r"[a-z0-9.-]+==[^ ]+( ; .+)?", HASH.sub("", entry)), entry


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_a_requirement_is_in_its_lock(source: Path) -> None:
    """`make lock` was run after the last change of the requirements."""
    found = locked(ROOT / "locks" / source.name)
    for required in direct(source):
        entry = found[canonicalize_name(required.name)]
        (version,) = entry.specifier
        assert required.specifier.contains(version.version), f"expected {required}, got {entry}: run make lock"


def test_all_environments_have_the_same_versions() -> None:
    """Each environment is a subset of the developer's, with the same versions."""
    whole = locked(ROOT / "locks" / "requirements-dev.txt")
    for name in ("requirements", "requirements-local", "requirements-notebook"):
        part = locked(ROOT / "locks" / f"{name}.txt")
        assert {key: part[key].specifier for key in part} == {key: whole[key].specifier for key in part}
    # Installed into the same environment, with packages of its own.
    more = locked(ROOT / "locks" / "requirements-kubernetes.txt")
    both = set(more) & set(whole)
    assert {key: more[key].specifier for key in both} == {key: whole[key].specifier for key in both}


def test_pip_requires_hashes() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert re.findall(r"pip install.*", makefile) == [
        "pip install --quiet --disable-pip-version-check --require-hashes"
    ]
    assert re.findall(r"INSTALL\) (?!(?:--no-deps )?-r \$<$).*", makefile, re.MULTILINE) == []
    # Each target installs the lock that it depends on.
    stamps = re.findall(r"^(\.venv\S*/(?:run|notebook|dev|kubernetes|bench)): (\S+)", makefile, re.MULTILINE)
    assert [lock for _, lock in stamps] == [
        f"locks/requirements-{name}.txt" for name in ("local", "notebook", "dev", "kubernetes", "bench")
    ]
    installs = re.findall(r"pip install.*", (ROOT / "Dockerfile").read_text())
    assert len(installs) == 3
    assert [line for line in installs if " --require-hashes -r /tmp/project/" not in line] == []


def test_the_image_installs_missing_packages_from_the_lock() -> None:
    text = (ROOT / "locks" / "requirements.txt").read_text()
    lock = image.entries(text)
    assert set(lock) == set(locked(ROOT / "locks" / "requirements.txt"))
    assert image.select(["sqlglot", "slack-sdk"], lock) == [lock["sqlglot"], lock["slack-sdk"]]
    assert HASH.search(lock["sqlglot"])
    assert image.normalized("Slack_SDK") == "slack-sdk"
    with pytest.raises(SystemExit, match=r"Not in the lock: left-pad\. .*make lock"):
        image.select(["sqlglot", "left-pad"], lock)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_pin_actions_and_have_read_only_permissions(path: Path) -> None:
    workflow: dict[str, Any] = yaml.safe_load(path.read_text())
    # Only to assume a role of AWS; `make proof` stores no keys.
    identity = {"id-token": "write"} if path.name == "redshift.yaml" else {}
    assert workflow["permissions"] == {"contents": "read", **identity}
    for job in workflow["jobs"].values():
        assert "permissions" not in job
        for step in job["steps"]:
            action = step.get("uses", "")
            if action.startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
    for line in re.findall(r"uses: (.*)", path.read_text()):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_dependabot_updates_all_pins() -> None:
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    assert {item["package-ecosystem"] for item in updates} == {"github-actions", "pip", "docker", "docker-compose"}


def test_the_build_context_is_minimal() -> None:
    """Only files that Dockerfile copies are in the build context; .env, which has all secrets, is not."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    taken = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = re.findall(r"^COPY (?:--\S+ )*(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert taken == {source.split("/")[0] for sources in copied for source in sources.split()}
    assert "**/__pycache__" in lines
