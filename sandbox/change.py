"""``make change``: change a file of a day that is loaded, to show how the reconciliation loads it again."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from sandbox import airflow, servers
from sandbox.live_state import NAME

if TYPE_CHECKING:
    from obstore.store import ObjectStore
    from rich.console import Console

    from sandbox.live_state import SupervisorFiles, SupervisorState

# How old the file is, in days.
AGE = 3


def add_play(store: ObjectStore, day: date) -> str:
    """Append a valid play to the file of a day; return the file's key.

    :param store: the bucket.
    """
    key = f"log_data/{day:%Y/%m/%Y-%m-%d}-events.json"
    content = bytes(store.get(key).bytes())
    play = next(item for item in map(json.loads, reversed(content.splitlines())) if item["page"] == "NextSong")
    # A session of its own: a second play of the same session and item would be a duplicate.
    play |= {"sessionId": int(time.time() * 1000), "itemInSession": 0}
    store.put(key, content + b"\n" + json.dumps(play, separators=(",", ":")).encode())
    return key


def start(state: SupervisorState, files: SupervisorFiles, console: Console) -> int:
    """Change the file of an old day, and print what to expect; return the exit code."""
    day = datetime.now(UTC).date() - timedelta(days=AGE)
    key = add_play(servers.open_bucket(state.endpoint, NAME), day)
    console.print(
        f"[bold]Changed:[/] the file of {day} has one more play.\n    [dim]{files.bucket / key}[/]\n\n"
        f"  when     within 5 minutes {airflow.RECONCILE_ID} compares the bucket with the warehouse.\n"
        f"           To see it now, trigger {airflow.RECONCILE_ID} in Airflow\n"
        f"  loads    a run of {airflow.DAG_ID} for that day only: reconcile__{day}T00:00_...\n"
        f"  see      the page Warehouse of {state.url}, Source files:\n"
        f'           {day} turns to "changed since", and to "up to date" once it is loaded; make status',
        soft_wrap=True,
    )
    return 0
