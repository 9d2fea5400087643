"""Load a dimension table."""

from __future__ import annotations

from sparkify.operators.load import LoadOperator


class LoadDimensionOperator(LoadOperator):
    """Merge what changed into a dimension, or rebuild it, in one transaction.

    A value is overwritten by a later one only, so that loading an old hour today does no harm.
    See :class:`~sparkify.operators.load.LoadOperator` for the parameters.
    """

    ui_color = "#cdebd0"
