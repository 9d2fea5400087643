"""The feed of changes: tells aggregates which rows of their source a load has changed.

An aggregate recomputes the groups of its run's interval. Other groups change, too: those of a row's former values, and
those of rows in other intervals, such as an event that a later delivery has moved to another day. The load of the
source records both, as images of the rows before and after, in the transaction that changes them. Usually there are
none.

An aggregate that is itself aggregated records all groups that it has recomputed: it has no intervals.

The table of images has the columns that groups are formed of, and ``change_id``, which increases with each load that
records some. ``operations.loaded_changes`` has the last one that each aggregate has loaded, and for the source itself
that of its latest rebuild, after which all aggregates are rebuilt.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sparkify.loading.strategy import render
from sparkify.sql import predicates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparkify.loading.strategy import Target
    from sparkify.warehouse import Warehouse

log = logging.getLogger(__name__)

# The column of a table of images by which they are ordered.
CHANGE = "change_id"
# What each aggregate has loaded.
MARKS = "operations.loaded_changes"


def record(target: Target, changes: str, columns: Sequence[str], *, lost: bool) -> None:
    """Record the images of the rows that a load is about to change; the caller commits.

    The session has the temporary tables of the load: ``newest``, the rows to merge, and ``lost``, the deleted rows.

    :param target: the table that is loaded; the rows of its interval need no image.
    :param changes: the table of images.
    :param columns: its columns.
    :param lost: whether rows were deleted.
    """
    names = {
        "source": target.table,
        "changes": changes,
        "keys": list(target.keys),
        "columns": [name for name in columns if name != CHANGE],
        "owned": predicates.OfInterval(target.interval)("newest.interval_time"),
        "lost": lost,
    }
    if rows := target.warehouse.script(render("record_changes", **names)):
        log.info("Images of changed rows for aggregates: table=%s rows=%d", target.table, rows)
        target.warehouse.script(render("forget_changes", **names))


def record_groups(warehouse: Warehouse, source: str, changes: str, groups: str, columns: Sequence[str]) -> None:
    """Record the groups that a load has recomputed; the caller commits.

    :param source: the aggregate.
    :param changes: its table of images.
    :param groups: the temporary table with the groups.
    :param columns: the columns of the groups.
    """
    names = {"source": source, "changes": changes, "columns": list(columns), "groups": groups}
    if warehouse.script(render("record_groups", **names)):
        warehouse.script(render("forget_changes", **names))


def record_rebuild(warehouse: Warehouse, source: str, changes: str) -> None:
    """Record that all rows of a source may have changed; the caller commits."""
    warehouse.script(render("record_rebuild", source=source, changes=changes))


def mark_read(warehouse: Warehouse, table: str, source: str, until: int) -> None:
    """Record the changes that an aggregate has loaded, once the caller has committed.

    All aggregates share the table of marks, and run side by side. If the session is lost before, the next run loads the
    same changes again. A concurrent run may have loaded more; then its mark remains.
    """
    mark = render("mark_changes", table=table, source=source, until=until)
    warehouse.after_commit(lambda: warehouse.script(mark), lock=[MARKS])
