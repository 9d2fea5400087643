"""What a run has read of the files of an interval: landing tables, with versions, rejected rows and sampled fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from sparkify.sql import predicates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sparkify.interval import Interval
    from sparkify.staging.periods import PeriodFiles
    from sparkify.staging.sampling import SampledField
    from sparkify.warehouse import RejectedRow


class LandingTable(NamedTuple):
    """A table with all rows of the files of one period; its fields are SQL."""

    name: str
    period: str
    start: str
    end: str
    last: str

    @classmethod
    def of(cls, name: str, period: Interval) -> LandingTable:
        return cls(
            name=name,
            period=str(period),
            start=predicates.literal(period.start),
            end=predicates.literal(period.end),
            last=predicates.literal(period.end - timedelta(microseconds=1)),
        )


@dataclass
class LandedFiles:
    """The files of an interval, loaded into landing tables.

    :param files: the files of each period, by its start.
    :param tables: the landing tables.
    :param shared: the names of those that other runs read, too.
    :param created: those of them that this run has created.
    :param is_last: whether the run stages a period that has ended as a whole: no other run is expected to read it.
    :param rows: number of rows that the run has copied.
    :param rejected: number of rejected rows.
    :param rejects: the reported rejected rows, by the start of the period of their file.
    :param empty: number of files without rows.
    :param fields: the sampled fields, by the start of the period; only of periods whose files have changed.
    """

    files: dict[datetime, PeriodFiles] = field(default_factory=dict)
    tables: list[LandingTable] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    is_last: bool = False
    rows: int = 0
    rejected: int = 0
    rejects: dict[datetime, Sequence[RejectedRow]] = field(default_factory=dict)
    empty: int = 0
    fields: dict[datetime, list[SampledField]] = field(default_factory=dict)
