"""DML and DDL that PostgreSQL supports and Redshift does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from sql_rules.rule import Match, ParsedStatement, rule

if TYPE_CHECKING:
    from collections.abc import Iterator


@rule("returning", refused=True)
def returning(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift has no RETURNING; write a SELECT after it, in the same transaction.

    https://docs.aws.amazon.com/redshift/latest/dg/r_INSERT_30.html
    """
    yield from map(Match, statement.find(exp.Returning))


@rule("conflict", refused=True)
def conflict(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift has no ON CONFLICT; write MERGE.

    https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
    """
    yield from map(Match, statement.find(exp.OnConflict))


@rule("index", refused=True)
def index(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift has no indexes; write it into include/sql/postgres/indexes.sql, which only PostgreSQL runs.

    https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html
    """
    if isinstance(statement.tree, exp.Create | exp.Drop) and statement.tree.args.get("kind") == "INDEX":
        yield Match(statement.tree)


@rule("alias", refused=True)
def alias(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift's DELETE, UPDATE and MERGE do not support an alias of their target; leave it out.

    https://docs.aws.amazon.com/redshift/latest/dg/r_DELETE.html
    """
    # The parser returns a boolean for a name that is empty: DELETE "".
    target = statement.tree.this if isinstance(statement.tree, exp.Delete | exp.Update | exp.Merge) else None
    if isinstance(target, exp.Expr) and target.alias:
        yield Match(target)


@rule("assignment", refused=True)
def assignment(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift's SET requires single, unqualified columns; write SET a = 1, b = 2.

    https://docs.aws.amazon.com/redshift/latest/dg/r_UPDATE.html
    """
    for update in statement.find(exp.Update):
        for item in update.expressions:
            if isinstance(item.this, exp.Tuple) or (isinstance(item.this, exp.Column) and item.this.table):
                yield Match(item.this)


@rule("changed join", refused=True)
def changed_join(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift's UPDATE and DELETE do not support outer joins; write a subquery, or NOT EXISTS (SELECT ...).

    https://docs.aws.amazon.com/redshift/latest/dg/r_UPDATE.html
    """
    for node in statement.find(exp.Update, exp.Delete):
        from_ = node.args.get("from_")
        listed = [from_.this] if from_ else node.args.get("using") or []
        joins = [join for table in listed for join in table.args.get("joins") or []]
        yield from (Match(join) for join in joins if join.side)


@rule("merge", refused=True)
def merge(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift's MERGE does not support this; put the rows into a table, and write ON a = b and one WHEN of each kind.

    It requires one WHEN MATCHED and one WHEN NOT MATCHED, without conditions, a table as source, and equalities in ON.

    https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
    """
    tree = statement.tree
    if not isinstance(tree, exp.Merge):
        return
    whens = tree.args["whens"].expressions
    if sorted(bool(when.args.get("matched")) for when in whens) != [False, True]:
        yield Match(tree.args["whens"])
    yield from (Match(when) for when in whens if when.args.get("condition") is not None)
    if not isinstance(tree.args["using"], exp.Table):
        yield Match(tree.args["using"])
    if tree.args.get("with_"):
        yield Match(tree.args["with_"])
    condition = tree.args["on"].unnest()
    parts = list(condition.flatten()) if isinstance(condition, exp.And) else [condition]
    yield from (Match(part) for part in parts if not isinstance(part.unnest(), exp.EQ))
