"""The data dictionary of the page: declared tables, their lineage and their last change."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from sparkify.dag.assets import DAYS, table
from sparkify.web import app, panels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fastapi.testclient import TestClient


@pytest.fixture
def events(token: str) -> Iterator[None]:
    """Asset events in Airflow's database: two of songplays, one of another asset; none of users."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        for model in (AssetEvent, AssetModel):  # those of other tests
            session.execute(delete(model))
        for asset, hours in {table("songplays"): (5, 6), table("users"): (), DAYS: (7,)}.items():
            row = AssetModel(name=asset.name, uri=asset.uri, group=asset.group)
            session.add(row)
            session.flush()
            session.add_all(
                AssetEvent(asset_id=row.id, timestamp=datetime(2018, 11, 1, hour, tzinfo=UTC)) for hour in hours
            )
    yield
    with create_session() as session:
        session.execute(delete(AssetEvent))
        session.execute(delete(AssetModel))


def tables(client: TestClient) -> dict[str, dict[str, Any]]:
    """Return the tables of the dictionary by name."""
    response = client.get("/sparkify/api/dictionary")
    assert response.status_code == 200, response.text
    return {item["name"]: item for item in response.json()["tables"]}


def test_tables_have_descriptions_lineage_and_their_last_change(client: TestClient, events: None) -> None:
    found = tables(client)
    assert list(found)[:2] == ["artists", "daily_activity"]
    assert list(found)[-1] == "operations.task_failures"
    plays = found["songplays"]
    assert plays["description"] == "The fact table: one row per play, an event with page = 'NextSong'."
    assert plays["sources"] == ["staging_events", "staging_songs"]
    assert plays["changed_at"] == "2018-11-01T06:00:00.000Z"
    columns = {item["name"]: item for item in plays["columns"]}
    assert columns["user_agent"] == {
        "name": "user_agent",
        "type": "VARCHAR(2048)",
        "description": "User agent of the browser that played the song.",
        "unit": None,
        "is_personal": True,
        "sources": ["staging_events.useragent"],
    }
    assert columns["songplay_id"]["sources"] == ["staging_events.iteminsession", "staging_events.sessionid"]
    (length,) = [item for item in found["staging_events"]["columns"] if item["name"] == "length"]
    assert (length["type"], length["unit"], length["sources"]) == ("DOUBLE PRECISION", "seconds", [])
    assert found["users"]["changed_at"] is None


def test_changed_files_need_no_restart(
    client: TestClient, events: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "KEEP_LOADS", 0.0)
    monkeypatch.setattr(panels, "SQL", shutil.copytree(panels.SQL, tmp_path / "sql"))
    file = panels.SQL / "ddl" / "users.sql"
    assert tables(client)["users"]["description"].startswith("One row per user id")
    text = file.read_text()
    file.write_text(text.replace("One row per user id", "A row per user"))
    os.utime(file, (1, 1))  # whatever the resolution of the file system's clock
    assert tables(client)["users"]["description"].startswith("A row per user")
    # A SELECT that cannot be read hides its lineage only.
    (panels.SQL / "load" / "users.sql").write_text("SELECT FROM (")
    users = tables(client)["users"]
    assert (users["sources"], len(users["columns"])) == ([], 7)


def test_invalid_ddl_is_reported(
    client: TestClient, events: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ddl").mkdir()
    (tmp_path / "ddl" / "users.sql").write_text("CREATE TABLE users (id BIGINT);")
    monkeypatch.setattr(panels, "SQL", tmp_path)
    response = client.get("/sparkify/api/dictionary")
    assert response.status_code == 503
    assert response.json()["detail"].startswith("The DDL is invalid: users.sql line 1: expected CREATE TABLE IF NOT")
