"""Two hours of the DAG, task by task, against a database that answers slowly. Runs in any checkout of the project.

python bench/contenders/hours.py JOB: a JSON object with database, environment, bucket, statement and commit (seconds),
first, busy and quiet (ranges). It prints the statements, commits and seconds of the two hours as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from functools import wraps
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable

SENT: Counter[str] = Counter()


def delayed(owner: type, name: str, what: str, delays: dict[str, float]) -> None:
    """Count the calls of a method, and let each wait first."""
    method: Callable[..., Any] = getattr(owner, name)

    @wraps(method)
    def call(self: Any, *arguments: Any, **named: Any) -> Any:
        SENT[what] += 1
        time.sleep(delays[what])
        return method(self, *arguments, **named)

    setattr(owner, name, call)


def main(job: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Load the first range without delays, then the two hours with them."""
    os.environ.update(job["environment"])
    from sandbox.lab import Lab

    lab = Lab(job["database"], None, job["bucket"], job["environment"])  # type: ignore[arg-type] # tasks open their own store
    lab.run(*job["first"])
    delays = dict.fromkeys(("statement", "commit"), 0.0)
    for name in ("execute", "executemany", "copy"):
        delayed(psycopg.Cursor, name, "statement", delays)
    delayed(psycopg.Connection, "commit", "commit", delays)
    lab.run(*job["quiet"])  # imports what tasks import
    delays.update(statement=job["statement"], commit=job["commit"])
    found = {}
    for hour in ("busy", "quiet"):
        SENT.clear()
        began = time.monotonic()
        lab.run(*job[hour])
        found[hour] = {**SENT, "seconds": time.monotonic() - began}
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(sys.argv[1]))) + "\n")
