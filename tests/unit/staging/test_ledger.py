"""The ledger of objects, against a simple model: after a plan is carried out, the ledger equals the listing."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.s3 import Bucket, S3Error, S3Object
from sparkify.staging import ledger
from sparkify.staging.ledger import Batch, Known, Plan
from sql_rules import violations

if TYPE_CHECKING:
    from datetime import datetime

    from sparkify.warehouse import Warehouse

keys = st.sampled_from([f"song_data/{letter}.json" for letter in "ABCDEFGHIJ"])
# Few values, so that objects stay as they are as often as they change.
contents = st.tuples(st.sampled_from(["e1", "e2"]), st.integers(1, 2))
listings = st.dictionaries(keys, contents).map(
    lambda found: [S3Object("music", key, size, etag) for key, (etag, size) in sorted(found.items())]
)
ledgers = st.dictionaries(keys, st.tuples(contents, st.integers(1, 3)).map(lambda entry: Known(*entry[0], entry[1])))


def carried_out(plan: Plan, known: dict[str, Known], batch: int = 99) -> dict[str, Known]:
    """The ledger after a plan: what of its batches is retired is forgotten, what is taken is remembered."""
    kept = {key: entry for key, entry in known.items() if entry.batch_id not in plan.retired}
    taken = {item.key: Known(str(item.etag), item.size or 0, batch) for item in plan.take}
    assert not kept.keys() & taken.keys(), "an object would be in two live batches"
    return kept | taken


def as_listed(known: dict[str, Known]) -> list[S3Object]:
    return [S3Object("music", key, entry.size, entry.etag) for key, entry in sorted(known.items())]


@given(listings, ledgers, st.booleans())
def test_the_ledger_ends_equal_to_the_listing(listed: list[S3Object], known: dict[str, Known], refresh: bool) -> None:
    assert as_listed(carried_out(ledger.plan(listed, known, refresh=refresh), known)) == listed


@given(listings, ledgers)
def test_only_batches_that_changed_are_retired(listed: list[S3Object], known: dict[str, Known]) -> None:
    there = set(listed)
    changed = {
        entry.batch_id for key, entry in known.items() if S3Object("music", key, entry.size, entry.etag) not in there
    }
    plan = ledger.plan(listed, known)
    assert plan.retired == changed
    untouched = {key: entry for key, entry in known.items() if entry.batch_id not in changed}
    assert untouched.items() <= carried_out(plan, known).items()


@given(listings, ledgers)
def test_a_plan_takes_no_more_than_it_must(listed: list[S3Object], known: dict[str, Known]) -> None:
    plan = ledger.plan(listed, known)
    assert plan.take == [item for item in listed if item.key not in known or known[item.key].batch_id in plan.retired]
    assert plan.new == len([item for item in listed if item.key not in known])
    assert plan.vanished == len(known.keys() - {item.key for item in listed})


@given(ledgers)
def test_there_is_nothing_to_do_twice(known: dict[str, Known]) -> None:
    assert ledger.plan(as_listed(known), known) == Plan(take=[], retired=set(), new=0, vanished=0)


@given(listings, ledgers)
def test_a_refresh_takes_everything_again(listed: list[S3Object], known: dict[str, Known]) -> None:
    plan = ledger.plan(iter(listed), known, refresh=True)
    assert plan.take == listed
    assert plan.retired == {entry.batch_id for entry in known.values()}


@given(st.integers(0, 50), st.integers(1, 60), st.integers(1, 1000))
def test_batches_are_bounded_and_whole(objects: int, size: int, first: int) -> None:
    take = [S3Object("music", f"{number:03}", 1, "e") for number in range(objects)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "BATCH_SIZE", size)
        batches = ledger.batches(Plan(take, set(), objects, 0), first)
    assert [item for batch in batches for item in batch.objects] == take
    assert [batch.id for batch in batches] == list(range(first, first + len(batches)))
    assert all(len(batch.objects) == size for batch in batches[:-1])
    assert all(1 <= len(batch.objects) <= size for batch in batches)


class Asked:
    """A warehouse that remembers what it is asked, and gives one answer."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self.rows = rows
        self.sql = ""

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        self.sql = sql
        return self.rows


@pytest.mark.parametrize(("last", "following"), [(None, 1), (7, 8)])
def test_batch_numbers_are_not_used_again(last: int | None, following: int) -> None:
    warehouse = Asked([(last,)])
    assert ledger.next_batch_id(cast("Warehouse", warehouse), "staging_songs") == following
    assert "is_live" not in warehouse.sql  # retired batches count as well
    assert violations(warehouse.sql) == []


def test_read() -> None:
    warehouse = Asked([("a.json", "e1", 5, 1)])
    assert ledger.read(cast("Warehouse", warehouse), "staging_songs") == {"a.json": Known("e1", 5, 1)}
    assert violations(warehouse.sql) == []


def test_each_quarantined_object_is_the_only_one_of_a_batch_with_a_new_negative_number() -> None:
    bad = [S3Object("music", "a.json", 1, "e1"), S3Object("music", "b.json", 1, "e1")]
    known = {"c.json": Known("e1", 1, 7), "d.json": Known("e1", 1, -3)}
    assert ledger.quarantine(bad, known) == [Batch(-4, bad[:1]), Batch(-5, bad[1:])]
    assert ledger.quarantine(bad, {"c.json": Known("e1", 1, 7)}) == [Batch(-1, bad[:1]), Batch(-2, bad[1:])]
    assert [entry.is_quarantined for entry in known.values()] == [False, True]


def test_the_lines_of_the_ledger() -> None:
    batches = [
        Batch(3, [S3Object("music", "song_data/Ä b.json", 5, "e1"), S3Object("music", '"q".json', 6, "e2")]),
        Batch(-1, []),
    ]
    assert [json.loads(line) for line in ledger.lines("staging_songs", batches).splitlines()] == [
        {"table_name": "staging_songs", "object_key": key, "etag": etag, "size_bytes": size, "batch_id": 3}
        for _, key, size, etag in batches[0].objects
    ]


class Shelf:
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
def test_what_a_copy_reads_is_there_no_longer_than_the_copy(failure: type[Exception] | None) -> None:
    shelf = Shelf()
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
def test_what_cannot_be_deleted_fails_nothing_and_hides_no_failure(
    failure: type[Exception] | None, caplog: pytest.LogCaptureFixture
) -> None:
    class Refusing(Shelf):
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


def test_no_two_runs_publish_to_one_key() -> None:
    bucket = cast("Bucket", Shelf())
    with (
        ledger.published(bucket, "tmp/batch-3", "manifest", "") as one,
        ledger.published(bucket, "tmp/batch-3", "manifest", "") as other,
    ):
        assert one != other
