"""The generator: its format, its behaviour, and that it is reproducible."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import tracemalloc
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.generate import Options, events, hours, songs

if TYPE_CHECKING:
    from pathlib import Path

Event = dict[str, Any]

DAY = 86_400_000
# fmt: off
EVENT_KEYS = [
    "artist", "auth", "firstName", "gender", "itemInSession", "lastName", "length", "level", "location",
    "method", "page", "registration", "sessionId", "song", "status", "ts", "userAgent", "userId",
]
SONG_KEYS = [
    "artist_id", "artist_latitude", "artist_location", "artist_longitude", "artist_name", "duration",
    "num_songs", "song_id", "title", "year",
]
# fmt: on
# What the public data has: page, method, status, and whether it is asked for when logged in (I) or out (O).
REQUESTS = {
    *((page, "GET", 200, "I") for page in ("About", "Downgrade", "Help", "Home", "Settings", "Upgrade")),
    *((page, "GET", 200, "O") for page in ("About", "Help", "Home")),
    ("NextSong", "PUT", 200, "I"),
    ("Error", "GET", 404, "I"),
    *((act, "PUT", 307, "I") for act in ("Logout", "Save Settings", "Submit Downgrade", "Submit Upgrade")),
    ("Login", "PUT", 307, "O"),
}
TYPES: dict[str, type | tuple[type, ...]] = {
    "auth": str, "itemInSession": int, "level": str, "method": str, "page": str, "sessionId": int, "status": int,
    "ts": int, "userId": str,
}  # fmt: skip
TYPES_IF_IN = {
    "firstName": str, "gender": str, "lastName": str, "location": str, "registration": float, "userAgent": str
}  # fmt: skip
TYPES_IF_SONG = {"artist": str, "length": float, "song": str}

small = st.builds(
    Options,
    seed=st.integers(0, 2**63 - 1),
    users=st.integers(1, 40),
    songs=st.integers(1, 60),
    days=st.integers(1, 3),
    start=st.dates(date(1971, 1, 1), date(2100, 1, 1)),
    catalogue_share=st.floats(0, 1),
    growth=st.floats(0, 1),
)


def spelled(value: Event) -> bytes:
    """Return JSON in the spelling of the public data."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode()


def generated(options: Options) -> list[Event]:
    return [json.loads(line) for _, line in events(options)]


def by(key: str, found: list[Event]) -> dict[Any, list[Event]]:
    groups = defaultdict(list)
    for event in found:
        groups[event[key]].append(event)
    return groups


@pytest.fixture(scope="module")
def default() -> list[Event]:
    return generated(Options())


@pytest.fixture(scope="module")
def catalogue() -> list[Event]:
    return [json.loads(document) for _, document in songs(Options(songs=3000))]


def check_event(line: bytes) -> None:
    event = json.loads(line)
    assert list(event) == EVENT_KEYS
    assert spelled(event) == line
    signed_in, plays = event["auth"] == "Logged In", event["page"] == "NextSong"
    assert event["auth"] in ("Logged In", "Logged Out")
    assert (event["page"], event["method"], event["status"], "I" if signed_in else "O") in REQUESTS
    assert event["level"] in ("free", "paid")
    assert (event["userId"] != "") == signed_in
    nothing = type(None)
    kinds = {
        **TYPES,
        **{key: kind if signed_in else nothing for key, kind in TYPES_IF_IN.items()},
        **{key: kind if plays else nothing for key, kind in TYPES_IF_SONG.items()},
    }
    assert {key: type(value) for key, value in event.items()} == kinds


def check_song(key: str, document: bytes) -> None:
    song = json.loads(document)
    assert list(song) == SONG_KEYS
    assert spelled(song) == document
    assert re.fullmatch(r"song_data/([A-Z])/([A-Z])/([A-Z])/TR\1\2\3[A-Z]{2}[0-9A-F]{11}\.json", key)
    assert re.fullmatch(r"AR[A-Z0-9]{5}[0-9A-F]{11}", song["artist_id"])
    assert re.fullmatch(r"SO[A-Z]{5}[0-9A-F]{11}", song["song_id"])
    assert song["num_songs"] == 1
    assert type(song["year"]) is int
    assert type(song["duration"]) is float
    assert round(song["duration"], 5) == song["duration"]
    assert (song["artist_latitude"] is None) == (song["artist_longitude"] is None)
    assert {type(song[name]) for name in ("title", "artist_name", "artist_location")} <= {str, int}


def test_events_are_spelled_as_in_the_public_data() -> None:
    for _, line in events(Options()):
        check_event(line)


def test_songs_are_spelled_as_in_the_public_data() -> None:
    for key, document in songs(Options()):
        check_song(key, document)


@pytest.mark.sample
def test_the_public_data_passes_the_same_checks(sample: Path) -> None:
    with tarfile.open(sample) as archive:
        for member in archive:
            if not member.isfile() or not (file := archive.extractfile(member)):
                continue
            content = file.read()
            if "log_data/" in member.name:
                assert not content.endswith(b"\n")
                for line in content.split(b"\n"):
                    check_event(line)
            elif "song_data/" in member.name:
                check_song(member.name[member.name.index("song_data/") :], content)


def test_every_request_of_the_public_data_is_made(default: list[Event]) -> None:
    requests = {(e["page"], e["method"], e["status"], "I" if e["userId"] else "O") for e in default}
    assert requests == REQUESTS


def test_the_same_options_give_the_same_bytes_in_every_process() -> None:
    program = (
        "import hashlib; from sandbox.generate import *; h = hashlib.sha256(); o = Options(users=50, songs=50);"
        "[h.update(line) for _, line in events(o)]; [h.update(k.encode() + d) for k, d in songs(o)];"
        "print(h.hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path), "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    # Pinned, so that another version of Python (or of this generator) that gives other bytes is noticed.
    assert digests == {"5cdb41cbd253fb4424eda118af93c35f14cdbee0bf9906f9439e7f4aeaa4b760"}


def test_another_seed_gives_other_data() -> None:
    one, other = (list(songs(Options(seed=seed, songs=20))) for seed in (1, 2))
    assert not set(one) & set(other)
    titles = [{json.loads(document)["title"] for _, document in world} for world in (one, other)]
    assert not titles[0] & titles[1]


@settings(max_examples=60, deadline=None)
@given(small)
def test_events_are_in_order_and_unique(options: Options) -> None:
    found = [(now, json.loads(line)) for now, line in events(options)]
    times = [now for now, _ in found]
    assert times == sorted(times) == [event["ts"] for _, event in found]
    assert all(options.end - options.days * DAY <= now < options.end for now in times)
    sessions = by("sessionId", [event for _, event in found])
    for session in sessions.values():
        assert [event["itemInSession"] for event in session] == list(range(len(session)))
        assert len({event["userId"] for event in session} - {""}) <= 1
    assert sorted(sessions) == list(range(1, len(sessions) + 1))


@settings(max_examples=60, deadline=None)
@given(small)
def test_only_submitting_changes_the_level(options: Options) -> None:
    found = generated(options)
    changes = {("free", "Submit Upgrade"): "paid", ("paid", "Submit Downgrade"): "free"}
    for key in ("userId", "sessionId"):
        for who, own in by(key, found).items():
            if who != "":
                for before, after in pairwise(own):
                    assert after["level"] == changes.get((before["level"], before["page"]), before["level"])
    for event in found:
        assert event["page"] not in ("Submit Upgrade", "Upgrade") or event["level"] == "free"
        assert event["page"] not in ("Submit Downgrade", "Downgrade") or event["level"] == "paid"


@settings(max_examples=60, deadline=None)
@given(small)
def test_only_login_and_logout_change_the_auth_state(options: Options) -> None:
    for session in by("sessionId", generated(options)).values():
        for before, after in pairwise(session):
            signed_in = {"Login": "Logged In", "Logout": "Logged Out"}.get(before["page"], before["auth"])
            assert after["auth"] == signed_in


@settings(max_examples=60, deadline=None)
@given(small)
def test_a_song_plays_to_its_end_before_the_next_one(options: Options) -> None:
    for session in by("sessionId", generated(options)).values():
        for before, after in pairwise(session):
            if before["page"] == after["page"] == "NextSong":
                assert after["ts"] == before["ts"] + int(before["length"]) * 1000
        music = []
        for event in session:
            if event["page"] == "NextSong":
                music.append(event)
            elif event["page"] == "Logout":
                music.clear()
            if event["page"] == "NextSong" and len(music) > 1:
                assert event["ts"] >= music[-2]["ts"] + int(music[-2]["length"]) * 1000


@settings(max_examples=60, deadline=None)
@given(small)
def test_users_keep_their_attributes_and_register_first(options: Options) -> None:
    for user, own in by("userId", generated(options)).items():
        if user:
            assert len({tuple(event[key] for key in TYPES_IF_IN) for event in own}) == 1
            assert own[0]["registration"] < own[0]["ts"]


@settings(max_examples=30, deadline=None)
@given(small)
def test_a_song_has_one_length(options: Options) -> None:
    lengths = defaultdict(set)
    for event in generated(options):
        lengths[event["song"], event["artist"]].add(event["length"])
    for _, document in songs(options):
        song = json.loads(document)
        lengths[str(song["title"]), str(song["artist_name"])].add(song["duration"])
    assert all(len(found) == 1 for found in lengths.values())


@settings(max_examples=25, deadline=None)
@given(small)
def test_more_days_begin_with_the_same_days(options: Options) -> None:
    longer = Options(**{**vars(options), "days": options.days + 1})
    days, more = list(events(options)), list(events(longer))
    assert more[: len(days)] == days
    assert all(now >= options.end for now, _ in more[len(days) :])


@settings(max_examples=25, deadline=None)
@given(small, st.integers(-5, 80))
def test_hours_are_the_events_hour_by_hour(options: Options, skipped: int) -> None:
    found = list(hours(options))
    assert [hour for hour, _ in found] == [options.begin + timedelta(hours=n) for n in range(24 * options.days)]
    assert [line for _, lines in found for line in lines] == [line for _, line in events(options)]
    for hour, lines in found:
        assert all(0 <= json.loads(line)["ts"] - hour.timestamp() * 1000 < DAY / 24 for line in lines)
    since = options.begin + timedelta(hours=skipped)
    assert list(hours(options, since)) == found[max(skipped, 0) :]


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_a_share_of_the_plays_is_of_the_catalogue(share: float) -> None:
    options = Options(catalogue_share=share)
    known = set()
    for _, document in songs(options):
        song = json.loads(document)
        known.add((str(song["title"]), str(song["artist_name"]), song["duration"]))
    plays = [(e["song"], e["artist"], e["length"]) for e in generated(options) if e["page"] == "NextSong"]
    hits = sum(play in known for play in plays)
    assert hits / len(plays) == pytest.approx(share, abs=0.015 if 0 < share < 1 else 0)


def test_a_few_songs_are_very_popular(default: list[Event]) -> None:
    counts = sorted((len(plays) for title, plays in by("song", default).items() if title), reverse=True)
    assert sum(counts[:100]) / sum(counts) > 0.25
    assert sum(count == 1 for count in counts) > 1000


def test_popular_artists_have_several_popular_songs(default: list[Event]) -> None:
    """Otherwise, the charts of the top songs and of the top artists look the same."""
    artists = {name: plays for name, plays in by("artist", default).items() if name}
    for plays in sorted(artists.values(), key=len, reverse=True)[:10]:
        counts = sorted((len(own) for own in by("song", plays).values()), reverse=True)
        assert len(counts) >= 3
        assert counts[0] < 0.8 * len(plays)


def test_the_default_is_a_small_sample_of_two_days(default: list[Event]) -> None:
    plays = [event for event in default if event["page"] == "NextSong"]
    assert 10_000 < len(default) < 20_000
    assert len(plays) / len(default) > 0.8
    assert len({event["ts"] // (DAY // 24) for event in plays}) > 40


def test_days_and_weeks_have_their_rhythm() -> None:
    found = generated(Options(days=14, users=500))
    at = [datetime.fromtimestamp(event["ts"] / 1000, UTC) for event in found]
    assert sum(moment.hour in (15, 16, 17, 18) for moment in at) > 2 * sum(moment.hour in (1, 2, 3, 4) for moment in at)
    assert sum(moment.weekday() < 5 for moment in at) / 5 > 1.2 * sum(moment.weekday() > 4 for moment in at) / 2


def test_paying_users_listen_longer(default: list[Event]) -> None:
    lengths = defaultdict(list)
    for session in by("sessionId", default).values():
        lengths[session[0]["level"]].append(len(session))
    assert sum(lengths["paid"]) / len(lengths["paid"]) > 2 * sum(lengths["free"]) / len(lengths["free"])


def test_some_sessions_last_over_midnight(default: list[Event]) -> None:
    assert any(len({event["ts"] // DAY for event in own}) == 2 for own in by("sessionId", default).values())


@pytest.mark.parametrize(("growth", "low", "high"), [(0, 0, 0), (0.1, 150, 250)])
def test_new_users_register(growth: float, low: int, high: int) -> None:
    options = Options(users=2000, days=1, growth=growth)
    start = options.end - DAY
    joined = {e["userId"] for e in generated(options) if e["userId"] and e["registration"] >= start}
    assert low <= len(joined) <= high
    assert all(int(user) > 2000 for user in joined)


def test_the_catalogue_has_unique_songs(catalogue: list[Event]) -> None:
    assert len({song["song_id"][-8:] for song in catalogue}) == len(catalogue)  # its letters are random
    assert len({(song["title"], song["artist_name"]) for song in catalogue}) == len(catalogue)
    assert len({key for key, _ in songs(Options(songs=3000))}) == len(catalogue)


def test_the_catalogue_has_the_oddities_of_the_public_data(catalogue: list[Event]) -> None:
    artists = by("artist_id", catalogue)
    spellings = [{song["artist_name"] for song in own} for own in artists.values()]
    assert 1.5 < len(catalogue) / len(artists) < 5
    assert sum(len(names) > 1 for names in spellings) > 20
    places = {key: {(s["artist_location"], s["artist_latitude"]) for s in own} for key, own in artists.items()}
    assert all(len(found) == 1 for found in places.values())
    bare = sum(not song["artist_location"] and song["artist_latitude"] is None for song in catalogue)
    assert 0.35 < bare / len(catalogue) < 0.55
    assert any(song["artist_location"] and song["artist_latitude"] is None for song in catalogue)
    assert 0.2 < sum(song["year"] == 0 for song in catalogue) / len(catalogue) < 0.4
    assert any(type(song["title"]) is int for song in catalogue)
    assert any(type(song["artist_name"]) is int for song in catalogue)
    assert any(len(str(song["artist_location"]).encode()) > 256 for song in catalogue)
    assert any("/" in str(song["title"]) for song in catalogue)
    assert any(not str(song["title"]).isascii() for song in catalogue)
    titles = by("title", catalogue)
    assert any(len({song["artist_id"] for song in own}) > 1 for own in titles.values())  # covers


def test_memory_does_not_grow_with_the_days() -> None:
    def peak(days: int) -> int:
        tracemalloc.start()
        for _ in events(Options(users=300, songs=100, days=days, growth=0)):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    # What grows is the cache of songs, up to its limit: far less than the 4 MB of the events.
    assert peak(5) - peak(1) < 1_500_000
