"""The ledger of objects against a simple model: after a plan was executed, the ledger equals the listing."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.s3 import Bucket, S3Error, S3Object
from sparkify.staging import ledger
from sparkify.staging.ledger import Batch, LedgerEntry, StagingPlan
from sql_rules import violations

if TYPE_CHECKING:
    from datetime import datetime

    from sparkify.warehouse import Warehouse

keys = st.sampled_from([f"song_data/{letter}.json" for letter in "ABCDEFGHIJ"])
# Few values, so that objects are often unchanged.
contents = st.tuples(st.sampled_from(["e1", "e2"]), st.integers(1, 2))
listings = st.dictionaries(keys, contents).map(
    lambda found: [S3Object("music", key, size, etag) for key, (etag, size) in sorted(found.items())]
)
ledgers = st.dictionaries(
    keys, st.tuples(contents, st.integers(1, 3)).map(lambda entry: LedgerEntry(*entry[0], entry[1]))
)


def executed(plan: StagingPlan, entries: dict[str, LedgerEntry], batch: int = 99) -> dict[str, LedgerEntry]:
    """Return the ledger after a plan: without the retired batches, with the staged objects."""
    kept = {key: entry for key, entry in entries.items() if entry.batch_id not in plan.retired}
    staged = {item.key: LedgerEntry(str(item.etag), item.size or 0, batch) for item in plan.objects}
    assert not kept.keys() & staged.keys(), "an object would be in two live batches"
    return kept | staged


def as_listed(entries: dict[str, LedgerEntry]) -> list[S3Object]:
    return [S3Object("music", key, entry.size, entry.etag) for key, entry in sorted(entries.items())]


@given(listings, ledgers, st.booleans())
def test_the_ledger_ends_equal_to_the_listing(
    listed: list[S3Object], entries: dict[str, LedgerEntry], refresh: bool
) -> None:
    assert as_listed(executed(ledger.plan(listed, entries, refresh=refresh), entries)) == listed


@given(listings, ledgers)
def test_only_batches_that_changed_are_retired(listed: list[S3Object], entries: dict[str, LedgerEntry]) -> None:
    there = set(listed)
    changed = {
        entry.batch_id for key, entry in entries.items() if S3Object("music", key, entry.size, entry.etag) not in there
    }
    plan = ledger.plan(listed, entries)
    assert plan.retired == changed
    untouched = {key: entry for key, entry in entries.items() if entry.batch_id not in changed}
    assert untouched.items() <= executed(plan, entries).items()


@given(listings, ledgers)
def test_a_plan_has_no_unnecessary_objects(listed: list[S3Object], entries: dict[str, LedgerEntry]) -> None:
    plan = ledger.plan(listed, entries)
    assert plan.objects == [
        item for item in listed if item.key not in entries or entries[item.key].batch_id in plan.retired
    ]
    assert plan.new == len([item for item in listed if item.key not in entries])
    assert plan.deleted == len(entries.keys() - {item.key for item in listed})


@given(ledgers)
def test_an_executed_plan_has_nothing_left_to_stage(entries: dict[str, LedgerEntry]) -> None:
    assert ledger.plan(as_listed(entries), entries) == StagingPlan(objects=[], retired=set(), new=0, deleted=0)


@given(listings, ledgers)
def test_a_refresh_stages_everything_again(listed: list[S3Object], entries: dict[str, LedgerEntry]) -> None:
    plan = ledger.plan(iter(listed), entries, refresh=True)
    assert plan.objects == listed
    assert plan.retired == {entry.batch_id for entry in entries.values()}


@given(st.integers(0, 50), st.integers(1, 60), st.integers(1, 1000))
def test_batches_are_bounded_and_complete(objects: int, size: int, first: int) -> None:
    listed = [S3Object("music", f"{number:03}", 1, "e") for number in range(objects)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "BATCH_SIZE", size)
        batches = ledger.batches(StagingPlan(listed, set(), objects, 0), first)
    assert [item for batch in batches for item in batch.objects] == listed
    assert [batch.id for batch in batches] == list(range(first, first + len(batches)))
    assert all(len(batch.objects) == size for batch in batches[:-1])
    assert all(1 <= len(batch.objects) <= size for batch in batches)


class FakeWarehouse:
    """A warehouse that records its last query, and returns the same rows if they are as wide as it."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self.rows = rows
        self.sql = ""

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        self.sql = sql
        return [] if "object_key" in sql and len(self.rows[0]) == 1 else self.rows


@pytest.mark.parametrize(("last", "following"), [(None, 1), (7, 8)])
def test_batch_numbers_are_not_reused(last: int | None, following: int) -> None:
    entry = ("a.json", "e1", 5, 1)
    for rows in ([(last,)], [(*entry, last), ("b.json", "e2", 6, 1, last)]):
        warehouse = FakeWarehouse(rows)
        assert ledger.read(cast("Warehouse", warehouse), "staging_songs")[1] == following
        assert "is_live" not in warehouse.sql  # retired batches count as well
        assert violations(warehouse.sql) == []


def test_read() -> None:
    warehouse = FakeWarehouse([("a.json", "e1", 5, 1, 1)])
    assert ledger.read(cast("Warehouse", warehouse), "staging_songs") == ({"a.json": LedgerEntry("e1", 5, 1)}, 2)
    assert violations(warehouse.sql) == []


def test_each_quarantined_object_is_the_only_one_of_a_batch_with_a_new_negative_number() -> None:
    bad = [S3Object("music", "a.json", 1, "e1"), S3Object("music", "b.json", 1, "e1")]
    entries = {"c.json": LedgerEntry("e1", 1, 7), "d.json": LedgerEntry("e1", 1, -3)}
    assert ledger.quarantine(bad, entries) == [Batch(-4, bad[:1]), Batch(-5, bad[1:])]
    assert ledger.quarantine(bad, {"c.json": LedgerEntry("e1", 1, 7)}) == [Batch(-1, bad[:1]), Batch(-2, bad[1:])]
    assert [entry.is_quarantined for entry in entries.values()] == [False, True]


def test_the_lines_of_the_ledger() -> None:
    batches = [
        Batch(3, [S3Object("music", "song_data/Ä b.json", 5, "e1"), S3Object("music", '"q".json', 6, "e2")]),
        Batch(-1, []),
    ]
    assert [json.loads(line) for line in ledger.lines("staging_songs", batches).splitlines()] == [
        {"table_name": "staging_songs", "object_key": key, "etag": etag, "size_bytes": size, "batch_id": 3}
        for _, key, size, etag in batches[0].objects
    ]


class FakeBucket:
    """A bucket in memory; the integration tests have a real one."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put(self, key: str, body: bytes) -> None:
        self.objects[key] = body

    def url(self, key: str) -> str:
        return f"s3://manifests/{key}"

    def delete(self, keys: list[str]) -> None:
        for key in keys:
            del self.objects[key]


@pytest.mark.parametrize("failure", [None, RuntimeError])
def test_a_published_object_is_deleted_after_the_copy(failure: type[Exception] | None) -> None:
    shelf = FakeBucket()
    with (
        pytest.raises(failure) if failure else nullcontext(),
        ledger.published(cast("Bucket", shelf), "tmp/batch-3", "manifest", "Ä") as url,
    ):
        assert {f"s3://manifests/{key}": body for key, body in shelf.objects.items()} == {url: "Ä".encode()}
        assert url.startswith("s3://manifests/tmp/batch-3-")
        assert url.endswith(".manifest")
        if failure:
            raise failure
    assert shelf.objects == {}


@pytest.mark.parametrize("failure", [None, RuntimeError])
def test_an_error_of_a_deletion_neither_fails_the_task_nor_hides_its_error(
    failure: type[Exception] | None, caplog: pytest.LogCaptureFixture
) -> None:
    class Refusing(FakeBucket):
        def delete(self, keys: list[str]) -> None:
            raise S3Error("S3 did not delete it")

        def older(self, prefix: str, moment: datetime) -> list[str]:
            return [*self.objects]

    shelf = cast("Bucket", Refusing())
    with (
        pytest.raises(failure) if failure else nullcontext(),
        ledger.published(shelf, "tmp/batch-3", "manifest", "Ä"),
    ):
        if failure:
            raise failure
    ledger.sweep(shelf, "tmp/")
    assert caplog.text.count("S3 did not delete it") == 2


def test_each_published_object_has_its_own_key() -> None:
    bucket = cast("Bucket", FakeBucket())
    with (
        ledger.published(bucket, "tmp/batch-3", "manifest", "") as one,
        ledger.published(bucket, "tmp/batch-3", "manifest", "") as other,
    ):
        assert one != other
