"""Write what Amazon MWAA needs to run the project: ``make package``.

MWAA copies the folder ``dags/`` of a bucket to ``/usr/local/airflow/dags``, unpacks ``plugins.zip`` to
``/usr/local/airflow/plugins``, sources a start-up script and installs ``requirements.txt``:
https://docs.aws.amazon.com/mwaa/latest/userguide/working-dags.html. It copies nothing else, so ``include/`` and the
constraints are in ``plugins.zip``, and the start-up script links ``include/`` to its usual place beside ``plugins/``.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile, ZipInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# What an image of MWAA has, and what a customer's requirements cannot change; the files name their origin.
INSTALLED = HERE / "airflow_constraints.txt"
ESSENTIAL = HERE / "mwaa_essential_constraints.txt"
CONSTRAINTS = "constraints.txt"
# pip expands the variable, which the image sets.
CONSTRAINT_LINE = f"--constraint ${{AIRFLOW_HOME}}/plugins/{CONSTRAINTS}\n"


def write_package(target: Path, root: Path = ROOT) -> None:
    """Write the package; the same files of the project give the same bytes.

    :param target: its folder; a former one is replaced.
    :param root: the project.
    """
    shutil.rmtree(target, ignore_errors=True)
    for source, name in _files(root / "dags"):
        copy = target / "dags" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
    plugins = {name: source.read_bytes() for source, name in _files(root / "plugins")}
    plugins |= {f"include/{name}": source.read_bytes() for source, name in _files(root / "include")}
    plugins[CONSTRAINTS] = constraints((root / "requirements.txt").read_text()).encode()
    _write_zip(target / "plugins.zip", plugins)
    requirements = (root / "deploy" / "requirements.txt").read_text()
    (target / "requirements.txt").write_text(CONSTRAINT_LINE + requirements)
    for name in ("startup.sh", "deploy.md"):
        shutil.copyfile(HERE / name, target / name)


def constraints(pinned: str) -> str:
    """Return the constraints of the package: the versions of MWAA's image, and of what it does not have, the project's.

    :param pinned: the project's requirements.txt.
    """
    known = _pins(INSTALLED.read_text()) | _pins(ESSENTIAL.read_text())
    own = [pin for name, pin in _pins(pinned).items() if name not in known]
    return "\n".join([INSTALLED.read_text().rstrip(), "# Not in MWAA's image:", *own, ""])


def _pins(text: str) -> dict[str, str]:
    """Return the lines that pin a package, by its normalized name."""
    found = re.findall(r"^(([\w.-]+)(?:\[.*])?==.+)$", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): line for line, name in found}


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files of a folder and their names in it, without what Python, editors and systems leave there."""
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts) and name.name != ".airflowignore"
        if path.is_file() and not hidden and "__pycache__" not in name.parts:
            yield path, name.as_posix()


def _write_zip(path: Path, files: dict[str, bytes]) -> None:
    """Write a ZIP file whose bytes depend on the files only: not on their order, times or modes, or on zlib."""
    with ZipFile(path, "w") as archive:
        for name, content in sorted(files.items()):
            entry = ZipInfo(name)  # with ZIP's first date
            entry.create_system = 3  # Unix, on all systems
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)


if __name__ == "__main__":
    write_package(Path(sys.argv[1]))
