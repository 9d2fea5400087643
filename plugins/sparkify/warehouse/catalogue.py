"""Queries of the database's catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkify.sql import templates

if TYPE_CHECKING:
    from collections.abc import Collection

    from sparkify.warehouse import Warehouse

render = templates.renderer(Path(__file__).parent)


# Redshift's codes of distribution styles in pg_class.
_DISTRIBUTIONS = {0: "EVEN", 1: "KEY", 8: "ALL", 9: "AUTO"}


@dataclass(frozen=True)
class Column:
    """A column of an existing table or index.

    :param type: as the database formats it: ``character varying(32)``.
    :param is_required: whether it is NOT NULL.
    :param default: the expression of its DEFAULT; None without one.
    :param comment: None without one.
    """

    type: str
    is_required: bool
    default: str | None
    comment: str | None


@dataclass
class Relation:
    """An existing table, view or PostgreSQL index.

    :param rows: the planner's estimate.
    :param comment: None without one.
    :param primary_key: its columns.
    :param columns: by name, in order.
    :param distribution: ``EVEN``, ``ALL``, ``AUTO`` or ``KEY (column)``; empty on PostgreSQL.
    :param sort_key: the columns of the sort key; None on PostgreSQL, where it is an index.
    :param fingerprint: of a declared view, when it was created; empty if unknown.
    """

    rows: int
    comment: str | None
    primary_key: list[str]
    columns: dict[str, Column]
    distribution: str = ""
    sort_key: list[str] | None = None
    fingerprint: str = ""


def relations(warehouse: Warehouse, names: Collection[str]) -> dict[str, Relation]:
    """Return the tables, views and PostgreSQL indexes that exist.

    :param names: the names to look up: ``songs`` in the session's own schema, ``operations.staged_objects``.
    """
    if not names:
        return {}
    found: dict[str, Relation] = {}
    last_parts = sorted({name.rpartition(".")[2] for name in names})
    rows = warehouse.query(render("relations", names=last_parts, engine=warehouse.engine))
    for (schema, name, is_current), columns in groupby(sorted(rows, key=itemgetter(0, 1)), key=itemgetter(0, 1, 2)):
        relation = _relation(list(columns))
        found.update(dict.fromkeys([f"{schema}.{name}", *([name] if is_current else [])], relation))
    return {name: relation for name, relation in found.items() if name in names}


def _relation(rows: list[tuple[Any, ...]]) -> Relation:
    """Return a relation; ``rows`` are its columns, in order."""
    count, comment, key, *_ = rows[0][3:]
    relation = Relation(
        max(count, 0),
        comment,
        [name.strip('" ') for name in key[key.index("(") + 1 : key.rindex(")")].split(",")] if key else [],
        {name: Column(kind, required, default, note) for *_, name, kind, required, note, default, _, _, _ in rows},
    )
    style = rows[0][-3]
    if style is not None:
        dist_keys = [row[6] for row in rows if row[-2]]
        relation.distribution = f"KEY ({dist_keys[0]})" if dist_keys else _DISTRIBUTIONS.get(style, str(style))
        in_key = sorted((abs(row[-1]), row[6]) for row in rows if row[-1])
        relation.sort_key = [name for _, name in in_key]
    return relation


def grants(warehouse: Warehouse, table: str) -> list[str]:
    """Return the GRANT statements that give other users their privileges on a table.

    https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_RELATION_PRIVILEGES.html
    """
    schema = table.rpartition(".")[0]
    if not schema:
        ((schema,),) = warehouse.query("SELECT CURRENT_SCHEMA()")
    found = []
    for privilege, name, kind, may_grant in warehouse.query(
        render("privileges", table=table, schema=schema, engine=warehouse.engine)
    ):
        quoted = '"' + name.replace('"', '""') + '"'
        grantee = {"public": "PUBLIC", "group": f"GROUP {quoted}"}.get(kind, quoted)
        if kind == "role" and warehouse.engine == "redshift":
            grantee = f"ROLE {quoted}"
        found.append(f"GRANT {privilege} ON {table} TO {grantee}{' WITH GRANT OPTION' if may_grant else ''}")
    return found
