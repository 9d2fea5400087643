"""Constructs that no other rule names and that are not known to be portable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from sql_rules.rule import Match, ParsedStatement, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

_EXPRESSIONS = (
    exp.Column, exp.Identifier, exp.Literal, exp.Star, exp.Null, exp.Boolean, exp.Alias, exp.Paren, exp.Tuple, exp.Var,
    exp.Cast, exp.DataType, exp.DataTypeParam, exp.Case, exp.If, exp.Interval, exp.Extract, exp.Trim, exp.Func,
    exp.And, exp.Or, exp.Not, exp.Neg, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between,
    exp.Like, exp.Escape, exp.Exists, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.DPipe, exp.Window,
    exp.WindowSpec, exp.Distinct, exp.Dot, exp.Placeholder,
)  # fmt: skip
_QUERIES = (
    exp.Select, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Limit, exp.Offset,
    exp.SetOperation, exp.Subquery, exp.With, exp.CTE, exp.Table, exp.TableAlias,
)  # fmt: skip
_CHANGES = (
    exp.Insert, exp.Values, exp.Schema, exp.Update, exp.Delete, exp.Merge, exp.Whens, exp.When, exp.Create, exp.Drop,
    exp.ColumnDef, exp.ColumnConstraint, exp.ColumnConstraintKind, exp.PrimaryKey, exp.IndexParameters, exp.Properties,
    exp.TemporaryProperty, exp.DistStyleProperty, exp.DistKeyProperty, exp.SortKeyProperty, exp.ForeignKey,
    exp.Reference, exp.Constraint, exp.UniqueColumnConstraint, exp.Alter, exp.AlterRename,
)  # fmt: skip
_SHARED = _EXPRESSIONS + _QUERIES + _CHANGES
# Portable nodes of which only these clauses are portable.
_SHARED_CLAUSES: dict[type[exp.Expr], set[str]] = {
    exp.Select: {
        *("expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset", "distinct", "with_")
    },
    exp.Table: {"this", "db", "alias", "joins"},
    exp.Join: {"this", "on", "using", "side", "kind"},
    exp.Group: {"expressions"},
    exp.Window: {"this", "partition_by", "order", "spec", "over"},
    exp.Like: {"this", "expression", "negate"},
}  # fmt: skip


@rule("construct")
def construct(statement: ParsedStatement) -> Iterator[Match]:
    """The construct is not known to be the same on both engines; docs/sql.md lists the common subset.

    https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html
    """
    if isinstance(statement.tree, exp.Command) and statement.tree.name.upper() == "LOCK":
        return
    if statement.tree is None or isinstance(statement.tree, exp.Command):
        advice = "the local engine cannot parse this statement; docs/sql.md lists the common subset"
        yield Match(statement.segment, advice)
        return
    for node in statement.tree.walk():
        clauses = _SHARED_CLAUSES.get(type(node), set(node.args))
        operator = isinstance(node, exp.Func) and isinstance(node, exp.Binary) and not isinstance(node, exp.Connector)
        if operator or not isinstance(node, _SHARED) or {name for name, value in node.args.items() if value} - clauses:
            yield Match(node)
            return
