"""OpenLineage events of the tasks: datasets, columns, row counts and check results, valid by the official schemas."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest
from airflow.providers.openlineage.extractors import ExtractorManager
from airflow.providers.openlineage.plugins.adapter import OpenLineageAdapter
from airflow.sdk.exceptions import AirflowFailException
from airflow.utils.state import TaskInstanceState
from jsonschema import Draft202012Validator
from openlineage.client import OpenLineageClient
from openlineage.client.transport.file import FileConfig, FileTransport
from openlineage.client.uuid import generate_new_uuid
from referencing import Registry, Resource

from sparkify.loading.history import History
from sparkify.operators.base import WarehouseOperator
from sparkify.quality.result import CheckResult
from tests.conftest import ROOT
from tests.support.data import event, song

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow.sdk import Context

    from sandbox.lab import Lab
    from tests.conftest import CopyOf

Event = dict[str, Any]

# The folder spec/ of a checkout of https://github.com/OpenLineage/OpenLineage, to test without its site.
SPEC = os.environ.get("OPENLINEAGE_SPEC")
OFFICIAL = "https://openlineage.io/spec/"

DAY = ("2018-11-01", "2018-11-02")


class Events:
    """Emits the events of executed tasks to a file, through the provider's adapter."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._manager = ExtractorManager()
        transport = FileTransport(FileConfig(log_file_path=str(path), append=True))
        self._adapter = OpenLineageAdapter(client=OpenLineageClient(transport=transport))

    def emit(self, task: Any, state: TaskInstanceState, error: Exception | None = None) -> None:
        """Emit the event of a task's state."""
        found = self._manager.extract_metadata(SimpleNamespace(run_id="run"), task, state, SimpleNamespace())
        details: dict[str, Any] = {
            "run_id": str(generate_new_uuid()),
            "job_name": f"sparkify_warehouse.{task.task_id}",
            "job_description": None,
            "nominal_start_time": None,
            "nominal_end_time": None,
            "owners": ["data-engineering"],
            "tags": ["sparkify"],
            "task": found,
        }
        now = datetime.now(UTC).isoformat()
        if state == TaskInstanceState.RUNNING:
            self._adapter.start_task(event_time=now, **details)
        elif state == TaskInstanceState.SUCCESS:
            self._adapter.complete_task(end_time=now, **details)
        else:
            self._adapter.fail_task(end_time=now, error=error, **details)

    def all(self) -> list[Event]:
        """Return all events, in order."""
        return [json.loads(line) for line in self._path.read_text().splitlines()]

    def of(self, task_id: str, kind: str = "COMPLETE") -> Event:
        """Return the only event of a task and kind."""
        name = f"sparkify_warehouse.{task_id}"
        (found,) = (item for item in self.all() if item["job"]["name"] == name and item["eventType"] == kind)
        return found


@contextmanager
def recorded(path: Path) -> Iterator[Events]:
    """Emit the events of each executed task, as Airflow's listener does."""
    events = Events(path)
    execute = WarehouseOperator.execute

    def observed(self: WarehouseOperator, context: Context) -> dict[str, Any]:
        events.emit(self, TaskInstanceState.RUNNING)
        try:
            result = execute(self, context)
        except Exception as error:
            events.emit(self, TaskInstanceState.FAILED, error)
            raise
        events.emit(self, TaskInstanceState.SUCCESS)
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WarehouseOperator, "execute", observed)
        yield events


@pytest.fixture
def events(tmp_path: Path) -> Iterator[Events]:
    """Record the events of the test."""
    with recorded(tmp_path / "events.json") as events:
        yield events


def download(url: str) -> Resource[Any]:
    """Return a schema from its official URL."""
    try:
        response = httpx.get(url, follow_redirects=True, timeout=20).raise_for_status()
    except httpx.HTTPError as error:
        pytest.skip(f"OpenLineage's schema {url} is unavailable ({error}); set OPENLINEAGE_SPEC to a folder with it")
    return Resource.from_contents(response.json())


@pytest.fixture(scope="module")
def validate() -> Callable[[Event], list[str]]:
    """Return a function that lists an event's violations of the official schemas."""
    schemas = [json.loads(path.read_text()) for path in Path(SPEC).rglob("*.json")] if SPEC else []
    registry: Registry[Any] = Registry(retrieve=download).with_resources(  # type: ignore[call-arg]
        (schema["$id"], Resource.from_contents(schema)) for schema in schemas if "$id" in schema
    )

    def problems(url: str, value: Any) -> Iterator[str]:
        validator = Draft202012Validator(
            {"$ref": url}, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        for error in validator.iter_errors(value):
            yield f"{url.rpartition('/')[2]} {error.json_path}: {error.message}"

    def validate(found: Event) -> list[str]:
        violations = list(problems(found["schemaURL"], found))
        for facet in facets(found):
            if facet["_schemaURL"].startswith(OFFICIAL):
                violations += problems(facet["_schemaURL"], facet)
        return violations

    return validate


def facets(value: Any) -> Iterator[dict[str, Any]]:
    """Yield all facets of an event, at any depth."""
    if isinstance(value, dict):
        if "_schemaURL" in value:
            yield value
        for item in value.values():
            yield from facets(item)
    elif isinstance(value, list):
        for item in value:
            yield from facets(item)


@pytest.fixture(scope="module")
def of_load(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of the events of loading the lab."""
    return tmp_path_factory.mktemp("lineage") / "events.json"


@pytest.fixture(scope="module")
def load(of_load: Path) -> Callable[[Lab], None]:
    """Return a function that runs all tasks once, with their events."""

    def load(lab: Lab) -> None:
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1), event("2018-11-01T06:10", 2)])
        lab.put_song("one", song("SO1"))
        with recorded(of_load):
            lab.run(*DAY)

    return load


@pytest.fixture
def loaded(copy_of: CopyOf, load: Callable[[Lab], None], of_load: Path, tmp_path: Path, events: Events) -> Lab:
    """Return a lab that has run all tasks once; the events begin with theirs."""
    lab = copy_of(load)
    shutil.copy(of_load, tmp_path / "events.json")
    return lab


def dataset(found: Event, side: str, name: str) -> dict[str, Any]:
    """Return the dataset of an event whose name ends with ``name``."""
    (match,) = (item for item in found[side] if item["name"].endswith(name))
    assert isinstance(match, dict)
    return match


def names(found: Event, side: str) -> list[str]:
    return [item["name"].partition(".")[2] or item["name"] for item in found[side]]


def test_events_are_valid_by_the_official_schemas(
    loaded: Lab, events: Events, validate: Callable[[Event], list[str]]
) -> None:
    with psycopg.connect(loaded.uri) as connection:
        connection.execute("UPDATE songplays SET level = 'gold'")
    with pytest.raises(Exception, match="checks failed"):
        loaded.run(*DAY, tasks=["data_quality"])
    found = events.all()
    assert {item["eventType"] for item in found} == {"START", "COMPLETE", "FAIL"}
    assert {item["job"]["name"]: validate(item) for item in found if validate(item)} == {}


@pytest.mark.parametrize(
    "damage",
    [
        lambda found: found.pop("eventTime"),
        lambda found: found["run"].update(runId="none"),
        lambda found: found["outputs"][0]["facets"]["schema"]["fields"][0].pop("name"),
        lambda found: found["outputs"][0]["outputFacets"]["outputStatistics"].update(rowCount="many"),
        lambda found: found["outputs"][0]["facets"]["columnLineage"]["fields"]["level"].pop("inputFields"),
    ],
)
def test_damaged_events_are_invalid(
    loaded: Lab, events: Events, validate: Callable[[Event], list[str]], damage: Callable[[Event], Any]
) -> None:
    found = events.of("load_songplays")
    damage(found)
    assert validate(found)


def test_staging_reads_objects_and_writes_a_table(loaded: Lab, events: Events) -> None:
    found = events.of("stage_events")
    (read,), (written,) = found["inputs"], found["outputs"]
    assert (read["namespace"], read["name"]) == (f"s3://{loaded.bucket}", "log_data")
    assert read["inputFacets"]["inputStatistics"]["fileCount"] == 1
    assert written["namespace"].startswith("postgres://")
    assert written["name"] == f"{loaded.bucket}.public.staging_events"  # the database is named like the bucket
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == 2
    fields = {item["name"]: item["type"] for item in written["facets"]["schema"]["fields"]}
    assert list(fields)[:2] == ["artist", "auth"]
    assert fields["artist"] == "character varying(1024)"
    assert fields["sessionid"] == "bigint"
    assert fields["ts"] == "timestamp without time zone"
    assert events.of("stage_songs")["inputs"][0]["inputFacets"]["inputStatistics"]["fileCount"] == 1


def test_the_inputs_of_a_load_are_those_of_its_select(loaded: Lab, events: Events) -> None:
    assert names(events.of("load_songplays"), "inputs") == [
        "public.staging_events",
        "public.staging_songs",
        "public.songs",
    ]
    assert names(events.of("load_users"), "inputs") == ["public.staging_events"]
    for task_id, rows in {"load_songplays": 2, "load_users": 1, "load_time": 2, "load_songs": 1}.items():
        (written,) = events.of(task_id)["outputs"]
        assert written["name"].endswith(f".public.{task_id.removeprefix('load_')}")
        assert written["outputFacets"]["outputStatistics"]["rowCount"] == rows


def test_a_load_has_column_lineage(loaded: Lab, events: Events) -> None:
    fields = lineage_of(events.of("load_songplays"))
    assert fields["songplay_id"] == {("staging_events", "sessionid"), ("staging_events", "iteminsession")}
    assert fields["user_agent"] == {("staging_events", "useragent")}
    assert fields["song_id"] == {("staging_songs", "song_id")}


def lineage_of(found: Event) -> dict[str, set[tuple[str, str]]]:
    """Return the source columns, with their tables, of each column that a task wrote."""
    (written,) = found["outputs"]
    assert set(written["facets"]["columnLineage"]["fields"]) == {
        item["name"] for item in written["facets"]["schema"]["fields"]
    }
    return {
        name: {(source["name"].rpartition(".")[2], source["field"]) for source in field["inputFields"]}
        for name, field in written["facets"]["columnLineage"]["fields"].items()
    }


def test_a_history_has_the_lineage_of_computed_columns(loaded: Lab, events: Events) -> None:
    fields = lineage_of(events.of("load_users_history"))
    assert fields["level"] == {("staging_events", "level")}
    assert set(History.computed) == {"valid_to", "is_current", "last_interval_time"}
    assert fields["valid_to"] == fields["is_current"] == fields["valid_from"] == {("staging_events", "ts")}
    assert fields["last_interval_time"] == {("staging_events", "interval_time")}


def test_an_aggregate_has_the_lineage_of_its_facts(loaded: Lab, events: Events) -> None:
    assert {table for sources in lineage_of(events.of("load_events")).values() for table, _ in sources} == {
        "staging_events"
    }
    assert lineage_of(events.of("load_daily_activity"))["listening_seconds"] == {("events", "length")}
    for task in ("sessions", "daily_activity", "daily_songs", "daily_users", "hourly_plays"):
        found = events.of(f"load_{task}")
        assert names(found, "inputs") == ["public.events"]
        assert {table for sources in lineage_of(found).values() for table, _ in sources} == {"events"}
    found = events.of("load_monthly_songs")
    assert names(found, "inputs") == ["public.daily_songs"]
    assert lineage_of(found)["plays"] == {("daily_songs", "plays")}


@pytest.fixture
def described(lab: Lab, events: Events) -> Events:
    """Return the events of a load in a database with known comments."""
    with psycopg.connect(lab.uri) as connection:
        connection.execute("COMMENT ON TABLE staging_events IS 'The log as delivered.'")
        connection.execute("COMMENT ON COLUMN staging_events.userid IS 'User id of the app. Personal.'")
        connection.execute("COMMENT ON COLUMN staging_events.length IS 'Length of the song. Unit: seconds.'")
        connection.execute("COMMENT ON COLUMN staging_events.ts IS NULL")
        connection.execute("COMMENT ON TABLE users IS NULL")
        # Comments on objects of another catalogue, with the oids of both tables.
        connection.execute(
            "INSERT INTO pg_description SELECT attrelid, 'pg_type'::regclass, attnum, 'Not of ts.' FROM pg_attribute "
            "WHERE attrelid = 'staging_events'::regclass AND attname = 'ts'"
        )
        connection.execute(
            "INSERT INTO pg_description VALUES ('users'::regclass, 'pg_type'::regclass, 0, 'Not of users.')"
        )
    lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1)])
    lab.run(*DAY, tasks=["stage_events", "load_users"])
    return events


def test_datasets_have_the_descriptions_of_the_database(described: Events) -> None:
    (written,), (read,) = described.of("stage_events")["outputs"], described.of("load_users")["inputs"]
    for facets in (written["facets"], read["facets"]):
        assert facets["documentation"]["description"] == "The log as delivered."
        fields = {item["name"]: item.get("description") for item in facets["schema"]["fields"]}
        assert fields["userid"] == "User id of the app. Personal."
        assert fields["length"] == "Length of the song. Unit: seconds."
        assert fields["ts"] is None
        tags = {item["field"]: (item["key"], item["value"]) for item in facets["tags"]["tags"]}
        assert tags["userid"] == ("sensitivity", "personal")
        assert "length" not in tags
    assert "documentation" not in described.of("load_users")["outputs"][0]["facets"]


def test_events_with_descriptions_are_valid(described: Events, validate: Callable[[Event], list[str]]) -> None:
    assert [problems for item in described.all() if (problems := validate(item))] == []


def test_start_events_have_datasets_without_row_counts(loaded: Lab, events: Events) -> None:
    found = events.of("load_songplays", "START")
    end = events.of("load_songplays")
    assert names(found, "inputs") == names(end, "inputs")
    assert names(found, "outputs") == names(end, "outputs")
    assert found["outputs"][0]["outputFacets"] == {}


def test_fail_events_have_datasets_without_row_counts(lab: Lab, events: Events) -> None:
    lab.put_events("2018-11-01", [{"page": "Home"}])
    with pytest.raises(AirflowFailException):
        lab.run(*DAY, tasks=["stage_events"])
    found = events.of("stage_events", "FAIL")
    assert names(found, "outputs") == ["public.staging_events"]
    assert found["outputs"][0]["outputFacets"] == {}


class Checks(WarehouseOperator):
    """Records results of checks, and fails."""

    def work(self, context: Context) -> dict[str, Any]:
        common: dict[str, Any] = {
            "scope": "interval",
            "total_rows": 2,
            "sample": [{"level": "gold"}],
            "why": "Analysts count by level.",
            "remedy": "Ask.",
            "seconds": 0.1,
        }
        self.check_results = [
            CheckResult("songplays", "every play has a level", "not_null", "warn", passed=True, observed="0 rows",
                    expected="0 rows", failing_rows=0, column="level", **common),
            CheckResult("songplays", "levels are free or paid", "accepted_values", "error", passed=False,
                    observed="1 row", expected="0 rows", failing_rows=1, **common),
            CheckResult("users", "there are users", "row_count", "error", passed=True, observed="1", expected=">= 1",
                    failing_rows=0, **common),
        ]  # fmt: skip
        raise RuntimeError("a check failed")


def test_check_results_are_reported_if_the_task_fails(
    loaded: Lab, events: Events, request: pytest.FixtureRequest
) -> None:
    task = Checks(task_id="checks", interval_start=DAY[0], interval_end=DAY[1])
    with pytest.raises(RuntimeError):
        loaded.execute(task)
    found = events.of("checks", "FAIL")
    assert names(found, "inputs") == ["public.songplays", "public.users"]
    assert found["outputs"] == []
    plays = dataset(found, "inputs", ".songplays")
    assert plays["facets"]["schema"]["fields"][0]["name"] == "songplay_id"
    common = {"description": "Analysts count by level.", "expected": "0 rows"}
    assert [
        {name: value for name, value in item.items() if value not in (None, {})}
        for item in plays["inputFacets"]["dataQualityAssertions"]["assertions"]
    ] == [
        {"assertion": "not_null", "success": True, "column": "level", "severity": "warn",
         "name": "every play has a level", "actual": "0 rows", **common},
        {"assertion": "accepted_values", "success": False, "severity": "error",
         "name": "levels are free or paid", "actual": "1 row", **common},
    ]  # fmt: skip
    assert request.getfixturevalue("validate")(found) == []


def test_the_quality_task_reports_passed_and_failed_checks(loaded: Lab, events: Events) -> None:
    passed = dataset(events.of("data_quality"), "inputs", ".songplays")["inputFacets"]["dataQualityAssertions"]
    assert {item["success"] for item in passed["assertions"]} == {True}
    with psycopg.connect(loaded.uri) as connection:
        connection.execute("UPDATE songplays SET level = 'gold'")
    with pytest.raises(AirflowFailException):
        loaded.run(*DAY, tasks=["data_quality"])
    failed = dataset(events.of("data_quality", "FAIL"), "inputs", ".songplays")["inputFacets"]["dataQualityAssertions"]
    found = [(item["assertion"], item.get("column")) for item in failed["assertions"] if not item["success"]]
    assert found == [("accepted_values", "level"), ("sql", None)]


def test_openlineage_is_not_imported_if_disabled(lab: Lab) -> None:
    lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1)])
    code = (
        "import sys\n"
        "from sandbox.lab import Lab\n"
        f"lab = Lab({lab.uri!r}, None, {lab.bucket!r}, {{}})\n"
        f"results = lab.run(*{DAY!r}, tasks=['stage_events', 'load_users'])\n"
        "assert results['load_users']['rows'] == 1\n"
        "print([name for name in sys.modules if name.startswith(('openlineage', 'sparkify.dag.lineage'))])"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "plugins:dags:."},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    assert printed.splitlines()[-1] == "[]"
