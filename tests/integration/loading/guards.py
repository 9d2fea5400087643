"""The guards of the load strategies, and how to remove each of them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import jinja2
import pytest

from sparkify.loading import feed
from sparkify.loading.newest import Newest
from sparkify.sql import templates
from tests.integration.loading.world import AGGREGATES, CHAIN, HISTORY

if TYPE_CHECKING:
    from collections.abc import Iterator


class Guard(NamedTuple):
    """A part of a template that must not be missing.

    :param template: the file's name.
    :param text: the part.
    :param instead: what remains without it.
    """

    template: str
    text: str
    instead: str = ""

    @contextmanager
    def removed(self) -> Iterator[None]:
        """Load tables without it."""
        read = jinja2.FileSystemLoader.get_source

        def without(loader: jinja2.FileSystemLoader, environment: jinja2.Environment, template: str) -> tuple:
            source, *rest = read(loader, environment, template)
            if template == f"{self.template}.sql":
                assert self.text in source, f"{template} does not contain {self.text!r}"
                source = source.replace(self.text, self.instead)
            return source, *rest

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(jinja2.FileSystemLoader, "get_source", without)
            templates.environment.cache_clear()
            yield
        templates.environment.cache_clear()


class Step(NamedTuple):
    """A method or function that must be called.

    :param owner: its class or module.
    :param name: its name.
    """

    owner: object
    name: str

    @contextmanager
    def removed(self) -> Iterator[None]:
        """Load tables without it."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.owner, self.name, lambda *_: None)
            yield


NEVER = "1 = 0"
OF_HISTORY: dict[str, Guard | Step] = {
    "a moment without a span": Guard("take_moments", "{{ table }}.valid_from IS NULL\n", f"{NEVER}\n"),
    "a newer candidate at the beginning of a span": Guard(
        "take_moments", "{{ table }}.row_version < moments.row_version", NEVER
    ),
    "a candidate that disagrees with its span": Guard(
        "take_moments", '{{ spans.differs(table ~ ".", "moments.", tracked) }}', NEVER
    ),
    "a span that has lost its source": Guard("take_moments", "AND moments.row_version IS NULL", f"AND {NEVER}"),
    "a span whose source has an older version": Guard(
        "take_moments", "        AND moments.row_version = {{ table }}.row_version\n"
    ),
    "a span whose source is in another interval": Guard("take_moments", 'keys + ["interval_time"]', "keys"),
    "a span that repeats the one before": Guard(
        "take_moments", 'NOT {{ spans.differs("previous.", table ~ ".", tracked) }}', NEVER
    ),
    "a span of several intervals": Guard(
        "take_moments", "{{ table }}.interval_time < {{ table }}.last_interval_time", NEVER
    ),
    "a value instead of NULL": Guard(
        "_spans", " OR ({{ left }}{{ name }} IS NULL AND {{ right }}{{ name }} IS NOT NULL)"
    ),
    "NULL instead of a value": Guard(
        "_spans", " OR ({{ left }}{{ name }} IS NOT NULL AND {{ right }}{{ name }} IS NULL)"
    ),
    "the first moment begins a span": Guard("_spans", "previous_from IS NULL OR "),
    "a span that remains": Guard("_spans", "{{ is_kept }} = 1 OR "),
    "a span begins where a value changes": Guard("_spans", "begins = 1 AND "),
    "contradictions begin a span": Guard(
        "_spans",
        ') OVER (PARTITION BY {{ partition | join(", ") }}, valid_from) AS begins',
        ') OVER (PARTITION BY {{ partition | join(", ") }}, valid_from, row_version) AS begins',
    ),
    "the newest candidate of a moment counts": Guard(
        "_spans", "valid_from, row_version)", "valid_from, row_version DESC)"
    ),
    "one span of a moment": Guard("_spans", "(next_from > valid_from OR next_from IS NULL)", "1 = 1"),
    "the first interval of a span": Guard("_spans", "MIN(interval_time)", "MAX(interval_time)"),
    "the last interval of a span": Guard("_spans", "MAX({{ last }})", "MIN({{ last }})"),
    "a span remains until its run loads it": Guard(
        "take_spans", "latest.row_version IS NULL OR latest.row_version <> known.row_version", NEVER
    ),
    "a span remains without its candidates": Guard("take_spans", "WHERE remaining.valid_from IS NULL", ""),
    "a window ends at an unchanged span": Guard(
        "take_spans",
        "known.valid_from > changed_moments.valid_from\n            AND known.is_changed = 0",
        "known.valid_from > changed_moments.valid_from",
    ),
    "a window ends after its moment": Guard("take_spans", "known.valid_from > changed_moments.valid_from", "1 = 1"),
    "the span before a window": Guard("take_spans", "known.valid_from < windows.window_start", NEVER),
    "a window's end, when it is read": Guard(
        "take_spans", "AND (source_rows.valid_from <= windows.window_end OR windows.window_end IS NULL)"
    ),
    "a window's end is read": Guard(
        "take_spans", "source_rows.valid_from <= windows.window_end", "source_rows.valid_from < windows.window_end"
    ),
    "the first interval of a span that remains": Guard(
        "take_spans", "latest.first_interval_time < known.interval_time", NEVER
    ),
    "the last interval of a span that remains": Guard(
        "take_spans", "latest.last_interval_time > known.last_interval_time", NEVER
    ),
    "the span before a window is not inserted again": Guard("take_spans", "WHERE valid_from >= window_start;", ";"),
    "a window's start, when its spans are deleted": Guard(
        "merge_spans", "    AND {{ table }}.valid_from >= windows.window_start\n"
    ),
    "a window's end, when its spans are deleted": Guard(
        "merge_spans", "    AND ({{ table }}.valid_from <= windows.window_end OR windows.window_end IS NULL)"
    ),
    "the spans of a window are deleted": Guard(
        "merge_spans", "    AND {{ table }}.valid_from >= windows.window_start\n", f"    AND {NEVER}\n"
    ),
    "candidates of the interval are found": Guard("pending", "select in rows", "select in rows[1:]"),
    "spans that have lost all candidates are found": Guard("pending", "select in rows", "select in rows[::2]"),
    "spans of candidates of several intervals are found": Guard("pending", "select in rows", "select in rows[:2]"),
    "ends move": Guard("move_ends", "{{ table }}.valid_to <> ends.valid_to\n", f"{NEVER}\n"),
    "a current span ends": Guard("move_ends", "({{ table }}.valid_to IS NULL AND ends.valid_to IS NOT NULL)", NEVER),
    "an ended span is current again": Guard(
        "move_ends", "({{ table }}.valid_to IS NOT NULL AND ends.valid_to IS NULL)", NEVER
    ),
    "a span that ends is not current": Guard(
        "move_ends", "CASE WHEN ends.valid_to IS NULL THEN TRUE ELSE FALSE END", "is_current"
    ),
}
OF_AGGREGATES: dict[str, Guard | Step] = {
    "the newest candidate of a key counts": Guard("_macros", "row_version DESC", "row_version"),
    "an older candidate does not count": Guard("drop_unneeded", "{{ table }}.row_version > newest.row_version", NEVER),
    "older candidates are counted": Guard("count_changed", "{{ table }}.row_version > newest.row_version", NEVER),
    "a row that has lost its source": Guard("_lost", "{{ changed }}", NEVER),
    "a row whose candidate is older than it": Guard("_lost", " OR newest.row_version < {{ table }}.row_version", ""),
    "images of deleted rows": Guard("record_changes", "    FROM lost\n", f"    FROM lost WHERE {NEVER}\n"),
    "images of former values": Guard("record_changes", "{{ source }}.row_version <> newest.row_version", NEVER),
    "images of rows outside of the interval": Guard("record_changes", "NOT ({{ owned }})", NEVER),
    "a rebuild is recorded": Step(Newest, "rebuilt"),
    "changes have ascending numbers": Guard("_next_change", "+ 1 AS change_id", "+ 0 AS change_id"),
    "changes are numbered after those that were loaded": Guard(
        "_next_change", "WHERE source_name = '{{ source }}'", f"WHERE {NEVER}"
    ),
    "changes are kept until all aggregates have loaded them": Guard("forget_changes", "MIN(", "MAX("),
    "a rebuild of the source": Guard("pending", "ELSE 'rebuild' END", "ELSE 'none' END"),
    "candidates of the interval are found": Guard("pending", "select in rows", "select in rows[1:]"),
    "rows that have lost all candidates are found": Guard("pending", "select in rows", "select in rows[:1]"),
    "unread changes are found": Guard("pending", "MAX(known.change_id)", "MIN(0)"),
    "groups of the interval": Guard("regroup", "WHERE {{ changed }}", f"WHERE {NEVER}"),
    "groups of the changes": Guard("regroup", "{{ alias }}.change_id > {{ since }}", NEVER),
    "former rows of a group are deleted": Guard(
        "regroup", '{{ macros.match(groups, table, "changed_groups") }}', NEVER
    ),
    "changes that are loaded": Step(feed, "mark_read"),
}
OF_CHAINS: dict[str, Guard | Step] = {
    "recomputed groups": Guard("record_groups", "FROM {{ groups }}", f"FROM {{{{ groups }}}} WHERE {NEVER}"),
    "a rebuild of groups": Guard("record_rebuild", "FROM rebuilt", f"FROM rebuilt WHERE {NEVER}"),
    "groups of the recomputed ones": Guard("regroup", "{{ alias }}.change_id > {{ since }}", NEVER),
    "former rows of a group are deleted": OF_AGGREGATES["former rows of a group are deleted"],
    "changes that are loaded": OF_AGGREGATES["changes that are loaded"],
}
GUARDS: dict[str, tuple[Guard | Step, tuple[str, ...]]] = {
    **{f"history: {name}": (guard, HISTORY) for name, guard in OF_HISTORY.items()},
    **{f"aggregate: {name}": (guard, AGGREGATES) for name, guard in OF_AGGREGATES.items()},
    **{f"aggregate of an aggregate: {name}": (guard, CHAIN) for name, guard in OF_CHAINS.items()},
}
