"""Load an aggregate table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparkify.loading.aggregate import Aggregate
from sparkify.operators.load import LoadOperator

if TYPE_CHECKING:
    from sparkify.loading.strategy import Strategy


class LoadAggregateOperator(LoadOperator):
    """Recompute the groups of a table whose source rows have changed, and no others, in one transaction.

    ``sql`` returns the rows of the table, grouped from ``facts``, a table that LoadFactOperator loads with ``changes``,
    or this operator with ``own_changes``: months of days are cheaper than months of events.
    In its WHERE clause it calls ``{{ scope("f.interval_time", day="f.day") }}``: the columns that form a group, with
    the expressions for them, which use one table by one name. A group may have several rows. An aggregate has no
    ``interval_time``: name any column of it instead.

    ``merge`` recomputes the groups with facts in the run's interval, and those whose facts a load of another interval
    has changed, before and after: a withdrawn event, or one that a later delivery has moved to another day.

    See :class:`~sparkify.operators.load.LoadOperator` for the other parameters.

    :param facts: the table that is aggregated.
    :param changes: the table of its changes, see :class:`~sparkify.operators.load_fact.LoadFactOperator`.
    :param own_changes: the table of the changes of ``table``: the columns of its scope, and ``change_id``, a BIGINT;
        None if nothing is aggregated from ``table``.
    """

    ui_color = "#f5dcb8"

    def __init__(self, *, facts: str, changes: str, own_changes: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._facts = facts
        self._changes = changes
        self._own_changes = own_changes

    @property
    def strategy(self) -> Strategy:
        return Aggregate(self._facts, self._changes, self._own_changes)
