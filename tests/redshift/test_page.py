"""The warehouse page shows the same rows over the Redshift client, and cannot write."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from sparkify.warehouse import WarehouseError, connect
from sparkify.web import panels
from tests.integration.web.test_panels import IMPLAUSIBLE, put_implausible
from tests.integration.web.test_source_files import DAY, START, Source, rows
from tests.redshift.test_dag import fill, on_postgres

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.lab import Lab
    from tests.redshift.endpoint import Endpoint

pytestmark = pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning")  # of redshift_connector
# Columns that depend on the clock.
TIMES = {"loaded_at", "checked_at"}


def panel_rows() -> dict[str, list[dict[str, Any]]]:
    """Return the rows of all panels, without the columns that depend on the clock."""
    found = {}
    for name in panels.declared():
        answer = panels.read(name)
        records = [dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]]
        found[name] = [{key: value for key, value in item.items() if key not in TIMES} for item in records]
    return found


def test_panels_show_the_same_rows(redshift: Lab, endpoint: Endpoint, make_lab: Callable[[], Lab]) -> None:
    def work(lab: Lab) -> dict[str, list[dict[str, Any]]]:
        fill(lab)
        lab.run("2018-11-01", "2018-11-03")
        return panel_rows()

    over_postgres: dict[str, list[dict[str, Any]]] = {}
    over_redshift = work(redshift)
    assert over_redshift["plays_by_hour"]
    assert over_redshift["quality"]
    assert len(endpoint.statements("BEGIN READ ONLY")) == len(panels.declared())
    on_postgres(make_lab, lambda lab: over_postgres.update(work(lab)))
    assert over_redshift == over_postgres


def test_each_day_of_the_source_has_its_worst_state(redshift: Lab) -> None:
    redshift.run("2018-11-01", "2018-11-02", tasks=["create_tables"])
    source = Source(redshift.uri)
    for number in range(62):
        source.stage(START - number * DAY, (0, 24))
    source.differ(START, "missing", "", found_at=START + DAY / 2)
    source.differ(START - DAY, "changed", "v2", attempts=1, run_id="run")
    source.differ(START - 2 * DAY, "changed", "v1")
    source.fail(START - 4 * DAY, START - 2 * DAY, START)
    assert [(row["start_day"], row["is_month"], row["state"], row["days"], row["run_id"]) for row in rows()][-6:] == [
        ("2018-10-27", False, "up to date", 1, None),
        ("2018-10-28", False, "failed", 1, None),
        ("2018-10-29", False, "failed", 1, None),
        ("2018-10-30", False, "up to date", 1, None),
        ("2018-10-31", False, "changed", 1, "run"),
        ("2018-11-01", False, "up to date", 1, None),
    ]
    assert [(row["start_day"], row["days"]) for row in rows() if row["is_month"]] == [("2018-09-01", 2)]


def test_implausible_times_do_not_break_panels_and_checks(redshift: Lab, endpoint: Endpoint) -> None:
    """The client returns the maximum of ``datetime`` for the year 10001."""
    fill(redshift)
    redshift.run("2018-11-01", "2018-11-03")
    before = panel_rows()
    put_implausible(redshift)
    after = panel_rows()
    for name in ("plays_by_hour", "plays_by_day", "plays_by_weekday", "freshness"):
        assert after[name] == before[name], name
    redshift.run("2018-11-01", "2018-11-02", tasks=["audit"], dag_id="sparkify_audit")
    found = {item["table"]: item for item in redshift.xcoms["audit"]["checks"] if item["kind"] == "plausible_time"}
    assert {table: item["failing_rows"] for table, item in found.items()} == dict.fromkeys(
        ("staging_events", "songplays", "time"), len(IMPLAUSIBLE)
    )
    with contextlib.suppress(AirflowFailException):
        redshift.run("2018-11-01", "2018-11-02", tasks=["data_quality"])
    assert redshift.xcoms["data_quality"]["checks"]


def test_a_wrong_password_is_reported_as_the_cause(redshift: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = json.loads(redshift.environment["AIRFLOW_CONN_REDSHIFT"]) | {"password": "mistyped"}
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT", json.dumps(connection))
    with pytest.raises(panels.PanelError, match="password") as raised:
        panels.read("tables")
    assert raised.value.kind == "unreachable"
    assert "mistyped" not in str(raised.value)


def test_queries_are_read_only(redshift: Lab) -> None:
    redshift.run("2018-11-01", "2018-11-02", tasks=["create_tables"])
    with connect("redshift") as warehouse:
        with pytest.raises(WarehouseError, match="holds no lock"):
            warehouse.read_only(5)
            warehouse.table("DELETE FROM users WHERE user_id = 1")
        # Redshift refuses it as well.
        with warehouse._session.cursor() as cursor, pytest.raises(Exception, match="read-only transaction"):
            warehouse._execute(cursor, "DELETE FROM users WHERE user_id = 1")


@pytest.mark.usefixtures("empty_redshift")
def test_missing_tables_and_slow_queries_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(panels.PanelError) as missing:
        panels.read("tables")
    assert missing.value.kind == "empty"
    slow = f"SELECT COUNT(*) AS n FROM pg_class AS a {' '.join(f'CROSS JOIN pg_class AS {b}' for b in 'bcdef')}"
    monkeypatch.setattr(panels, "sql", lambda *_: slow)
    with pytest.raises(panels.PanelError, match="took longer than"):
        panels.read("browsers", limit=0.2)
