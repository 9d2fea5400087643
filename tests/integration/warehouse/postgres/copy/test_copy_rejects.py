"""Rejected rows: MAXERROR, stl_load_errors, and the rollback of a failed COPY."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from sparkify.warehouse import CopyFailedError
from sparkify.warehouse.copy_result import MAX_REPORTED_REJECTS
from sparkify.warehouse.postgres.copy import create_load_errors

if TYPE_CHECKING:
    from conftest import Loader


def bad_lines(good: int, bad: int) -> list[object]:
    return [{"a": "x"}] * bad + [{"a": n} for n in range(good)]


# "Data load operations": the load fails if it "returns the error_count number of errors or greater"; 0 and 1 are one.
@pytest.mark.parametrize(
    ("maxerror", "bad", "loads"),
    [("", 0, True), ("", 1, False), ("MAXERROR 0", 1, False), ("MAXERROR 1", 1, False), ("MAXERROR 2", 1, True),
     ("MAXERROR 3", 3, False), ("MAXERROR 4", 3, True), ("MAXERROR 100000", 99, True)],
)  # fmt: skip
def test_maxerror(loader: Loader, maxerror: str, bad: int, loads: bool):
    loader.table("a int")
    loader.put_lines("data", *bad_lines(3, bad))
    if loads:
        result = loader.copy("data", maxerror)
        assert (result.rows, result.rejected) == (3, bad)
        assert loader.rows() == [(0,), (1,), (2,)]
    else:
        with pytest.raises(CopyFailedError) as failure:
            loader.copy("data", maxerror)
        assert len(failure.value.rejects) == bad
        assert loader.rows() == []


def test_the_message_of_a_failed_load(loader: Loader):
    loader.table("artist varchar(5), ts bigint")
    url = loader.put_lines(
        "log", {"artist": "abc"}, {"artist": "é" * 4}, {"ts": "soon"}, {"ts": 2**63}, {"artist": 123456}
    )
    with pytest.raises(CopyFailedError) as failure:
        loader.copy("log", "MAXERROR 4")
    message = str(failure.value)
    assert "Load into table 't' failed. Check 'stl_load_errors' system table for details" in message
    assert "4 rejected with MAXERROR 4; nothing was loaded" in message
    assert (
        f"{url} line 2, column artist (varchar(5)): String length exceeds DDL length: 8 bytes; error 1204. "
        "Remedy: widen the column, or add TRUNCATECOLUMNS if it is text."
    ) in message
    assert f"{url} line 3, column ts (int8): Invalid digit, Value 's', Pos 0, Type: Long; error 1207." in message
    assert message.count("Remedy:") == 3
    assert f"(query = {loader.load_errors()[0]['query']})" in message


def test_the_log_has_every_detail_and_survives_the_rollback(loader: Loader):
    loader.table("artist varchar(5), price numeric(4,1)")
    content = '{"artist": "Björks"}\n{"price": 12345.6}\n{"artist": tru}\njunk\n{"price":\n  "x"\n}\n'
    url = loader.put("log/é.json", content)
    started = datetime.now(UTC).replace(tzinfo=None)
    with psycopg.connect(loader.uri) as session:
        with pytest.raises(CopyFailedError):
            loader.copy("log", "MAXERROR 5", connection=session)
        session.rollback()
        pid = session.info.backend_pid
    errors = loader.load_errors()
    common = {
        "userid": loader.connection.execute(
            "SELECT usesysid::int FROM pg_user WHERE usename = current_user"
        ).fetchone()[0],
        "slice": 0,
        "tbl": loader.connection.execute("SELECT 't'::regclass::oid::int").fetchone()[0],
        "session": pid,
        "filename": url,
        "is_partial": 0,
        "start_offset": 0,
        "copy_job_id": 0,
    }
    assert all({**error, **common} == error for error in errors)
    assert all(abs(error["starttime"] - started) < timedelta(minutes=1) for error in errors)
    details = ("line_number", "colname", "type", "col_length", "position", "raw_line", "raw_field_value", "err_code")
    assert [tuple(error[name] for name in details) for error in errors] == [
        # "Multibyte characters in the load data are replaced with a period."
        (1, "artist", "varchar", "5", 5, '{"artist": "Bj.rks"}', "Björks", 1204),
        (2, "price", "numeric", "4, 1", 0, '{"price": 12345.6}', "12345.6", 1204),
        (3, "", "", "", 12, '{"artist": tru}', "", 1216),
        (4, "", "", "", 0, "junk", "", 1216),
        (7, "price", "numeric", "4, 1", 0, '{"price":\n  "x"\n}', "x", 1209),
    ]
    assert errors[0]["err_reason"] == "String length exceeds DDL length: 7 bytes"


def test_a_failed_load_stops_fetching(loader: Loader):
    loader.table("a int")
    for number in range(100):
        loader.put_lines(f"data/{number}", {"a": "x"})
    with pytest.raises(CopyFailedError) as failure:
        loader.copy("data/")
    assert len(failure.value.rejects) == 1
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("copy")]


def test_rejects_of_a_successful_load_are_logged(loader: Loader):
    loader.table("a int")
    loader.put_lines("data", *bad_lines(1, 2))
    result = loader.copy("data", "MAXERROR 3")
    assert [(error["query"], error["line_number"]) for error in loader.load_errors()] == [
        (result.query_id, 1),
        (result.query_id, 2),
    ]


def test_long_and_binary_values_fit_the_log(loader: Loader):
    loader.table("a varchar(3)")
    loader.put("data", json.dumps({"a": "\0é" * 3000, "\0": 1}) + "\n" + '{"a": "' + "\ufdd0" * 2000 + '"}\n{"a": \0}')
    with pytest.raises(CopyFailedError):
        loader.copy("data", "MAXERROR 3")
    errors = loader.load_errors()
    assert [error["err_code"] for error in errors] == [1218, 1204, 1216]
    assert all(len(error["raw_line"].encode()) <= 1024 for error in errors)


def test_reported_rejects_are_bounded_and_their_number_is_exact(loader: Loader):
    loader.table("a int")
    loader.put_lines("data", *bad_lines(1, 1500))
    result = loader.copy("data", "MAXERROR 2000")
    assert result.rejected == 1500
    assert len(loader.load_errors()) == MAX_REPORTED_REJECTS


def test_query_ids_are_unique(loader: Loader):
    loader.table("a int")
    loader.put_lines("data", {"a": 1}, {"a": "x"})
    assert len({loader.copy("data", "MAXERROR 2").query_id for _ in range(3)}) == 3


def test_a_load_without_rejects_asks_for_no_id(loader: Loader):
    loader.table("a int")
    loader.put_lines("data", {"a": 1})
    assert loader.copy("data").query_id is None
    (found,) = loader.connection.execute("SELECT to_regclass('public.stl_load_errors')").fetchone()
    assert found is None


def test_in_a_transaction_copy_is_part_of_it(loader: Loader):
    loader.table("a int")
    loader.put_lines("data", {"a": 1})
    with psycopg.connect(loader.uri) as session:
        loader.copy("data", connection=session)
        assert loader.rows() == []
        session.rollback()
        assert loader.rows() == []
        session.execute("INSERT INTO t VALUES (7)")
        loader.copy("data", connection=session)
        session.commit()
    assert loader.rows() == [(1,), (7,)]


def test_a_failed_copy_does_not_undo_other_statements(loader: Loader):
    loader.table("a int")
    loader.put_lines("data", {"a": 1}, {"a": "x"})
    with psycopg.connect(loader.uri) as session:
        session.execute("INSERT INTO t VALUES (7)")
        with pytest.raises(CopyFailedError):
            loader.copy("data", connection=session)
        session.commit()
    assert loader.rows() == [(7,)]


def test_a_session_at_repeatable_read_logs_too(loader: Loader):
    """The log may be created after the session's snapshot was taken."""
    loader.table("a int")
    loader.put_lines("data", {"a": 1}, {"a": "x"})
    with psycopg.connect(loader.uri) as session:
        session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        session.execute("SELECT 1")
        loader.copy("data", "MAXERROR 2", connection=session)
    assert loader.rows() == [(1,)]
    assert len(loader.load_errors()) == 1


def test_a_load_with_rejects_fails_if_the_log_cannot_be_written(loader: Loader):
    def no_audit() -> psycopg.Connection[Any]:
        raise psycopg.OperationalError("too many connections")

    loader.table("a int")
    loader.put_lines("data", {"a": 1}, {"a": "x"})
    create_load_errors(loader.connection)
    with pytest.raises(psycopg.OperationalError):
        loader.copy("data", "MAXERROR 2", audit=no_audit)
    assert loader.rows() == []
    with pytest.raises(CopyFailedError, match=r"could not be written to stl_load_errors: OperationalError"):
        loader.copy("data", audit=no_audit)


def test_create_load_errors_at_once_from_many_sessions(loader: Loader):
    def create(_: int) -> None:
        with psycopg.connect(loader.uri) as session:
            create_load_errors(session)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(create, range(16)))
    assert loader.load_errors() == []
    create_load_errors(loader.connection)


def test_awss_diagnostic_query_runs(loader: Loader):
    """From "STL_LOAD_ERRORS", with a table of this database in place of STV_TBL_PERM."""
    loader.table("a int")
    loader.put_lines("data", {"a": "x"})
    with pytest.raises(CopyFailedError):
        loader.copy("data")
    query_id = loader.load_errors()[0]["query"]
    rows = loader.connection.execute(
        "SELECT line_number, position, btrim(raw_line), btrim(raw_field_value), btrim(err_reason), is_partial, "
        "start_offset FROM stl_load_errors WHERE query = %s",
        [query_id],
    ).fetchall()
    assert rows == [(1, 0, '{"a": "x"}', "x", "Invalid digit, Value 'x', Pos 0, Type: Integer", 0, 0)]
