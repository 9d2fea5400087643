"""Redshift at the boundary of its driver: statements, errors, and the redaction of secrets."""

from __future__ import annotations

import json
import logging
import re
import ssl
import traceback
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import redshift_connector
from redshift_connector import InterfaceError, OperationalError

from sparkify.warehouse import CopyFailedError, CopyResult, RejectedRow, Warehouse, WarehouseError, connect
from sparkify.warehouse.unreachable import CONNECT_TIMEOUT
from tests.unit.warehouse.test_secrets import everything

SECRET = "sTSx9/secretkey+of+the+test"
TOKEN = "FwoGZX/session+token+of+the+test"
ROLE = "arn:aws:iam::123456789012:role/sparkify-copy"
COPIED = {
    "SELECT pg_last_copy_count(), pg_last_copy_id()": [(1234, 77)],
    "SELECT COUNT(*) FROM sys_load_error_detail WHERE query_id = 77": [(1,)],
    "SELECT TRIM(file_name), line_number, TRIM(column_name), error_code, TRIM(error_message) "
    "FROM sys_load_error_detail WHERE query_id = 77 ORDER BY file_name, line_number LIMIT 1000": [
        ("s3://music/song_data/A.json", 3, "year", 1207, "Invalid digit")
    ],
}
REJECT = RejectedRow("s3://music/song_data/A.json", 3, "year", 1207, "Invalid digit")


class Cursor:
    """A cursor of the driver: records the statements, and returns the given rows or raises the given error."""

    paramstyle = "format"
    rowcount = -1

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.rows: list[Any] = []
        self.description: list[tuple[str, int]] = []

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def execute(self, statement: str, parameters: Any = None) -> None:
        assert self.paramstyle == "qmark", "under another style the driver reads parameters into LIKE '%x%'"
        self.driver.executed.append(statement)
        if parameters is not None:
            assert statement.count("?") == len(parameters)
            self.driver.values += parameters
        for start, answer in self.driver.answers.items():
            if statement.startswith(start):
                if isinstance(answer, Exception):
                    raise answer
                self.rows = answer

    def fetchall(self) -> list[Any]:
        return self.rows


class Driver:
    """The connection that redshift_connector's connect() returns."""

    def __init__(self) -> None:
        self.executed: list[str] = []
        self.values: list[Any] = []
        self.answers: dict[str, Any] = dict(COPIED)
        self.settings: dict[str, Any] = {}
        self.timeouts: list[float | None] = []
        self._usock = SimpleNamespace(settimeout=self.timeouts.append)

    def connect(self, **settings: Any) -> Driver:
        self.settings = settings
        return self

    def cursor(self) -> Cursor:
        return Cursor(self)

    def commit(self) -> None:
        self.executed.append("commit")

    def rollback(self) -> None:
        self.executed.append("rollback")

    def close(self) -> None:
        self.executed.append("close")


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    """A driver instead of redshift_connector's, and no credentials but those of the Airflow connections."""
    driver = Driver()
    monkeypatch.setattr(redshift_connector, "connect", driver.connect)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    connection = {"conn_type": "redshift", "host": "cluster.example", "port": 5439, "login": "etl", "password": SECRET}
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT", json.dumps({**connection, "schema": "dev"}))
    return driver


def aws(monkeypatch: pytest.MonkeyPatch, extra: dict[str, str] | None = None, *, keys: bool = True) -> None:
    """Define the connection ``aws``."""
    login = {"login": "AKIAIOSFODNN7EXAMPLE", "password": SECRET} if keys else {}
    settings = {"conn_type": "aws", **login, "extra": {"region_name": "us-west-2", **(extra or {})}}
    monkeypatch.setenv("AIRFLOW_CONN_AWS", json.dumps(settings))


def warehouse() -> Warehouse:
    return connect("redshift", "aws")


def copy(session: Warehouse, table: str = "songs", *options: str) -> CopyResult:
    """COPY into a table, in a transaction."""
    work = partial(session.copy, table, "s3://music/song_data/", options)
    return session.transaction(work, lock=[table.partition(" ")[0]])


def server_error(code: str, message: str, **fields: str) -> redshift_connector.ProgrammingError:
    """Return the driver's exception, which has the fields of the server's message in a dictionary."""
    return redshift_connector.ProgrammingError({"S": "ERROR", "C": code, "M": message, **fields})


def test_it_connects_with_the_airflow_connection(driver: Driver) -> None:
    with warehouse():
        pass
    expected = {"host": "cluster.example", "port": 5439, "user": "etl", "password": SECRET, "database": "dev"}
    assert driver.settings.items() >= expected.items()
    assert not driver.settings.get("autocommit")
    assert driver.executed == ["close"]


def test_an_idle_connection_is_kept_alive(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    with warehouse():
        pass
    assert driver.settings["tcp_keepalive_idle"] == 60
    extra = {"conn_type": "redshift", "extra": {"tcp_keepalive_idle": 300, "sslmode": "verify-full"}}
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT", json.dumps(extra))
    with warehouse():
        pass
    expected = {"tcp_keepalive_idle": 300, "tcp_keepalive_interval": 30, "sslmode": "verify-full"}
    assert driver.settings.items() >= expected.items()


def test_sql_is_sent_unchanged(driver: Driver) -> None:
    script = "CREATE TABLE t (a BIGINT ENCODE zstd) DISTSTYLE ALL SORTKEY (a);\nSELECT a FROM t WHERE b LIKE '%x%'"
    with warehouse() as session:
        session.transaction(lambda: session.script(script))
    assert driver.executed[:2] == script.split("\n")


@pytest.mark.parametrize(
    ("error", "conflict"),
    [
        (server_error("40001", "could not serialize access"), True),
        (server_error("40P01", "deadlock detected"), True),
        (server_error("XX000", "1023", D="Serializable isolation violation on table - 100, transactions ..."), True),
        (server_error("XX000", "could not complete because of conflict with concurrent transaction"), True),
        (server_error("42P07", 'Relation "songs" already exists'), True),
        (WarehouseError("COPY failed: no such file"), False),
        (server_error("42601", "syntax error at or near"), False),
        (server_error("XX000", "1204"), False),
        (redshift_connector.InterfaceError("BrokenPipe: server socket closed"), False),
        (redshift_connector.Error(), False),
        (ValueError(), False),
    ],
)
def test_conflicts_are_recognized_by_code_or_message(driver: Driver, error: Exception, conflict: bool) -> None:
    assert warehouse()._is_conflict(error) is conflict


def test_a_conflict_is_retried(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    errors = iter([server_error("XX000", "1023", D="Serializable isolation violation on table - 100")])

    def work() -> str:
        if error := next(errors, None):
            raise error
        return "done"

    with warehouse() as session:
        assert session.transaction(work) == "done"
    assert driver.executed == ["rollback", "commit", "close"]


REFUSED = InterfaceError("communication error", ConnectionRefusedError(111, "Connection refused"))
UNTRUSTED = InterfaceError("communication error", ssl.SSLCertVerificationError(1, "CERTIFICATE_VERIFY_FAILED"))


@pytest.mark.parametrize(
    ("error", "what", "remedy"),
    [
        (server_error("28000", "password authentication failed"), "rejected the login of user 'etl'", "the password"),
        (server_error("28P01", "password authentication failed"), "rejected the login of user 'etl'", "the password"),
        (server_error("3D000", 'database "dev" does not exist'), "has no database 'dev'", "the database"),
        (server_error("53300", "too many connections"), "has no free connection", "run fewer tasks at once"),
        (server_error("57P03", "the database system is starting up"), "rejected the connection", "starting"),
        (
            OperationalError("connection time out", TimeoutError("timed out")),
            "timed out",
            "paused cluster",
        ),
        (TimeoutError("timed out"), "timed out", "security group"),
        (REFUSED, "is unreachable: communication error: [Errno 111]", "address and port"),
        (InterfaceError("BrokenPipe: server socket closed."), "is unreachable: BrokenPipe", "address and port"),
        (UNTRUSTED, "failed the TLS verification", "sslmode"),
    ],
)
def test_a_failed_connection_is_explained_without_a_retry(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, error: Exception, what: str, remedy: str
) -> None:
    attempts = []

    def refuse(**settings: Any) -> None:
        attempts.append(settings)
        raise error

    monkeypatch.setattr(redshift_connector, "connect", refuse)
    with pytest.raises(WarehouseError, match=r"cluster\.example:5439") as caught, warehouse():
        pytest.fail("connected")
    assert what in str(caught.value)
    assert remedy in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert len(attempts) == 1


def test_only_the_connection_has_a_timeout(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A COPY may take longer."""
    with warehouse():
        assert driver.settings["timeout"] == CONNECT_TIMEOUT
        assert driver.timeouts == [None]
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT", json.dumps({"conn_type": "redshift", "extra": {"timeout": 900}}))
    with warehouse():
        assert driver.settings["timeout"] == 900
        assert driver.timeouts == [None]


@pytest.mark.parametrize(
    ("extra", "clause"),
    [
        ({"copy_iam_role": ROLE}, f"IAM_ROLE '{ROLE}'"),
        ({"copy_iam_role": "default"}, "IAM_ROLE default"),
        ({}, f"CREDENTIALS 'aws_access_key_id=AKIAIOSFODNN7EXAMPLE;aws_secret_access_key={SECRET}'"),
        (
            {"aws_session_token": TOKEN},
            f"CREDENTIALS 'aws_access_key_id=AKIAIOSFODNN7EXAMPLE;aws_secret_access_key={SECRET};token={TOKEN}'",
        ),
    ],
    ids=["role", "the cluster's role", "keys", "session"],
)
def test_copy_is_authorized_by_the_aws_connection(
    driver: Driver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    extra: dict[str, str],
    clause: str,
) -> None:
    aws(monkeypatch, extra)
    with caplog.at_level(logging.DEBUG), warehouse() as session:
        loaded = copy(session, "songs (title)", "FORMAT AS JSON 'auto'", "MAXERROR 6")
    assert loaded == CopyResult(rows=1234, rejected=1, rejects=[REJECT], query_id=77)
    assert driver.executed[1:] == [
        f"COPY songs (title) FROM 's3://music/song_data/' {clause} FORMAT AS JSON 'auto' MAXERROR 6 REGION 'us-west-2'",
        *COPIED,
        "commit",
        "close",
    ]
    assert "FROM 's3://music/song_data/' FORMAT AS JSON 'auto' MAXERROR 6 REGION 'us-west-2'" in caplog.text
    assert SECRET not in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    ("settings", "options", "tail"),
    [
        ({"region_name": "eu-west-1"}, ["GZIP"], "GZIP REGION 'eu-west-1'"),
        ({"region_name": "eu-west-1"}, ["region 'eu-west-3'", "GZIP"], "region 'eu-west-3' GZIP"),
        ({"region_name": None}, ["GZIP"], "GZIP"),
    ],
    ids=["the connection's", "the statement's own", "none known"],
)
def test_copy_names_the_region_of_the_bucket(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], options: list[str], tail: str
) -> None:
    aws(monkeypatch, {"copy_iam_role": "default", **settings})
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with warehouse() as session:
        session.transaction(lambda: session.copy("songs", "s3://REGION/key", options), lock=["songs"])
    assert driver.executed[1] == f"COPY songs FROM 's3://REGION/key' IAM_ROLE default {tail}"


def test_keys_are_masked_in_later_logs(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver's own debug log shows statements."""
    masked: list[Any] = []
    monkeypatch.setattr("airflow.sdk.log.mask_secret", masked.append)
    aws(monkeypatch, {"aws_session_token": TOKEN})
    with warehouse() as session:
        copy(session)
    assert SECRET in masked
    assert TOKEN in masked


def test_the_error_of_a_copy_without_authorization_has_the_remedy(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws(monkeypatch, keys=False)
    with warehouse() as session, pytest.raises(WarehouseError, match=r"'aws' has no role.* copy_iam_role"):
        copy(session)


def test_the_error_of_a_failed_copy_has_the_rejected_rows(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    aws(monkeypatch)
    # The worst case: the server repeats the command.
    command = f"COPY songs FROM 's3://music/song_data/' CREDENTIALS 'aws_secret_access_key={SECRET}'"
    message = "Load into table 'songs' failed.  Check 'sys_load_error_detail' system table for details."
    driver.answers["COPY"] = server_error("XX000", message, D=command, W=command)
    driver.answers["SELECT TRIM(file_name)"] = [("s3://music/song_data/A.json", 3, "year", 1207, "Invalid digit")]
    with caplog.at_level(logging.DEBUG), warehouse() as session, pytest.raises(CopyFailedError) as caught:
        copy(session)
    assert caught.value.rejects == [REJECT]
    assert str(caught.value) == (
        f"COPY failed: {message}\ns3://music/song_data/A.json line 3, column year: error 1207, Invalid digit"
    )
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in caplog.text
    # The rejected rows are queried in another transaction: the failed one accepts no statements.
    sent = [event.split(" ")[0] for event in driver.executed[1:]]
    assert sent == ["COPY", "rollback", "SELECT", "rollback", "close"]


@pytest.mark.parametrize("fails", [True, False])
def test_the_reason_of_a_rejected_row_shows_no_secret(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    aws(monkeypatch, {"aws_session_token": TOKEN})
    driver.answers["SELECT TRIM(file_name)"] = [("file", 3, "year", 1207, f"in COPY {SECRET} {TOKEN}")]
    if fails:
        driver.answers["COPY"] = server_error("XX000", "Check 'sys_load_error_detail'.")
    with warehouse() as session:
        try:
            rejects = copy(session).rejects
        except CopyFailedError as error:
            rejects = error.rejects
            assert "year: error 1207, in COPY *** ***" in str(error)
    assert [row.reason for row in rejects] == ["in COPY *** ***"]


def test_the_label_of_a_statement_shows_no_secret(driver: Driver, caplog: pytest.LogCaptureFixture) -> None:
    statement = f"ALTER USER etl PASSWORD '{TOKEN}'"
    with caplog.at_level(logging.DEBUG), warehouse() as session:
        session.transaction(lambda: session.script(statement))
        driver.answers["ALTER"] = server_error("42501", f"permission denied: {statement}", D=statement)
        with pytest.raises(redshift_connector.ProgrammingError) as caught:
            session.transaction(lambda: session.script(statement))
    assert caught.value.__notes__ == ["Statement: ALTER USER etl PASSWORD '***'"]
    assert TOKEN not in everything(caught.value)
    assert "ALTER USER etl PASSWORD '***': 0 rows" in caplog.text
    assert TOKEN not in caplog.text


def test_an_error_of_s3_is_not_explained_by_earlier_load_errors(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws(monkeypatch)
    driver.answers["COPY"] = server_error("XX000", "S3ServiceException:Access Denied,Status 403,Error AccessDenied")
    driver.answers["SELECT TRIM(file_name)"] = [("s3://music/song_data/A.json", 3, "year", 1207, "Invalid digit")]
    with warehouse() as session, pytest.raises(WarehouseError, match=r"AccessDenied$"):
        copy(session)


def test_every_file_with_rejected_rows_is_reported(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    aws(monkeypatch)
    answer = next(statement for statement in driver.answers if statement.startswith("SELECT TRIM"))
    first = [("s3://music/a.json", line, "", 1216, "Invalid") for line in range(1, 1001)]
    driver.answers[answer] = first
    others = [("s3://music/a.json", 1, "", 1216, "Invalid"), ("s3://music/b.json", 1, "year", 1207, "Invalid digit")]
    driver.answers[f"{answer.partition(' WHERE ')[0]} INNER JOIN (SELECT file_name AS first_file"] = others
    with warehouse() as session:
        rejects = copy(session).rejects
    assert rejects == [RejectedRow(*row) for row in [*first, others[1]]]


# The detail is that of https://github.com/snowplow/snowplow/pull/1265.
DAMAGED = """
  -----------------------------------------------
  error:  failed to inflate with gzip: unexpected end of file.
  code:      9001
  context:   S3 key being read : s3://music/song_data/A B.json.gz
  query:     244
  location:  table_s3_scanner.cpp:348
  process:   query0_60 [pid=5615]
  -----------------------------------------------
"""


def test_the_error_of_a_failed_copy_has_the_corrupt_object(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    aws(monkeypatch)
    message = "failed to inflate with gzip: unexpected end of file."
    driver.answers["COPY"] = server_error("XX000", message, D=DAMAGED)
    with warehouse() as session, pytest.raises(CopyFailedError, match=message) as caught:
        copy(session)
    assert caught.value.rejects == [RejectedRow("s3://music/song_data/A B.json.gz", 0, "", 9001, message)]


def test_the_rejected_rows_of_a_failed_copy_are_not_those_of_another(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither those of an earlier COPY of the session, nor of an earlier session with the same process id."""
    aws(monkeypatch)
    driver.answers["COPY other"] = server_error("XX000", "Check 'sys_load_error_detail' system table for details.")
    with warehouse() as session:
        copy(session)
        with pytest.raises(CopyFailedError):
            copy(session, "other")
    *_, asked, _, _ = driver.executed
    before = datetime.now(UTC) - timedelta(minutes=11)
    found = re.search(r"session_id = pg_backend_pid\(\) AND query_id > 77 AND start_time > '([^']+)'\)", asked)
    assert found
    assert before < datetime.fromisoformat(found[1]).replace(tzinfo=UTC) < before + timedelta(minutes=2)


def test_values_are_sent_as_parameters(driver: Driver) -> None:
    with warehouse() as session:
        session.transaction(lambda: session.insert("t", ["a", "b"], [(1, "it's"), (2, None)]), lock=["t"])
    assert driver.executed[1] == "INSERT INTO t (a, b) VALUES (?, ?), (?, ?)"
    assert driver.values == [1, "it's", 2, None]


def test_a_copy_with_a_conflict_is_retried(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    aws(monkeypatch)
    driver.answers["SELECT TRIM(file_name)"] = []
    driver.answers["COPY"] = server_error("XX000", "1023", D="Serializable isolation violation on table - 100")

    def other_has_ended(seconds: float) -> None:
        del driver.answers["COPY"]

    monkeypatch.setattr("tenacity.nap.time.sleep", other_has_ended)
    with warehouse() as session:
        assert copy(session).rows == 1234
    assert [event.split(" ")[0] for event in driver.executed].count("COPY") == 2
