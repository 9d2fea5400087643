"""Queries that PostgreSQL supports and Redshift does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from sql_rules.rule import Match, ParsedStatement, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

# Window functions without a frame. All others need an explicit frame if they have ORDER BY.
_FRAMELESS = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile, exp.Lag, exp.Lead, exp.PercentRank, exp.CumeDist)

# https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions_leader_node_only.html
_LEADER_NODE = {
    *("CURRENT_SCHEMA", "CURRENT_SCHEMAS", "HAS_DATABASE_PRIVILEGE", "HAS_SCHEMA_PRIVILEGE", "HAS_TABLE_PRIVILEGE"),
    *("AGE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "ISFINITE", "NOW", "GETBIT", "GET_BYTE", "SET_BIT"),
    *("SET_BYTE", "TO_ASCII"),
}


@rule("distinct on", refused=True)
def distinct_on(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift has no DISTINCT ON; write ROW_NUMBER() OVER (PARTITION BY ... ORDER BY ...) and keep row 1.

    https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_list.html
    """
    yield from (Match(node) for node in statement.find(exp.Distinct) if node.args.get("on") is not None)


@rule("filter", refused=True)
def aggregate_filter(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift has no FILTER (WHERE ...); write COUNT(CASE WHEN ... THEN 1 END).

    https://docs.aws.amazon.com/redshift/latest/dg/c_Aggregate_Functions.html
    """
    yield from map(Match, statement.find(exp.Filter))


@rule("lateral", refused=True)
def lateral(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift has no LATERAL; write a join with an aggregated subquery.

    https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause30.html
    """
    yield from map(Match, statement.find(exp.Lateral))


@rule("values", refused=True)
def values(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift has no VALUES as a table; write SELECT ... UNION ALL SELECT ...

    https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html
    """
    yield from (Match(node) for node in statement.find(exp.Values) if not isinstance(node.parent, exp.Insert))
    yield from (Match(node) for node in statement.find(exp.Anonymous) if node.name.upper() == "VALUES")


@rule("array", refused=True)
def array(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift has no arrays and no subscripts; write a row for each value.

    https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html
    """
    yield from map(Match, statement.find(exp.Bracket, exp.Array))


@rule("row", refused=True)
def row(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift has no row constructors; compare the columns one by one, or write EXISTS (SELECT ...).

    https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html
    """
    for node in statement.find(exp.Tuple):
        compared = node.arg_key == "this" and isinstance(node.parent, exp.In)
        compared |= isinstance(node.parent, exp.Binary) and not isinstance(node.parent.parent, exp.Update)
        if compared or isinstance(node.parent, exp.Select | exp.Alias):
            yield Match(node)


@rule("frame", refused=True)
def frame(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift requires a ROWS frame for an aggregate with ORDER BY; write ROWS UNBOUNDED PRECEDING.

    It does not support RANGE, GROUPS and EXCLUDE, and no frame at all for ROW_NUMBER, RANK, LAG and LEAD.
    https://docs.aws.amazon.com/redshift/latest/dg/c_Window_functions.html
    """
    for window in statement.find(exp.Window):
        function = window.this.this if isinstance(window.this, exp.IgnoreNulls | exp.RespectNulls) else window.this
        spec = window.args.get("spec")
        if spec is None:
            if window.args.get("order") and not isinstance(function, _FRAMELESS):
                yield Match(window)
        elif isinstance(function, _FRAMELESS):
            yield Match(window, "Redshift supports no frame for this function; leave it out")
        elif spec.args.get("kind") != "ROWS" or spec.args.get("exclude"):
            yield Match(window, "Redshift only supports ROWS frames; write ROWS BETWEEN ... AND ...")


@rule("default", refused=True)
def default(statement: ParsedStatement) -> Iterator[Match]:
    """LAG and LEAD have no default value on Redshift; write COALESCE(LAG(a) OVER (...), b).

    https://docs.aws.amazon.com/redshift/latest/dg/r_WF_LAG.html
    """
    yield from (Match(call) for call in statement.find(exp.Lag, exp.Lead) if call.args.get("default"))


@rule("named window", refused=True)
def named_window(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift has no WINDOW clause; write the window in OVER (...).

    https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_synopsis.html
    """
    yield from (Match(node) for node in statement.find(exp.Select) if node.args.get("windows"))


@rule("row lock", refused=True)
def row_lock(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift has no FOR UPDATE; write LOCK table as the first statement of the transaction.

    https://docs.aws.amazon.com/redshift/latest/dg/r_LOCK.html
    """
    yield from (Match(node.parent or node) for node in statement.find(exp.Lock))


@rule("sample", refused=True)
def sample(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift has no TABLESAMPLE; write a condition on a hash, such as MD5(id) LIKE '0%'.

    https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause30.html
    """
    yield from map(Match, statement.find(exp.TableSample))


@rule("materialized", refused=True)
def materialized(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift has no AS MATERIALIZED; write WITH name AS (...), or CREATE TEMP TABLE name AS.

    https://docs.aws.amazon.com/redshift/latest/dg/r_WITH_clause.html
    """
    yield from (Match(node) for node in statement.find(exp.CTE) if node.args.get("materialized") is not None)


@rule("fetch", refused=True)
def fetch(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift's SELECT has no FETCH FIRST; write LIMIT.

    https://docs.aws.amazon.com/redshift/latest/dg/r_ORDER_BY_clause.html
    """
    yield from map(Match, statement.find(exp.Fetch))


@rule("distinct from", refused=True)
def distinct_from(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift has no IS DISTINCT FROM; write a <> b OR (a IS NULL AND b IS NOT NULL) OR (a IS NOT NULL AND b IS NULL).

    https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-functions.html
    """
    yield from map(Match, statement.find(exp.NullSafeEQ, exp.NullSafeNEQ))


@rule("collation", refused=True)
def collation(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift does not support PostgreSQL's collations; leave COLLATE out: text is ordered by code point.

    https://docs.aws.amazon.com/redshift/latest/dg/c_collation_sequences.html
    """
    yield from map(Match, statement.find(exp.Collate))


@rule("leader node", refused=True)
def leader_node(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift runs this function on the leader node, without access to tables; call it in a separate query.

    https://docs.aws.amazon.com/redshift/latest/dg/c_sql-functions-leader-node.html
    """
    names = {cte.alias.lower() for cte in statement.find(exp.CTE)}
    tables = [node for node in statement.find(exp.Table) if isinstance(node, exp.Table) and node.name not in names]
    if any(not _is_of_leader(table) for table in tables):
        for segment in statement.segment.recursive_crawl("function_name", "bare_function"):
            if segment.raw_upper in _LEADER_NODE:
                yield Match(segment)


def _is_of_leader(table: exp.Table) -> bool:
    return table.name.lower().startswith("pg_") or table.db.lower() in ("information_schema", "pg_catalog")
