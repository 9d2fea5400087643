"""An invalid object is quarantined: the others are loaded, and it is read again when it has changed."""

from __future__ import annotations

import gzip
import json
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from sparkify.s3 import Bucket, S3Error, S3Object
from sparkify.staging import ledger
from sparkify.staging.by_object import ObjectStaging
from sparkify.warehouse import CopyFailedError
from sparkify.warehouse.postgres.session import Postgres
from tests.integration.operators.test_stage_to_redshift import DAY, SONGS
from tests.integration.operators.test_stage_to_redshift_faults import with_fields
from tests.support.data import event, song

if TYPE_CHECKING:
    from sandbox import servers
    from sandbox.lab import Lab

REJECTED = "SELECT file_name, line_number, column_name, error_code FROM operations.rejected_rows ORDER BY 1, 2"
BAD: dict[str, tuple[bytes, tuple[int, str | None, int]]] = {
    "a wrong type": (json.dumps(song("SO2", year="in spring")).encode(), (1, "year", 1207)),
    "malformed JSON": (b'{"song_id": "SO2", ', (1, None, 1216)),
    "not JSON": (b"\x89PNG\x1a", (1, None, 1216)),
    "no id": (json.dumps(song("SO2", artist_id=None)).encode(), (1, "artist_id", 1213)),
    "a valid row and an invalid one": (
        f"{json.dumps(song('SO2'))}\n{json.dumps(song('SO3', duration='long'))}".encode(),
        (2, "duration", 1208),
    ),
    "empty": (b"", (0, None, 2)),
}


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The COPY commands that are sent, without those of the ledger."""
    sent: list[str] = []
    copy = Postgres._copy

    def note(self: Postgres, command: str) -> Any:
        if "landing_" in command:
            sent.append(command)
        return copy(self, command)

    monkeypatch.setattr(Postgres, "_copy", note)
    return sent


def staged(lab: Lab) -> list[str]:
    return [song_id for (song_id,) in lab.query("SELECT song_id FROM staging_songs ORDER BY 1")]


def manifests(lab: Lab) -> list[str]:
    return [item["path"] for page in lab.store.list("manifests") for item in page]


class TestInvalidObjects:
    @pytest.mark.parametrize("kind", BAD)
    def test_the_other_objects_and_the_plays_are_loaded(
        self, lab: Lab, kind: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        content, (line, column, code) = BAD[kind]
        lab.put_song("one", song("SO1"))
        lab.put("song_data/A/A/A/bad.json", content)
        lab.put_song("two", song("SO9"))
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1)])
        results = lab.run(*DAY)
        assert (results["stage_songs"]["objects"], results["stage_songs"]["quarantined"]) == (3, 1)
        assert staged(lab) == ["SO1", "SO9"]
        assert lab.counts()["songs"] == 2
        assert lab.counts()["songplays"] == 1
        url = f"s3://{lab.bucket}/song_data/A/A/A/bad.json"
        assert lab.query(REJECTED) == [(url, line, column, code)]
        warned = [record.getMessage() for record in caplog.records if "quarantined" in record.getMessage()]
        assert len([text for text in warned if url in text]) == 1

    def test_it_is_neither_read_nor_reported_again(
        self, lab: Lab, copies: list[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        lab.put_song("bad", song("SO2", year="in spring"))
        lab.run(*DAY, tasks=SONGS)
        before = lab.query("SELECT * FROM operations.rejected_rows")
        lab.put_song("one", song("SO1"))
        copies.clear()
        caplog.clear()
        assert lab.run(*DAY, tasks=SONGS)["stage_songs"]["quarantined"] == 0
        assert len(copies) == 1
        with pytest.raises(AirflowSkipException, match=r"1 are staged, 1 are quarantined"):
            lab.execute(lab.dag.get_task("stage_songs"), start=DAY[0], end=DAY[1])
        assert len(copies) == 1
        assert not [record for record in caplog.records if record.levelname == "WARNING"]
        assert lab.query("SELECT * FROM operations.rejected_rows") == before

    @pytest.mark.parametrize("remedy", ["correct", "remove", "still bad", "refresh"])
    def test_it_is_read_again_when_it_changes(self, lab: Lab, remedy: str) -> None:
        for name, content in {"one": song("SO1"), "two": song("SO2", year="?"), "three": song("SO3", year="?")}.items():
            lab.put_song(name, content)
        lab.run(*DAY, tasks=SONGS)
        if remedy == "correct":
            lab.put_song("two", song("SO2"))
        elif remedy == "remove":
            lab.store.delete("song_data/A/A/A/two.json")
        elif remedy == "still bad":
            lab.put_song("two", song("SO2", duration="?"))
        result = lab.run(*DAY, tasks=SONGS, full_refresh=remedy == "refresh")["stage_songs"]
        assert result["objects"] == {"remove": 0, "refresh": 3}.get(remedy, 1)
        assert staged(lab) == (["SO1", "SO2"] if remedy == "correct" else ["SO1"])
        rejected = {
            "still bad": [("three", "year"), ("two", "duration")],
            "refresh": [("three", "year"), ("two", "year")],
        }
        url = f"s3://{lab.bucket}/song_data/A/A/A/"
        assert [(file.removeprefix(url)[:-5], column) for file, _, column, _ in lab.query(REJECTED)] == rejected.get(
            remedy, [("three", "year")]
        )
        assert lab.run(*DAY, tasks=SONGS)["stage_songs"] is None

    def test_the_rows_of_an_object_that_becomes_invalid_are_deleted(self, lab: Lab) -> None:
        lab.put_song("one", song("SO1"))
        lab.put_song("two", song("SO2"))
        lab.run(*DAY, tasks=SONGS)
        lab.put_song("two", song("SO2", year="?"))
        lab.run(*DAY, tasks=SONGS)
        assert staged(lab) == ["SO1"]

    def test_the_audit_warns_about_it(self, lab: Lab) -> None:
        lab.put_song("bad", song("SO2", year="?"))
        lab.run(*DAY)
        lab.run(*DAY, dag_id="sparkify_audit")
        ((outcome, sample),) = lab.query(
            "SELECT outcome, sample FROM operations.data_quality_results "
            "WHERE table_name = 'staging_songs' AND check_name = 'no song was rejected'"
        )
        assert outcome == "warned"
        assert json.loads(sample)[0]["file_name"] == f"s3://{lab.bucket}/song_data/A/A/A/bad.json"

    def test_many_invalid_objects_cost_one_additional_copy(self, lab: Lab, copies: list[str]) -> None:
        for number in range(30):
            lab.put_song(f"bad-{number:02}", song(f"SO{number}", year="?"))
        # More invalid lines than COPY reports, in objects before the others.
        for name in ("a", "b"):
            lab.put(f"song_data/A/A/A/{name}.json", "no JSON\n" * 800)
        lab.put_song("good", song("SO1"))
        assert lab.run(*DAY, tasks=SONGS)["stage_songs"]["quarantined"] == 32
        assert len(copies) == 2
        assert staged(lab) == ["SO1"]
        assert lab.one("SELECT COUNT(DISTINCT file_name) FROM operations.rejected_rows") == 32

    def test_more_errors_than_copy_can_ignore(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sparkify.staging.by_object.MAX_ERRORS", 5)
        lab.put("song_data/A/A/A/bad.json", "no JSON\n" * 9)
        lab.put_song("good", song("SO1"))
        assert lab.run(*DAY, tasks=SONGS)["stage_songs"]["quarantined"] == 1
        assert staged(lab) == ["SO1"]

    def test_corrupt_compression(self, lab: Lab) -> None:
        whole = gzip.compress(json.dumps(song("SO1")).encode())
        for name, content in {"a": whole[:-9], "b": b"no gzip", "c": whole}.items():
            lab.put(f"song_data/A/A/A/{name}.json.gz", content)
        task = with_fields(lab.dag.get_task("stage_songs"), copy_options=["GZIP"])
        assert lab.execute(task, start=DAY[0], end=DAY[1])["quarantined"] == 2
        assert staged(lab) == ["SO1"]
        assert [code for *_, code in lab.query(REJECTED)] == [9001, 9001]

    def test_the_marker_of_a_folder_is_ignored(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        listed = Bucket.objects
        marker = S3Object("bucket", "song_data/A/", 0, "e")
        monkeypatch.setattr(Bucket, "objects", lambda self, prefix: [marker, *listed(self, prefix)])
        lab.put_song("good", song("SO1"))
        result = lab.run(*DAY, tasks=SONGS)["stage_songs"]
        assert (result["objects"], result["quarantined"]) == (1, 0)


def test_s3_rejects_a_deletion(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = Bucket("no-such-bucket", "aws")
    with pytest.raises(S3Error, match=r"S3 bucket 'no-such-bucket' does not exist"):
        bucket.delete(["a"])


class TestRaces:
    def test_an_object_that_is_deleted_before_the_copy(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        lab.put_song("one", song("SO1"))
        lab.put_song("two", song("SO2"))
        copy = Postgres._copy

        def delete_first(self: Postgres, command: str) -> Any:
            monkeypatch.setattr(Postgres, "_copy", copy)
            lab.store.delete("song_data/A/A/A/two.json")
            return copy(self, command)

        monkeypatch.setattr(Postgres, "_copy", delete_first)
        result = lab.run(*DAY, tasks=["stage_songs"])["stage_songs"]
        assert (result["objects"], result["quarantined"]) == (1, 0)
        assert staged(lab) == ["SO1"]
        assert lab.query(REJECTED) == []

    def test_a_copy_that_fails_for_another_reason_fails_the_task(
        self, lab: Lab, copies: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lab.put_song("one", song("SO1"))
        task = with_fields(lab.dag.get_task("stage_songs"), jsonpaths=f"s3://{lab.bucket}/paths.json")
        with pytest.raises(CopyFailedError, match=r"paths\.json"):
            lab.execute(task, start=DAY[0], end=DAY[1])
        assert len(copies) == 1


class TestManifests:
    def test_they_are_removed_when_the_copy_fails(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        lab.put_song("one", song("SO1"))
        found = []

        def fail(self: Postgres, command: str) -> Any:
            found.extend(manifests(lab))
            raise CopyFailedError("S3 refused", terminal=False)

        monkeypatch.setattr(Postgres, "_copy", fail)
        with pytest.raises(CopyFailedError, match="S3 refused"):
            lab.run(*DAY, tasks=["stage_songs"])
        assert len(found) == 1
        assert manifests(lab) == []

    def test_remaining_manifests_of_killed_tasks_are_deleted_and_recent_ones_kept(
        self, lab: Lab, s3: servers.S3Server
    ) -> None:
        names = ["staging_songs/old.manifest", "staging_songs/new.manifest", "staging_others/old.manifest"]
        yesterday = (datetime.now(UTC) - ledger.UNUSED_AFTER - timedelta(hours=1)).timestamp()
        for name in names:
            path = s3.root / lab.bucket / "manifests" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("{}")
            if "old" in name:
                os.utime(path, (yesterday, yesterday))
        lab.put_song("one", song("SO1"))
        lab.run(*DAY, tasks=SONGS)
        assert manifests(lab) == ["manifests/staging_others/old.manifest", "manifests/staging_songs/new.manifest"]


def test_a_truncated_file_name_is_recognized(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """SYS_LOAD_ERROR_DETAIL truncates file names to 256 bytes."""
    quarantine = ObjectStaging._quarantine

    def cut(self: ObjectStaging, rejects: Any) -> bool:
        from dataclasses import replace

        return quarantine(self, [replace(row, file_name=row.file_name.encode()[:256].decode()) for row in rejects])

    monkeypatch.setattr(ObjectStaging, "_quarantine", cut)
    name = "n" * 220
    lab.put_song(name, song("SO1", year="?"))
    lab.put_song("good", song("SO2"))
    assert lab.run(*DAY, tasks=SONGS)["stage_songs"]["quarantined"] == 1
    assert lab.one("SELECT file_name FROM operations.rejected_rows") == f"s3://{lab.bucket}/song_data/A/A/A/{name}.json"
