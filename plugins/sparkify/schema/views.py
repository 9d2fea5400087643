"""The declared views: they are dropped while their tables change, and created again in the same transaction.

Views are bound to their tables: Redshift's late-binding views need a schema for each table, and PostgreSQL has none.
CREATE OR REPLACE VIEW cannot change columns on either engine.
https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html,
https://www.postgresql.org/docs/current/sql-createview.html
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sparkify.schema.plan import comments
from sparkify.warehouse import WarehouseError
from sparkify.warehouse.catalogue import grants, relations
from sparkify.warehouse.errors import sqlstate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from sparkify.schema.plan import Declared
    from sparkify.warehouse import Warehouse
    from sparkify.warehouse.ddl import Statement

# SQLSTATE of a DROP of a table or view with dependent objects.
_DEPENDENTS = "2BP01"


def dependent(declared: Declared, names: Collection[str]) -> list[Statement]:
    """Return the declared views that are named, or read one of the names, directly or through views.

    :param declared: the statements of the DDL; views follow those that they read.
    :param names: tables and views.
    """
    affected = set(names)
    found = []
    for statement in declared:
        if statement.kind == "VIEW" and (statement.creates in affected or statement.reads & affected):
            affected.add(str(statement.creates))
            found.append(statement)
    return found


def drop(warehouse: Warehouse, views: Sequence[Statement]) -> dict[str, list[str]]:
    """Drop views; return the statements that grant their privileges, by view. The caller commits.

    :param views: in the order of :func:`dependent`.
    :raises WarehouseError: if other objects depend on them.
    """
    names = [str(view.creates) for view in views]
    found = relations(warehouse, names)
    privileges = {name: grants(warehouse, name) for name in names if name in found}
    for name in reversed(privileges):
        with without_dependents(f"The view {name} cannot be replaced"):
            warehouse.script(f"DROP VIEW {name}", level=logging.DEBUG)
    return privileges


def create(warehouse: Warehouse, views: Sequence[Statement], privileges: Mapping[str, Sequence[str]]) -> None:
    """Create views, with their descriptions and privileges. The caller commits.

    :param views: in the order of :func:`dependent`.
    :param privileges: what :func:`drop` has returned.
    """
    for view in views:
        warehouse.script(view.sql)
        for statement in (
            *(change.sql for change in comments(view, None, None)),
            *privileges.get(str(view.creates), ()),
        ):
            warehouse.script(statement, level=logging.DEBUG)


@contextmanager
def dropped(warehouse: Warehouse, views: Sequence[Statement]) -> Iterator[None]:
    """Drop views before the block, and create them again after it, in the transaction of the caller."""
    privileges = drop(warehouse, views)
    yield
    create(warehouse, views, privileges)


@contextmanager
def without_dependents(problem: str) -> Iterator[None]:
    """Explain the error of a statement that fails because other objects depend on a table or view.

    :param problem: what was not done, to which object.
    """
    try:
        yield
    except Exception as error:
        if sqlstate(error) != _DEPENDENTS:
            raise
        raise WarehouseError(
            f"{problem}, because other objects depend on it: "
            f"{getattr(getattr(error, 'diag', None), 'message_detail', None) or error}. Nothing was changed. Drop "
            "these views and create them again after this run; on Redshift, WITH NO SCHEMA BINDING.",
            terminal=True,
        ) from None
