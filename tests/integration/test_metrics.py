"""Each metric has one figure, in its view, the report and other consumers: that of the events, counted in Python."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sparkify.interval import Interval
from sparkify.schema import metrics
from sparkify.sql import predicates, templates
from sparkify.web import panels
from sparkify.web.days import Days
from tests.conftest import ROOT
from tests.integration.operators.test_report import cards, report
from tests.support.data import event

if TYPE_CHECKING:
    from sandbox.lab import Lab

SQL = ROOT / "include" / "sql"
CATALOGUE = metrics.read(SQL / "metrics")
FIRST, DAYS = date(2018, 10, 25), 24
PAGES = ["NextSong"] * 6 + ["Home", "Submit Upgrade", "Submit Downgrade", "Cancellation Confirmation"]


def events(seed: int) -> list[dict[str, Any]]:
    """Return random events: sessions across midnight, without user or level, changes of level, registrations."""
    chance = random.Random(seed)
    registered: dict[int, date] = {}
    found = []
    for session in range(90):
        user = chance.choice([None, *range(1, 15)])
        at = datetime.combine(FIRST, datetime.min.time()) + timedelta(minutes=chance.randrange(DAYS * 1440))
        level = chance.choice(["free", "free", "paid", None])
        if user:
            registered.setdefault(user, at.date())
        for item in range(chance.randrange(1, 9)):
            at += timedelta(seconds=chance.randrange(0, 5000))
            page = chance.choice(PAGES)
            born = datetime.combine(registered[user], datetime.min.time(), UTC) if user else None
            found.append(
                event(
                    f"{at:%Y-%m-%dT%H:%M:%S}",
                    session,
                    item,
                    userId=str(user) if user else "",
                    level=level,
                    page=page,
                    length=chance.choice([200.5, 61.25, None]),
                    registration=born.timestamp() * 1000 + 5 if born else None,
                )
            )
            if page == "Submit Upgrade":
                level = "paid"
    return [item for item in found if time_of(item).date() < FIRST + timedelta(days=DAYS)]


def time_of(item: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(item["ts"] / 1000, UTC)


def share(part: float, whole: float) -> float:
    """Return a percentage as the metrics round it."""
    return int(1000 * part / whole + 0.5) / 10


def expected(found: list[dict[str, Any]]) -> dict[str, dict[tuple[Any, ...], float]]:
    """Return the values of all metrics by the columns of their grain, counted in Python."""
    rows = [
        {
            **item,
            "day": time_of(item).date(),
            "level": item["level"] or "unknown",
            "is_play": item["page"] == "NextSong",
        }
        for item in sorted(found, key=lambda item: (item["ts"], item["sessionId"], item["itemInSession"]))
    ]
    groups: dict[tuple[date, str], list[dict[str, Any]]] = defaultdict(list)
    users: dict[date, set[str]] = defaultdict(set)
    listeners: dict[date, set[str]] = defaultdict(set)
    sessions: dict[int, list[datetime]] = defaultdict(list)
    joined: dict[tuple[date, str], str] = {}
    for row in rows:
        day, user = row["day"], row["userId"]
        groups[day, row["level"]].append(row)
        sessions[row["sessionId"]].append(time_of(row))
        if user:
            users[day].add(user)
            if row["is_play"]:
                listeners[day].add(user)
            if row["registration"] and datetime.fromtimestamp(row["registration"] / 1000, UTC).date() == day:
                joined.setdefault((day, user), row["level"])
    began: dict[date, list[int]] = defaultdict(list)
    for times in sessions.values():
        began[min(times).date()].append(int((max(times) - min(times)).total_seconds()))

    def count(page: str) -> dict[tuple[Any, ...], float]:
        return {key: sum(row["page"] == page for row in group) for key, group in groups.items()}

    def active(period: Any) -> dict[tuple[Any, ...], float]:
        of_period: dict[Any, set[str]] = defaultdict(set)
        for day, names in users.items():
            of_period[period(day)] |= names
        return {(key,): len(names) for key, names in of_period.items()}

    def monday(day: date) -> date:
        return day - timedelta(days=day.weekday())

    plays = count("NextSong")
    by_day: dict[date, dict[str, float]] = defaultdict(dict)
    for (day, level), number in plays.items():
        by_day[day][level] = number
    free = {
        day: len({row["userId"] for row in groups.get((day, "free"), []) if row["is_play"] and row["userId"]})
        for day, _ in groups
    }
    upgraded = {day: sum(n for (of, _), n in count("Submit Upgrade").items() if of == day) for day, _ in groups}
    weeks: dict[str, set[date]] = defaultdict(set)
    for day, names in users.items():
        for name in names:
            weeks[name].add(monday(day))
    cohorts: dict[date, list[set[date]]] = defaultdict(list)
    for of_user in weeks.values():
        cohorts[min(of_user)].append(of_user)
    return {
        "plays": plays,
        "listening_hours": {
            key: round(sum(row["length"] or 0 for row in group if row["is_play"]) / 3600, 4)
            for key, group in groups.items()
        },
        "listeners": {(day,): len(listeners[day]) for day in users},
        "sessions": {(day,): len(lengths) for day, lengths in began.items()},
        "average_session_minutes": {
            (day,): int(sum(lengths) / (6 * len(lengths)) + 0.5) / 10 for day, lengths in began.items()
        },
        "sign_ups": {key: sum((day, level) == key for (day, _), level in joined.items()) for key in groups},
        "upgrades": count("Submit Upgrade"),
        "downgrades": count("Submit Downgrade"),
        "cancellations": count("Cancellation Confirmation"),
        "daily_active_users": active(lambda day: day),
        "weekly_active_users": active(monday),
        "monthly_active_users": active(lambda day: day.replace(day=1)),
        "paid_share": {
            (day,): share(levels.get("paid", 0), sum(levels.values()))
            for day, levels in by_day.items()
            if sum(levels.values())
        },
        "conversion_rate": {(day,): share(upgraded[day], number) for day, number in free.items() if number},
        "retention": {
            (cohort, (week - cohort).days // 7): share(sum(week in of_user for of_user in members), len(members))
            for cohort, members in cohorts.items()
            for week in {monday(day) for day in users}
            if week >= cohort
        },
    }


@pytest.fixture
def loaded(lab: Lab) -> tuple[Lab, list[dict[str, Any]]]:
    """A lab with random events, of which some were delivered twice, loaded in two pieces, the later one first."""
    found = events(18)
    for offset in range(DAYS):
        day = FIRST + timedelta(days=offset)
        of_day = [item for item in found if time_of(item).date() == day]
        lab.put_events(f"{day}", [*of_day, *of_day[:2]])
    middle, end = FIRST + timedelta(days=DAYS // 2), FIRST + timedelta(days=DAYS)
    tasks = [name for name in lab.dag.task_ids if name not in ("data_quality", "publish_days")]  # levels are missing
    lab.run(f"{middle}", f"{end}", tasks=tasks)
    lab.run(f"{FIRST}", f"{middle}", tasks=tasks)
    return lab, found


def view(lab: Lab, name: str) -> dict[tuple[Any, ...], float]:
    """Return the values of a metric by the columns of its grain."""
    rows = lab.query(f"SELECT {', '.join(CATALOGUE[name].grain)}, value FROM metrics.{name}")
    found = {row[:-1]: float(row[-1]) for row in rows}
    assert len(found) == len(rows)
    return found


def ask(lab: Lab, query: str, scope: predicates.Predicate) -> list[tuple[Any, ...]]:
    return lab.query(templates.renderer(SQL)(query, scope=scope).rstrip(";"))


def test_views_have_the_figures_of_the_events(loaded: tuple[Lab, list[dict[str, Any]]]) -> None:
    lab, found = loaded
    figures = expected(found)
    assert set(figures) == set(CATALOGUE)
    for name, values in figures.items():
        assert view(lab, name) == pytest.approx(values, abs=0.00011), name
        assert any(values.values()), name
    sizes = {row[:2]: row[2:] for row in lab.query("SELECT cohort_week, age, users, cohort_size FROM weekly_retention")}
    assert {key: share(users, size) for key, (users, size) in sizes.items()} == figures["retention"]
    assert sum(size for (_, age), (_, size) in sizes.items() if age == 0) == len({i["userId"] for i in found} - {""})


def test_consumers_have_the_figures_of_the_views(loaded: tuple[Lab, list[dict[str, Any]]]) -> None:
    lab, _ = loaded
    day = date(2018, 11, 4)  # a Sunday: the week is complete
    values = {name: view(lab, name) for name in CATALOGUE if CATALOGUE[name].grain[0] in ("day", "week", "month")}

    def total(name: str, of: date) -> float:
        return sum(value for key, value in values[name].items() if key[0] == of)

    # The notebook and `make run`: the query of the report, over all days.
    everything = ask(lab, "report/metrics", predicates.plausible())
    for name, of, value in everything:
        assert float(value) == pytest.approx(total(name, of)), (name, of)
    named = {name for name, _, _ in everything}
    assert set(values) - named == {"plays", "listeners", "sessions"}  # those of report/days
    assert {(name, of) for name, of, _ in everything} == {(name, key[0]) for name in named for key in values[name]}
    for of, plays, listeners, sessions, *_ in ask(lab, "report/days", predicates.plausible()):
        shown = (plays, listeners, sessions)
        assert shown == (total("plays", of), total("listeners", of), total("sessions", of))
    # The report itself, of one day.
    scope = predicates.OfInterval(Interval.parse(f"{day - timedelta(days=7)}", f"{day + timedelta(days=1)}"))
    assert ("weekly_active_users", date(2018, 10, 29)) in {row[:2] for row in ask(lab, "report/metrics", scope)}
    found = cards(report(lab, f"{day}"))
    assert found["Paid share"][0] == f"{total('paid_share', day):.1f} %"
    for name in ("plays", "listeners", "sessions", "daily_active_users", "sign_ups", "upgrades"):
        assert found[CATALOGUE[name].title][0] == f"{total(name, day):,.0f}"
    assert found["Listening hours"][0] == f"{total('listening_hours', day):,.1f}"
    assert f"{total('weekly_active_users', date(2018, 10, 29)):,.0f}" in found["Daily active users"]
    assert f"{total('average_session_minutes', day):.1f} minutes a session" in found["Listening hours"]


def test_the_page_has_the_figures_of_the_views(loaded: tuple[Lab, list[dict[str, Any]]]) -> None:
    lab, _ = loaded
    days = Days(date(2018, 10, 1), date(2018, 12, 31))

    def rows(panel: str) -> list[tuple[Any, ...]]:
        return lab.query(panels.sql(panel, days).strip().rstrip(";"))

    def total(name: str) -> dict[Any, float]:
        found: dict[Any, float] = defaultdict(float)
        for key, value in view(lab, name).items():
            found[key[0]] += value
        return {day: value for day, value in found.items() if value}

    shown: dict[str, dict[Any, Any]] = defaultdict(dict)
    for unit, first_day, users in rows("active_users"):
        shown[{"day": "daily", "week": "weekly", "month": "monthly"}[unit] + "_active_users"][first_day] = users
    for day, plays in rows("plays_by_day"):
        shown["plays"][day] = plays
    for day, percent, *_, listeners in rows("paid_share"):
        shown["paid_share"][day], shown["listeners"][day] = percent, listeners
    for day, *counts, rate in rows("conversions"):
        for name, value in zip(("sign_ups", "upgrades", "downgrades", "cancellations"), counts, strict=True):
            shown[name][day] = value
        shown["conversion_rate"][day] = rate or 0
    assert len(shown) == 11
    for name, figures in shown.items():
        assert {day: float(value) for day, value in figures.items() if value} == pytest.approx(total(name)), name
        assert any(figures.values()), name
    retention = {(week, age): float(percent) for week, age, percent, _ in rows("retention")}
    assert retention == pytest.approx(view(lab, "retention"))


def test_queries_name_metrics_of_the_catalogue() -> None:
    files = [*SQL.glob("report/*.sql"), *SQL.glob("analytics/**/*.sql")]
    named = {(path.stem, name) for path in files for name in re.findall(r"\bmetrics\.([a-z_]+)", path.read_text())}
    assert {name for _, name in named} <= set(CATALOGUE)
    assert ("days", "plays") in named
