"""The staging table, and COPY into landing tables: temporary tables of the same structure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparkify.warehouse import CopyResult, Warehouse


@dataclass(frozen=True)
class StagingTable:
    """A staging table.

    :param warehouse: the session.
    :param name: its name.
    :param partition_column: its audit column by which rows are replaced; not part of the files.
    :param format: COPY's data format, such as ``FORMAT AS JSON 'auto'``.
    :param options: further options of COPY.
    """

    warehouse: Warehouse
    name: str
    partition_column: str
    format: str
    options: Sequence[str]

    @cached_property
    def columns(self) -> list[str]:
        """The columns that the files fill.

        :raises AirflowFailException: if the table has no partition column.
        """
        columns = self.warehouse.columns(self.name)
        if self.partition_column not in columns:
            raise AirflowFailException(
                f"The staging table {self.name} has no column {self.partition_column}, which determines "
                "the run that owns a row. Add it to the table's DDL."
            )
        return [column for column in columns if column != self.partition_column]

    def land(self, landing: str, source: str, max_errors: int, *options: str, exists: bool = False) -> CopyResult:
        """COPY into a new landing table.

        :param landing: its name.
        :param exists: whether it was created already; otherwise it is a temporary table.
        :param source: URI of a key prefix or of a manifest.
        :param max_errors: rows that COPY may reject.
        :raises CopyFailedError: if it rejects more, or cannot read the source.
        """
        if not exists:
            self.warehouse.script(f"CREATE TEMP TABLE {landing} (LIKE {self.name} INCLUDING DEFAULTS)")
        # COPY fails as soon as the number of errors reaches MAXERROR.
        options = (*options, self.format, f"MAXERROR {max_errors + 1}", *self.options)
        return self.warehouse.copy(f"{landing} ({', '.join(self.columns)})", source, options)
