"""``make change``: the file of a day has one more play, which is valid."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sandbox import change
from tests.support.data import event

if TYPE_CHECKING:
    from sandbox.lab import Lab

DAY = ("2018-11-01", "2018-11-02")


def test_each_change_adds_a_play(lab: Lab) -> None:
    lab.put_events(DAY[0], [event("2018-11-01T05:00:00", 1, 1), event("2018-11-01T06:00:00", 1, 2, page="Home")])
    lab.run(*DAY)
    for plays in (2, 3):
        assert change.add_play(lab.store, date(2018, 11, 1)) == "log_data/2018/11/2018-11-01-events.json"
        lab.run(*DAY)
        assert lab.one("SELECT COUNT(*) FROM songplays") == plays
    assert lab.one("SELECT COUNT(DISTINCT start_time) FROM songplays") == 1
    assert lab.one("SELECT COUNT(*) FROM staging_events") == 4
