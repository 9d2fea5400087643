"""What PostgreSQL accepts and Redshift refuses: queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from sql_rules.rule import Found, Statement, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

# Window functions that number rows take no frame; those that are computed over a frame must name it.
_FRAMELESS = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile, exp.Lag, exp.Lead, exp.PercentRank, exp.CumeDist)

# https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions_leader_node_only.html
_LEADER_NODE = {
    *("CURRENT_SCHEMA", "CURRENT_SCHEMAS", "HAS_DATABASE_PRIVILEGE", "HAS_SCHEMA_PRIVILEGE", "HAS_TABLE_PRIVILEGE"),
    *("AGE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "ISFINITE", "NOW", "GETBIT", "GET_BYTE", "SET_BIT"),
    *("SET_BYTE", "TO_ASCII"),
}


@rule("distinct on", refused=True)
def distinct_on(statement: Statement) -> Iterator[Found]:
    """Redshift has no DISTINCT ON; write ROW_NUMBER() OVER (PARTITION BY ... ORDER BY ...) and keep number 1.

    https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_list.html
    """
    yield from (Found(node) for node in statement.find(exp.Distinct) if node.args.get("on") is not None)


@rule("filter", refused=True)
def aggregate_filter(statement: Statement) -> Iterator[Found]:
    """Redshift has no FILTER (WHERE ...); write COUNT(CASE WHEN ... THEN 1 END).

    https://docs.aws.amazon.com/redshift/latest/dg/c_Aggregate_Functions.html
    """
    yield from map(Found, statement.find(exp.Filter))


@rule("lateral", refused=True)
def lateral(statement: Statement) -> Iterator[Found]:
    """Redshift has no LATERAL; write a join with a subquery that is grouped.

    https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause30.html
    """
    yield from map(Found, statement.find(exp.Lateral))


@rule("values", refused=True)
def values(statement: Statement) -> Iterator[Found]:
    """Redshift has no VALUES as a table; write SELECT ... UNION ALL SELECT ...

    https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html
    """
    yield from (Found(node) for node in statement.find(exp.Values) if not isinstance(node.parent, exp.Insert))
    yield from (Found(node) for node in statement.find(exp.Anonymous) if node.name.upper() == "VALUES")


@rule("array", refused=True)
def array(statement: Statement) -> Iterator[Found]:
    """Redshift has no arrays and no subscripts; write a row for each value.

    https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html
    """
    yield from map(Found, statement.find(exp.Bracket, exp.Array))


@rule("row", refused=True)
def row(statement: Statement) -> Iterator[Found]:
    """Redshift has no row constructors; compare the columns one by one, or write EXISTS (SELECT ...).

    https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html
    """
    for node in statement.find(exp.Tuple):
        compared = node.arg_key == "this" and isinstance(node.parent, exp.In)
        compared |= isinstance(node.parent, exp.Binary) and not isinstance(node.parent.parent, exp.Update)
        if compared or isinstance(node.parent, exp.Select | exp.Alias):
            yield Found(node)


@rule("frame", refused=True)
def frame(statement: Statement) -> Iterator[Found]:
    """Redshift requires the frame of an aggregate that is ordered, in ROWS; write ROWS UNBOUNDED PRECEDING.

    RANGE, GROUPS and EXCLUDE it does not have.
    https://docs.aws.amazon.com/redshift/latest/dg/c_Window_functions.html
    """
    for window in statement.find(exp.Window):
        function = window.this.this if isinstance(window.this, exp.IgnoreNulls | exp.RespectNulls) else window.this
        spec = window.args.get("spec")
        if spec is None:
            if window.args.get("order") and not isinstance(function, _FRAMELESS):
                yield Found(window)
        elif spec.args.get("kind") != "ROWS" or spec.args.get("exclude"):
            yield Found(window, "Redshift has no frames but ROWS; write ROWS BETWEEN ... AND ...")


@rule("named window", refused=True)
def named_window(statement: Statement) -> Iterator[Found]:
    """Redshift has no WINDOW clause; write the window in OVER (...).

    https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_synopsis.html
    """
    yield from (Found(node) for node in statement.find(exp.Select) if node.args.get("windows"))


@rule("row lock", refused=True)
def row_lock(statement: Statement) -> Iterator[Found]:
    """Redshift has no FOR UPDATE; write LOCK table as the first statement of the transaction.

    https://docs.aws.amazon.com/redshift/latest/dg/r_LOCK.html
    """
    yield from (Found(node.parent or node) for node in statement.find(exp.Lock))


@rule("sample", refused=True)
def sample(statement: Statement) -> Iterator[Found]:
    """Redshift has no TABLESAMPLE; write a condition on a hash, such as MD5(id) LIKE '0%'.

    https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause30.html
    """
    yield from map(Found, statement.find(exp.TableSample))


@rule("materialized", refused=True)
def materialized(statement: Statement) -> Iterator[Found]:
    """Redshift has no AS MATERIALIZED; write WITH name AS (...), or CREATE TEMP TABLE name AS.

    https://docs.aws.amazon.com/redshift/latest/dg/r_WITH_clause.html
    """
    yield from (Found(node) for node in statement.find(exp.CTE) if node.args.get("materialized") is not None)


@rule("fetch", refused=True)
def fetch(statement: Statement) -> Iterator[Found]:
    """Redshift's SELECT has no FETCH FIRST; write LIMIT.

    https://docs.aws.amazon.com/redshift/latest/dg/r_ORDER_BY_clause.html
    """
    yield from map(Found, statement.find(exp.Fetch))


@rule("distinct from", refused=True)
def distinct_from(statement: Statement) -> Iterator[Found]:
    """Redshift has no IS DISTINCT FROM; write a <> b OR (a IS NULL AND b IS NOT NULL) OR (a IS NOT NULL AND b IS NULL).

    https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-functions.html
    """
    yield from map(Found, statement.find(exp.NullSafeEQ, exp.NullSafeNEQ))


@rule("collation", refused=True)
def collation(statement: Statement) -> Iterator[Found]:
    """Redshift has no collations of PostgreSQL; leave COLLATE out: text is ordered by code point.

    https://docs.aws.amazon.com/redshift/latest/dg/c_collation_sequences.html
    """
    yield from map(Found, statement.find(exp.Collate))


@rule("leader node", refused=True)
def leader_node(statement: Statement) -> Iterator[Found]:
    """Redshift runs this function on the leader node, where tables are not; call it in a query of its own.

    https://docs.aws.amazon.com/redshift/latest/dg/c_sql-functions-leader-node.html
    """
    names = {cte.alias.lower() for cte in statement.find(exp.CTE)}
    tables = [node for node in statement.find(exp.Table) if isinstance(node, exp.Table) and node.name not in names]
    if any(not _is_of_leader(table) for table in tables):
        for segment in statement.segment.recursive_crawl("function_name", "bare_function"):
            if segment.raw_upper in _LEADER_NODE:
                yield Found(segment)


def _is_of_leader(table: exp.Table) -> bool:
    return table.name.lower().startswith("pg_") or table.db.lower() in ("information_schema", "pg_catalog")
