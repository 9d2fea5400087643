"""A DAG file is imported in a process that has done what an empty DAG file takes."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def prepare(job: Mapping[str, Any]) -> Callable[[], int]:
    """Do what an empty DAG file takes.

    :param job: with ``dag``, the name of the file.
    """
    from airflow.sdk import DAG

    DAG("empty")

    def run() -> int:
        importlib.import_module(job["dag"])
        return 1

    return run
