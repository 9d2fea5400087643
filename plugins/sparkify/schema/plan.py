"""The plan of a schema change: the differences between the DDL and the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sparkify.schema import columns
from sparkify.schema.changes import Change, Kind
from sparkify.schema.definition import DEFINITIONS, recorded
from sparkify.schema.descriptions import describe
from sparkify.sql import predicates
from sparkify.warehouse.catalogue import relations
from sparkify.warehouse.ddl import AUDIT, DdlError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from sqlglot import exp

    from sparkify.warehouse import Warehouse
    from sparkify.warehouse.catalogue import Relation
    from sparkify.warehouse.ddl import Statement, Table

    Declared = Mapping[Statement, Table | None]
    Found = Mapping[str, Relation]

# The encodings of VARCHAR columns whose length cannot be changed.
_FIXED_ENCODINGS = {"BYTEDICT", "RUNLENGTH", "TEXT255", "TEXT32K"}


@dataclass(frozen=True)
class Plan:
    """The changes that bring the catalogue up to date with the DDL.

    :param changes: in the order of their execution.
    :param undeclared: columns of existing tables that the DDL does not declare; they are kept.
    """

    changes: Sequence[Change]
    undeclared: Sequence[str]

    @cached_property
    def pending(self) -> list[Change]:
        """The changes that are not additive: they are applied on request only."""
        return [change for change in self.changes if not change.kind.is_additive]

    @cached_property
    def with_undeclared(self) -> set[str]:
        """The tables with columns that are not declared."""
        return {name.rpartition(".")[0] for name in self.undeclared}

    @cached_property
    def rebuilt(self) -> list[str]:
        """The tables to rebuild."""
        return [change.table for change in self.changes if change.kind is Kind.REBUILD]


def sort_index(table: str) -> str:
    """Return the name of the index that is the table's sort key on PostgreSQL."""
    return f"{table}_sortkey"


def find(warehouse: Warehouse, declared: Declared, others: Collection[str] = ()) -> dict[str, Relation]:
    """Return the declared tables, indexes and views that exist, and the recorded fingerprints of views: two queries.

    :param others: further tables.
    """
    names = {*(item.creates for item in declared if item.creates), *others}
    if warehouse.engine == "postgres":
        names |= {sort_index(table.name) for table in declared.values() if table and table.sort_key}
    found = relations(warehouse, names)
    views = {str(item.creates) for item in declared if item.kind == "VIEW"} & found.keys()
    if views and DEFINITIONS in found and "is_current" in found[DEFINITIONS].columns:
        for item in recorded(warehouse, "ddl", views):
            if item.is_current:
                found[item.table].fingerprint = item.fingerprint
    return found


def compare(declared: Declared, found: Found) -> Plan:
    """Return the plan.

    A table is rebuilt if it differs in what ALTER TABLE cannot change.

    :param declared: the statements of the DDL, each with the table that it creates, if it creates one.
    :param found: the existing tables and indexes.
    :raises DdlError: if the DDL contradicts itself, or Redshift would reject a change.
    """
    changes: list[Change] = []
    undeclared: list[str] = []
    schemas = {name.partition(".")[0] for name in found if "." in name}
    dropped = _dropped(declared)
    for statement, table in declared.items():
        if statement.drops:
            continue
        if statement.kind == "VIEW":
            changes += _of_view(statement, found.get(str(statement.creates)))
        elif statement.creates not in found and statement.creates not in schemas:
            what = f"create {statement.kind.lower()} {statement.creates}" if statement.creates else statement.sql
            kind = Kind.CREATE if statement.creates else Kind.EXECUTE
            changes.append(Change(kind, table.name if table else "", what.partition("\n")[0], statement.sql))
            changes += comments(statement, table, None)
        elif table:
            existing = found[table.name]
            differences = list(_of_table(statement, table, existing, found))
            rebuilds = [change for change in differences if change.kind is Kind.REBUILD]
            changes += [change for change in differences if change.kind is not Kind.REBUILD]
            changes += [_united(rebuilds)] if rebuilds else []
            for name in existing.columns:
                if (table.name, name) in dropped:
                    changes.append(_drop(table, name, dropped[table.name, name]))
                elif name not in table.definitions:
                    undeclared.append(f"{table.name}.{name}")
            changes += comments(statement, table, existing)
    order = list(Kind)
    return Plan(sorted(changes, key=lambda change: order.index(change.kind)), undeclared)


def _of_view(statement: Statement, existing: Relation | None) -> list[Change]:
    name = str(statement.creates)
    if existing is None or existing.fingerprint != statement.fingerprint:
        verb = "replace" if existing else "create"
        return [Change(Kind.VIEW, name, f"{verb} view {name}", statement.sql)]
    return comments(statement, None, existing)


def _united(rebuilds: Sequence[Change]) -> Change:
    """Return one rebuild of a table for several differences."""
    what = "; ".join(change.what for change in rebuilds)
    return Change(Kind.REBUILD, rebuilds[0].table, what, is_blocking=any(change.is_blocking for change in rebuilds))


def _dropped(declared: Declared) -> dict[tuple[str, str], Statement]:
    """Return the columns that the DDL drops explicitly."""
    tables = {table.name: table for table in declared.values() if table}
    found = {statement.drops: statement for statement in declared if statement.drops}
    for (name, column), statement in found.items():
        if name in tables and column in tables[name].definitions:
            raise DdlError(
                f"{statement.where}: the column {column} is dropped, and declared in CREATE TABLE {name}; "
                "delete one of the two."
            )
    return found


def _drop(table: Table, column: str, statement: Statement) -> Change:
    if column in table.primary_key or column in table.sort_key or table.distribution == f"KEY ({column})":
        raise DdlError(f"{statement.where}: Redshift cannot drop {column}: it is a key of {table.name}.")
    return Change(Kind.DROP, table.name, f"drop the column {column}", f"ALTER TABLE {table.name} DROP COLUMN {column}")


def _of_table(statement: Statement, table: Table, existing: Relation, found: Found) -> Iterator[Change]:
    for name, definition in table.definitions.items():
        if name in existing.columns:
            yield from _of_column(table, name, definition, existing)
        elif reason := _why_not_added(definition):
            place = statement.place(definition.this.meta.get("line", 1))
            yield Change(Kind.REBUILD, table.name, f"add the column {name}, {reason} ({place})", is_blocking=True)
        else:
            text = _added(definition)
            yield Change(Kind.ADD, table.name, f"add the column {text}", f"ALTER TABLE {table.name} ADD COLUMN {text}")
    if table.primary_key != existing.primary_key:
        yield Change(Kind.REBUILD, table.name, f"primary key {_listed(existing.primary_key, table.primary_key)}")
    audit = [name for name in existing.columns if name in AUDIT and name in table.definitions]
    if audit != (declared := [name for name in table.definitions if name in audit]):
        yield Change(Kind.REBUILD, table.name, f"order of the audit columns {_listed(audit, declared)}")
    yield from _of_keys(table, existing, found)


def _added(definition: exp.ColumnDef) -> str:
    """Return the definition of a column with its constraints in the order of ADD COLUMN: DEFAULT, ENCODE, NOT NULL."""
    from sqlglot import exp

    order = (exp.DefaultColumnConstraint, exp.EncodeColumnConstraint, exp.NotNullColumnConstraint)
    constraints = [item for kind in order for item in definition.constraints if isinstance(item.kind, kind)]
    return exp.ColumnDef(this=definition.this.copy(), kind=definition.kind, constraints=constraints).sql(
        "redshift", comments=False
    )


def _is_required(definition: exp.ColumnDef) -> bool:
    """Return whether a column is declared NOT NULL; the parser has one class for NULL and NOT NULL."""
    from sqlglot import exp

    found = columns.constraint(definition, exp.NotNullColumnConstraint)
    return bool(found and not found.args.get("allow_null"))


def _why_not_added(definition: exp.ColumnDef) -> str:
    """Return why ALTER TABLE cannot add a column; empty if it can."""
    from sqlglot import exp

    allowed = (exp.NotNullColumnConstraint, exp.DefaultColumnConstraint, exp.EncodeColumnConstraint)
    for constraint in definition.constraints:
        if not isinstance(constraint.kind, allowed):
            return f"which is {constraint.sql('redshift')}"
    if _is_required(definition) and not columns.constraint(definition, exp.DefaultColumnConstraint):
        return "NOT NULL without a DEFAULT"
    return ""


def _of_column(table: Table, name: str, definition: exp.ColumnDef, existing: Relation) -> Iterator[Change]:
    from sqlglot import exp

    column = existing.columns[name]
    declared, current = columns.type_of(definition), columns.found_type(column)
    if not columns.same_type(declared, current):
        what = f"type of {name} {current.sql('redshift')} -> {declared.sql('redshift')}"
        longer = (columns.length_of(declared) or 0) > (columns.length_of(current) or 65_536)
        encoding = columns.constraint(definition, exp.EncodeColumnConstraint)
        if longer and not (
            column.default
            or name in existing.primary_key
            or (encoding and encoding.this.name.upper() in _FIXED_ENCODINGS)
        ):
            sql = f"ALTER TABLE {table.name} ALTER COLUMN {name} TYPE {declared.sql('redshift')}"
            yield Change(Kind.WIDEN, table.name, what, sql)
        else:
            yield Change(Kind.REBUILD, table.name, what)
    required = _is_required(definition) or name in table.primary_key
    if required != column.is_required:
        yield Change(Kind.REBUILD, table.name, f"{name} {'NOT NULL' if required else 'allows NULL'}")
    if columns.default_of(definition) != columns.found_default(column):
        yield Change(Kind.REBUILD, table.name, f"default of {name}")


def _of_keys(table: Table, existing: Relation, found: Found) -> Iterator[Change]:
    """Yield the changes of the sort key and the distribution. What the DDL does not declare, the database chooses."""
    current = existing.sort_key
    if current is None:  # PostgreSQL: an index, unless the primary key begins with the same columns
        index = found.get(sort_index(table.name))
        is_primary_key = table.sort_key == table.primary_key[: len(table.sort_key)]
        current = table.sort_key if is_primary_key else list(index.columns if index else ())
    if table.sort_key and table.sort_key != current:
        sql = f"ALTER TABLE {table.name} ALTER SORTKEY ({', '.join(table.sort_key)})"
        if existing.sort_key is None and not current:  # it is missing while an empty table is filled
            yield Change(Kind.CREATE, "", f"create index {sort_index(table.name)}", sql)
        else:
            yield Change(Kind.KEYS, table.name, f"sort key {_listed(current, table.sort_key)}", sql)
    if table.distribution and existing.distribution and table.distribution != existing.distribution:
        style = table.distribution.replace("KEY (", "KEY DISTKEY ").rstrip(")")
        what = f"distribution {existing.distribution} -> {table.distribution}"
        yield Change(Kind.KEYS, table.name, what, f"ALTER TABLE {table.name} ALTER DISTSTYLE {style}")


def comments(statement: Statement, table: Table | None, existing: Relation | None) -> list[Change]:
    """Return the change of the descriptions of a table and its columns, or of a view, if there is any.

    :param existing: the existing table; None for a new one.
    """
    if statement.kind not in ("TABLE", "VIEW"):
        return []
    of_table, of_columns = describe(statement)
    found = existing.columns if existing else {}
    texts = {f"{statement.kind} {statement.creates}": of_table.comment} if of_table else {}
    texts = {target: text for target, text in texts.items() if existing is None or existing.comment != text}
    texts |= {
        f"COLUMN {statement.creates}.{name}": description.comment
        for name, description in of_columns.items()
        if (name not in found or found[name].comment != description.comment)
        # A column that a rebuild adds is described by it.
        and not (table and existing and name not in found and _why_not_added(table.definitions[name]))
    }
    if not texts:
        return []
    sql = ";\n".join(f"COMMENT ON {target} IS {predicates.text(text)}" for target, text in texts.items())
    what = f"describe {next(iter(texts)).lower()}" + (f" and {len(texts) - 1} more" if len(texts) > 1 else "")
    return [Change(Kind.COMMENT, str(statement.creates), what, sql)]


def _listed(before: Sequence[str], after: Sequence[str]) -> str:
    return f"({', '.join(before)}) -> ({', '.join(after)})"
