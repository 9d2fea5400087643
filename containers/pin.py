"""``make pin``: write docker-compose.pinned.yaml, which pins each image to the current digest of its tag.

It needs Docker with Compose and Buildx, and access to the registry.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Write the file beside docker-compose.yaml; return the exit code."""
    version = re.findall(r"^ARG AIRFLOW_VERSION=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[0]
    base = f"apache/airflow:{version}-python3.12"
    try:
        found = json.loads(_docker("compose", "--profile", "*", "config", "--format", "json"))["services"]
        pinned: dict[str, Any] = {
            name: {"build": {"args": {"AIRFLOW_DIGEST": f"@{_digest(base)}"}}}
            if "build" in service
            else {"image": f"{service['image']}@{_digest(service['image'])}"}
            for name, service in found.items()
        }
    except subprocess.CalledProcessError as error:
        print(f"{' '.join(error.cmd)}: {error.stderr.strip()}", file=sys.stderr)
        return 1
    path = ROOT / "docker-compose.pinned.yaml"
    path.write_text(json.dumps({"services": pinned}, indent=2) + "\n", encoding="utf-8")
    print(f"Wrote {path}. In .env: COMPOSE_FILE=docker-compose.yaml:{path.name}")
    return 0


@cache
def _digest(image: str) -> str:
    return _docker("buildx", "imagetools", "inspect", image, "--format", "{{.Manifest.Digest}}").strip()


def _docker(*words: str) -> str:
    return subprocess.run(["docker", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
