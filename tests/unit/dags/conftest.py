"""The project's DAGs, parsed as by the DAG processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import DAG


@pytest.fixture(scope="session")
def dag_bag() -> DagBag:
    """All files of dags/, parsed."""
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(ROOT / "dags")


@pytest.fixture(scope="session")
def dags(dag_bag: DagBag) -> list[DAG]:
    """All DAGs."""
    return list(dag_bag.dags.values())
