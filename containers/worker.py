"""Health check of this container's Celery worker. It does not import Airflow, which would take seconds."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

# Timeout for the response, in seconds; the worker responds at once however busy its tasks are.
TIMEOUT = 10.0


def main() -> int:
    """Ping the worker of this host through the queue; return 0 if it responds."""
    from celery import Celery

    # The entrypoint, which sets the broker's URL, does not run for health checks.
    password = Path("/run/secrets/REDIS_PASSWORD").read_text()
    app = Celery(broker=f"redis://:{password}@redis:6379/0")
    return 0 if app.control.ping(destination=[f"celery@{socket.gethostname()}"], timeout=TIMEOUT) else 1


if __name__ == "__main__":
    sys.exit(main())
