"""Histories and aggregates are exact under any interleaving of runs."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, given, settings

from tests.integration.loading.world import AGGREGATES, CHAIN, HISTORY, Play, World, plays

EXAMPLES = int(os.environ.get("INTERLEAVING_EXAMPLES", "40"))
SETTINGS = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SETTINGS
@given(play=plays(HISTORY))
def test_any_interleaving_leaves_the_spans_of_the_source(play: Play, world: World) -> None:
    world.play(play, HISTORY)
    assert world.actual(HISTORY) == world.expected(HISTORY)


@SETTINGS
@given(play=plays(AGGREGATES, most=3))
def test_any_interleaving_leaves_the_groups_of_the_source(play: Play, world: World) -> None:
    world.play(play, AGGREGATES)
    assert world.actual(AGGREGATES) == world.expected(AGGREGATES)
    assert world.unread("facts") == 0


@SETTINGS
@given(play=plays(CHAIN, most=3))
def test_any_interleaving_leaves_the_groups_of_groups(play: Play, world: World) -> None:
    world.play(play, CHAIN)
    assert world.actual(CHAIN) == world.expected(CHAIN)
    assert world.unread("hours") == 0
