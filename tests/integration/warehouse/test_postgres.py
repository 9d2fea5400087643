"""The PostgreSQL engine retries a transaction after a conflict with a concurrent one."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import errors

from sparkify.warehouse import WarehouseError, connect

if TYPE_CHECKING:
    from sandbox.lab import Lab


@pytest.fixture(autouse=True)
def tables(empty_lab: Lab) -> None:
    with psycopg.connect(empty_lab.uri) as connection:
        connection.execute("CREATE TABLE a (n INTEGER); CREATE TABLE b (n INTEGER); INSERT INTO a VALUES (1); ")
        connection.execute("INSERT INTO b VALUES (1)")


def test_a_transaction_is_retried_after_a_serialization_failure(
    empty_lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    attempts = []
    with connect("redshift") as warehouse:

        def work() -> int:
            attempts.append(warehouse.query("SELECT n FROM a"))
            if len(attempts) == 1:
                with psycopg.connect(empty_lab.uri) as other:
                    other.execute("UPDATE a SET n = n + 10")
            return warehouse.script(
                "UPDATE a SET n = n + 1"
            )  # 40001 the first time: the row is newer than the snapshot

        assert warehouse.transaction(work, lock=["b"]) == 1
    assert attempts == [[(1,)], [(11,)]]
    assert empty_lab.query("SELECT n FROM a") == [(12,)]
    assert "Serialization conflict, retrying in" in caplog.text


def test_a_transaction_is_retried_after_a_deadlock(empty_lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    meet = threading.Barrier(2)

    def both(first: str, second: str) -> None:
        met = False
        with connect("redshift") as warehouse:

            def work() -> None:
                nonlocal met
                if not met:
                    met = True
                    meet.wait(10)
                warehouse.script(f"UPDATE {second} SET n = n + 1")  # which the other has locked

            warehouse.transaction(work, lock=[first])

    threads = [threading.Thread(target=both, args=names) for names in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert empty_lab.query("SELECT a.n, b.n FROM a, b") == [(2, 2)]
    assert "deadlock" in caplog.text


def test_other_errors_are_not_retried_and_roll_back(empty_lab: Lab) -> None:
    attempts = []
    with connect("redshift") as warehouse:

        def work() -> None:
            attempts.append(1)
            warehouse.script("UPDATE a SET n = 99")
            warehouse.script("-- Divide.\nSELECT 1 / 0")

        with pytest.raises(errors.DivisionByZero) as caught:
            warehouse.transaction(work, lock=["a"])
    assert len(attempts) == 1
    assert caught.value.__notes__ == ["Statement: Divide"]
    assert empty_lab.query("SELECT n FROM a") == [(1,)]


def test_readers_are_not_blocked_by_the_lock_of_a_load(empty_lab: Lab) -> None:
    with connect("redshift") as warehouse, psycopg.connect(empty_lab.uri, options="-c lock_timeout=200") as reader:

        def work() -> None:
            warehouse.script("UPDATE a SET n = 5")
            assert reader.execute("SELECT n FROM a").fetchall() == [(1,)]
            with pytest.raises(errors.LockNotAvailable):
                reader.execute("UPDATE a SET n = 6")

        warehouse.transaction(work, lock=["a"])
    assert empty_lab.query("SELECT n FROM a") == [(5,)]


def test_a_rejected_row_is_logged_even_if_the_load_is_rolled_back(empty_lab: Lab) -> None:
    empty_lab.put("numbers/one.json", '{"n": 1}\n{"n": "two"}')
    with connect("redshift", "aws") as warehouse:
        with pytest.raises(WarehouseError, match=r"one\.json line 2"):
            copy = partial(warehouse.copy, "a", f"s3://{empty_lab.bucket}/numbers/", ["FORMAT AS JSON 'auto'"])
            warehouse.transaction(copy, lock=["a"])
        assert warehouse.query("SELECT line_number, TRIM(colname), err_code FROM stl_load_errors") == [(2, "n", 1207)]
    assert empty_lab.query("SELECT n FROM a") == [(1,)]
