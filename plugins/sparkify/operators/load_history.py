"""Load a history table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkify.loading.history import History
from sparkify.operators.load import LoadOperator

if TYPE_CHECKING:
    from sparkify.loading.strategy import Strategy


class LoadHistoryOperator(LoadOperator):
    """Load the spans of time in which attributes held, in one transaction (slowly changing dimension, type 2).

    The table has the columns of ``sql``, and ``valid_to`` and ``is_current``, which are computed. ``sql`` returns what
    an entity was at a moment, the column ``valid_from``; ``keys`` are the columns of the entity and ``valid_from``. Of
    several candidates at one moment the newest counts (``row_version``). All columns but the keys and the audit columns
    ``interval_time`` and ``row_version`` are tracked; NULL is a value like any other.

    A span lasts from ``valid_from`` (inclusive) to ``valid_to`` (exclusive; NULL if it has not ended; ``is_current`` is
    true then). An entity has no gaps and no overlaps from its first moment on. An interval that is loaded late splits,
    joins or moves the neighbouring spans, and withdrawn rows undo that: any order of runs results in the same spans.

    ``merge`` reads the run's interval, and the source only from a moment at which the spans disagree with it up to the
    next span. For that to be fast, let ``sql`` be a plain SELECT of the source, without joins and grouping.

    See :class:`~sparkify.operators.load.LoadOperator` for the parameters.
    """

    ui_color = "#d9cdf0"

    @property
    def strategy(self) -> Strategy:
        return History()
