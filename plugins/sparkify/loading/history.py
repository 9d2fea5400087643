"""Histories: the spans of time in which attributes held (slowly changing dimensions of type 2)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar

from sparkify.loading.pending import Sources
from sparkify.loading.strategy import Strategy, render
from sparkify.sql import predicates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparkify.loading.pending import Pending
    from sparkify.loading.strategy import Target

log = logging.getLogger(__name__)

# The columns of a span: inclusive, exclusive (NULL if the span has not ended), and whether it has not ended.
FROM, TO, CURRENT = "valid_from", "valid_to", "is_current"
# The audit columns of the candidates at its beginning: the first and the last of their intervals.
FIRST, LAST = "interval_time", "last_interval_time"


class History(Strategy):
    """Keep the spans in which the tracked attributes of an entity held, without gaps and overlaps.

    A candidate says which values an entity has at a moment, ``valid_from``; of several candidates at the same moment,
    the newest counts. A span begins at the entity's first moment, and at each moment whose values differ from those
    before. It ends where the next one begins. Where candidates of the same moment contradict each other, a span begins,
    too, even if the newest of them says what held before.

    The keys are the columns of the entity and ``valid_from``. All other columns that the SELECT returns are tracked,
    except the audit columns.
    """

    computed: ClassVar[Sequence[str]] = (TO, CURRENT, LAST)

    def rows(self, keys: Sequence[str], columns: Sequence[str], select: str) -> str:
        return render("history", **_names("", keys, columns), select=select)

    def sources(self, target: Target) -> Sources:
        owned = predicates.OfInterval(target.interval)
        start, end = map(predicates.literal, (target.interval.start, target.interval.end))
        beginning = f"SELECT 1 FROM {target.table} WHERE {owned(FIRST)}"
        spread = f"SELECT 1 FROM {target.table} WHERE {FIRST} < {LAST} AND {FIRST} < {end} AND {LAST} >= {start}"
        return Sources(rows=[target.select(owned), beginning, spread])

    def merge(self, target: Target, found: Pending) -> int:
        """Correct the spans from each changed moment up to the next change.

        Most moments agree with the spans as they are. The others, and the spans that have lost their source, are the
        only ones whose surroundings are read.
        """
        warehouse, table = target.warehouse, target.table
        owned = predicates.OfInterval(target.interval)
        select = target.select(owned)
        names = _names(table, target.keys, self.columns(target, select)[0])
        warehouse.script(
            render(
                "take_moments",
                **names,
                select=select,
                owned=owned(f"{table}.{FIRST}"),
                start=predicates.literal(target.interval.start),
                end=predicates.literal(target.interval.end),
            )
        )
        ((changed,),) = warehouse.query("SELECT COUNT(*) FROM changed_moments")
        if not changed:
            return 0
        log.info("Spans begin, end or move: table=%s moments=%d", table, changed)
        everything = target.select(predicates.everything)
        warehouse.script(render("take_spans", **names, select=everything))
        rows = warehouse.script(render("merge_spans", **names))
        warehouse.script(render("move_ends", **names))
        return rows


def _names(table: str, keys: Sequence[str], columns: Sequence[str]) -> dict[str, Any]:
    from sparkify.warehouse.ddl import AUDIT  # imports sqlparse, which parsing a DAG must not

    return {
        "table": table,
        "keys": list(keys),
        "entity": [name for name in keys if name != FROM],
        "columns": list(columns),
        "values": [name for name in columns if name != FIRST],
        "tracked": [name for name in columns if name not in (*keys, *AUDIT)],
    }
