"""What PostgreSQL accepts and Redshift refuses: changes of rows and of the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from sql_rules.rule import Found, Statement, rule

if TYPE_CHECKING:
    from collections.abc import Iterator


@rule("returning", refused=True)
def returning(statement: Statement) -> Iterator[Found]:
    """Redshift has no RETURNING; write a SELECT after it, in the same transaction.

    https://docs.aws.amazon.com/redshift/latest/dg/r_INSERT_30.html
    """
    yield from map(Found, statement.find(exp.Returning))


@rule("conflict", refused=True)
def conflict(statement: Statement) -> Iterator[Found]:
    """Redshift has no ON CONFLICT; write MERGE.

    https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
    """
    yield from map(Found, statement.find(exp.OnConflict))


@rule("index", refused=True)
def index(statement: Statement) -> Iterator[Found]:
    """Redshift has no indexes; write it into include/sql/postgres/indexes.sql, which PostgreSQL alone is given.

    https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html
    """
    if isinstance(statement.tree, exp.Create | exp.Drop) and statement.tree.args.get("kind") == "INDEX":
        yield Found(statement.tree)


@rule("alias", refused=True)
def alias(statement: Statement) -> Iterator[Found]:
    """Redshift's DELETE, UPDATE and MERGE name their target by its own name; leave the alias out.

    https://docs.aws.amazon.com/redshift/latest/dg/r_DELETE.html
    """
    if isinstance(statement.tree, exp.Delete | exp.Update | exp.Merge) and statement.tree.this.alias:
        yield Found(statement.tree.this)


@rule("assignment", refused=True)
def assignment(statement: Statement) -> Iterator[Found]:
    """Redshift's SET names one column of the target at a time, without the table's name; write SET a = 1, b = 2.

    https://docs.aws.amazon.com/redshift/latest/dg/r_UPDATE.html
    """
    for update in statement.find(exp.Update):
        for item in update.expressions:
            if isinstance(item.this, exp.Tuple) or (isinstance(item.this, exp.Column) and item.this.table):
                yield Found(item.this)


@rule("changed join", refused=True)
def changed_join(statement: Statement) -> Iterator[Found]:
    """Redshift's UPDATE and DELETE take no outer join; write the join as a subquery, or NOT EXISTS (SELECT ...).

    https://docs.aws.amazon.com/redshift/latest/dg/r_UPDATE.html
    """
    for node in statement.find(exp.Update, exp.Delete):
        from_ = node.args.get("from_")
        listed = [from_.this] if from_ else node.args.get("using") or []
        joins = [join for table in listed for join in table.args.get("joins") or []]
        yield from (Found(join) for join in joins if join.side)


@rule("merge", refused=True)
def merge(statement: Statement) -> Iterator[Found]:
    """Redshift's MERGE cannot do this; put the rows into a table first, and write ON a = b, one WHEN of each kind.

    It has one WHEN MATCHED and one WHEN NOT MATCHED, without conditions, a table as its source, and equalities in ON.

    https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
    """
    tree = statement.tree
    if not isinstance(tree, exp.Merge):
        return
    whens = tree.args["whens"].expressions
    if sorted(bool(when.args.get("matched")) for when in whens) != [False, True]:
        yield Found(tree.args["whens"])
    yield from (Found(when) for when in whens if when.args.get("condition") is not None)
    if not isinstance(tree.args["using"], exp.Table):
        yield Found(tree.args["using"])
    if tree.args.get("with_"):
        yield Found(tree.args["with_"])
    condition = tree.args["on"].unnest()
    parts = list(condition.flatten()) if isinstance(condition, exp.And) else [condition]
    yield from (Found(part) for part in parts if not isinstance(part.unnest(), exp.EQ))
