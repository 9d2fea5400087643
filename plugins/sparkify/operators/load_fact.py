"""Load a fact table."""

from __future__ import annotations

from sparkify.operators.load import LoadOperator


class LoadFactOperator(LoadOperator):
    """Replace the facts of the run's interval, in one transaction.

    A fact belongs to the interval that delivered it. Deliveries of one fact in several intervals, or several times in
    one, leave one row. See :class:`~sparkify.operators.load.LoadOperator` for the parameters.
    """

    ui_color = "#c3d9f7"
