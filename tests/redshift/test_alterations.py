"""Changes of tables on the endpoint: the catalogue that Redshift has, and the changes that Redshift refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import redshift_connector

from tests.redshift.client import open_session
from tests.redshift.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.lab import Lab

pytestmark = pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning")  # of redshift_connector

TABLE = """
    CREATE TABLE s.t (
        id BIGINT NOT NULL, at TIMESTAMP, name VARCHAR(20), code VARCHAR(20) DEFAULT 'x',
        short VARCHAR(20) ENCODE BYTEDICT, long VARCHAR(20) ENCODE ZSTD, kind VARCHAR(20), PRIMARY KEY (id)
    ) DISTKEY (at) SORTKEY (at, id)
"""
COLUMNS = """
    SELECT a.attname, FORMAT_TYPE(a.atttypid, a.atttypmod), a.attisdistkey, a.attsortkeyord, d.adsrc
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON c.relnamespace = n.oid
    INNER JOIN pg_attribute AS a ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef AS d ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    WHERE n.nspname = 's' AND c.relname = '{}' AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
"""


class Client:
    """A session in autocommit mode."""

    def __init__(self, connection: redshift_connector.Connection) -> None:
        self.connection = connection
        connection.autocommit = True

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Execute statements; return the rows of the last one."""
        with self.connection.cursor() as cursor:
            for sql in statements:
                cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def keys(self, table: str = "t") -> tuple[int, dict[str, tuple[bool, int]]]:
        """Return the distribution style of a table, and the keys among its columns."""
        ((style,),) = self.run(f"SELECT reldiststyle FROM pg_class WHERE relname = '{table}'")
        rows = self.run(COLUMNS.format(table))
        return style, {name: (dist, sort) for name, _, dist, sort, _ in rows if dist or sort}

    def code(self, sql: str) -> str:
        """Return the SQLSTATE of a statement that is refused."""
        with pytest.raises(redshift_connector.ProgrammingError) as caught:
            self.run(sql)
        return str(caught.value.args[0]["C"])


@pytest.fixture
def connect(redshift: Lab) -> Callable[[], Client]:
    """Return a function that opens sessions."""
    return lambda: Client(open_session())


@pytest.fixture
def client(connect: Callable[[], Client]) -> Iterator[Client]:
    """Open a session with the table ``s.t``."""
    client = connect()
    client.run("CREATE SCHEMA s", TABLE)
    yield client
    client.connection.close()


# --- catalogue ---


def test_the_catalogue_has_the_keys_and_defaults(client: Client) -> None:
    assert client.run(COLUMNS.format("t")) == [
        ("id", "bigint", False, 2, None),
        ("at", "timestamp without time zone", True, 1, None),
        ("name", "character varying(20)", False, 0, None),
        ("code", "character varying(20)", False, 0, "'x'::character varying"),
        ("short", "character varying(20)", False, 0, None),
        ("long", "character varying(20)", False, 0, None),
        ("kind", "character varying(20)", False, 0, None),
    ]


@pytest.mark.parametrize(
    ("properties", "style", "keys"),
    [
        ("", 9, {}),
        ("DISTSTYLE EVEN", 0, {}),
        ("DISTSTYLE ALL SORTKEY (b)", 8, {"b": (False, 1)}),
        ("DISTSTYLE AUTO", 9, {}),
        ("DISTKEY (a)", 1, {"a": (True, 0)}),
        ("DISTSTYLE KEY DISTKEY (b) COMPOUND SORTKEY (b, a)", 1, {"a": (False, 2), "b": (True, 1)}),
    ],
)
def test_the_catalogue_has_the_keys_of_a_new_table(
    client: Client, properties: str, style: int, keys: dict[str, Any]
) -> None:
    create = f"CREATE TABLE IF NOT EXISTS s.n (a INTEGER, b INTEGER) {properties}"
    client.run(create, "CREATE TABLE IF NOT EXISTS s.n (a INTEGER, b INTEGER) DISTSTYLE ALL SORTKEY (a)")
    assert client.keys("n") == (style, keys)


@pytest.mark.parametrize(
    ("change", "style", "keys"),
    [
        ("ALTER DISTSTYLE ALL", 8, {"id": (False, 2), "at": (False, 1)}),
        ("ALTER DISTSTYLE EVEN", 0, {"id": (False, 2), "at": (False, 1)}),
        ("ALTER DISTSTYLE AUTO", 9, {"id": (False, 2), "at": (False, 1)}),
        ("ALTER DISTSTYLE KEY DISTKEY name", 1, {"id": (False, 2), "at": (False, 1), "name": (True, 0)}),
        ("ALTER DISTKEY id", 1, {"id": (True, 2), "at": (False, 1)}),
        ("ALTER SORTKEY (name)", 1, {"at": (True, 0), "name": (False, 1)}),
        ("ALTER COMPOUND SORTKEY (id, at)", 1, {"id": (False, 1), "at": (True, 2)}),
        ("ALTER SORTKEY NONE", 1, {"at": (True, 0)}),
        ("ALTER SORTKEY AUTO", 1, {"id": (False, 2), "at": (True, 1)}),
        ("ALTER SORTKEY (id), ALTER DISTKEY id", 1, {"id": (True, 1)}),
        ("ALTER DISTSTYLE ALL, ALTER SORTKEY (id)", 8, {"id": (False, 1)}),
        ("RENAME TO u", 1, {"id": (False, 2), "at": (True, 1)}),
        ("RENAME COLUMN at TO moment", 1, {"id": (False, 2), "moment": (True, 1)}),
        ("DROP COLUMN name", 1, {"id": (False, 2), "at": (True, 1)}),
    ],
)
def test_a_change_keeps_the_catalogue_up_to_date(client: Client, change: str, style: int, keys: dict[str, Any]) -> None:
    client.run(f"ALTER TABLE s.t {change}")
    assert client.keys("u" if change == "RENAME TO u" else "t") == (style, keys)


def test_a_rollback_reverts_the_catalogue(client: Client) -> None:
    before = client.keys()
    client.run("BEGIN", "CREATE TABLE s.n (a INTEGER) SORTKEY (a)", "ALTER TABLE s.t ALTER SORTKEY NONE")
    assert client.keys() != before
    assert client.keys("n") == (9, {"a": (False, 1)})
    client.run("ROLLBACK")
    assert client.keys() == before
    assert client.run(COLUMNS.format("n")) == []


def test_a_copy_of_a_definition_inherits_the_keys(client: Client) -> None:
    client.run("CREATE TABLE s.n (LIKE s.t)")
    assert client.keys("n") == client.keys()
    assert client.code("ALTER TABLE s.n ALTER COLUMN short TYPE VARCHAR(30)") == "0A000"


def test_concurrent_changes_of_keys_conflict(client: Client, connect: Callable[[], Client]) -> None:
    other = connect()
    client.run("BEGIN", "SELECT 1 FROM pg_class")
    other.run("ALTER TABLE s.t ALTER SORTKEY NONE")
    with pytest.raises(redshift_connector.ProgrammingError, match="1023"):
        client.run("ALTER TABLE s.t ALTER SORTKEY (id)")
    other.connection.close()


def test_constraints_and_comments_are_in_the_catalogue(client: Client) -> None:
    client.run(
        "ALTER TABLE s.t DROP CONSTRAINT t_pkey",
        "ALTER TABLE s.t ADD CONSTRAINT of_t UNIQUE (name)",
        "COMMENT ON TABLE s.t IS 'it''s'",
        "COMMENT ON COLUMN s.t.name IS 'who'",
    )
    assert client.run(
        "SELECT o.conname, PG_GET_CONSTRAINTDEF(o.oid) FROM pg_constraint AS o "
        "INNER JOIN pg_class AS c ON o.conrelid = c.oid WHERE c.relname = 't' AND o.contype IN ('p', 'u', 'f')"
    ) == [("of_t", "UNIQUE (name)")]
    assert client.run(
        "SELECT d.objsubid, d.description FROM pg_description AS d "
        "INNER JOIN pg_class AS c ON d.objoid = c.oid WHERE c.relname = 't' ORDER BY d.objsubid"
    ) == [(0, "it's"), (3, "who")]


def test_the_privileges_of_a_table_are_those_granted(client: Client, redshift: Lab) -> None:
    user, group, role = (f"{kind}_{redshift.bucket.replace('-', '_')}" for kind in ("user", "group", "role"))
    client.run(f"CREATE USER {user} PASSWORD DISABLE", f"CREATE GROUP {group}", f"CREATE ROLE {role}")
    try:
        client.run(
            f"GRANT SELECT ON s.t TO {user} WITH GRANT OPTION",
            f"GRANT INSERT ON TABLE s.t TO GROUP {group}",
            f"GRANT SELECT, DELETE ON s.t TO ROLE {role}",
            f"REVOKE DELETE ON s.t FROM ROLE {role}",
            "GRANT SELECT ON s.t TO PUBLIC",
        )
        rows = client.run(
            "SELECT privilege_type, identity_name, identity_type, admin_option FROM svv_relation_privileges "
            "WHERE namespace_name = 's' AND relation_name = 't'"
        )
        assert sorted(rows) == [
            ("INSERT", group, "group", False),
            ("SELECT", "public", "public", False),
            ("SELECT", role, "role", False),
            ("SELECT", user, "user", True),
        ]
    finally:
        client.run("DROP TABLE s.t", f"DROP USER {user}", f"DROP GROUP {group}", f"DROP ROLE {role}")


# --- refusals by the text ---

LONG = "a" * 128

REFUSED = [
    # one clause: https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
    "ALTER TABLE t ADD COLUMN a INTEGER, ADD COLUMN b INTEGER",
    "ALTER TABLE t ADD COLUMN a INTEGER, DROP COLUMN b",
    "ALTER TABLE t DROP COLUMN a, DROP COLUMN b",
    "ALTER TABLE t ALTER DISTSTYLE EVEN, ALTER SORTKEY (a)",
    "ALTER TABLE t ALTER DISTSTYLE KEY DISTKEY a, ALTER SORTKEY (a)",
    "ALTER TABLE t ALTER SORTKEY NONE, ALTER DISTKEY a",
    "ALTER TABLE t ALTER SORTKEY (a), ALTER SORTKEY (b)",
    "ALTER TABLE t ALTER SORTKEY (a), ALTER DISTKEY a, ALTER DISTSTYLE ALL",
    "ALTER TABLE t ALTER SORTKEY (a), ALTER DISTKEY a, ADD COLUMN b INTEGER",
    # the grammar
    "ALTER TABLE IF EXISTS t ADD COLUMN a INTEGER",
    "ALTER TABLE ONLY t ADD COLUMN a INTEGER",
    "ALTER TABLE t ADD COLUMN IF NOT EXISTS a INTEGER",
    "ALTER TABLE t DROP COLUMN IF EXISTS a",
    "ALTER TABLE t RENAME a TO b",
    "ALTER TABLE t ALTER a TYPE VARCHAR(10)",
    "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
    "ALTER TABLE t ALTER COLUMN a DROP NOT NULL",
    "ALTER TABLE t ALTER COLUMN a SET DEFAULT 1",
    "ALTER TABLE t ALTER COLUMN a DROP DEFAULT",
    "ALTER TABLE t ALTER COLUMN a TYPE VARCHAR(10) USING LEFT(a, 10)",
    "ALTER TABLE t ALTER DISTSTYLE KEY",
    "ALTER TABLE t ALTER INTERLEAVED SORTKEY (a)",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)",
    "CREATE INDEX i ON t (a)",
    # added columns
    "ALTER TABLE t ADD COLUMN a INTEGER NOT NULL",
    "ALTER TABLE t ADD COLUMN a INTEGER DEFAULT NULL NOT NULL",
    "ALTER TABLE t ADD COLUMN a INTEGER UNIQUE",
    "ALTER TABLE t ADD COLUMN a INTEGER PRIMARY KEY",
    "ALTER TABLE t ADD COLUMN a INTEGER REFERENCES u (a)",
    "ALTER TABLE t ADD COLUMN a INTEGER IDENTITY(1, 1)",
    "ALTER TABLE t ADD COLUMN a INTEGER GENERATED BY DEFAULT AS IDENTITY(1, 1)",
    "ALTER TABLE t ADD COLUMN a INTEGER SORTKEY",
    # types
    "ALTER TABLE t ALTER COLUMN a TYPE BIGINT",
    "ALTER TABLE t ALTER COLUMN a TYPE CHAR(10)",
    "ALTER TABLE t ALTER COLUMN a TYPE VARCHAR(65536)",
    # names: https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
    f"ALTER TABLE t RENAME TO {LONG}",
    f"ALTER TABLE t RENAME COLUMN a TO {LONG}",
    f"ALTER TABLE t ADD COLUMN {LONG} INTEGER",
    f"CREATE TABLE {LONG} (a INTEGER)",
]

ACCEPTED = [
    "ALTER TABLE t ADD COLUMN a INTEGER",
    "ALTER TABLE t ADD a INTEGER NULL",
    "ALTER TABLE t ADD COLUMN a VARCHAR(10) DEFAULT 'x' ENCODE zstd NOT NULL",
    "ALTER TABLE t ALTER COLUMN a TYPE VARCHAR(65535)",
    "ALTER TABLE t ALTER COLUMN a TYPE VARCHAR(MAX)",
    "ALTER TABLE t DROP COLUMN a CASCADE",
    "ALTER TABLE t DROP a",
    "ALTER TABLE s.t RENAME TO u",
    "ALTER TABLE t RENAME COLUMN a TO b",
    f"ALTER TABLE t RENAME TO {'a' * 127}",
    "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u (a)",
    "ALTER TABLE t ADD PRIMARY KEY (a)",
    "ALTER TABLE t DROP CONSTRAINT c",
    "ALTER TABLE t ALTER SORTKEY (a), ALTER DISTKEY a",
    "ALTER TABLE t ALTER DISTKEY a, ALTER SORTKEY (a)",
    "ALTER TABLE t ALTER SORTKEY (a), ALTER DISTSTYLE ALL",
    "ALTER TABLE t ALTER DISTSTYLE ALL, ALTER SORTKEY (a)",
]


@pytest.mark.parametrize("sql", REFUSED)
def test_alterations_outside_of_the_grammar_are_refused(sql: str) -> None:
    assert refusal(sql)


@pytest.mark.parametrize("sql", ACCEPTED)
def test_valid_alterations_are_accepted(sql: str) -> None:
    assert refusal(sql) == ""


# --- refusals by the catalogue, the rows and the transaction ---


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("ALTER COLUMN at TYPE VARCHAR(30)", "0A000"),  # not a VARCHAR
        ("ALTER COLUMN code TYPE VARCHAR(30)", "0A000"),  # a default
        ("ALTER COLUMN short TYPE VARCHAR(30)", "0A000"),  # BYTEDICT
        ("ALTER COLUMN added TYPE VARCHAR(30)", "0A000"),  # TEXT255
        ("ALTER COLUMN unique_name TYPE VARCHAR(30)", "0A000"),
        ("ALTER COLUMN name TYPE VARCHAR(9)", "0A000"),  # 'Beyoncé é' has 11 bytes
        ("ALTER COLUMN absent TYPE VARCHAR(30)", "42703"),
        ("DROP COLUMN at", "0A000"),  # the distribution key
        ("DROP COLUMN kind", "0A000"),  # the sort key
        ("DROP COLUMN kind CASCADE", "0A000"),
        ("DROP COLUMN id", "2BP01"),  # the primary key
        ("DROP COLUMN seen", "2BP01"),  # a view
        ("DROP COLUMN absent", "42703"),
        ("ALTER DISTKEY absent", "42703"),
        ("ALTER SORTKEY (at, absent)", "42703"),
        ("ADD COLUMN at TIMESTAMP", "42701"),
    ],
)
def test_alterations_of_unsuitable_columns_are_refused(client: Client, change: str, code: str) -> None:
    client.run(
        "ALTER TABLE s.t ALTER SORTKEY (kind)",
        "ALTER TABLE s.t ADD COLUMN added VARCHAR(20) ENCODE TEXT255",
        "ALTER TABLE s.t ADD COLUMN unique_name VARCHAR(20)",
        "ALTER TABLE s.t ADD UNIQUE (unique_name)",
        "ALTER TABLE s.t ADD COLUMN seen VARCHAR(20)",
        "CREATE VIEW s.v AS SELECT seen FROM s.t",
        "INSERT INTO s.t (id, name) VALUES (1, 'Beyoncé é')",
    )
    assert client.code(f"ALTER TABLE s.t {change}") == code
    assert client.run("SELECT COUNT(*) FROM s.t") == [(1,)]


@pytest.mark.parametrize(
    "change",
    [
        "ALTER COLUMN name TYPE VARCHAR(30)",
        "ALTER COLUMN name TYPE VARCHAR(11)",
        "ALTER COLUMN long TYPE VARCHAR(30)",  # ZSTD
        "DROP COLUMN name",
        "DROP COLUMN kind CASCADE",  # a constraint
        "ADD CONSTRAINT c UNIQUE (at)",
        "ADD COLUMN a INTEGER DEFAULT 1 NOT NULL",
    ],
)
def test_alterations_of_suitable_columns_are_executed(client: Client, redshift: Lab, change: str) -> None:
    client.run(
        "ALTER TABLE s.t ADD UNIQUE (kind)",
        "INSERT INTO s.t (id, name) VALUES (1, 'Beyoncé é')",
        f"ALTER TABLE s.t {change}",
    )
    with psycopg.connect(redshift.uri) as connection:
        assert connection.execute("SELECT id FROM s.t").fetchall() == [(1,)]


def test_a_type_is_not_altered_within_a_transaction(client: Client) -> None:
    client.run("BEGIN")
    assert client.code("ALTER TABLE s.t ALTER COLUMN name TYPE VARCHAR(30)") == "25001"
    assert client.code("ALTER TABLE s.t ADD COLUMN a INTEGER") == "25P02"
    client.run("ROLLBACK", "ALTER TABLE s.t ALTER COLUMN name TYPE VARCHAR(30)")
    assert ("name", "character varying(30)") in [row[:2] for row in client.run(COLUMNS.format("t"))]


def test_the_last_column_is_not_dropped(client: Client) -> None:
    client.run("CREATE TABLE s.n (a INTEGER, b INTEGER)", "ALTER TABLE s.n DROP COLUMN b")
    assert client.code("ALTER TABLE s.n DROP COLUMN a") == "0A000"


def test_a_nullable_column_is_not_made_the_primary_key(client: Client) -> None:
    client.run("CREATE TABLE s.n (a INTEGER, b INTEGER NOT NULL)")
    assert client.code("ALTER TABLE s.n ADD PRIMARY KEY (b, a)") == "42P16"
    client.run("ALTER TABLE s.n ADD PRIMARY KEY (b)")


def test_a_temporary_table_is_not_distributed(client: Client) -> None:
    client.run("CREATE TEMP TABLE n (a INTEGER)", "ALTER TABLE n ALTER SORTKEY (a)")
    assert client.code("ALTER TABLE n ALTER DISTSTYLE ALL") == "0A000"
