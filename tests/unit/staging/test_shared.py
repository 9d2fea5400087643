"""The names of shared landing tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

from sparkify.interval import Interval
from sparkify.staging.periods import PeriodFiles
from sparkify.staging.shared import SharedLandings

if TYPE_CHECKING:
    from sparkify.staging.table import StagingTable

DAY = datetime(2018, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
PERIOD = Interval(DAY, DAY + 24 * HOUR)
FILES = PeriodFiles("new", 1, 100)


class FakeTable:
    """A staging table with known columns."""

    name = "staging_" + 100 * "e"
    format = "FORMAT AS JSON 'auto'"

    def __init__(self, columns: list[str], options: tuple[str, ...] = ()) -> None:
        self.columns = columns
        self.options = options


def name(columns: list[str], files: PeriodFiles = FILES, options: tuple[str, ...] = ()) -> str:
    return SharedLandings(cast("StagingTable", FakeTable(columns, options))).name(PERIOD, files)


def test_the_name_depends_on_all_that_determines_the_rows() -> None:
    names = [
        name(["a", "b"]),
        name(["a", "c"]),
        name(["a", "b"], PeriodFiles("old", 1, 100)),
        name(["a", "b"], options=("GZIP",)),
    ]
    assert len({*names}) == len(names)
    assert all(len(found.removeprefix("operations.")) <= 63 for found in names)
    assert name(["a", "b"]) == names[0]
