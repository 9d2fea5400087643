"""Import a DAG file, in a process that has already imported an empty DAG."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def prepare(job: Mapping[str, Any]) -> Callable[[], int]:
    """Create an empty DAG.

    :param job: with ``dag``, the name of the file.
    """
    from airflow.sdk import DAG

    DAG("empty")

    def run() -> int:
        importlib.import_module(job["dag"])
        return 1

    return run
