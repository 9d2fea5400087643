"""Resolve columns to their tables, and infer the types of expressions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from typing import NamedTuple

from sqlglot import exp

# Tables by lower-case name (songs, operations.staged_objects): declared columns, or the query of CREATE TABLE ... AS.
Tables = Mapping[str, Mapping[str, exp.DataType] | exp.Query]

# A query block: the scope in which column names are resolved.
Block = exp.Select | exp.Update | exp.Delete | exp.Merge
_BLOCKS = (exp.Select, exp.Update, exp.Delete, exp.Merge)

# A VARCHAR of at least this length is free text; 256 bytes is Redshift's default. Shorter ones are ids and codes. The
# project's own bookkeeping schema is exempt: it contains only values that the project itself writes.
FREE_TEXT = 256
OWN_SCHEMA = "operations"

_DATES = (exp.DType.DATE,)
_SAME_AS_ARGUMENTS = (
    exp.Coalesce, exp.Nullif, exp.Case, exp.If, exp.Max, exp.Min, exp.Lower, exp.Upper, exp.Left, exp.Right,
    exp.Substring, exp.FirstValue, exp.LastValue, exp.Lag, exp.Lead, exp.Pad, exp.Paren, exp.Alias, exp.Window,
)  # fmt: skip
_ASCII = (
    exp.Binary, exp.Predicate, exp.Connector, exp.Not, exp.Neg, exp.Boolean, exp.Null, exp.Interval, exp.Count, exp.Sum,
    exp.Avg, exp.Extract, exp.Round, exp.RowNumber, exp.Rank, exp.DenseRank, exp.MD5, exp.ToChar, exp.TimeToStr,
    exp.Length, exp.TimestampTrunc, exp.DateTrunc,
)  # fmt: skip


class TypeInfo(NamedTuple):
    """The inferred type of an expression.

    :param is_text: whether it is text that may have more bytes than characters; None if unknown.
    :param length: maximum length in bytes; None if unknown.
    :param is_free: whether it is free text, whose values may end with blanks.
    :param is_date: whether it is a DATE.
    """

    is_text: bool | None = None
    length: int | None = None
    is_free: bool = False
    is_date: bool = False


UNKNOWN = TypeInfo()
ASCII = TypeInfo(is_text=False)


class ResolvedColumn(NamedTuple):
    """The table or subquery that a column belongs to.

    :param block: the query block that contains the source.
    :param source: the table or subquery.
    :param depth: the number of blocks between the column and that block: 0 is the column's own block.
    """

    block: exp.Expr
    source: exp.Expr
    depth: int


def declared(trees: Iterator[exp.Expr]) -> dict[str, Mapping[str, exp.DataType] | exp.Query]:
    """Return the columns of the tables that statements create."""
    found: dict[str, Mapping[str, exp.DataType] | exp.Query] = {}
    for tree in trees:
        if not isinstance(tree, exp.Create) or tree.args.get("kind") != "TABLE":
            continue
        table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        if isinstance(tree.this, exp.Schema):
            columns = [item for item in tree.this.expressions if isinstance(item, exp.ColumnDef)]
            found[_name(table)] = {item.name.lower(): item.kind for item in columns if item.kind}
        elif isinstance(tree.expression, exp.Query):
            found[_name(table)] = tree.expression
    return found


def type_of(node: exp.Expr | None, tables: Tables, depth: int = 0) -> TypeInfo:
    """Return the inferred type of an expression.

    :param depth: recursion depth; guards against tables that are defined by themselves.
    """
    if depth > 40 or node is None:
        return UNKNOWN
    if isinstance(node, exp.Column):
        return _type_of_column(node, tables, depth + 1)
    if isinstance(node, exp.Literal):
        if not node.is_string:
            return ASCII
        return TypeInfo(not node.name.isascii(), len(node.name.encode()), is_free=node.name.endswith(" "))
    if isinstance(node, exp.Cast):
        return _type_of_cast(node, tables, depth + 1)
    if isinstance(node, exp.Trim):
        argument = type_of(node.this, tables, depth + 1)
        blanks = node.args.get("position") in (None, "TRAILING", "BOTH") and node.expression is None
        return argument._replace(is_free=argument.is_free and not blanks)
    if isinstance(node, exp.DPipe):
        left, right = (type_of(side, tables, depth + 1) for side in (node.left, node.right))
        return _either(left, right)._replace(length=None, is_free=right.is_free)
    if isinstance(node, exp.Subquery):
        return type_of(node.this, tables, depth + 1)
    if isinstance(node, exp.Query):
        selects = node.selects
        return type_of(selects[0], tables, depth + 1) if selects else UNKNOWN
    if isinstance(node, _SAME_AS_ARGUMENTS):
        types = [type_of(argument, tables, depth + 1) for argument in _arguments(node)]
        return reduce(_either, types) if types else UNKNOWN
    if isinstance(node, _ASCII):
        return ASCII
    return UNKNOWN


def resolve(column: exp.Column, tables: Tables) -> ResolvedColumn | None:
    """Return the source of a column; None if it is unknown."""
    return next((found for found in _visible(column) if _has(found, column, tables)), None)


def sources(block: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the tables and subqueries that a query block names."""
    named = [block.this] if not isinstance(block, exp.Select) else []
    from_ = block.args.get("from_")
    using = block.args.get("using") or []
    named += [from_.this] if from_ else []
    named += using if isinstance(using, list) else [using]
    for source in named:
        if isinstance(source, exp.Expr):
            yield source
            yield from (join.this for join in source.args.get("joins") or [])
    yield from (join.this for join in block.args.get("joins") or [])


def _visible(column: exp.Column) -> Iterator[ResolvedColumn]:
    """Yield the sources in scope of a column, the nearest first."""
    depth, in_from = 0, False
    for node in _above(column):
        if isinstance(node, _BLOCKS):
            # The other tables of FROM are not in scope in a subquery of FROM.
            if not in_from:
                yield from (ResolvedColumn(node, source, depth) for source in sources(node))
            depth, in_from = depth + 1, False
        elif isinstance(node, exp.CTE):
            in_from = True
        elif isinstance(node, exp.Subquery) and node.parent is not None:
            in_from |= node.arg_key == "using" or (
                node.arg_key == "this" and isinstance(node.parent, exp.From | exp.Join)
            )


def _has(found: ResolvedColumn, column: exp.Column, tables: Tables) -> bool:
    """Return whether a source has a column; if its columns are unknown, whether it is the only source."""
    if column.table:
        return found.source.alias_or_name.lower() == column.table.lower()
    columns = _columns(found.source, tables)
    if columns is None:
        return len(list(sources(found.block))) == 1
    return column.name.lower() in columns


def _columns(source: exp.Expr, tables: Tables) -> Mapping[str, exp.DataType] | set[str] | None:
    """Return the column names of a source; None if they are unknown."""
    found = _definition(source, tables)
    if isinstance(found, exp.Query):
        if any(item.is_star for item in found.selects):
            return None
        return {item.alias_or_name.lower() for item in found.selects}
    return found


def _definition(source: exp.Expr, tables: Tables) -> Mapping[str, exp.DataType] | exp.Query | None:
    """Return the definition of a source: declared columns, or a query."""
    if isinstance(source, exp.Subquery):
        return source.this if isinstance(source.this, exp.Query) else None
    if not isinstance(source, exp.Table):
        return None
    node = source.parent
    while node is not None:
        with_ = node.args.get("with_")
        for cte in with_.expressions if isinstance(with_, exp.With) and not source.db else []:
            if cte.alias.lower() == source.name.lower() and not any(above is cte for above in _above(source)):
                return cte.this if isinstance(cte.this, exp.Query) else None
        node = node.parent
    return tables.get(_name(source))


def _above(node: exp.Expr) -> Iterator[exp.Expr]:
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent


def _type_of_column(column: exp.Column, tables: Tables, depth: int) -> TypeInfo:
    found = resolve(column, tables)
    if not found:
        return UNKNOWN
    definition = _definition(found.source, tables)
    if isinstance(definition, exp.Query):
        return _type_of_output(definition, column.name.lower(), tables, depth)
    if definition is None or column.name.lower() not in definition:
        return UNKNOWN
    own = isinstance(found.source, exp.Table) and found.source.db.lower() == OWN_SCHEMA
    return _type_of_declaration(definition[column.name.lower()], own=own)


def _type_of_output(query: exp.Query, name: str, tables: Tables, depth: int) -> TypeInfo:
    """Return the inferred type of an output column of a query."""
    if isinstance(query, exp.SetOperation):
        sides = (query.left, query.right)
        types = [_type_of_output(side, name, tables, depth) for side in sides if isinstance(side, exp.Query)]
        return reduce(_either, types) if types else UNKNOWN
    for item in query.selects:
        if item.alias_or_name.lower() == name:
            return type_of(item.unalias(), tables, depth)
    for item in query.selects:
        if item.is_star:
            inner = exp.column(name, table=item.args.get("table") if isinstance(item, exp.Column) else None)
            inner.parent = query
            return type_of(inner, tables, depth)
    return UNKNOWN


def _type_of_declaration(declared_type: exp.DataType, *, own: bool = False) -> TypeInfo:
    if declared_type.this not in (exp.DType.VARCHAR, exp.DType.TEXT, exp.DType.NVARCHAR):
        return TypeInfo(is_text=False, is_date=declared_type.this in _DATES)
    length = length_of(declared_type)
    return TypeInfo(True, length, is_free=not own and (length is None or length >= FREE_TEXT))


def length_of(data_type: exp.DataType) -> int | None:
    """Return the declared length of a VARCHAR; None if it has none."""
    parameter = data_type.expressions[0].this if data_type.expressions else None
    return int(parameter.name) if isinstance(parameter, exp.Literal) and parameter.is_int else None


def _type_of_cast(cast: exp.Cast, tables: Tables, depth: int) -> TypeInfo:
    target = _type_of_declaration(cast.to)
    if not target.is_text:
        return target
    argument = type_of(cast.this, tables, depth)
    lengths = [length for length in (target.length, argument.length) if length is not None]
    return TypeInfo(argument.is_text, min(lengths) if lengths else None, argument.is_free)


def _either(one: TypeInfo, other: TypeInfo) -> TypeInfo:
    lengths = [item.length for item in (one, other) if item.is_text is not False or item.length is not None]
    known = [item.is_text for item in (one, other)]
    return TypeInfo(
        True if True in known else None if None in known else False,
        None if None in lengths or not lengths else max(length for length in lengths if length is not None),
        one.is_free or other.is_free,
        one.is_date or other.is_date,
    )


def _arguments(node: exp.Expr) -> list[exp.Expr]:
    """Return the arguments that determine the type of a function's result."""
    if isinstance(node, exp.Case):
        values = [branch.args["true"] for branch in node.args["ifs"]]
        return [*values, *([node.args["default"]] if node.args.get("default") is not None else [])]
    if isinstance(node, exp.Coalesce):
        return [node.this, *node.expressions]
    return [node.this] if isinstance(node.this, exp.Expr) else []


def _name(table: exp.Expr) -> str:
    schema = table.args.get("db")
    return f"{schema.name}.{table.name}".lower() if schema else table.name.lower()
