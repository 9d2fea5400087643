"""Schema changes over the Redshift client: in place what Redshift alters, beside the table what it does not."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.integration.schema.conftest import DDL, SIX, USERS, create, load, replace
from tests.support.data import event

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.lab import Lab
    from tests.redshift.endpoint import Endpoint

pytestmark = pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning")  # of redshift_connector


@pytest.fixture
def loaded(redshift: Lab) -> Lab:
    """A lab with two loaded hours."""
    redshift.put_events(
        "2018-11-01", [event("2018-11-01T05:10", 1, userId="8"), event("2018-11-01T06:10", 2, userId="9")]
    )
    redshift.run("2018-11-01T05:00", "2018-11-01T07:00")
    return redshift


@pytest.fixture
def ddl(tmp_path: Path) -> Path:
    """A copy of the DDL."""
    return shutil.copytree(DDL, tmp_path / "ddl")


def sent(endpoint: Endpoint, start: str) -> list[str]:
    """Return the received statements that begin with a text, without comments."""
    texts = ["\n".join(line for line in sql.splitlines() if not line.startswith("--")) for sql in endpoint.received]
    return [text.strip("; \n") for text in texts if text.startswith(start)]


def test_the_catalogue_equals_the_ddl(loaded: Lab, endpoint: Endpoint) -> None:
    endpoint.received.clear()
    assert create(loaded, DDL, "refuse")["schema_changes"] == 0
    assert [sql for sql in endpoint.received if "pg_class" not in sql] == ["begin transaction", "rollback"]
    assert len(endpoint.received) == 3


def test_a_new_column_is_filled_for_the_whole_history(loaded: Lab, ddl: Path, endpoint: Endpoint) -> None:
    replace(
        ddl / "users.sql",
        "    level VARCHAR(16),\n",
        "    level VARCHAR(16),\n    initial VARCHAR(16) NOT NULL ENCODE zstd DEFAULT 'x',\n",
    )
    select = USERS.replace("    e.level,\n", "    e.level,\n    UPPER(e.level) AS initial,\n")
    create(loaded, ddl)
    assert sent(endpoint, "ALTER") == [
        "ALTER TABLE users ADD COLUMN initial VARCHAR(16) DEFAULT 'x' ENCODE zstd NOT NULL"
    ]
    assert load(loaded, SIX, select, folder=ddl)["rows"] == 2
    assert loaded.query("SELECT initial FROM users") == [("FREE",)] * 2


IN_PLACE = {
    "a longer text": ("level VARCHAR(16)", "level VARCHAR(20)", ["ALTER COLUMN level TYPE VARCHAR(20)"]),
    "a sort key": ("SORTKEY (user_id)", "SORTKEY (level)", ["ALTER SORTKEY (level)"]),
    "a distribution": ("DISTSTYLE ALL", "DISTSTYLE EVEN", ["ALTER DISTSTYLE EVEN"]),
    "a distribution key": ("DISTSTYLE ALL", "DISTKEY (user_id)", ["ALTER DISTSTYLE KEY DISTKEY user_id"]),
    "both": (
        "DISTSTYLE ALL\nSORTKEY (user_id)",
        "DISTSTYLE EVEN\nSORTKEY (level)",
        ["ALTER SORTKEY (level)", "ALTER DISTSTYLE EVEN"],
    ),
}


@pytest.mark.parametrize(("old", "new", "actions"), IN_PLACE.values(), ids=IN_PLACE)
def test_what_redshift_alters_is_altered(
    loaded: Lab, ddl: Path, endpoint: Endpoint, old: str, new: str, actions: list[str]
) -> None:
    replace(ddl / "users.sql", old, new)
    create(loaded, ddl, "all")
    assert sent(endpoint, "ALTER") == [f"ALTER TABLE users {action}" for action in actions]
    assert create(loaded, ddl, "refuse")["schema_changes"] == 0


def test_a_longer_text_is_altered_outside_of_a_transaction(loaded: Lab, ddl: Path, endpoint: Endpoint) -> None:
    replace(ddl / "users.sql", "level VARCHAR(16)", "level VARCHAR(20)")
    create(loaded, ddl)
    at = next(number for number, sql in enumerate(endpoint.received) if sql.startswith("ALTER TABLE users"))
    before = [
        sql.lower() for sql in endpoint.received[:at] if sql.lower() in ("begin transaction", "commit", "rollback")
    ]
    assert before[-1] in ("commit", "rollback")


REBUILT = {
    "a longer key": ("songs.sql", "    song_id VARCHAR(32) NOT NULL,", "    song_id VARCHAR(40) NOT NULL,"),
    "another type": ("users.sql", "    user_id BIGINT NOT NULL,", "    user_id DECIMAL(18, 0) NOT NULL,"),
    "NOT NULL": ("users.sql", "    level VARCHAR(16),", "    level VARCHAR(16) NOT NULL,"),
}


@pytest.mark.parametrize(("file", "old", "new"), REBUILT.values(), ids=REBUILT)
def test_what_redshift_cannot_alter_is_rebuilt(
    loaded: Lab, ddl: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, file: str, old: str, new: str
) -> None:
    with psycopg.connect(loaded.uri) as connection:
        connection.execute("GRANT SELECT ON users, songs TO PUBLIC")
    before = loaded.tables()
    replace(ddl / file, old, new)
    for task in loaded.dag.tasks:
        if hasattr(task, "ddl"):
            monkeypatch.setattr(task, "ddl", [str(ddl)])
    loaded.run(*SIX, schema_changes="all")
    table = file.removesuffix(".sql")
    assert sent(endpoint, "ALTER") == [
        f"ALTER TABLE {table} RENAME TO {table}__former",
        f"ALTER TABLE {table}__rebuild RENAME TO {table}",
    ]
    assert sent(endpoint, "GRANT") == [f"GRANT SELECT ON {table} TO PUBLIC"]
    assert loaded.tables() == before
    assert create(loaded, ddl, "refuse")["schema_changes"] == 0


def test_the_swap_is_one_transaction(loaded: Lab, ddl: Path, endpoint: Endpoint) -> None:
    replace(ddl / "users.sql", *REBUILT["NOT NULL"][1:])
    create(loaded, ddl, "all")
    endpoint.received.clear()
    load(loaded, SIX, USERS, folder=ddl, changes="all")
    labels: list[Any] = [sql.partition("\n")[0][:30].lower() for sql in endpoint.received]
    first = next(number for number, sql in enumerate(endpoint.received) if "LOCK users" in sql)
    last = next(number for number, sql in enumerate(endpoint.received) if "DROP TABLE users__former" in sql)
    assert "commit" not in labels[first:last]
    assert any("RENAME TO users__former" in sql for sql in endpoint.received[first:last])


@pytest.mark.parametrize(
    ("old", "new"),
    [("level VARCHAR(16),", "level VARCHAR(20),"), ("gender VARCHAR(16),", "gender CHAR(16),")],
    ids=["altered", "rebuilt"],
)
def test_views_are_created_again(redshift: Lab, ddl: Path, endpoint: Endpoint, old: str, new: str) -> None:
    redshift.put_events(
        "2018-11-01", [event("2018-11-01T05:10", 1, userId="8"), event("2018-11-01T06:10", 2, userId="9")]
    )
    redshift.run("2018-11-01T05:00", "2018-11-01T07:00", tasks=["create_tables", "stage_events", "load_users"])
    (ddl / "views").mkdir()
    (ddl / "views" / "people.sql").write_text("-- People\nSELECT u.user_id, u.level, u.gender FROM users AS u\n")
    create(redshift, ddl)
    before = redshift.query("SELECT user_id, level FROM people ORDER BY 1")
    assert before == [(8, "free"), (9, "free")]
    replace(ddl / "users.sql", old, new)
    endpoint.received.clear()
    create(redshift, ddl, "all")
    load(redshift, SIX, USERS, folder=ddl, changes="all")
    assert redshift.query("SELECT user_id, level FROM people ORDER BY 1") == before
    assert sent(endpoint, "DROP VIEW") == ["DROP VIEW people"]
    assert len(sent(endpoint, "CREATE VIEW people")) == 1
    assert create(redshift, ddl, "refuse")["schema_changes"] == 0
