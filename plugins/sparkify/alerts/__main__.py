"""Send a test alert through every configured channel: ``python -m sparkify.alerts``, with Airflow's environment."""

from __future__ import annotations

import os
import sys

from sparkify.alerts import testing


def main(aws_conn_id: str | None = "aws") -> int:
    """Send a test alert, and print the result of each channel; return 0 if every channel delivered it.

    :param aws_conn_id: the Airflow connection for Amazon SNS.
    """
    results = testing.send(aws_conn_id)
    for name, error in results.items():
        print(f"{name}: {error or 'delivered'}")
    if not results:
        print(testing.NO_CHANNEL)
    return 0 if results and not any(results.values()) else 1


if __name__ == "__main__":
    # Outside of a task, Airflow reads connections and Variables from its metadata database only in a server process.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    sys.exit(main())
