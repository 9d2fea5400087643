"""What only a real Redshift can decide: statements, what the project assumes of each, and where AWS documents it.

AWS's pages are incomplete or ambiguous about them, and the local engine is another database.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import redshift_connector

DOCS = "https://docs.aws.amazon.com/redshift/latest/dg"
# The answer to a statement that Redshift is assumed to refuse.
REFUSED = "refused"


class Client:
    """A session in autocommit mode, unless it sends BEGIN.

    :param connect: opens a session.
    :param load: loads lines of JSON with COPY's options into a table; returns its accepted and its rejected rows.
    """

    def __init__(
        self,
        connect: Callable[[], redshift_connector.Connection],
        load: Callable[[str, list[str], list[str]], tuple[int, int]],
    ) -> None:
        self._open, self.load = connect, load
        self._session = connect()
        self._session.autocommit = True

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Execute statements; return the rows of the last one."""
        with self._session.cursor() as cursor:
            for sql in statements:
                cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def another(self) -> Client:
        """Open another session."""
        return Client(self._open, self.load)

    def close(self) -> None:
        """Close the session, which rolls back its transaction."""
        self._session.close()


@dataclass(frozen=True)
class Question:
    """A question to Redshift.

    :param text: the statement, or what is done.
    :param ask: does it; returns the answer.
    :param assumed: the answer; :data:`REFUSED` if the last statement must fail.
    :param page: AWS's page about it.
    :param not_local: why the local endpoint does not answer alike; empty if it does.
    """

    topic: str
    text: str
    ask: Callable[[Client], Any]
    assumed: object
    page: str
    not_local: str = ""


def sql(*statements: str) -> Callable[[Client], Any]:
    """Return a function that executes statements; the answer is the only value of the last one, or its rows."""

    def ask(client: Client) -> Any:
        rows = client.run(*statements)
        return rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else rows or "accepted"

    return ask


# --- COPY ---

_LINES = ['{"a": 1, "b": "x"}', '{"a": 2}', '{"a": 3, "b": null}', '{"a": 4, "b": "y"}']


def _not_null(client: Client) -> tuple[int, int]:
    client.run("CREATE TABLE q_not_null (a INTEGER, b VARCHAR(9) NOT NULL)")
    return client.load("q_not_null", _LINES, ["MAXERROR 10"])


def _blanks_as_null(client: Client) -> tuple[int, int]:
    client.run("CREATE TABLE q_blanks (a INTEGER, b VARCHAR(9) NOT NULL)")
    return client.load("q_blanks", ['{"a": 1, "b": "  "}'], ["MAXERROR 10"])


# --- locks and snapshots ---


def _after(first: str) -> Callable[[Client], Any]:
    """Return the question whether a transaction sees what is committed after its first statement."""

    def ask(client: Client) -> Any:
        name = f"q_{first.split()[0].lower()}"
        client.run(f"CREATE TABLE {name} (a INTEGER)", f"CREATE TABLE {name}_other (a INTEGER)")
        other = client.another()
        try:
            client.run("BEGIN", first.format(f"{name}_other"))
            other.run(f"INSERT INTO {name} VALUES (1)")
            return sql(f"SELECT COUNT(*) FROM {name}")(client)
        finally:
            client.run("ROLLBACK")
            other.close()

    return ask


def _reader_of_a_locked_table(client: Client) -> Any:
    client.run("CREATE TABLE q_locked (a INTEGER)")
    other = client.another()
    try:
        client.run("BEGIN", "LOCK q_locked")
        other.run("SET statement_timeout TO 3000")
        return sql("SELECT COUNT(*) FROM q_locked")(other)
    finally:
        client.run("ROLLBACK")
        other.close()


# --- MERGE ---

_TARGET = ("CREATE TABLE {0} (k INTEGER, v VARCHAR(9))", "INSERT INTO {0} VALUES (1, 'old')")


def _merge(name: str, source: str, statement: str) -> Callable[[Client], Any]:
    """Return a question: a MERGE of a temporary table into a table with one row."""
    prepared = [text.format(name) for text in _TARGET]
    temporary = f"CREATE TEMP TABLE {name}_source AS {source}"
    merged = statement.format(target=name, source=f"{name}_source")
    return sql(*prepared, temporary, merged, f"SELECT k, v FROM {name} ORDER BY k ASC")


_MATCHED = "WHEN MATCHED THEN UPDATE SET v = {source}.v"
_NOT_MATCHED = "WHEN NOT MATCHED THEN INSERT (k, v) VALUES ({source}.k, {source}.v)"
_ON = "MERGE INTO {target} USING {source} ON {target}.k = {source}.k"

# --- ALTER TABLE ---

_TABLE = "CREATE TABLE {} (id INTEGER NOT NULL, v VARCHAR(9), w VARCHAR(9) DEFAULT 'x') SORTKEY (id)"


def _alter(name: str, *clauses: str, before: str = "") -> Callable[[Client], Any]:
    begin = [before] if before else []
    return sql(
        _TABLE.format(name),
        f"INSERT INTO {name} VALUES (1, 'long text')",
        *begin,
        *(f"ALTER TABLE {name} {clause}" for clause in clauses),
    )


# --- masking ---

_MASK = (
    "CREATE TABLE {0} (id INTEGER, mail VARCHAR(30))",
    "INSERT INTO {0} VALUES (1, 'a@example.com')",
    "CREATE MASKING POLICY {0}_mask WITH (mail VARCHAR(30)) USING ('***'::VARCHAR(30))",
    "ATTACH MASKING POLICY {0}_mask ON {0} (mail) TO PUBLIC",
)
_NO_MASKING = "the endpoint has no masking policies"


def _masked(name: str, *statements: str) -> Callable[[Client], Any]:
    return sql(*(text.format(name) for text in (*_MASK, *statements)))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


_KEY = "MD5(CAST(1 AS VARCHAR(20)) || '-' || CAST(2 AS VARCHAR(11)))"
_VERSION = "COALESCE(CAST(NULL AS VARCHAR(20)), '') || '|' || COALESCE('é', '')"
_BLANK = "CAST('a  ' AS VARCHAR(9))"
_BLANKS = "PostgreSQL compares trailing blanks"

QUESTIONS = [
    Question(
        "COPY",
        "COPY of 4 rows into a NOT NULL column, with MAXERROR 10; the value of one is missing, of another null",
        _not_null,
        (2, 2),
        f"{DOCS}/r_Load_Error_Reference.html",
    ),
    Question(
        "COPY",
        "COPY of blanks into a NOT NULL column, without BLANKSASNULL",
        _blanks_as_null,
        (1, 0),
        f"{DOCS}/copy-parameters-data-conversion.html",
    ),
    Question(
        "trailing blanks",
        "'a  ' = 'a' of two VARCHAR columns",
        sql(f"SELECT COUNT(*) FROM (SELECT {_BLANK} AS x, CAST('a' AS VARCHAR(9)) AS y) AS t WHERE x = y"),
        1,
        f"{DOCS}/r_Character_types.html",
        _BLANKS,
    ),
    Question(
        "trailing blanks",
        "COUNT(DISTINCT) of 'a' and 'a  '",
        sql(f"SELECT COUNT(DISTINCT x) FROM (SELECT CAST('a' AS VARCHAR(9)) AS x UNION ALL SELECT {_BLANK}) AS t"),
        1,
        f"{DOCS}/r_Character_types.html",
        _BLANKS,
    ),
    Question(
        "trailing blanks",
        "MD5 of 'a  ' differs from that of 'a'",
        sql("SELECT CASE WHEN MD5('a  ') = MD5('a') THEN 'equal' ELSE 'different' END AS a"),
        "different",
        f"{DOCS}/r_MD5.html",
    ),
    Question(
        "bytes",
        "CAST('éé' AS VARCHAR(3)) cuts at a whole character",
        sql("SELECT CAST('éé' AS VARCHAR(3)) AS a"),
        "é",
        f"{DOCS}/r_Character_types.html",
        "PostgreSQL counts characters",
    ),
    Question(
        "LOCK and snapshots",
        "BEGIN; LOCK other; a second session commits a row; is it visible?",
        _after("LOCK {}"),
        1,
        f"{DOCS}/c_serial_isolation.html",
    ),
    Question(
        "LOCK and snapshots",
        "BEGIN; SELECT from other; a second session commits a row; is it visible?",
        _after("SELECT COUNT(*) FROM {}"),
        0,
        f"{DOCS}/c_serial_isolation.html",
    ),
    Question(
        "LOCK and snapshots",
        "SELECT from a locked table waits, here for its statement_timeout of 3 s",
        _reader_of_a_locked_table,
        REFUSED,
        f"{DOCS}/r_LOCK.html",
    ),
    Question(
        "MERGE",
        "of a temporary table, both branches",
        _merge("q_merge", "SELECT 1 AS k, 'new' AS v UNION ALL SELECT 2, 'new'", f"{_ON} {_MATCHED} {_NOT_MATCHED}"),
        [(1, "new"), (2, "new")],
        f"{DOCS}/r_MERGE.html",
    ),
    Question(
        "MERGE",
        "of an empty temporary table",
        _merge("q_empty", "SELECT 1 AS k, 'new' AS v WHERE FALSE", f"{_ON} {_MATCHED} {_NOT_MATCHED}"),
        [(1, "old")],
        f"{DOCS}/r_MERGE.html",
    ),
    Question(
        "MERGE",
        "two source rows for one target row",
        _merge("q_twice", "SELECT 1 AS k, 'a' AS v UNION ALL SELECT 1, 'b'", f"{_ON} {_MATCHED} {_NOT_MATCHED}"),
        REFUSED,
        f"{DOCS}/r_MERGE.html",
    ),
    Question(
        "MERGE",
        "without WHEN NOT MATCHED",
        _merge("q_one", "SELECT 1 AS k, 'new' AS v", f"{_ON} {_MATCHED}"),
        REFUSED,
        f"{DOCS}/r_MERGE.html",
    ),
    Question(
        "MERGE",
        "a condition: WHEN MATCHED AND ...",
        _merge(
            "q_and",
            "SELECT 1 AS k, 'new' AS v",
            f"{_ON} WHEN MATCHED AND {{target}}.v = 'x' THEN UPDATE SET v = {{source}}.v {_NOT_MATCHED}",
        ),
        REFUSED,
        f"{DOCS}/r_MERGE.html",
    ),
    Question(
        "ALTER TABLE",
        "ALTER COLUMN TYPE to a longer VARCHAR",
        _alter("q_longer", "ALTER COLUMN v TYPE VARCHAR(20)"),
        "accepted",
        f"{DOCS}/r_ALTER_TABLE.html",
    ),
    Question(
        "ALTER TABLE",
        "the same in a transaction",
        _alter("q_inside", "ALTER COLUMN v TYPE VARCHAR(20)", before="BEGIN"),
        REFUSED,
        f"{DOCS}/r_ALTER_TABLE.html",
    ),
    Question(
        "ALTER TABLE",
        "ALTER COLUMN TYPE to a VARCHAR shorter than a value",
        _alter("q_shorter", "ALTER COLUMN v TYPE VARCHAR(3)"),
        REFUSED,
        f"{DOCS}/r_ALTER_TABLE.html",
    ),
    Question(
        "ALTER TABLE",
        "ALTER COLUMN TYPE of a column with a default",
        _alter("q_default", "ALTER COLUMN w TYPE VARCHAR(20)"),
        REFUSED,
        f"{DOCS}/r_ALTER_TABLE.html",
    ),
    Question(
        "ALTER TABLE",
        "ADD COLUMN NOT NULL without a default",
        _alter("q_required", "ADD COLUMN n INTEGER NOT NULL"),
        REFUSED,
        f"{DOCS}/r_ALTER_TABLE.html",
    ),
    Question(
        "ALTER TABLE",
        "ADD COLUMN NOT NULL with a default",
        _alter("q_filled", "ADD COLUMN n INTEGER DEFAULT 0 NOT NULL"),
        "accepted",
        f"{DOCS}/r_ALTER_TABLE.html",
    ),
    Question(
        "ALTER TABLE",
        "DROP COLUMN of the sort key",
        _alter("q_sorted", "DROP COLUMN id"),
        REFUSED,
        f"{DOCS}/r_ALTER_TABLE.html",
    ),
    Question(
        "ALTER TABLE",
        "two renames in a transaction, as the swap of a rebuilt table",
        _alter("q_swapped", "RENAME TO q_swapped_former", before="BEGIN"),
        "accepted",
        f"{DOCS}/r_ALTER_TABLE.html",
    ),
    Question(
        "masking",
        "a column with a policy for PUBLIC is masked for its owner, too",
        _masked("q_masked", "SELECT mail FROM {0}"),
        "***",
        f"{DOCS}/t_ddm.html",
        _NO_MASKING,
    ),
    Question(
        "masking",
        "ALTER TABLE RENAME of a table with a policy",
        _masked("q_renamed", "ALTER TABLE {0} RENAME TO {0}_former"),
        "accepted",
        f"{DOCS}/t_ddm.html",
        _NO_MASKING,
    ),
    Question(
        "masking",
        "DROP TABLE with a policy",
        _masked("q_dropped", "DROP TABLE {0}"),
        "accepted",
        f"{DOCS}/t_ddm.html",
        _NO_MASKING,
    ),
    Question(
        "ANALYZE",
        "of a temporary table, in a transaction",
        sql("BEGIN", "CREATE TEMP TABLE q_analyzed AS SELECT 1 AS a", "ANALYZE q_analyzed"),
        "accepted",
        f"{DOCS}/r_ANALYZE.html",
    ),
    Question(
        "keys",
        "MD5 of a natural key",
        sql(f"SELECT {_KEY} AS a"),
        _md5("1-2"),
        f"{DOCS}/r_MD5.html",
    ),
    Question(
        "keys",
        "MD5 of COALESCE of NULL",
        sql(f"SELECT MD5({_VERSION}) AS a"),
        _md5("|é"),
        f"{DOCS}/r_MD5.html",
    ),
    Question(
        "keys",
        "INSERT of an MD5 into a NOT NULL primary key",
        sql(
            "CREATE TABLE q_key (id VARCHAR(32) NOT NULL, PRIMARY KEY (id))",
            f"INSERT INTO q_key SELECT {_KEY} AS id",
            "SELECT COUNT(*) FROM q_key",
        ),
        1,
        f"{DOCS}/r_MD5.html",
    ),
]
