"""The application: authentication, independent panels, errors that say what to do."""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from sparkify.quality import declaration
from sparkify.warehouse import connect
from sparkify.web import app, loads, panels
from sparkify.web.panels import PanelError
from tests.support.data import event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fastapi.testclient import TestClient

    from sandbox.lab import Lab

PANELS = panels.declared()
PAGE = [
    "/sparkify/",
    "/sparkify/api/loads",
    "/sparkify/static/page.js",
    "/sparkify/static/echarts-6.1.0.min.js",
    "/sparkify/api/panels",
    "/sparkify/api/checks",
    "/sparkify/api/dictionary",
]

TWICE = ("songplays", "no duplicate plays")


def get(client: TestClient, name: str) -> dict[str, Any]:
    """Return a panel."""
    response = client.get(f"/sparkify/api/panels/{name}")
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


# --- authentication ---


@pytest.mark.parametrize("path", [*PAGE, *(f"/sparkify/api/panels/{name}" for name in (*PANELS, "other"))])
def test_anonymous_requests_are_rejected(anonymous: TestClient, token: str, path: str) -> None:
    assert anonymous.get(path).status_code == 401


@pytest.mark.parametrize("path", ["/sparkify/docs", "/sparkify/openapi.json", "/sparkify/static/../app.py"])
def test_there_are_no_other_endpoints(anonymous: TestClient, token: str, path: str) -> None:
    assert anonymous.get(path).status_code in {401, 404}


@pytest.mark.parametrize("path", PAGE)
def test_logged_in_users_get_the_page(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    expected = json.loads(json.dumps([asdict(panel) for panel in PANELS.values()]))
    assert client.get("/sparkify/api/panels").json() == expected


def test_files_outside_the_page_are_not_served(client: TestClient) -> None:
    for path in ("/sparkify/static/%2e%2e/app.py", "/sparkify/static/..%2fapp.py", "/sparkify/static/none.js"):
        assert client.get(path).status_code == 404


def test_only_the_library_is_cached_by_the_browser(client: TestClient) -> None:
    library = client.get("/sparkify/static/echarts-6.1.0.min.js")
    assert "immutable" in library.headers["Cache-Control"]
    page = client.get("/sparkify/static/page.js")
    assert page.headers["Cache-Control"] == "no-cache"
    again = client.get("/sparkify/static/page.js", headers={"If-None-Match": page.headers["ETag"]})
    assert again.status_code == 304
    assert "default-src 'self'" in client.get("/sparkify/").headers["Content-Security-Policy"]


def test_responses_are_not_sniffed_and_panels_not_stored(
    client: TestClient, empty_lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = client.get("/sparkify/api/panels/tables")
    empty_lab.run("2018-11-01", "2018-11-02", tasks=["create_tables"])
    answers = [client.get(path) for path in (*PAGE, "/sparkify/api/panels/browsers", "/sparkify/api/panels/none")]
    client.cookies.clear()
    answers += [refused, client.get("/sparkify/"), client.get("/sparkify/api/panels/tables")]
    assert [answer.status_code for answer in answers[-5:]] == [200, 404, 503, 401, 401]
    assert {answer.headers["X-Content-Type-Options"] for answer in answers} == {"nosniff"}
    for answer in answers:
        if "/api/" in answer.url.path or answer.is_error:
            assert answer.headers["Cache-Control"] == "no-store", answer.url


# --- errors ---


def test_an_unknown_panel(client: TestClient) -> None:
    response = client.get("/sparkify/api/panels/plays")
    assert response.status_code == 404
    assert "Unknown panel 'plays'" in response.json()["detail"]


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
    assert "127.0.0.1:9 (Airflow connection 'redshift', type postgres) is unreachable" in response.json()["detail"]
    assert "Check that it is running" in response.json()["detail"]
    assert "hidden" not in response.text


@pytest.mark.parametrize("name", PANELS)
def test_the_tables_do_not_exist_yet(client: TestClient, empty_lab: Lab, name: str) -> None:
    response = client.get(f"/sparkify/api/panels/{name}")
    assert response.status_code == 503
    assert response.json()["kind"] == "empty"
    assert "The first task of the DAG sparkify_warehouse creates them" in response.json()["detail"]


@pytest.mark.parametrize("table", ["operations.rejected_rows", "users"])
def test_one_table_is_missing(client: TestClient, lab: Lab, table: str) -> None:
    """The panels that need it say so; it is not the trouble of the others."""
    with psycopg.connect(lab.uri) as connection:
        connection.execute(f"DROP TABLE {table}".encode())
    answers = {name: client.get(f"/sparkify/api/panels/{name}") for name in PANELS}
    needed = {"operations.rejected_rows": {"rejected_rows"}, "users": {"tables", "users_by_level"}}
    assert {name for name, answer in answers.items() if answer.status_code != 200} == needed[table]
    for name in needed[table]:
        assert answers[name].json() == {
            "kind": "missing",
            "detail": f"{table} does not exist. Run the DAG sparkify_warehouse: its first task, create_tables, creates "
            "missing tables and views.",
        }


def test_a_schema_is_missing(client: TestClient, lab: Lab) -> None:
    with psycopg.connect(lab.uri) as connection:
        connection.execute("DROP SCHEMA operations CASCADE; DROP TABLE songplays")
    assert client.get("/sparkify/api/panels/users_by_level").status_code == 200
    detail = client.get("/sparkify/api/panels/freshness").json()["detail"]
    assert detail.startswith("operations.data_quality_results, songplays do not exist. Run the DAG")


def test_a_table_that_the_project_does_not_declare(
    client: TestClient, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panels, "sql", lambda *_: "SELECT a FROM no_such_table")
    answer = client.get("/sparkify/api/panels/browsers").json()
    assert answer["kind"] == "refused"
    assert "UndefinedTable 42P01" in answer["detail"]


def test_the_tables_are_empty(client: TestClient, lab: Lab) -> None:
    found = {name: get(client, name)["rows"] for name in PANELS}
    assert found.pop("freshness") == [[None, None, None, None]]
    assert found.pop("loaded_days") == [[None, None]]
    assert {tuple(row[1:]) for row in found.pop("tables")} == {(0, None, 0, False)}
    assert found == {name: [] for name in found}


def test_a_failed_panel_does_not_affect_others(
    client: TestClient, lab: Lab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sql = panels.sql
    broken = {"browsers": "SELECT no_such_column FROM songplays"}
    monkeypatch.setattr(panels, "sql", lambda name, *rest: broken.get(name) or sql(name, *rest))
    response = client.get("/sparkify/api/panels/browsers")
    assert response.status_code == 503
    assert response.json()["kind"] == "refused"
    assert "UndefinedColumn 42703" in response.json()["detail"]
    assert "no_such_column" in caplog.text  # the details are only logged
    assert get(client, "tables")["rows"]


# --- what to do about a check ---


def test_the_remedies_are_those_of_the_declarations(client: TestClient) -> None:
    found = client.get("/sparkify/api/checks").json()
    assert len(found) == len(declaration.load(app.CHECKS)) > 20
    assert found[0].keys() == {"table_name", "check_name", "why", "remedy"}
    (twice,) = [item for item in found if (item["table_name"], item["check_name"]) == TWICE]
    assert twice["remedy"].startswith("A writer other than load_songplays changed the table.")


def test_invalid_declarations_are_named(client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "songs.yaml").write_text("table: [")
    monkeypatch.setattr(app, "CHECKS", tmp_path)
    response = client.get("/sparkify/api/checks")
    assert response.status_code == 503
    assert "songs.yaml line 2: invalid YAML" in response.json()["detail"]


# --- new panels ---


def test_a_new_panel_needs_no_restart(
    client: TestClient, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panels, "SQL", shutil.copytree(panels.SQL, tmp_path / "sql"))
    monkeypatch.setattr(app, "RELOAD", 0.0)
    before = client.get("/sparkify/api/panels").json()
    assert client.get("/sparkify/api/panels/answer").status_code == 404
    file = panels.SQL / "analytics" / "page" / "answer.sql"
    file.write_text("-- The answer\n-- Of all.\nSELECT 42 AS answer;\n")
    new = {"name": "answer", "title": "The answer", "note": "Of all.", "has_days": False, "metrics": []}
    assert client.get("/sparkify/api/panels").json() == sorted([*before, new], key=lambda panel: panel["name"])
    assert get(client, "answer")["rows"] == [[42]]
    file.write_text("-- Another answer\nSELECT 43 AS answer;\n")
    os.utime(file, (1, 1))  # whatever the resolution of the file system's clock
    assert {**new, "title": "Another answer", "note": ""} in client.get("/sparkify/api/panels").json()
    assert get(client, "answer?reload=true")["rows"] == [[43]]


# --- the days to show ---


def test_days_are_relative_to_the_latest_loaded_day(client: TestClient, lab: Lab) -> None:
    days = ("2018-11-01", "2018-11-28", "2018-11-29")
    for number, day in enumerate(days):
        lab.put_events(day, [event(f"{day}T05:00:00", number)])
    lab.run("2018-11-01", "2018-12-01")
    default = get(client, "plays_by_day")
    assert (default["from"], default["to"]) == ("2018-11-02", "2018-11-29")
    shown = {
        "": days[1:],
        "range=7d": days[1:],
        "range=all": days,
        "from=2018-11-01&to=2018-11-01": days[:1],
        "to=2018-11-28": days[:2],
        "from=2018-12-24&to=2018-12-26": (),
    }
    for query, expected in shown.items():
        assert tuple(row[0] for row in get(client, f"plays_by_day?{query}")["rows"]) == expected, query
    for name, panel in PANELS.items():
        assert ("from" in get(client, f"{name}?range=7d")) == panel.has_days


def test_the_panels_that_depend_on_time_have_days() -> None:
    assert {name for name, panel in PANELS.items() if not panel.has_days} == {
        "freshness", "loaded_days", "quality", "rejected_rows", "source_files", "tables", "users_by_level"
    }  # fmt: skip


@pytest.mark.parametrize("query", ["range=8d", "from=now", "from=2018-11-02&to=2018-11-01", "range=all&to=2018-11-01"])
def test_invalid_days_are_refused_before_the_warehouse_is_queried(
    client: TestClient, queries: Counter[str], query: str
) -> None:
    response = client.get(f"/sparkify/api/panels/top_songs?{query}")
    assert response.status_code == 422
    assert response.json()["kind"] == "days"
    assert response.json()["detail"].startswith("Invalid ")
    assert not queries


def test_the_same_days_are_queried_once(client: TestClient, lab: Lab, queries: Counter[str], metadata: None) -> None:
    lab.put_events("2018-11-05", [event("2018-11-05T05:00:00")])
    lab.run("2018-11-05", "2018-11-06")
    for query in ("range=7d", "from=2018-10-30&to=2018-11-05", "from=2018-10-30", "range=7d"):
        get(client, f"browsers?{query}")
    assert queries["browsers"] == 1
    get(client, "browsers?range=28d")
    assert queries["browsers"] == 2
    assert queries["loaded_days"] == 1
    get(client, "users_by_level?range=7d")
    get(client, "users_by_level?range=28d")
    assert queries["users_by_level"] == 1


# --- the catalogue of metrics ---


def test_a_panel_has_the_definitions_of_its_metrics(client: TestClient) -> None:
    found = {panel["name"]: panel["metrics"] for panel in client.get("/sparkify/api/panels").json()}
    assert found["plays_by_day"] == [
        {
            "name": "plays",
            "title": "Plays",
            "meaning": "How often songs were played. A play that was delivered twice counts once.",
            "grain": ["day", "level"],
            "unit": "plays",
            "additive": "over days and levels",
        }
    ]
    used = {metric["name"] for metrics in found.values() for metric in metrics}
    assert used == {
        "cancellations", "conversion_rate", "daily_active_users", "downgrades", "listeners", "monthly_active_users",
        "paid_share", "plays", "retention", "sign_ups", "upgrades", "weekly_active_users",
    }  # fmt: skip
    assert all(metric["meaning"] and metric["unit"] for metrics in found.values() for metric in metrics)


# --- permissions in the warehouse ---


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


def test_a_slow_panel_is_cancelled(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels, "sql", lambda *_: "SELECT pg_sleep(30)")
    begun = time.monotonic()
    with pytest.raises(PanelError, match=r"panel browsers took longer than 0\.2 s") as raised:
        panels.read("browsers", limit=0.2)
    assert time.monotonic() - begun < 10
    assert raised.value.kind == "slow"


# --- queries of the warehouse and of Airflow's database ---


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """The number of queries: of the warehouse for each panel, and of Airflow's database for the loads."""
    counts: Counter[str] = Counter()

    def counted(function: Any) -> Any:
        def read(name: str, *rest: Any) -> Any:
            counts[name] += 1
            return function(name, *rest)

        return read

    monkeypatch.setattr(panels, "read", counted(panels.read))
    monkeypatch.setattr(loads, "read", counted(loads.read))
    return counts


def end_run(dag_id: str, ended: datetime, state: str = "failed") -> None:
    """Add a run of a DAG that has ended to Airflow's database."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunType

    with create_session() as session:
        run = DagRun(dag_id=dag_id, run_id=f"manual__{uuid.uuid4()}", run_type=DagRunType.MANUAL, run_after=ended)
        run.state = state  # it sets the end to now
        run.end_date = ended
        session.add(run)


@pytest.fixture
def metadata(token: str) -> Iterator[None]:
    """Airflow's database; no DAG is paused, and it has no run afterwards."""
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import delete, update

    with create_session() as session:  # other tests add paused DAGs
        session.execute(update(DagModel).values(is_paused=False))
    yield
    with create_session() as session:
        session.execute(delete(DagRun))


def poll(client: TestClient, shown: dict[str, str]) -> None:
    """Send the requests of an open page, as once a minute.

    :param shown: the version of each panel that it shows; is updated.
    """
    state = client.get("/sparkify/api/loads").json()
    for name in PANELS:
        if shown.get(name) != state["versions"].get(name, state["version"]):
            shown[name] = get(client, name)["version"]


def test_an_open_page_queries_the_warehouse_only_after_a_run_has_ended(
    client: TestClient, lab: Lab, queries: Counter[str], metadata: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "KEEP_LOADS", 0.0)
    viewers: list[dict[str, str]] = [{}, {}, {}]
    for _ in range(5):
        for shown in viewers:
            poll(client, shown)
    assert {name: queries[name] for name in PANELS} == dict.fromkeys(PANELS, 1)
    end_run("sparkify_report", datetime(2018, 11, 2, 1, tzinfo=UTC))  # does not write to the warehouse
    poll(client, viewers[0])
    assert {name: queries[name] for name in PANELS} == dict.fromkeys(PANELS, 1)
    for number, dag_id in enumerate(["sparkify_warehouse", "sparkify_audit"]):
        end_run(dag_id, datetime(2018, 11, 2, 2 + number, tzinfo=UTC))
        for _ in range(2):
            for shown in viewers:
                poll(client, shown)
        assert {name: queries[name] for name in PANELS} == dict.fromkeys(PANELS, 2 + number)
    end_run("sparkify_reconcile", datetime(2018, 11, 2, 5, tzinfo=UTC), "success")  # writes what one panel shows
    for shown in viewers:
        poll(client, shown)
    assert {name: queries[name] for name in PANELS} == dict.fromkeys(PANELS, 3) | {"source_files": 4}


def test_many_viewers_cause_one_query_of_airflows_database(client: TestClient, queries: Counter[str]) -> None:
    for _ in range(20):
        assert client.get("/sparkify/api/loads").status_code == 200
    assert queries == {"loads": 1}


def test_the_loads_are_as_airflow_has_them(client: TestClient, metadata: None) -> None:
    found = client.get("/sparkify/api/loads").json()
    assert found["now"].endswith("Z")
    assert (found.pop("reconciliation") or {}).get("ended_at") is None
    assert {**found, "now": ""} == {
        "now": "", "version": "", "versions": {"source_files": " "}, "is_paused": False, "failures": [],
    }  # fmt: skip


def test_the_last_successful_reconciliation_is_known(client: TestClient, metadata: None) -> None:
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel
    from airflow.utils.session import create_session

    end_run("sparkify_reconcile", datetime(2018, 11, 2, 5, tzinfo=UTC), "success")
    end_run("sparkify_reconcile", datetime(2018, 11, 2, 6, tzinfo=UTC))
    with create_session() as session:
        session.merge(DagBundleModel(name="dags-folder"))
        session.flush()
        session.merge(DagModel(dag_id="sparkify_reconcile", bundle_name="dags-folder", is_paused=True))
    found = client.get("/sparkify/api/loads").json()
    assert found["reconciliation"] == {"ended_at": "2018-11-02T05:00:00.000Z", "is_paused": True}


def test_reload_is_rate_limited(
    client: TestClient, lab: Lab, queries: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = get(client, "tables")
    with psycopg.connect(lab.uri) as connection:
        connection.execute("INSERT INTO users (user_id, interval_time, row_version) VALUES (1, '2018-11-01', '')")
    assert get(client, "tables") == get(client, "tables?reload=true") == first
    monkeypatch.setattr(app, "RELOAD", 0.0)
    assert get(client, "tables") == first
    assert get(client, "tables?reload=true") != first
    assert queries["tables"] == 2


def test_times_are_utc_with_a_z(client: TestClient, lab: Lab) -> None:
    lab.put_events("2018-11-01", [event("2018-11-01T05:06:07")])
    lab.run("2018-11-01T05:00", "2018-11-01T06:00")
    answer = get(client, "freshness")
    assert answer["columns"] == ["loaded_until", "scheduled_until", "loaded_at", "latest_play"]
    ((until, scheduled, _, latest),) = answer["rows"]
    assert (until, scheduled, latest) == ("2018-11-01T06:00:00.000Z", None, "2018-11-01T05:06:07.000Z")
    assert answer["as_of"].endswith("Z")


# --- the test alert ---


def test_a_viewer_cannot_send_a_test_alert(client: TestClient, metadata: None) -> None:
    assert client.post("/sparkify/api/alert-test").status_code == 403


def test_a_test_alert_reports_the_result_of_each_channel(
    admin: TestClient, metadata: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = admin.post("/sparkify/api/alert-test").json()
    assert found["channels"] == []
    assert found["help"].startswith("No channel is configured: create the connection slack_alerts")
    monkeypatch.setenv("AIRFLOW_CONN_SLACK_ALERTS", "slackwebhook://:token@127.0.0.1%3A9/")
    found = admin.post("/sparkify/api/alert-test").json()
    assert [(channel["name"], bool(channel["error"])) for channel in found["channels"]] == [("Slack", True)]
    assert found["help"] == ""
