"""The application: for who is logged in, one panel at a time, errors that say what to do."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from sparkify.warehouse import connect
from sparkify.web import panels
from sparkify.web.panels import PANELS, PanelError
from tests.data import event

if TYPE_CHECKING:
    from pathlib import Path

    from fastapi.testclient import TestClient

    from tests.lab import Lab

PAGE = ["/sparkify/", "/sparkify/static/page.js", "/sparkify/static/echarts-6.1.0.min.js", "/sparkify/api/panels"]


def get(client: TestClient, name: str) -> dict[str, Any]:
    """Return a panel."""
    response = client.get(f"/sparkify/api/panels/{name}")
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


# --- who may see it ---


@pytest.mark.parametrize("path", [*PAGE, *(f"/sparkify/api/panels/{name}" for name in (*PANELS, "other"))])
def test_the_anonymous_get_nothing(anonymous: TestClient, token: str, path: str) -> None:
    assert anonymous.get(path).status_code == 401


@pytest.mark.parametrize("path", ["/sparkify/docs", "/sparkify/openapi.json", "/sparkify/static/../app.py"])
def test_there_is_nothing_else(anonymous: TestClient, token: str, path: str) -> None:
    assert anonymous.get(path).status_code in {401, 404}


@pytest.mark.parametrize("path", PAGE)
def test_who_is_logged_in_gets_the_page(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert client.get("/sparkify/api/panels").json() == list(PANELS)


def test_files_outside_the_page_are_not_served(client: TestClient) -> None:
    for path in ("/sparkify/static/%2e%2e/app.py", "/sparkify/static/..%2fapp.py", "/sparkify/static/none.js"):
        assert client.get(path).status_code == 404


def test_the_browser_keeps_the_library_and_asks_for_the_rest(client: TestClient) -> None:
    library = client.get("/sparkify/static/echarts-6.1.0.min.js")
    assert "immutable" in library.headers["Cache-Control"]
    page = client.get("/sparkify/static/page.js")
    assert page.headers["Cache-Control"] == "no-cache"
    again = client.get("/sparkify/static/page.js", headers={"If-None-Match": page.headers["ETag"]})
    assert again.status_code == 304
    assert "default-src 'self'" in client.get("/sparkify/").headers["Content-Security-Policy"]


# --- where there is no answer ---


def test_a_panel_that_there_is_not(client: TestClient) -> None:
    response = client.get("/sparkify/api/panels/plays")
    assert response.status_code == 404
    assert "There is no panel 'plays'" in response.json()["detail"]


def test_no_connection(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_REDSHIFT", raising=False)
    response = client.get("/sparkify/api/panels/tables")
    assert response.status_code == 503
    assert response.json()["kind"] == "unreachable"
    assert "The Airflow connection 'redshift' does not exist. Create it" in response.json()["detail"]


def test_the_warehouse_is_down(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    down = {"conn_type": "postgres", "host": "127.0.0.1", "port": 9, "login": "reader", "password": "hidden"}
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT", json.dumps(down))
    response = client.get("/sparkify/api/panels/tables")
    assert response.status_code == 503
    assert response.json()["kind"] == "unreachable"
    assert "127.0.0.1:9 (Airflow connection 'redshift', type postgres) cannot be reached" in response.json()["detail"]
    assert "Check that it runs" in response.json()["detail"]
    assert "hidden" not in response.text


@pytest.mark.parametrize("name", PANELS)
def test_the_tables_do_not_exist_yet(client: TestClient, lab: Lab, name: str) -> None:
    response = client.get(f"/sparkify/api/panels/{name}")
    assert response.status_code == 503
    assert response.json()["kind"] == "missing"
    assert "The first task of the DAG sparkify_warehouse creates them" in response.json()["detail"]


def test_the_tables_are_empty(client: TestClient, lab: Lab) -> None:
    lab.run("2018-11-01", "2018-11-02", tasks=["create_tables"])
    found = {name: get(client, name)["rows"] for name in PANELS}
    assert found.pop("freshness") == [[None, None, None, None]]
    assert {tuple(row[1:]) for row in found.pop("tables")} == {(0, None)}
    assert found == {name: [] for name in found}


def test_one_panel_that_fails_takes_no_other_with_it(
    client: TestClient, lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lab.run("2018-11-01", "2018-11-02", tasks=["create_tables"])
    broken = tmp_path / "broken.sql"
    broken.write_text("SELECT no_such_column FROM songplays")
    monkeypatch.setitem(PANELS, "browsers", str(broken))
    response = client.get("/sparkify/api/panels/browsers")
    assert response.status_code == 503
    assert response.json()["kind"] == "refused"
    assert "UndefinedColumn 42703" in response.json()["detail"]
    assert "no_such_column" in caplog.text  # the details are for the log
    assert get(client, "tables")["rows"]


# --- what it may do in the warehouse ---


def test_a_panel_cannot_write(lab: Lab) -> None:
    with psycopg.connect(lab.uri) as connection:
        connection.execute("CREATE TABLE t (a INTEGER)")
    writes = ("INSERT INTO t (a) VALUES (1)", "DELETE FROM t WHERE a = 1", "CREATE TABLE u (a INTEGER)")
    for write in writes:
        with connect("redshift") as warehouse:
            warehouse.read_only(5)
            with warehouse._session.cursor() as cursor, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                warehouse._execute(cursor, write)
    assert lab.query("SELECT a FROM t") == []


def test_a_panel_cannot_take_long(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    slow = tmp_path / "slow.sql"
    slow.write_text("SELECT pg_sleep(30)")
    monkeypatch.setitem(PANELS, "browsers", str(slow))
    begun = time.monotonic()
    with pytest.raises(PanelError, match=r"panel browsers took longer than 0\.2 s") as raised:
        panels.read("browsers", limit=0.2)
    assert time.monotonic() - begun < 10
    assert raised.value.kind == "slow"


def test_many_viewers_cost_what_one_costs(client: TestClient, lab: Lab) -> None:
    lab.run("2018-11-01", "2018-11-02", tasks=["create_tables"])
    first = get(client, "tables")
    with psycopg.connect(lab.uri) as connection:
        connection.execute("INSERT INTO users (user_id, interval_time, row_version) VALUES (1, '2018-11-01', '')")
    assert get(client, "tables") == first
    assert first["fresh_for"] <= 60


def test_times_are_utc_and_say_so(client: TestClient, lab: Lab) -> None:
    lab.put_events("2018-11-01", [event("2018-11-01T05:06:07")])
    lab.run("2018-11-01T05:00", "2018-11-01T06:00")
    answer = get(client, "freshness")
    assert answer["columns"] == ["loaded_until", "scheduled_until", "loaded_at", "latest_play"]
    ((until, scheduled, _, latest),) = answer["rows"]
    assert (until, scheduled, latest) == ("2018-11-01T06:00:00.000Z", None, "2018-11-01T05:06:07.000Z")
    assert answer["as_of"].endswith("Z")
