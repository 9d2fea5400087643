"""The definitions of the marts, and what becomes of incomplete and contradicting events: docs/marts.md."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from tests.support.data import event

if TYPE_CHECKING:
    from sandbox.lab import Lab

DAY = ("2018-11-08", "2018-11-09")
EARLY, LATE = ("2018-11-08T05:00", "2018-11-08T06:00"), ("2018-11-08T06:00", "2018-11-08T07:00")
SPANS = "SELECT TO_CHAR(valid_from, 'HH24:MI'), TO_CHAR(valid_to, 'HH24:MI'), level FROM users_history ORDER BY 1"


def load(lab: Lab, *events: dict[str, Any]) -> None:
    lab.put_events("2018-11-08", events)
    lab.run(*DAY)


def at(time: str, item: int = 0, **fields: Any) -> dict[str, Any]:
    return event(f"2018-11-08T{time}", item=item, **fields)


def test_an_event_without_a_user_is_in_no_table_of_users(lab: Lab) -> None:
    load(lab, at("05:10", userId="", level="free", page="Home"))
    assert lab.query("SELECT user_id, level FROM events") == [(None, "free")]
    assert lab.query("SELECT user_id, plays, pages FROM sessions") == [(None, 0, 1)]
    assert lab.query("SELECT sessions, listeners FROM daily_activity") == [(1, 0)]
    assert lab.counts()["users_history"] == lab.counts()["daily_users"] == 0


def test_an_event_without_a_level_is_unknown(lab: Lab) -> None:
    """The checks report it: Redshift's figures by level would lose such plays silently."""
    with pytest.raises(AirflowFailException, match="songplays: every level is free or paid"):
        load(lab, at("05:10"), at("05:20", 1, level=None), at("05:30", 2))
    assert lab.query(SPANS) == [("05:10", "05:20", "free"), ("05:20", "05:30", None), ("05:30", None, "free")]
    assert lab.query("SELECT level, plays FROM daily_activity ORDER BY level") == [("free", 2), ("unknown", 1)]
    assert lab.query("SELECT level_at_start, level_at_end FROM sessions") == [("free", "free")]


def test_an_event_without_a_session_is_rejected(lab: Lab) -> None:
    with pytest.raises(AirflowFailException, match="rejected"):
        load(lab, at("05:10"), event("2018-11-08T05:20", None, 1))
    lab.run(*DAY, max_errors=1)
    assert lab.counts()["events"] == 1


def test_of_events_at_the_same_time_the_one_with_the_highest_number_counts(lab: Lab) -> None:
    load(lab, at("05:10", 10, level="paid"), at("05:10", 9))
    assert lab.query(SPANS) == [("05:10", None, "paid")]
    assert lab.query("SELECT level FROM users") == [("paid",)]
    assert lab.query("SELECT level_at_start, level_at_end FROM sessions") == [("free", "paid")]


def test_a_level_that_flips_within_a_millisecond_is_the_last_one(lab: Lab) -> None:
    load(lab, at("05:00"), at("05:10", 1, level="paid"), at("05:10", 2), at("05:20", 3))
    assert [level for _, _, level in lab.query(SPANS)] == [*["free"] * lab.counts()["users_history"]]
    assert lab.query("SELECT level, plays FROM daily_activity ORDER BY level") == [("free", 3), ("paid", 1)]


@pytest.mark.parametrize("hours", [(EARLY, LATE), (LATE, EARLY)], ids=["in order", "in reverse"])
def test_the_order_of_arrival_does_not_matter(lab: Lab, hours: tuple[tuple[str, str], ...]) -> None:
    lab.put_events("2018-11-08", [at("05:10"), at("05:20", 1, level="paid"), at("06:10", 2, level="paid")])
    for start, end in hours:
        lab.run(start, end)
    assert lab.query(SPANS) == [("05:10", "05:20", "free"), ("05:20", None, "paid")]
    assert lab.query("SELECT plays, duration, level_at_start, level_at_end FROM sessions") == [
        (3, 3600, "free", "paid")
    ]


def test_a_session_that_two_users_share_belongs_to_the_latest(lab: Lab) -> None:
    load(lab, at("05:10"), at("05:20", 1, userId="9"), at("05:30", 2, userId="", page="Home"))
    assert lab.query("SELECT session_id, user_id FROM sessions") == [(1, 9)]
    assert lab.query("SELECT user_id, plays FROM daily_users ORDER BY 1") == [(8, 1), (9, 1)]
    assert lab.counts()["users_history"] == 2


def test_a_session_across_midnight_is_one_session_of_two_days(lab: Lab) -> None:
    lab.put_events("2018-11-09", [event("2018-11-09T00:05", 1, 1)])
    load(lab, at("23:55"))
    lab.run("2018-11-09", "2018-11-10")
    assert lab.query("SELECT plays, duration FROM sessions") == [(2, 600)]
    assert lab.query("SELECT sessions FROM daily_activity ORDER BY day") == [(1,), (1,)]


def test_a_play_counts_rather_than_another_page_with_its_number(lab: Lab) -> None:
    load(lab, at("05:10"), at("05:20", page="Home"))
    assert lab.query("SELECT page, event_time FROM events") == [("NextSong", datetime(2018, 11, 8, 5, 10))]  # noqa: DTZ001


@pytest.mark.parametrize("length", [None, -1.0, 90000.0])
def test_an_invalid_length_is_unknown(lab: Lab, length: float | None) -> None:
    load(lab, at("05:10", length=length), at("05:20", 1, length=100.0))
    assert lab.query("SELECT plays, listening_seconds FROM daily_activity") == [(2, 100)]


def test_a_sign_up_is_a_user_who_registered_on_the_day(lab: Lab) -> None:
    """With the level of their first event of the day, once, however often they use the app."""
    registration = at("04:00")["ts"]
    load(
        lab,
        at("05:10", registration=registration),
        at("05:20", 1, level="paid", registration=registration),
        at("05:30", 2, userId="9", registration=registration - 86_400_000),
    )
    assert lab.query("SELECT level, sign_ups FROM daily_activity ORDER BY 1") == [("free", 1), ("paid", 0)]


def test_upgrades_downgrades_and_cancellations_are_pages(lab: Lab) -> None:
    pages = ["Submit Upgrade", "Submit Downgrade", "Cancellation Confirmation", "Upgrade", "Cancel"]
    load(lab, *(at(f"05:1{item}", item, page=page) for item, page in enumerate(pages)))
    assert lab.query("SELECT plays, upgrades, downgrades, cancellations FROM daily_activity") == [(0, 1, 1, 1)]
    assert lab.query("SELECT pages, is_upgraded, is_downgraded FROM sessions") == [(5, True, True)]
