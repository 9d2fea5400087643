"""Histories and aggregates break if any one guard of their strategies is removed."""

from __future__ import annotations

import psycopg
import pytest

from tests.integration.loading.guards import GUARDS
from tests.integration.loading.histories import CHAINS, GROUPS, SPANS
from tests.integration.loading.world import AGGREGATES, CHAIN, HISTORY, Play, World

HISTORIES = {HISTORY: SPANS, AGGREGATES: GROUPS, CHAIN: CHAINS}
# The tables that are aggregated, and from which all aggregates are loaded.
SOURCES = {HISTORY: (), AGGREGATES: ("facts",), CHAIN: ("hours",)}


def is_exact(world: World, play: Play, tables: tuple[str, ...]) -> bool:
    """Return whether a history of runs leaves the tables of its source, and no unread changes."""
    try:
        world.play(play, tables)
    except psycopg.Error:  # a row is inserted twice
        world.reset()
        return False
    return world.actual(tables) == world.expected(tables) and not world.unread(*SOURCES[tables])


@pytest.mark.parametrize(
    ("tables", "name"), [(tables, name) for tables, plays in HISTORIES.items() for name in plays], ids=str
)
def test_a_history_is_exact(tables: tuple[str, ...], name: str, world: World) -> None:
    world.play(HISTORIES[tables][name], tables)
    assert world.actual(tables) == world.expected(tables)
    assert world.unread(*SOURCES[tables]) == 0


@pytest.mark.parametrize("name", GUARDS)
def test_without_a_guard_a_history_differs(name: str, world: World) -> None:
    guard, tables = GUARDS[name]
    with guard.removed():
        assert not all(is_exact(world, play, tables) for play in HISTORIES[tables].values())


def test_loaded_changes_are_forgotten(world: World) -> None:
    """The next load that records changes deletes those that all aggregates have loaded."""
    first = GROUPS["a row that moves to another hour"]
    world.play(first._replace(runs=(*first.runs, *first.runs), order=(*first.order, *[2] * 4, *[3] * 4)), AGGREGATES)
    assert world.kept() == 1


def test_the_mark_of_a_run_that_loaded_less_does_not_replace_that_of_another(world: World) -> None:
    """Each records its mark after the commit, so the run that has loaded less may be the later one."""
    assert [world.mark(*numbers) for numbers in ([5, 7], [6], [6, 8])] == [7, 7, 8]
