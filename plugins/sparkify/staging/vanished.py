"""Files that have vanished from S3 although their rows are staged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sparkify.interval import Interval

# How many periods or objects the message names.
SHOWN = 5


class VanishedFilesError(AirflowFailException):
    """Rows would be deleted because their files have vanished; nothing was changed."""

    @classmethod
    def of_periods(
        cls, table: str, source: str, interval: Interval, rows: Mapping[datetime, int]
    ) -> VanishedFilesError:
        """Return the error for periods of files.

        :param table: the staging table.
        :param source: URL of the files, with the pattern of their keys.
        :param interval: the interval of the run.
        :param rows: the number of staged rows by the start of the period, in order.
        """
        named = [f"{start:%Y-%m-%d %H:%M} ({count:,} rows)" for start, count in rows.items()]
        start, end = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (interval.start, interval.end))
        return cls(
            f"The files of {_named(named)} have vanished: {table} has their rows, but {source} has no object. "
            f"Nothing of {interval} was changed.\n"
            "If the files were deleted by mistake, restore them and clear the task. If they have expired, the rows are "
            f"kept: nothing needs to be done. To delete the rows, trigger the DAG with start={start}, end={end} and "
            "accept_vanished; clearing the task cannot change params."
        )

    @classmethod
    def of_objects(cls, table: str, source: str, keys: Sequence[str], staged: int, share: float) -> VanishedFilesError:
        """Return the error for objects.

        :param table: the staging table.
        :param source: URL of the objects' prefix.
        :param keys: those that have vanished.
        :param staged: the number of staged objects.
        :param share: the largest accepted share of them.
        """
        return cls(
            f"{len(keys):,} of {staged:,} staged objects have vanished from {source}, more than {share:.0%}: "
            f"{_named(keys)}. Nothing was changed.\n"
            f"If they were deleted by mistake, restore them and clear the task. To delete their rows from {table}, "
            "trigger the DAG with accept_vanished; clearing the task cannot change params."
        )


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
