"""The kinds of checks: the SQL that measures each, and what the measure means.

A kind either counts rows that fail, or measures one number. What one scan of the table can tell is an aggregate, and
the scan is shared by all checks of the table; the rest is a SELECT of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sparkify.interval import EARLIEST, Interval
from sparkify.quality.declaration import as_list, share
from sparkify.sql import predicates, templates

if TYPE_CHECKING:
    from sparkify.quality.declaration import Check

WEEK = timedelta(weeks=1)
# Kinds whose failing rows are those that meet a condition.
CONDITIONS = ("not_null", "accepted_values", "range", "plausible_time")
# Kinds that measure one number, which has bounds of its own.
NUMBERS = ("row_count", "freshness", "volume")


class Verdict(NamedTuple):
    """What a number means.

    :param observed: what was found, for people.
    :param expected: what should have been.
    """

    passed: bool
    observed: str
    expected: str


def sql(name: str, **names: Any) -> str:
    """Return the SQL of a template of this package."""
    return templates.environment(Path(__file__).parent / "sql").get_template(f"{name}.sql").render(names).strip()


def where(check: Check, interval: Interval, qualifier: str = "") -> str:
    """Return the condition on the rows that a check looks at."""
    if check.scope == "table":
        return "1 = 1"
    return predicates.OfInterval(interval)(f"{qualifier}{check.interval}")


def aggregate(check: Check, interval: Interval) -> str | None:
    """Return what the shared scan measures for a check; None where it takes a SELECT of its own."""
    if check.kind in CONDITIONS:
        return f"COUNT(CASE WHEN {_condition(check)} THEN 1 END)"
    if check.kind == "unique":
        return f"COUNT({check.options}) - COUNT(DISTINCT {check.options})"
    if check.kind == "row_count":
        return "COUNT(*)"
    if check.kind == "freshness":
        column = check.options["column"]
        return f"MAX(CASE WHEN {predicates.OfInterval(Interval(EARLIEST, interval.end))(column)} THEN {column} END)"
    return None


def failing(check: Check, interval: Interval) -> str:
    """Return a SELECT of the rows that fail; of a kind that counts rows."""
    scope = where(check, interval)
    if check.kind in CONDITIONS:
        columns = list(dict.fromkeys([*check.key, *_checked(check)]))
        return sql("matching", table=check.table, columns=columns, scope=scope, condition=_condition(check))
    if check.kind == "unique":
        return sql("unique", table=check.table, column=check.options, scope=scope)
    if check.kind == "relationship":
        parent, _, parent_column = check.options["to"].partition(".")
        column = check.options["column"]
        columns = list(dict.fromkeys([*check.key, column]))
        scope = where(check, interval, "child.")
        names = {"table": check.table, "column": column, "columns": columns, "scope": scope}
        return sql("relationship", **names, parent=parent, parent_column=parent_column)
    if check.kind == "agreement":
        owned = "1 = 1" if check.scope == "table" else predicates.OfInterval(interval)(check.options["interval"])
        names = {"table": check.table, "column": check.options["is"], "scope": where(check, interval, "target.")}
        return sql(
            "agreement", **names, other=check.options["with"], other_scope=owned, key=check.options["key"],
            where=check.options.get("where"),
        )  # fmt: skip
    if check.kind == "rejected":
        start, end = _periods(check, interval)
        return sql("rejected", table=check.table, start=start, end=end)
    return _own_sql(check, interval)


def volume(check: Check, interval: Interval) -> str:
    """Return a SELECT of how many rows the interval, and the same hours of each earlier week, have."""
    column = check.options["column"]
    weeks = [
        predicates.OfInterval(Interval(interval.start - WEEK * ago, interval.end - WEEK * ago))(column)
        for ago in range(check.options["weeks"] + 1)
    ]
    return sql("volume", table=check.table, weeks=weeks)


def judge(check: Check, interval: Interval, measured: Any) -> Verdict:
    """Say what the number of a check means; of a kind that measures one.

    :param measured: of ``row_count`` the rows; of ``freshness`` the newest time (UTC, without zone) or None; of
        ``volume`` the rows of each week, this one first.
    """
    if check.kind == "row_count":
        least, most = check.options.get("min", 0), check.options.get("max")
        expected = f"at least {least:,} rows" if most is None else f"{least:,} to {most:,} rows"
        return Verdict(measured >= least and (most is None or measured <= most), f"{measured:,} rows", expected)
    if check.kind == "freshness":
        return _judge_freshness(measured, interval, check.options["hours"])
    now, *weeks = measured
    return _judge_volume(now, weeks, interval, check.options)


def _judge_freshness(newest: datetime | None, interval: Interval, hours: float) -> Verdict:
    end = min(interval.end, datetime.now(UTC))  # an interval may end in the future, of which there can be no row
    expected = f"at most {hours:g} h before {end:%Y-%m-%d %H:%M}"
    if newest is None:
        return Verdict(False, "no row", expected)
    age = end.replace(tzinfo=None) - newest
    text = f"newest {newest:%Y-%m-%d %H:%M}, {age / timedelta(hours=1):,.1f} h before"
    return Verdict(age <= timedelta(hours=hours), text, expected)


def _judge_volume(now: int, earlier: list[int], interval: Interval, options: dict[str, Any]) -> Verdict:
    """Compare with the mean of the weeks that have rows: a week before the history begins says nothing."""
    observed = f"{now:,} rows"
    if interval.end - interval.start > WEEK:
        return Verdict(True, observed, "an interval longer than a week is compared with nothing")
    weeks = [count for count in earlier if count]
    mean = sum(weeks) / len(weeks) if weeks else 0
    if mean < options["from"]:
        return Verdict(True, observed, f"earlier weeks have too few rows to compare (fewer than {options['from']:,})")
    least, most = share(options["at_least"]) * mean, share(options["at_most"]) * mean
    weeks_text = f"{len(weeks)} earlier week{'s' * (len(weeks) > 1)}"
    expected = f"{least:,.0f} to {most:,.0f} rows: the mean of {weeks_text} is {mean:,.0f}"
    return Verdict(least <= now <= most, observed, expected)


def _condition(check: Check) -> str:
    if check.kind == "plausible_time":
        return f"NOT ({predicates.plausible()(check.options)})"
    conditions = templates.environment(Path(__file__).parent / "sql").get_template("conditions.sql").module
    if check.kind == "not_null":
        names: dict[str, Any] = {"columns": as_list(check.options)}
    elif check.kind == "range":
        names = {"column": check.options["column"], "min": check.options.get("min"), "max": check.options.get("max")}
    else:
        values = check.options["values"]
        listed = [value.rstrip(" ") if isinstance(value, str) else value for value in values if value is not None]
        names = {
            "column": check.options["column"],
            "values": [_literal(value) for value in listed] or ["NULL"],
            "or_null": None in values,
            "texts": bool(listed) and all(isinstance(value, str) for value in listed),
        }
    return str(getattr(conditions, check.kind)(**names)).strip()


def _literal(value: str | float) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def _checked(check: Check) -> list[str]:
    if check.kind == "plausible_time":
        # What to load again, which the time itself does not say.
        return [check.options, *([check.interval] if check.interval else [])]
    return as_list(check.options) if check.kind == "not_null" else [check.options["column"]]


def _periods(check: Check, interval: Interval) -> tuple[str, str]:
    """Return from when, and before when, the files' periods start, as literals; empty for all."""
    if check.options["period"] == "all":
        return "", ""
    first = next(interval.periods(check.options["period"]))
    return predicates.literal(first.start), predicates.literal(interval.end)


def _own_sql(check: Check, interval: Interval) -> str:
    import jinja2

    scope = predicates.everything if check.scope == "table" else predicates.OfInterval(interval)
    template = jinja2.Environment(autoescape=False, undefined=jinja2.StrictUndefined).from_string(check.options)  # noqa: S701 - SQL
    return template.render(scope=scope).strip().rstrip(";")
