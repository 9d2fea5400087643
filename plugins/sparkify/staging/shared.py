"""Landing tables that several runs read, so that the file of a day is not read 24 times to stage its hours.

A run that stages a part of a period that has ended loads the whole files of the period anyway. It keeps their rows in a
table in the schema ``operations``, and the runs of the other parts read that. The name has a hash of the version of the
files and of how they are loaded, so a table has the rows that a run would load itself. It is created and filled in one
transaction: it exists only if it is complete, and of several first runs the others wait, because two transactions
cannot create the same table.

The run that stages the whole period, such as that of a day's last hour, reads the table and drops it. Those of other
orders remain until a later run that creates or drops one finds that they are old, or of a former version. A run that
finds the table gone reads the files itself. Files with rejected rows are not kept: each run reports them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sparkify.sql import predicates, templates

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sparkify.interval import Interval
    from sparkify.staging.periods import PeriodFiles
    from sparkify.staging.table import StagingTable

render = templates.renderer(Path(__file__).parent)

SCHEMA = "operations"
# Tables that no run needs any more because a part of their period is never staged.
UNUSED_AFTER = timedelta(days=1)
# The format of the comment that says when a table was created, UTC; it sorts as text.
_TIME = "%Y-%m-%dT%H:%M:%S"


@dataclass(frozen=True)
class SharedLandings:
    """The shared landing tables of a staging table.

    :param table: the staging table.
    """

    table: StagingTable

    def name(self, period: Interval, files: PeriodFiles) -> str:
        """Return the name of the table for the files of a period, with its schema; at most 63 bytes without it."""
        loaded = [files.version, self.table.format, *self.table.options, *self.table.columns]
        return f"{SCHEMA}.{self._prefix}_{period.start:%Y%m%d%H}_{_hash(loaded)}"

    @property
    def _prefix(self) -> str:
        return f"landed_{_hash([self.table.name])[:8]}"

    def existing(self, names: Collection[str]) -> int:
        """Return how many of some tables exist."""
        if not names:
            return 0
        listed = ", ".join(predicates.text(name.rpartition(".")[2]) for name in names)
        # Not as a part of another query: on Redshift such views of the catalogue cannot be combined with tables.
        # https://docs.aws.amazon.com/redshift/latest/dg/c_join_PG.html
        ((count,),) = self.table.warehouse.query(
            f"SELECT COUNT(*) FROM pg_catalog.pg_tables WHERE schemaname = '{SCHEMA}' AND tablename IN ({listed})"
        )
        return int(count)

    def create(self, name: str) -> None:
        """Create a table, empty; the caller fills it in the same transaction."""
        self.table.warehouse.script(f"CREATE TABLE {name} (LIKE {self.table.name} INCLUDING DEFAULTS)")
        self.table.warehouse.script(f"COMMENT ON TABLE {name} IS '{datetime.now(UTC):{_TIME}}'")

    def drop_unused(self, finished: Iterable[str], created: Collection[str]) -> None:
        """Drop tables that no run needs any more, as part of a transaction that has locked the staging table.

        Among them are those that were left: for former versions of the files of which the run has created one, and for
        runs that have not come within a day.

        :param finished: those that no other run is expected to read.
        :param created: those that the run has created.
        """
        found = self.table.warehouse.query(render("landings", schema=SCHEMA, prefix=self._prefix))
        oldest = f"{datetime.now(UTC) - UNUSED_AFTER:{_TIME}}"
        periods = tuple(name.rpartition("_")[0] for name in created)
        left = {f"{SCHEMA}.{name}": (since or "") < oldest for name, since in found}
        unused = {name for name, is_old in left.items() if is_old or name.startswith(periods)}
        for name in sorted({*finished, *unused} - {*created}):
            self.table.warehouse.script(f"DROP TABLE {name}")


def _hash(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
