"""Translate Redshift's SQL for PostgreSQL: statements with the same semantics are unchanged, unknown ones are rejected.

A generic transpiler is used for CREATE TABLE only: it would change the semantics of other statements (DATEDIFF, AVG of
integers, GETDATE). The project's SQL uses the common subset of both dialects; the tests check it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkify.sql import scripts

if TYPE_CHECKING:
    from sqlglot import exp

# Statements with the same semantics on both engines. COPY is not among them: it has its own method.
SHARED = {
    *("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "DROP", "ANALYZE", "ALTER", "SET", "EXPLAIN"),
    *("COMMENT", "GRANT", "REVOKE"),
}

# CREATE statements with the same semantics, and CREATE INDEX, which is only sent to PostgreSQL.
_SHARED_CREATE = {"CREATE SCHEMA", "CREATE VIEW", "CREATE INDEX", "CREATE TEMP TABLE"}


class UnsupportedStatementError(ValueError):
    """The PostgreSQL engine does not support the statement."""


def to_postgres(statement: str) -> list[str]:
    """Translate one statement.

    :param statement: one statement of Redshift's dialect.
    :return: the statement for PostgreSQL, and the statements that must follow it.
    :raises UnsupportedStatementError: if the kind of statement, or a property of a table, is not supported.

    >>> to_postgres("LOCK songs")
    ['LOCK TABLE songs IN SHARE ROW EXCLUSIVE MODE']
    """
    command = scripts.command(statement)
    if command.verb == "ALTER":
        return _alter(statement)
    if command.verb in SHARED:
        return [statement]
    if command.verb == "LOCK":
        # Redshift's LOCK is exclusive. This mode blocks writers as well, but not readers.
        return [f"LOCK TABLE {', '.join(command.names)} IN SHARE ROW EXCLUSIVE MODE"]
    if command.verb == "CREATE TEMP TABLE" and command.following == "AS":
        # Redshift analyzes such a table by itself:
        # https://docs.aws.amazon.com/redshift/latest/dg/t_Analyzing_tables.html
        return [statement, f"ANALYZE {command.names[0]}"]
    if command.verb == "CREATE TABLE":
        return _create_table(scripts.body(statement))
    if command.verb == "CREATE INDEX" and command.if_not_exists:
        return [_create_index(command.names[0], scripts.body(statement))]
    if command.verb in _SHARED_CREATE:
        return [statement]
    words = " ".join(scripts.body(statement).split()[:3])
    raise UnsupportedStatementError(
        f"The PostgreSQL engine does not support the statement {words!r}. It supports COPY, "
        f"CREATE, LOCK, {', '.join(sorted(SHARED))}."
    )


def _create_index(name: str, statement: str) -> str:
    """Create an index only if it is missing: CREATE INDEX IF NOT EXISTS blocks writers even if the index exists."""
    create = statement.rstrip("; \n")
    return f"DO $$ BEGIN IF to_regclass('{name}') IS NULL THEN {create}; END IF; END $$"


def _alter(statement: str) -> list[str]:
    """Drop the compression of an added column, and treat the sort key as an index; other changes are the same."""
    import sqlglot
    from sqlglot import exp

    try:
        tree = sqlglot.parse_one(statement, read="redshift")
    except sqlglot.ParseError:
        return [statement]  # PostgreSQL reports it
    if not isinstance(tree, exp.Alter) or tree.kind != "TABLE":
        return [statement]
    (action, *_) = tree.args["actions"]
    if isinstance(action, exp.AlterSortKey):
        columns = [column.sql("postgres") for column in action.expressions]
        index = _index_name(tree.this, "sortkey")
        return [f"DROP INDEX IF EXISTS {index}", _sort_index(tree.this, columns)]
    if isinstance(action, exp.AlterRename):
        # The names of the indexes contain that of the table.
        renamed = [
            f"ALTER INDEX IF EXISTS {_index_name(tree.this, suffix)} RENAME TO {action.this.name}_{suffix}"
            for suffix in ("pkey", "sortkey")
        ]
        return [statement, *renamed]
    if tree.find(exp.EncodeColumnConstraint) is None:
        return [statement]
    _drop_encodings(tree)
    return [tree.sql("postgres", comments=False)]


def _index_name(table: exp.Table, suffix: str) -> str:
    return f"{table.db}.{table.name}_{suffix}".lstrip(".")


def _sort_index(table: exp.Table, columns: list[str]) -> str:
    """Return the statement that creates the index which is the table's sort key."""
    create = f"CREATE INDEX {table.name}_sortkey ON {table.sql('postgres')} ({', '.join(columns)})"
    return _create_index(_index_name(table, "sortkey"), create)


def _drop_encodings(tree: exp.Expr) -> None:
    """Drop the compression of columns, which PostgreSQL does not have."""
    from sqlglot import exp

    for constraint in list(tree.find_all(exp.ColumnConstraint)):
        if isinstance(constraint.kind, exp.EncodeColumnConstraint):
            constraint.pop()


def _create_table(statement: str) -> list[str]:
    """Drop the distribution; turn the sort key into an index, unless the primary key already creates it."""
    import sqlglot
    from sqlglot import exp

    try:
        table = sqlglot.parse_one(statement, read="redshift")
    except sqlglot.ParseError as error:
        where = error.errors[0]
        raise UnsupportedStatementError(
            f"Invalid or unsupported CREATE TABLE, at {where['highlight']!r} in line {where['line']}. Of Redshift's "
            "properties this engine supports, after the columns: DISTSTYLE, DISTKEY (column), SORTKEY (columns)."
        ) from None
    if not isinstance(table, exp.Create):
        raise UnsupportedStatementError(f"Invalid or unsupported CREATE TABLE: {statement.splitlines()[0]!r}")
    sort_key: list[str] = []
    if properties := table.args.get("properties"):
        for item in properties.expressions:
            if isinstance(item, exp.SortKeyProperty):
                sort_key = [column.sql("postgres") for column in item.this]
            elif not isinstance(item, exp.DistStyleProperty | exp.DistKeyProperty):
                raise UnsupportedStatementError(
                    f"The PostgreSQL engine does not support the table property {item.sql('redshift')!r}. "
                    "It supports DISTSTYLE, DISTKEY and SORTKEY."
                )
        table.set("properties", None)
    _drop_encodings(table)
    statements = [table.sql("postgres", comments=False)]
    primary_key = table.find(exp.PrimaryKey)
    unique = [column.sql("postgres") for column in primary_key.expressions] if primary_key else []
    if sort_key and sort_key != unique[: len(sort_key)]:
        name = table.find(exp.Table)
        assert name is not None
        statements.append(_sort_index(name, sort_key))
    return statements
