"""Events of a code hosting site in the shape of public archives: invented, without names of people.

A line is an object with nested ones. Members may be absent, ids are strings or numbers, and some lines are long.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

    from sandbox.lab import Lab

JSONPATHS = "jsonpaths/activity.json"
# The tables and their columns: all but the audit columns.
TABLES = {
    "staging_activity": "event_id, event_type, actor_id, repository_id, repository_name, organization_id, commits, "
    "is_public, created_at",
    "activities": "event_id, created_at, event_type, actor_id, repository_id, organization_id, commits, is_public",
    "actors": "actor_id, last_seen, last_event_type, last_repository_id",
    "repositories": "repository_id, name, organization_id",
    "repository_names": "repository_id, valid_from, valid_to, is_current, name",
    "daily_types": "day, event_type, events, actors",
}
TYPES = ("PushEvent", "WatchEvent", "IssuesEvent", "ForkEvent", "PublicEvent")
WORDS = ("fix", "größer", "修正", "исправить", "naïve", "🎉", 'a "quoted"\tword', "back\\slash", "\u2028", "{[", "]}")


class Record(NamedTuple):
    """A delivery of an event; None is an absent member.

    :param file: the start of the hour whose file delivers it.
    :param at: when it happened, without a zone: UTC.
    :param commits: of a push.
    :param words: free text that no column takes.
    :param as_text: whether the event's id is a string.
    """

    file: datetime
    event: int
    at: datetime
    kind: str | None = "PushEvent"
    actor: int | None = 1
    repository: int | None = 1
    name: str | None = "o-1/p-1"
    organization: int | None = None
    commits: int | None = None
    public: bool | None = True
    words: str = ""
    as_text: bool = True

    def json(self) -> str:
        """Return the line of the file."""
        payload: dict[str, Any] = {}
        if self.commits is not None:
            shas = [
                {"sha": f"{number:040x}", "message": self.words, "distinct": True} for number in range(self.commits)
            ]
            payload = {"push_id": self.event, "size": self.commits, "commits": shas, "before": None}
        elif self.words:
            payload = {"action": "opened", "issue": {"labels": [[], {}, [1, [2.5]]], "body": self.words, "size": "no"}}
        found: dict[str, Any] = {
            "id": str(self.event) if self.as_text else self.event,
            "type": self.kind,
            "actor": _with({"url": "https://example.com/a"}, id=self.actor),
            "repo": _with({"url": "https://example.com/r"}, id=self.repository, name=self.name),
            "payload": payload,
            "public": self.public,
            "created_at": f"{self.at:%Y-%m-%dT%H:%M:%SZ}",
            "org": {"id": self.organization} if self.organization else None,
        }
        return json.dumps(_with({}, **found), ensure_ascii=self.as_text)


def _with(members: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Add the members that are not None."""
    return {**members, **{name: value for name, value in more.items() if value is not None}}


def key_of(hour: datetime) -> str:
    """Return the key of an hour's file."""
    return f"events/{hour:%Y-%m-%d}-{hour.hour}.json.gz"


def put(lab: Lab, records: Iterable[Record], *others: tuple[datetime, str]) -> None:
    """Make the bucket hold these events and nothing else.

    :param others: other lines, each with the hour of its file.
    """
    lab.put(JSONPATHS, (Path(__file__).parent / "jsonpaths.json").read_bytes())
    files: dict[str, list[str]] = defaultdict(list)
    for hour, line in [*((record.file, record.json()) for record in records), *others]:
        files[key_of(hour)].append(line)
    present = [item["path"] for page in lab.store.list("events") for item in page]
    lab.store.delete([key for key in present if key not in files])
    for key, lines in files.items():
        lab.put(key, gzip.compress("".join(f"{line}\n" for line in lines).encode(), compresslevel=1))


def some(random: Random, start: datetime, hours: int, count: int) -> list[Record]:
    """Return random deliveries of events in hourly files: with duplicates, corrections, late and stray events.

    Of two deliveries of an event that differ, one is later: which of them counts does not depend on a hash.
    """
    records: list[Record] = []
    for number in range(count):
        hour = start + timedelta(hours=random.randrange(hours))
        # Some events happened in another hour than their file's, some in another day.
        happened = hour if random.random() < 0.95 else hour - timedelta(hours=random.randrange(1, 30))
        kind = random.choice(TYPES)
        repository = random.randrange(1, 60)
        size = 120_000 if random.random() < 0.003 else random.randrange(60)
        record = Record(
            file=hour,
            event=2_489_651_045 + number,
            at=happened + timedelta(seconds=random.randrange(3600)),
            kind=_maybe(random, kind),
            actor=_maybe(random, random.randrange(1, 200)),
            repository=_maybe(random, repository),
            name=_maybe(random, f"o-{repository % 7}/Проект-{repository}-{random.randrange(3)}"),
            organization=random.choice([None, None, 9_919 + repository % 7]),
            commits=random.randrange(6) if kind == "PushEvent" else None,
            public=_maybe(random, True),
            words=" ".join(random.choices(WORDS, k=1 + size // 8)),
            as_text=random.random() < 0.7,
        )
        records.append(record)
        if random.random() < 0.1:  # delivered again
            again = start + timedelta(hours=random.randrange(hours))
            later = record.at + timedelta(seconds=random.choice([0, 1, 5000]))
            commits = record.commits if later == record.at else random.choice([None, 3])
            records.append(record._replace(file=again, at=later, commits=commits))
    random.shuffle(records)
    return [record._replace(at=record.at.replace(tzinfo=None)) for record in records]


def _maybe(random: Random, value: Any) -> Any:
    return value if random.random() < 0.97 else None


def expected(records: Iterable[Record]) -> dict[str, list[tuple[Any, ...]]]:
    """Return what the tables must hold of deliveries, but for their audit columns: computed without SQL."""
    in_time = sorted(records, key=lambda item: (item.at, item.event))
    events = {item.event: item for item in in_time}
    actors = {item.actor: item for item in in_time if item.actor}
    named = sorted(in_time, key=lambda item: item.name is not None)  # stable: ties remain ordered by time
    repositories = {item.repository: item for item in named if item.repository}
    tables: dict[str, list[tuple[Any, ...]]] = {
        "staging_activity": [
            (
                item.event,
                item.kind,
                item.actor,
                item.repository,
                item.name,
                item.organization,
                item.commits,
                item.public,
                item.at,
            )
            for item in in_time
        ],
        "activities": [
            (
                item.event,
                item.at,
                item.kind,
                item.actor,
                item.repository,
                item.organization,
                item.commits,
                item.public,
            )
            for item in events.values()
        ],
        "actors": [(item.actor, item.at, item.kind, item.repository) for item in actors.values()],
        "repositories": [(item.repository, item.name, item.organization) for item in repositories.values()],
        "repository_names": _names(in_time),
        "daily_types": _types(events.values()),
    }
    return {name: sorted(rows, key=repr) for name, rows in tables.items()}


def _names(in_time: Iterable[Record]) -> list[tuple[Any, ...]]:
    """Return the spans of repositories' names; events of a moment that contradict each other begin one, too."""
    spans: dict[int, dict[datetime, str]] = {}
    latest: dict[int, str] = {}
    for item in in_time:
        if item.repository and item.name:
            of_one = spans.setdefault(item.repository, {})
            if latest.get(item.repository) != item.name or item.at in of_one:
                of_one[item.at] = item.name
            latest[item.repository] = item.name
    return [
        (repository, start, end, end is None, name)
        for repository, of_one in spans.items()
        for (start, name), end in zip(of_one.items(), [*list(of_one)[1:], None], strict=True)
    ]


def _types(events: Iterable[Record]) -> list[tuple[Any, ...]]:
    """Return the number of events and actors of each day and type."""
    groups: dict[tuple[Any, ...], list[Record]] = {}
    for item in events:
        groups.setdefault((item.at.date(), item.kind or ""), []).append(item)
    return [(*group, len(items), len({item.actor for item in items if item.actor})) for group, items in groups.items()]


def utc(text: str) -> datetime:
    """Return a time of ISO 8601 in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
