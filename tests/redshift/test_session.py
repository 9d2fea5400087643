"""Sessions of the Redshift client with the endpoint."""

from __future__ import annotations

import json
import logging
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import psycopg
import pytest
import redshift_connector

from sparkify.warehouse import Warehouse, WarehouseError, connect
from sparkify.warehouse.catalogue import relations
from sparkify.web import panels
from tests.redshift.faults import Fault, serialization_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.lab import Lab
    from tests.redshift.endpoint import Endpoint

pytestmark = pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning")  # of redshift_connector


@pytest.fixture
def warehouse(redshift: Lab) -> Iterator[Warehouse]:
    with connect("redshift", "aws") as session:
        yield session


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("CAST(7 AS SMALLINT)", 7),
        ("70000", 70000),
        ("CAST(-5000000000 AS BIGINT)", -5000000000),
        ("CAST(2.5 AS DOUBLE PRECISION)", 2.5),
        ("CAST(-12.345 AS DECIMAL(10, 2))", Decimal("-12.35")),
        ("CAST(12345678901234567890.5 AS DECIMAL(38, 3))", Decimal("12345678901234567890.500")),
        ("SUM(CAST(3 AS BIGINT))", Decimal(3)),
        ("ROUND(100.0 * 1 / 3, 1)", Decimal("33.3")),
        ("TRUE", True),
        ("CAST('Beyoncé' AS VARCHAR(20))", "Beyoncé"),
        ("'50%, ?, :a and %s'", "50%, ?, :a and %s"),
        ("TIMESTAMP '2018-11-01 21:01:46.796'", datetime(2018, 11, 1, 21, 1, 46, 796000)),  # noqa: DTZ001 - UTC
        ("CAST('1969-12-31' AS DATE)", date(1969, 12, 31)),
        ("CAST(NULL AS BIGINT)", None),
    ],
)
def test_values_have_python_types(warehouse: Warehouse, sql: str, value: object) -> None:
    names, rows = warehouse.table(f"SELECT {sql} AS answer")
    assert names == ["answer"]
    assert rows == [(value,)]
    assert type(rows[0][0]) is type(value)


def test_the_catalogue_has_types_and_comments(warehouse: Warehouse, redshift: Lab) -> None:
    with psycopg.connect(redshift.uri) as connection:
        connection.execute("CREATE TABLE described (name VARCHAR(9), length DOUBLE PRECISION)")
        connection.execute("COMMENT ON TABLE described IS 'One row per name.'")
        connection.execute("COMMENT ON COLUMN described.length IS 'Length. Unit: seconds.'")
    found = relations(warehouse, ["described", "operations.missing"])
    assert list(found) == ["described"]
    described = found["described"]
    assert (described.comment, described.primary_key) == ("One row per name.", [])
    assert {name: (column.type, column.comment) for name, column in described.columns.items()} == {
        "name": ("character varying(9)", None),
        "length": ("double precision", "Length. Unit: seconds."),
    }


def test_scripts_return_the_affected_rows(warehouse: Warehouse) -> None:
    def work() -> list[int]:
        return [
            warehouse.script(sql)
            for sql in (
                "INSERT INTO t (n) VALUES (1), (2), (3)",
                "UPDATE t SET n = n + 5 WHERE n > 1",
                "DELETE FROM t WHERE n = 1",
                "CREATE TEMP TABLE u AS SELECT n FROM t",
                # Redshift reports no row count for MERGE.
                "MERGE INTO t USING u ON t.n = u.n WHEN MATCHED THEN UPDATE SET n = u.n "
                "WHEN NOT MATCHED THEN INSERT (n) VALUES (u.n)",
            )
        ]

    assert warehouse.transaction(lambda: warehouse.script("CREATE TABLE t (n INTEGER)")) == 0
    assert warehouse.transaction(work, lock=["t"])[:3] == [3, 2, 1]


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT 1 +", "42601"),
        ("SELECT a FROM absent", "42P01"),
        ("CREATE INDEX i ON t (n)", "42601"),
        ("CREATE TABLE u (a TEXT[])", "42601"),
        ("SELECT STRING_AGG(n, ',') FROM t", "42601"),
        ("DELETE FROM t AS x WHERE x.n = 1", "42601"),
        ("INSERT INTO t (n) VALUES (1) ON CONFLICT DO NOTHING", "42601"),
        ("MERGE INTO t USING t AS u ON t.n = u.n WHEN MATCHED THEN UPDATE SET n = u.n", "42601"),
        ("VACUUM t", "0A000"),
    ],
)
def test_unsupported_statements_are_refused(warehouse: Warehouse, sql: str, code: str) -> None:
    warehouse.transaction(lambda: warehouse.script("CREATE TABLE t (n INTEGER)"))

    def work() -> None:
        with pytest.raises(redshift_connector.ProgrammingError) as caught:
            warehouse.query(sql)
        assert caught.value.args[0]["C"] == code
        warehouse.query("SELECT 1")

    # The transaction is aborted; the session is usable after the rollback.
    with pytest.raises(redshift_connector.ProgrammingError, match="aborted"):
        warehouse.transaction(work, lock=["t"])
    assert warehouse.query("SELECT COUNT(*) FROM t") == [(0,)]


def test_the_client_identifies_itself(warehouse: Warehouse, endpoint: Endpoint, redshift: Lab) -> None:
    (startup,) = endpoint.startups
    assert (startup["user"], startup["database"]) == (endpoint.user, redshift.bucket)
    assert startup["client_protocol_version"] == "2"
    assert startup["application_name"] == "sparkify"
    assert startup["driver_version"].startswith("Redshift Python Driver")


@pytest.mark.parametrize(
    ("fields", "cause", "remedy"),
    [
        (
            {"password": "wrong"},
            "rejected the login of user 'etl': password authentication failed for user \"etl\"",
            "Check the user, the password",
        ),
        (
            {"login": "unknown"},
            "rejected the login of user 'unknown': password authentication failed",
            "Check the user",
        ),
        ({"schema": "absent"}, "has no database 'absent'", "Check the database"),
        ({"extra": {"ssl": False}}, "no pg_hba.conf entry for host, SSL off", "the SSL settings"),
        ({"host": "host.invalid"}, "is unreachable: communication error", "its address"),
        ({"port": 1}, "is unreachable: communication error: [Errno 111] Connection refused", "the security group"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_a_failed_connection_reports_cause_and_remedy_in_the_task_and_on_the_page(
    redshift: Lab,
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, object],
    cause: str,
    remedy: str,
) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: pytest.fail("the connection was retried"))
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT", endpoint.connection(redshift.bucket, **fields))
    with pytest.raises(WarehouseError) as caught:
        redshift.run("2018-11-01", "2018-11-02", tasks=["create_tables"])
    assert cause in str(caught.value)
    assert remedy in str(caught.value)
    assert endpoint.password not in str(caught.value)
    with pytest.raises(panels.PanelError) as shown:
        panels.read("tables")
    assert (shown.value.kind, str(shown.value)) == ("unreachable", str(caught.value))


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_the_client_rejects_an_untrusted_certificate(
    redshift: Lab, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT", endpoint.connection(redshift.bucket, extra={"sslmode": mode}))
    with connect("redshift"):
        pass
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(WarehouseError, match="CERTIFICATE_VERIFY_FAILED"), connect("redshift"):
        pytest.fail("connected")
    assert len(endpoint.startups) == 1


@pytest.fixture
def one_row(warehouse: Warehouse, redshift: Lab) -> None:
    """Create a table ``t`` with one row, and an empty table ``u``."""
    with psycopg.connect(redshift.uri) as connection:
        connection.execute("CREATE TABLE t (n INTEGER); CREATE TABLE u (n INTEGER)")
        connection.execute("INSERT INTO t VALUES (1)")


@pytest.mark.usefixtures("one_row")
def test_a_real_conflict_is_reported_as_1023_and_retried(
    warehouse: Warehouse, redshift: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    seen = []

    def work() -> int:
        seen.append(warehouse.query("SELECT n FROM t"))
        if len(seen) == 1:
            with psycopg.connect(redshift.uri) as other:
                other.execute("UPDATE t SET n = n + 10")
        return warehouse.script("UPDATE t SET n = n + 1")

    assert warehouse.transaction(work, lock=["u"]) == 1
    assert seen == [[(1,)], [(11,)]]
    assert redshift.query("SELECT n FROM t") == [(12,)]
    assert "(attempt 2 of 8): 1023: Serializable isolation violation on table - 100" in caplog.text


@pytest.mark.usefixtures("one_row")
def test_a_conflict_at_commit_is_retried(
    warehouse: Warehouse, redshift: Lab, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    endpoint.faults.append(Fault("commit", serialization_error, times=2))
    warehouse.transaction(lambda: warehouse.script("INSERT INTO t (n) VALUES (2)"), lock=["t"])
    assert len(endpoint.statements("INSERT INTO t")) == 3
    assert redshift.query("SELECT n FROM t ORDER BY n") == [(1,), (2,)]


def test_the_log_of_the_client_contains_no_secret(
    redshift: Lab, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), connect("redshift", "aws") as warehouse:
        warehouse.query("SELECT 1")
    assert "Building Redshift wire protocol start-up packet" in caplog.text
    assert endpoint.password not in caplog.text
    assert json.loads(redshift.environment["AIRFLOW_CONN_REDSHIFT"])["password"] == endpoint.password
