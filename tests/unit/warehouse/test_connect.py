"""The type of the Airflow connection selects the engine."""

from __future__ import annotations

import json

import pytest

from sparkify.warehouse import WarehouseError, connect
from sparkify.warehouse.postgres.session import Postgres
from sparkify.warehouse.redshift import Redshift


@pytest.mark.parametrize(("kind", "engine"), [("redshift", Redshift), ("postgres", Postgres)])
def test_the_type_selects_the_engine(kind: str, engine: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": kind, "host": "db.example"}))
    warehouse = connect("warehouse", "s3")
    assert type(warehouse) is engine
    assert warehouse.engine == kind
    assert warehouse.connection.host == "db.example"
    assert warehouse.aws_conn_id == "s3"


def test_the_error_about_a_missing_connection_has_the_remedy() -> None:
    with pytest.raises(WarehouseError, match="'absent' does not exist") as caught:
        connect("absent")
    assert "AIRFLOW_CONN_ABSENT" in str(caught.value)
    assert "type redshift (Amazon Redshift) or postgres (PostgreSQL)" in str(caught.value)


def test_the_error_about_another_type_has_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "mysql", "password": "hidden"}))
    with pytest.raises(WarehouseError, match="'warehouse' is of type 'mysql'; expected redshift or postgres") as caught:
        connect("warehouse")
    assert "hidden" not in str(caught.value)
