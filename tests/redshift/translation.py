"""Translate a client's statements for PostgreSQL, and refuse those that Redshift refuses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sparkify.sql import scripts
from sparkify.warehouse.postgres.dialect import UnsupportedStatementError, to_postgres
from tests.redshift import catalogue
from tests.redshift.refusals import refusal
from tests.redshift.wire import ServerError

if TYPE_CHECKING:
    from sqlglot import exp

# Statements with the same syntax and semantics, beside those of the engine for PostgreSQL.
_SHARED = {"BEGIN", "COMMIT", "ROLLBACK", "COMMENT"}
_CREATE_DATABASE = re.compile(
    r"\s*CREATE DATABASE (\w+)(?: ISOLATION LEVEL (SNAPSHOT|SERIALIZABLE))?\s*;?\s*$", re.IGNORECASE
)
# The isolation levels, as STV_DB_ISOLATION_LEVEL names them.
_LEVELS = {"SNAPSHOT": "Snapshot Isolation", "SERIALIZABLE": "Serializable"}
_DROP_DATABASE = re.compile(r"\s*DROP DATABASE (\w+)", re.IGNORECASE)
_IDENTITY = re.compile(r"\s*(CREATE|DROP) (USER|GROUP|ROLE) (\w+)", re.IGNORECASE)
_GRANTED_ROLE = re.compile(r"\b(TO|FROM) ROLE (\w+)", re.IGNORECASE)


def translate(sql: str, definition: exp.Expr | None) -> list[str]:
    """Return the statement for PostgreSQL, and the statements that must follow it.

    :param definition: the syntax tree of a CREATE TABLE or ALTER TABLE.
    :raises ServerError: if Redshift refuses the statement, or the endpoint does not support it.
    """
    verb = scripts.command(sql).verb
    if found := _CREATE_DATABASE.match(sql):
        level = _LEVELS[(found[2] or "SNAPSHOT").upper()]
        return [
            f"CREATE DATABASE {found[1]} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'",
            f"COMMENT ON DATABASE {found[1]} IS '{level}'",
        ]
    if found := _DROP_DATABASE.match(sql):
        return [f"DROP DATABASE {found[1]} WITH (FORCE)"]
    if found := _IDENTITY.match(sql):
        return _identity(found[1].upper(), found[2].upper(), found[3])
    if verb not in ("BEGIN", "COMMIT", "ROLLBACK") and (reason := refusal(sql)):
        raise ServerError("42601", reason)
    if verb in _SHARED:
        return [sql]
    if verb == "LOCK":
        return [f"LOCK TABLE {', '.join(scripts.command(sql).names)} IN ACCESS EXCLUSIVE MODE"]
    if verb in ("GRANT", "REVOKE"):
        return [_GRANTED_ROLE.sub(r"\1 \2", sql)]
    if definition and catalogue.changes_keys_only(definition):
        # Only the endpoint's catalogue changes. ALTER TABLE locks the table.
        return [f"LOCK TABLE {definition.this} IN ACCESS EXCLUSIVE MODE"]
    try:
        return to_postgres(catalogue.extended(sql))
    except UnsupportedStatementError as error:
        raise ServerError("0A000", str(error)) from None


def _identity(verb: str, kind: str, name: str) -> list[str]:
    """Create or drop a role of PostgreSQL for a user, a group or a role: a user can log in, a group has a comment."""
    if verb == "DROP":
        return [f"DROP ROLE {name}"]
    login = "LOGIN" if kind == "USER" else "NOLOGIN"
    return [f"CREATE ROLE {name} {login}", f"COMMENT ON ROLE {name} IS '{kind.lower()}'"]
