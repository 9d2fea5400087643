"""Load a dimension table."""

from __future__ import annotations

from sparkify.operators.load import LoadOperator


class LoadDimensionOperator(LoadOperator):
    """Upsert changed rows into a dimension, or rebuild it, in one transaction.

    A value is only overwritten by a later one, so that reloading an old hour changes nothing newer. See
    :class:`~sparkify.operators.load.LoadOperator` for the parameters.
    """

    ui_color = "#cdebd0"
