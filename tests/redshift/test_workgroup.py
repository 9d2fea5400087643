"""Redshift and the local engine return the same results: the project's SQL, COPY, and a loaded day.

`make test-redshift BUCKET=...` runs these tests on the Redshift of AIRFLOW_CONN_REDSHIFT and AIRFLOW_CONN_AWS. By
default they run on the local endpoint, which verifies the tests, not Redshift.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sandbox import generate
from sparkify.interval import Interval
from sparkify.quality import declaration
from sparkify.quality.evaluate import evaluate
from sparkify.quality.history import latest
from sparkify.sql import predicates
from sparkify.warehouse import WarehouseError, connect
from sql_rules import DATE_PARTS, FUNCTIONS
from tests.conftest import ROOT
from tests.redshift.workgroup import TIMEOUT, connected
from tests.support.data import event, song
from tests.unit.test_sql import rendered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sparkify.warehouse import CopyResult, Warehouse
    from tests.redshift.conftest import OpenBoth
    from tests.redshift.workgroup import Both

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning"),  # of redshift_connector
    pytest.mark.timeout(TIMEOUT),
]

DAY = ("2018-11-01", "2018-11-02")
DAY_OF_RUN = Interval.parse(*DAY)
QUERIES = [
    path
    for folder in ("analytics", "analytics/page", "load", "report")
    for path in ROOT.glob(f"include/sql/{folder}/*.sql")
]
# Hashes, which depend on the text format of DOUBLE PRECISION, and columns that depend on the clock.
OPAQUE = {"row_version", "checked_at", "loaded_at"}
# Queries that return no rows for a valid day.
EMPTY = {"rejected_rows"}


@pytest.fixture(scope="module")
def empty(open_both: OpenBoth) -> Iterator[Both]:
    """Create both, without data."""
    with open_both() as both:
        yield both


@pytest.fixture(scope="module")
def both(empty: Both, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """Load a day by hour and reprocess it, with late and changed songs."""
    folder = tmp_path_factory.mktemp("generated")
    generate.write(generate.Options(users=60, songs=40, days=1), folder)
    for path in sorted(folder.rglob("*.json")):
        empty.put("put", path.relative_to(folder).as_posix(), path.read_bytes())
    odd = [
        event("2018-11-02T00:00:00.001000", 1, 0, song="Señorita \U0001f3b5", artist='"Quoted" \\ back', length=0.1),
        event("2018-11-02T23:59:59.999000", 2, 0, song="A\nline", artist="", length=1e-7, userId=""),
        event("2018-11-02T12:00:00", 3, 0, song=None, artist=None, length=None, location=None),
        event("2018-11-01T23:00:00", 4, 0, level="paid", userId="1"),  # a stray
        event("2018-11-02T14:00:00", 6, 0, level="paid"),  # a change of subscription
        event("2018-11-02T13:00:00", 5, 0, song="Señorita \U0001f3b5  ", artist='"Quoted" \\ back', length=0.1),
    ]
    empty.put("put_events", DAY[1], [*odd, odd[0]])
    empty.run("2018-11-01T00:00", "2018-11-01T12:00")
    empty.put("put_song", "1", song("SOODD", title="Señorita \U0001f3b5", artist_name='"Quoted" \\ back', duration=0.1))
    empty.put("put_song", "2", song("SONULL", title="Soon", artist_latitude=35.14968, artist_location=None, year=0))
    empty.run("2018-11-01T11:00", "2018-11-02T00:00")
    empty.put("put_song", "2", song("SONULL", title="Later", artist_name="Desree", year=2001))
    empty.run(*DAY)
    empty.run(DAY[1], "2018-11-03")
    return empty


def test_tables_are_the_same(both: Both) -> None:
    redshift, local = both.tables()
    assert len(local["songplays"]) > 200
    assert any(row[4] for row in local["songplays"]), "no songplay matches a song"
    assert redshift == local


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_queries_return_the_same_rows(both: Both, path: Path) -> None:
    sql = rendered(path, predicates.everything)
    (names, rows), (local_names, local_rows) = both.query(sql.rstrip().rstrip(";"))
    kept = [number for number, name in enumerate(names) if name not in OPAQUE]
    results = [[tuple(row[number] for number in kept) for row in found] for found in (rows, local_rows)]
    if path.parent.name == "load":  # in any order
        results = [sorted(result, key=repr) for result in results]
    assert names == local_names
    assert bool(results[1]) is (path.stem not in EMPTY)
    assert results[0] == results[1]


def test_checks_have_the_same_results(both: Both) -> None:
    found = []
    for lab in both:
        with connected(lab.environment), connect("redshift", "aws") as warehouse:
            outcomes = evaluate(warehouse, declaration.load(ROOT / "include" / "checks"), DAY_OF_RUN)
            found.append([replace(outcome, seconds=0.0) for outcome in outcomes])
    assert found[1]
    assert found[0] == found[1]


def test_check_history_is_the_same(both: Both) -> None:
    both.run(*DAY, dag_id="sparkify_audit")
    found = []
    for lab in both:
        with connected(lab.environment), connect("redshift", "aws") as warehouse:
            found.append([item._replace(checked_at=item.interval_start) for item in latest(warehouse)])
    assert {item.table for item in found[1]} >= {"songplays", "users", "songs"}
    assert found[0] == found[1]


MOMENT = "TIMESTAMP '2018-12-31 23:59:59.796'"
NUMBERS = "(SELECT 1 AS n, 'b' AS t UNION ALL SELECT 2, 'B' UNION ALL SELECT 2, 'é' UNION ALL SELECT NULL, 'a') AS x"
EXPRESSIONS = {
    "AVG": [f"SELECT AVG(CAST(n AS DOUBLE PRECISION)) AS a FROM {NUMBERS}"],
    "CAST": [
        "SELECT CAST('abcdef' AS VARCHAR(3)) AS a",
        "SELECT CAST('2018-11-01 01:02:03.004' AS TIMESTAMP) AS a",
        f"SELECT CAST({MOMENT} AS DATE) AS a",
        "SELECT CAST(-7 AS VARCHAR(11)) AS a",
        "SELECT CAST('12.345' AS DECIMAL(10, 2)) AS a",
    ],
    "COALESCE": ["SELECT COALESCE(NULL, 'x') AS a"],
    "COUNT": [f"SELECT COUNT(*) AS a, COUNT(n) AS b, COUNT(DISTINCT n) AS c FROM {NUMBERS}"],
    "EXISTS": [f"SELECT 1 AS a WHERE NOT EXISTS (SELECT 1 FROM {NUMBERS} WHERE n = 3)"],
    "EXTRACT": [
        f"SELECT CAST(EXTRACT({part} FROM {moment}) AS INTEGER) AS a"
        for part in sorted(DATE_PARTS)
        for moment in (MOMENT, "TIMESTAMP '2021-01-03 00:00:00'")
    ],
    "LAG": [f"SELECT t, LAG(n) OVER (ORDER BY t) AS a, LAG(t, 2) OVER (ORDER BY t) AS b FROM {NUMBERS} ORDER BY t ASC"],
    "LEAD": [f"SELECT t, LEAD(n) OVER (ORDER BY t) AS a FROM {NUMBERS} ORDER BY t ASC"],
    "LEFT": ["SELECT LEFT('Beyoncé', 7) AS a, LEFT('abc', 9) AS b"],
    "LENGTH": ["SELECT LENGTH('é  ') AS a, LENGTH('') AS b"],
    "LOWER": ["SELECT LOWER('ÀÉÑ Ωa1') AS a"],
    "LPAD": ["SELECT LPAD('abc', 5, '0') AS a, LPAD('abcdef', 3, '0') AS b, LPAD('é', 3, '0') AS c"],
    "MAX": [f"SELECT MAX(n) AS a, MAX(t) AS b FROM {NUMBERS}"],
    "MD5": ["SELECT MD5('Beyoncé \U0001f3b5') AS a, MD5('') AS b"],
    "MIN": [f"SELECT MIN(n) AS a, MIN(t) AS b FROM {NUMBERS}"],
    "MOD": ["SELECT MOD(-7, 3) AS a, MOD(7, -3) AS b"],
    "NULLIF": ["SELECT NULLIF('a', 'a') AS a, NULLIF('a', 'b') AS b"],
    "ROUND": [
        f"SELECT ROUND(CAST({number} AS DECIMAL(10, 3)), {digits}) AS a"
        for number, digits in (("2.345", 2), ("-2.345", 2), ("2.5", 0), ("-2.5", 0))
    ],
    "ROW_NUMBER": [f"SELECT t, ROW_NUMBER() OVER (ORDER BY t DESC) AS a FROM {NUMBERS} ORDER BY t ASC"],
    "RANK": [f"SELECT t, RANK() OVER (ORDER BY n) AS a FROM {NUMBERS} ORDER BY t ASC"],
    "RTRIM": ["SELECT RTRIM('a b  ') AS a, RTRIM('a\t') AS b, RTRIM(' ') AS c"],
    "SUM": [
        f"SELECT SUM(CAST(n AS BIGINT)) AS a FROM {NUMBERS}",
        f"SELECT SUM(CAST(n AS BIGINT)) AS a FROM {NUMBERS} WHERE n > 5",
    ],
    "CURRENT_SCHEMA": ["SELECT CURRENT_SCHEMA() IS NULL AS a"],
    "DATE_TRUNC": [f"SELECT DATE_TRUNC('hour', {MOMENT}) AS a, DATE_TRUNC('day', {MOMENT}) AS b"],
    "TO_CHAR": [f"SELECT TO_CHAR({MOMENT}, 'YYYYMMDDHH24MISSMS') AS a, CAST(TO_CHAR({MOMENT}, 'SS') AS INTEGER) AS b"],
    "UPPER": ["SELECT UPPER('àéñ ωa1') AS a"],
    "": [
        "SELECT 'a' || NULL AS a, '' AS b, CASE WHEN '' IS NULL THEN 1 ELSE 0 END AS c",
        f"SELECT n, t FROM {NUMBERS} ORDER BY n ASC, t ASC",
        f"SELECT n, t FROM {NUMBERS} ORDER BY n DESC, t DESC",
        "SELECT 1 AS a WHERE 'Mozilla/5.0 (X) 50%_' LIKE '%(X) 50%'",
        f"SELECT {MOMENT} - INTERVAL '6 days' AS a, {MOMENT} + INTERVAL '1 second' AS b",
        "SELECT 100.0 * 1 / 3 > 33.3 AS a, 7 / 2.0 AS b",
        "SELECT 0.1 + CAST(0.2 AS DOUBLE PRECISION) AS a",
        "SELECT CAST(CAST(246.30812 AS DOUBLE PRECISION) AS DECIMAL(9, 3)) AS a",
        f"SELECT CAST({MOMENT} AS DATE) - CAST('1970-01-01' AS DATE) AS a",
        "SELECT CAST(1540344794796 AS DOUBLE PRECISION) >= (CAST('2018-10-24' AS DATE) - CAST('1970-01-01' AS DATE)) "
        "* 86400000.0 AS a",
        f"SELECT COUNT(CASE WHEN n = 2 THEN 1 END) > 0 AS a, COALESCE(SUM(n), 0) AS b FROM {NUMBERS}",
        f"SELECT n AS k, COUNT(*) AS a FROM {NUMBERS} GROUP BY k ORDER BY k ASC",
    ],
}


@pytest.mark.parametrize("name", EXPRESSIONS, ids=lambda name: name or "operators")
def test_functions_return_the_same_values(empty: Both, name: str) -> None:
    for sql in EXPRESSIONS[name]:
        redshift, local = empty.query(sql)
        assert redshift == local, sql


def test_every_allowed_function_has_an_expression() -> None:
    assert {name for name in EXPRESSIONS if name} == set(FUNCTIONS)


def test_rejected_rows_are_counted_and_reported(both: Both) -> None:
    lines = ['{"n": 1}', '{"n": "two"}', '{"n": 3}', '{"n": 4', '{"n": 99999999999}']
    both.put("put", "log_data/numbers/one.json", "\n".join(lines))
    found = []
    for lab, key in ((both.redshift, both.redshift.key("log_data/numbers/")), (both.local, "log_data/numbers/")):
        source = f"s3://{lab.bucket}/{key}"
        with connected(lab.environment), connect("redshift", "aws") as warehouse:
            warehouse.transaction(lambda: warehouse.script("CREATE TABLE IF NOT EXISTS numbers (n INTEGER)"))

            def load(limit: int, warehouse: Warehouse = warehouse, source: str = source) -> CopyResult:
                options = ["FORMAT AS JSON 'auto'", f"MAXERROR {limit}"]
                return warehouse.transaction(lambda: warehouse.copy("numbers", source, options), lock=["numbers"])

            with pytest.raises(WarehouseError, match=r"one\.json line 2, column n.* 1207") as caught:
                load(1)
            assert "failed" in str(caught.value)
            loaded = load(10)
            found.append((loaded.rows, loaded.rejected, warehouse.query("SELECT n FROM numbers ORDER BY n ASC")))
    assert found[0] == found[1]
    assert found[1][:2] == (2, 3)


def test_invalid_objects_and_implausible_times_are_rejected_alike(both: Both) -> None:
    both.put("put", "song_data/A/A/A/bad.json", '{"song_id": ')
    microseconds = event("2018-11-05T05:00:00", 9, 1, ts=1_541_394_000_000_000)
    both.put("put_events", "2018-11-05", [event("2018-11-05T05:00:00", 9, 0), microseconds])
    both.run("2018-11-05", "2018-11-06", max_errors=1)
    redshift, local = both.tables()
    assert redshift == local
    (_, rows), (_, local_rows) = both.query(
        "SELECT table_name, COUNT(*) AS n, MAX(raw_value) AS v FROM operations.rejected_rows GROUP BY 1 ORDER BY 1"
    )
    assert [row[:2] for row in local_rows] == [("staging_events", 1), ("staging_songs", 1)]
    assert [row[:2] for row in rows] == [row[:2] for row in local_rows]
    assert rows[0] == local_rows[0]


def test_concurrent_runs_leave_the_same_tables(both: Both) -> None:
    before, _ = both.tables()
    hours = [f"2018-11-01T{hour:02}:00" for hour in (0, 6, 12, 18)] + [DAY[1]]
    with connected(both.redshift.environment), ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(both.redshift.run, *hours[at : at + 2]) for at in (2, 0, 3, 1)]:
            future.result(timeout=1800)
    assert both.tables()[0] == before


def test_a_full_refresh_leaves_the_same_tables(both: Both) -> None:
    before, _ = both.tables()
    with connected(both.redshift.environment):
        both.redshift.run("2018-11-01", "2018-11-03", full_refresh=True)
    assert both.tables()[0] == before
