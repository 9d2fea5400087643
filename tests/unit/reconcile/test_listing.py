"""One listing finds the files of all periods, as a listing for each period does."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.interval import Interval
from sparkify.reconcile.listing import versions
from sparkify.s3 import Bucket, S3Error, S3Object
from sparkify.staging.periods import PeriodFiles

if TYPE_CHECKING:
    from collections.abc import Iterator

HOURLY, DAILY = "events/%Y-%m-%d-%-H", "log_data/%Y/%m/%Y-%m-%d-events.json"


class FakeBucket:
    """A bucket; it records the listed prefixes.

    :param keys: the keys of its objects, in the order of the listing.
    """

    def __init__(self, *keys: str) -> None:
        self.keys = keys
        self.listed: list[str] = []

    def objects(self, prefix: str) -> Iterator[S3Object]:
        self.listed.append(prefix)
        for number, key in enumerate(self.keys):
            if key.startswith(prefix):
                yield S3Object("music", key, 0 if key.endswith("/") else 9, str(number))

    def url(self, key: str) -> str:
        return f"s3://music/{key}"

    def versions(self, key: str, start: str, end: str, period: str = "day") -> dict[str, str]:
        periods = Interval.parse(start, end).periods(period)  # type: ignore[arg-type]
        return {f"{at:%d %H}": version for at, version in versions(cast("Bucket", self), key, periods).items()}


def test_a_version_is_that_of_the_period_alone() -> None:
    bucket = FakeBucket("log_data/2018/11/2018-11-01-events.json", "log_data/2018/11/2018-11-01-events.json.1")
    found = bucket.versions(DAILY, "2018-11-01", "2018-11-03")
    assert found == {"01 00": PeriodFiles.of(list(bucket.objects("log_data"))).version}


def test_only_the_common_folders_are_listed_once() -> None:
    bucket = FakeBucket()
    assert bucket.versions(DAILY, "2018-11-01", "2018-11-05") == {}
    assert bucket.versions(DAILY, "2017-01-01", "2018-11-05") == {}
    assert bucket.listed == ["log_data/2018/11/2018-11-0", "log_data/201"]


def test_nothing_is_listed_without_periods() -> None:
    bucket = FakeBucket()
    assert versions(cast("Bucket", bucket), DAILY, []) == {}
    assert bucket.listed == []


def test_an_object_belongs_to_each_period_whose_prefix_its_key_has() -> None:
    """As for COPY: the prefix of hour 1 is that of hours 10 to 19, too."""
    bucket = FakeBucket("events/2015-01-01-1", "events/2015-01-01-10", "events/2015-01-01-11", "events/2015-01-01-2")
    found = bucket.versions(HOURLY, "2015-01-01T00", "2015-01-02T00", "hour")
    first, ten, *_ = objects = list(bucket.objects("events/2015-01-01-1"))
    assert len(objects) == 3
    assert found["01 01"] == PeriodFiles.of(objects).version
    assert found["01 10"] == PeriodFiles.of([ten]).version
    assert set(found) == {"01 01", "01 10", "01 11", "01 02"}
    assert first.key == "events/2015-01-01-1"


def test_periods_that_share_a_prefix_have_the_same_version() -> None:
    bucket = FakeBucket("all.json")
    assert len(set(bucket.versions("all", "2018-11-01", "2018-11-04").values())) == 1
    assert len(bucket.versions("all", "2018-11-01", "2018-11-04")) == 3


def test_folders_are_ignored() -> None:
    bucket = FakeBucket("events/2015-01-01-1/", "events/2015-01-01-1/a")
    found = bucket.versions(HOURLY, "2015-01-01T01", "2015-01-01T02", "hour")
    assert found == {"01 01": PeriodFiles.of([S3Object("music", "events/2015-01-01-1/a", 9, "1")]).version}
    assert FakeBucket("events/2015-01-01-1/").versions(HOURLY, "2015-01-01T01", "2015-01-01T02", "hour") == {}


def test_a_listing_that_is_not_in_order_fails() -> None:
    """A directory bucket lists in any order, and the version of a period would be that of a part of its files."""
    bucket = FakeBucket("events/2015-01-01-1a", "events/2015-01-01-2", "events/2015-01-01-1b")
    with pytest.raises(S3Error, match="not in the order of keys") as failed:
        bucket.versions(HOURLY, "2015-01-01", "2015-01-02", "hour")
    assert failed.value.terminal


parts = st.sampled_from(["", "1", "2", "10", "-1", "/", "/x", ".json", "-1/a"])


@given(
    pattern=st.sampled_from([HOURLY, f"{HOURLY}.json", "e/%Y%m%d%H", "e/%-H", "e/%H/", "%-d-%-H", "static"]),
    keys=st.lists(st.tuples(st.integers(-2, 30), parts), max_size=20),
)
def test_versions_are_those_of_a_listing_for_each_period(pattern: str, keys: list[tuple[int, str]]) -> None:
    interval = Interval.parse("2015-01-01T00", "2015-01-02T05")
    hours = list(Interval.parse("2014-12-31T00", "2015-01-03T00").periods("hour"))
    bucket = FakeBucket(*sorted({hours[24 + hour].start.strftime(pattern) + part for hour, part in keys}))
    expected = {}
    for period in interval.periods("hour"):
        objects = [item for item in bucket.objects(period.start.strftime(pattern)) if not item.is_folder]
        if objects:
            expected[period.start] = PeriodFiles.of(objects).version
    assert versions(cast("Bucket", bucket), pattern, interval.periods("hour")) == expected
